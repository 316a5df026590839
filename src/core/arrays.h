/* Tables of the arrays that an object owns, one row for each. Allocating them, freeing them, counting their bytes and
   sending them to another rank all run over the same table, so that none of them can forget an array. */
#ifndef SGDMFT_CORE_ARRAYS_H
#define SGDMFT_CORE_ARRAYS_H

#include <stddef.h>

typedef struct array_row {
    double **data; /* where the object keeps the pointer */
    size_t count;  /* doubles */
    int kept; /* 1: part of the result of a replica, which rank 0 collects; 0: needed only while the replica is solved */
} array_row;

/* Zeroed arrays of all rows. Non-zero if memory runs out; what was allocated is then still to be freed. Nothing is
   allocated if a count is too large for any memory. */
int arrays_allocate(const array_row *rows, size_t n);

/* Frees all arrays and sets their pointers to NULL. */
void arrays_free(const array_row *rows, size_t n);

/* Bytes of all rows together. */
double arrays_bytes(const array_row *rows, size_t n);

#endif
