/* The random inputs of a block of paths over a window: four cells of a grid, which are two of the next coarser one and
   one of the coarsest. Three grids that march side by side share them, and nothing is kept of windows that are past, so
   that the memory of a path does not grow with the horizon.

   With dW white noise of unit rate, a cell of width h has the moments int phi_a dW = sqrt(h) xi_a with two independent
   standard normals (vectors of k), and

     int_0^u dW = sqrt(h) (u xi_0 + sqrt(3) (u^2 - u) xi_1) + bridge(u).

   The bridge is independent of xi, with covariance h (min(u, v) - u v - 3 (u^2 - u)(v^2 - v)). The moments of a coarse
   cell follow from those of its two halves, and its bridge from the path of W itself.

   The first visit of every path in a window is quasi-random, by what is known as array-RQMC (L'Ecuyer, Lecot and
   Tuffin, 2008): the paths of a block are sorted by a number that says what a visit would do to them, and the path at
   place j takes the uniform number

     u_j = fractional part of (j golden + shift),

   with the golden ratio and a random shift for each block and window. Each path by itself has independent uniform
   numbers, while paths that are alike are visited as often as they should be. */
#ifndef SGDMFT_MERGED_WINDOW_H
#define SGDMFT_MERGED_WINDOW_H

#include "kernels/grid.h"
#include "model/schedule.h"
#include "paths/ensemble.h"

enum { WINDOW_CELLS = 4, WINDOW_GRIDS = 3 };

/* What happens in one cell of one grid. */
typedef struct window_cell {
    double *xi;     /* [MOMENTS][k][n] */
    double *noise;  /* [n] increment of a process that diffuses, otherwise NULL */
    double *bridge; /* [k][n] at the middle of the cell, for a process with one event there, otherwise NULL */

    /* Visits, in groups as in path_inputs. */
    size_t n_groups, most_groups, most_visits;
    visit_group *groups;
    int *lane;
    double *place;        /* [visits] */
    double *step;         /* [visits] eta at the visit */
    double *visit_bridge; /* [k][count] for each group, from k first */
} window_cell;

typedef struct path_window {
    size_t k, n;
    uint64_t first; /* the number of the path in lane 0 */
    double *rows;   /* owned: xi, noise and bridges of all cells */
    window_cell cell[WINDOW_GRIDS][WINDOW_CELLS];

    /* Visits of the window: visit s of a lane at [s][n]; times past the end where a lane has fewer. */
    int slots, most_slots;
    double *time, *eta;
    int *fine;      /* [slots][n] the fine cell of the visit */
    uint32_t *list; /* [listed] the visits in order of slots, then lanes: slot n + lane */
    size_t listed;
    size_t *count;            /* [WINDOW_CELLS][slots] room */
    int *last;                /* [2][n] room */
    struct lane_order *order; /* [n] room */
    double *path;             /* [slots][k][n] W at the visit, from 0 at the beginning of the window */
    double *sums;             /* [WINDOW_CELLS + 1][k][n] W at the ends of the fine cells */
    double *coming;           /* [n] time of the next visit of each lane */
    double *number;           /* [n] of visits so far */
    double *random;           /* [n] room */
    double *schedule;
    double visits; /* so far, of all lanes */
} path_window;

/* Everything that windows are drawn from. */
typedef struct window_source {
    const path_source *paths;
    const time_grid *const *grid; /* [WINDOW_GRIDS] from the finest */
    uint32_t replica;
} window_source;

/* `first` is the number of the path in lane 0. */
sgdmft_status path_window_new(sgdmft_context *ctx, const window_source *source, size_t n, uint64_t first,
                              path_window *out);
void path_window_clear(path_window *window);
double path_window_bytes(size_t k, double visits_per_window); /* of one lane */

/* Draws window `index`, cells WINDOW_CELLS index ... of the finest grid. Windows must be drawn in order. `key` has one
   number for each lane, by which the lanes are sorted for the times of their next visits. SGDMFT_ERR_MEMORY if memory
   runs out and SGDMFT_ERR_INTERRUPTED if the caller asked to stop, both without a message, so that threads can draw
   windows of their own with one context. */
sgdmft_status path_window_draw(sgdmft_context *ctx, const window_source *source, path_window *window, int index,
                               const double *key);

#endif
