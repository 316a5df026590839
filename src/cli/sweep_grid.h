/* The points of a sweep: every combination of the values of its axes, the last axis fastest. */
#ifndef SGDMFT_CLI_SWEEP_GRID_H
#define SGDMFT_CLI_SWEEP_GRID_H

#include "cli/sweep_axis.h"

typedef struct sweep_grid {
    size_t n_axes;
    sweep_axis *axis;
    size_t n_points; /* 1..SWEEP_POINTS_MAX */
} sweep_grid;

/* One axis for each of the texts of --over; `sets` are the texts of --set, whose keys must be others. Errors: those of
   sweep_axis_parse; SGDMFT_ERR_DUPLICATE_KEY (two axes), _CONFLICT (swept and set), _RANGE (too many points). The grid
   is to be freed on failure too. */
sgdmft_status sweep_grid_init(sgdmft_context *ctx, const char *const *overs, size_t n_overs, const char *const *sets,
                              size_t n_sets, sweep_grid *out);
void sweep_grid_free(sweep_grid *grid);

/* The value of an axis at a point (counted from 0). */
const char *sweep_grid_value(const sweep_grid *grid, size_t point, size_t axis);

/* Texts for the caller to free, NULL if out of memory: "KEY=VALUE" of one axis; all of them joined by ", ". */
char *sweep_grid_set(const sweep_grid *grid, size_t point, size_t axis);
char *sweep_grid_label(const sweep_grid *grid, size_t point);

#endif
