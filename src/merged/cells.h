/* The cells of a merged history. New cells are those of the time grid. As they grow old, neighbours are merged where
   their common width is at most a fraction of the time since they ended, over which kernels vary:

     width <= ratio (t - end)   and   end <= t - recent,

   and, for a process with epochs, not before the epoch in which they end is over.

   So the number of cells grows like the logarithm of the horizon. Which cells are merged depends on the grid alone. */
#ifndef SGDMFT_MERGED_CELLS_H
#define SGDMFT_MERGED_CELLS_H

#include "kernels/grid.h"

typedef struct cell_rule {
    double ratio;
    double recent; /* cells that end later than this before t are kept as they are */
    double epoch;  /* length of an epoch, or 0 */
} cell_rule;

typedef struct merged_cell {
    double start, end;
} merged_cell;

typedef struct cell_list {
    cell_rule rule;
    int n, most;
    merged_cell *cell; /* [most], in order of time */
} cell_list;

/* Room for the cells of a march over the grid. Non-zero if memory runs out. */
int cell_list_new(const time_grid *grid, cell_rule rule, cell_list *out);
void cell_list_clear(cell_list *list);

/* Adds a cell that ends now. */
void cell_list_add(cell_list *list, double start, double end);

/* The first cell from `from` on that is to be merged with the one after it at time t, or -1. */
int cell_list_pair(const cell_list *list, double t, int from);

/* The share of cell c in the width of it and the cell after it. */
static inline double cell_list_share(const cell_list *list, int c)
{
    const merged_cell *cell = list->cell + c;
    return (cell[0].end - cell[0].start) / (cell[1].end - cell[0].start);
}

/* Merges cell c with the one after it, and returns its share. */
double cell_list_merge(cell_list *list, int c);

/* The largest number of cells in a march over the grid, and the mean number over its steps. */
int cell_rule_count(const time_grid *grid, cell_rule rule, double *mean);

#endif
