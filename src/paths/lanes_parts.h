/* Parts of the vector loops that rows in double precision (lanes.c) and in single precision (rows.c) share. */
#ifndef SGDMFT_PATHS_LANES_PARTS_H
#define SGDMFT_PATHS_LANES_PARTS_H

#include <stddef.h>

#define INLINED static inline __attribute__((always_inline))

/* TILE rows are read at once, and a product is summed in PARTS partial sums. */
enum { TILE = 8, PARTS = 8 };

/* Eight neighbouring lanes, without any alignment, compiled to the vectors that the processor has. */
typedef double lanes8 __attribute__((vector_size(64), aligned(8), may_alias));

/* out[p] += sum_j c[j] x_j[p] over eight rows x_j of type `number`. `out` is read and written once for all eight. */
#define COMBINE_TILE(name, number)                                                                                     \
    INLINED void name(size_t n, const double *restrict c, const number *restrict x, double *restrict out)              \
    {                                                                                                                  \
        const number *restrict x0 = x, *restrict x1 = x + n, *restrict x2 = x + 2 * n, *restrict x3 = x + 3 * n;       \
        const number *restrict x4 = x + 4 * n, *restrict x5 = x + 5 * n, *restrict x6 = x + 6 * n;                     \
        const number *restrict x7 = x + 7 * n;                                                                         \
        for (size_t p = 0; p < n; p++)                                                                                 \
            out[p] += ((c[0] * x0[p] + c[1] * x1[p]) + (c[2] * x2[p] + c[3] * x3[p])) +                                \
                      ((c[4] * x4[p] + c[5] * x5[p]) + (c[6] * x6[p] + c[7] * x7[p]));                                 \
    }

#endif
