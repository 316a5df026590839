/* Local polynomial smoothing of a function of time that is known, with noise, through its means over cells. */
#ifndef SGDMFT_KERNELS_SMOOTH_H
#define SGDMFT_KERNELS_SMOOTH_H

#include <stddef.h>

enum { SMOOTH_WINDOW = 5, SMOOTH_DEGREE = 3 };

/* A value as a combination of cell means: sum over c < count of weight[c] * mean[first + c], plus `end` times the value at
   the end of the last cell. */
typedef struct smooth_stencil {
    int first, count;
    double weight[SMOOTH_WINDOW], end;
} smooth_stencil;

/* The value at time `at` of the polynomial of degree SMOOTH_DEGREE that fits the means over the SMOOTH_WINDOW cells
   nearest to it best in the least-squares sense. t[cells + 1] are the ends of the cells; with few cells, window and
   degree are smaller. If the window reaches the end and the value there is known, it counts as many cells. Exact for polynomials of that degree, so its error is of fourth order in the cell width. */
smooth_stencil smooth_at(const double *t, int cells, double at, int known_end);

#endif
