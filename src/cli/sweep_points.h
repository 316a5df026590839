/* The problems of a sweep, all read and checked before the first is solved, and the files they go to. */
#ifndef SGDMFT_CLI_SWEEP_POINTS_H
#define SGDMFT_CLI_SWEEP_POINTS_H

#include "cli/outputs.h"
#include "cli/setup.h"
#include "cli/sweep_grid.h"
#include "cli/sweep_row.h"
#include "sgdmft/solve.h"

typedef struct sweep_point {
    char *label; /* "point 2 (eta=0.5, delta=3)" for messages */
    sgdmft_problem *problem;
    sgdmft_cost cost;
    outputs files;
    int owner; /* rank that solves it */
    int kept;  /* 1: its files are complete already, and the row is filled from them */
    sweep_row row;
} sweep_point;

typedef struct sweep_points {
    size_t n;
    sweep_point *point;
} sweep_points;

/* Reads and checks the problem of each point of the grid, and that it fits into memory. Returns 0 or an exit code after
   saying what is wrong with which point. To be freed in any case. */
int sweep_points_read(const arguments *args, sgdmft_context *ctx, const sweep_grid *grid, sweep_points *out);
void sweep_points_free(sweep_points *points);

/* Names the files of each point, DIRECTORY/NNN.h5 and .csv. Returns 0 or an exit code. */
int sweep_points_name(const arguments *args, const char *directory, sweep_points *points);

/* Makes sure that the files can be written; with --resume, looks at what is there. The directory must exist. Returns 0
   or an exit code after saying what is in the way. */
int sweep_points_plan(const arguments *args, sgdmft_context *ctx, sweep_points *points);

/* The points still to be solved: how many, with the most memory and all the time they take. */
size_t sweep_points_left(const sweep_points *points, sgdmft_cost *out);

#endif
