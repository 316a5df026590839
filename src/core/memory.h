/* Aligned arrays that vector loops may use. Sizes are checked for overflow. */
#ifndef SGDMFT_CORE_MEMORY_H
#define SGDMFT_CORE_MEMORY_H

#include <stddef.h>

/* `count` zeroed objects of `size` bytes at a 64-byte boundary, or NULL. count = 0 gives a valid pointer.
   Freed with free(). */
void *memory_zeroed(size_t count, size_t size);

/* The same, not zeroed: for large arrays that are written before they are read. */
void *memory_raw(size_t count, size_t size);

static inline double *memory_doubles(size_t count)
{
    return memory_zeroed(count, sizeof(double));
}

/* Bytes of memory this machine can still hand out, or 0 if unknown. */
double memory_available(void);

#endif
