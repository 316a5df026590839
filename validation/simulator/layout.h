/* Arrays that share one allocation. A layout function takes them one after the other from `base` and returns how many
   bytes they need. With base NULL it only counts, so that one function serves both the estimate of memory and the
   allocation, which must be aligned to 64 bytes (memory_zeroed). */
#ifndef SGDMFT_VALIDATION_SIMULATOR_LAYOUT_H
#define SGDMFT_VALIDATION_SIMULATOR_LAYOUT_H

#include <stddef.h>

/* The next array, of `count` elements of `size` bytes; *used counts the bytes so far. */
static inline void *layout_take(char *base, size_t *used, size_t count, size_t size)
{
    void *array = base ? base + *used : NULL;
    *used += (count * size + 63) / 64 * 64;
    return array;
}

#endif
