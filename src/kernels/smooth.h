/* Local polynomial smoothing of a function of time that is known through noisy means over cells. */
#ifndef SGDMFT_KERNELS_SMOOTH_H
#define SGDMFT_KERNELS_SMOOTH_H

#include <stddef.h>

#include "kernels/grid.h"

enum { SMOOTH_WINDOW = 5, SMOOTH_DEGREE = 3 };

/* A value as a combination of means over cells: sum over c < count of weight[c] * mean[first + c], plus `end` times the
   value at the end of the last cell. */
typedef struct smooth_stencil {
    int first, count;
    double weight[SMOOTH_WINDOW], end;
} smooth_stencil;

/* The value at time `at` of the polynomial of degree SMOOTH_DEGREE that is the least-squares fit to the means over the
   SMOOTH_WINDOW cells nearest to `at`. t[cells + 1] are the ends of the cells; with few cells, window and degree are
   smaller. If the window reaches the end and the value there is known, that value has the weight of many cells. The
   stencil is exact for polynomials of this degree, so its error is of fourth order in the cell width. */
smooth_stencil smooth_at(const double *t, int cells, double at, int known_end);

/* The stencils at nodes 0 .. cells for the means over the first `cells` cells of a grid. Windows do not reach across
   nodes where an epoch begins, since the function has a kink there. */
typedef struct smooth_rows {
    smooth_stencil *at; /* [steps + 1] */
    int cells;
} smooth_rows;

/* Non-zero if memory runs out. */
int smooth_rows_new(int steps, smooth_rows *out);
void smooth_rows_clear(smooth_rows *rows);

/* Computes the stencils for `cells` cells. `known_end` must be the same in all calls. An additional cell changes the
   stencils near the end alone, so calls with growing `cells` cost little. */
void smooth_rows_refresh(smooth_rows *rows, const time_grid *grid, int cells, int known_end);

#endif
