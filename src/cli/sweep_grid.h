/* The points of a sweep: every combination of the values that the options --over give to keys of the problem file.

       --over KEY=V1,V2,...      a list of values, as for --set; commas inside (...), [...], {...} and quotes do not
                                 separate
       --over KEY=LO:HI:N        N equally spaced numbers from LO to HI, both included
       --over KEY=LO:HI:Nlog     the same with equal ratios

   Keys are checked when the problem of each point is read. */
#ifndef SGDMFT_CLI_SWEEP_GRID_H
#define SGDMFT_CLI_SWEEP_GRID_H

#include <stddef.h>

struct command;

#define SWEEP_POINTS_MAX 10000

typedef struct sweep_axis {
    char *key;
    size_t n; /* at least 1 */
    char **value;
} sweep_axis;

typedef struct sweep_grid {
    size_t n_axes;
    sweep_axis *axis;
    size_t n_points; /* 1..SWEEP_POINTS_MAX */
} sweep_grid;

/* Makes one axis of each text of --over. Numbers between the ends of a range have 12 significant digits. `sets` are
   the texts of --set, whose keys must be others. Returns 0, or an exit code after printing what is wrong with the
   arguments of `cmd`; sweep_grid_free releases the grid in either case. */
int sweep_grid_init(const struct command *cmd, const char *const *overs, size_t n_overs, const char *const *sets,
                    size_t n_sets, sweep_grid *out);
void sweep_grid_free(sweep_grid *grid);

/* The value of an axis at a point. Points and axes are counted from 0; the last axis changes fastest. */
const char *sweep_grid_value(const sweep_grid *grid, size_t point, size_t axis);

/* "KEY=VALUE" of one axis at a point, and of all axes joined by ", ". The caller frees the text; NULL if out of
   memory. */
char *sweep_grid_set(const sweep_grid *grid, size_t point, size_t axis);
char *sweep_grid_label(const sweep_grid *grid, size_t point);

#endif
