/* Arrays of doubles that belong together, described one by one in a list. The list drives allocation, byte counts and
   transfer, so that an array is added in one place. */
#ifndef SGDMFT_CORE_ARRAYS_H
#define SGDMFT_CORE_ARRAYS_H

#include <stddef.h>

typedef struct array_row {
    const char *name;
    double **data;
    size_t count; /* doubles; 0: the array is not needed and stays NULL */
} array_row;

/* Allocates every array, zeroed and aligned. Returns 0, or -1 if memory is out; then all of them are NULL. */
int arrays_new(size_t n, const array_row *rows);
void arrays_free(size_t n, const array_row *rows);

double arrays_bytes(size_t n, const array_row *rows);

#endif
