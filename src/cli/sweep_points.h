/* The points of a sweep with their problems and files. All problems are read and checked before the first is solved. */
#ifndef SGDMFT_CLI_SWEEP_POINTS_H
#define SGDMFT_CLI_SWEEP_POINTS_H

#include "cli/outputs.h"
#include "cli/processes.h"
#include "cli/sweep_grid.h"
#include "cli/sweep_table.h"
#include "sgdmft/solve.h"

typedef struct sweep_point {
    char *label; /* "point 2 (eta=0.5, delta=3)" for messages */
    sgdmft_problem *problem;
    sgdmft_cost cost;
    outputs files;
    int rank; /* that solves it */
    int kept; /* 1: its files are complete already, and the row is filled from them */
    sweep_row row;
} sweep_point;

typedef struct sweep_points {
    size_t n;
    sweep_point *point;
} sweep_points;

/* Reads and checks the problem of each point of the grid, and checks that it fits into memory. Returns 0, or an exit
   code after printing what is wrong with which point; sweep_points_free releases the points in either case. */
int sweep_points_read(const job *j, const sweep_grid *grid, sweep_points *out);
void sweep_points_free(sweep_points *points);

/* Names the files of each point, DIRECTORY/NNN.h5 and .csv. Returns 0 or an exit code. */
int sweep_points_name(const arguments *args, const char *directory, sweep_points *points);

/* Checks that the files can be written; with --resume, keeps the points whose files are complete. The directory must
   exist. Returns 0, or an exit code after printing what is in the way. */
int sweep_points_check(const job *j, sweep_points *points);

/* Collective call: rank 0 decides which rank solves which point, and every rank learns that and the result of
   sweep_points_check at rank 0. Returns 0 or an exit code. */
int sweep_points_assign(const processes *p, sweep_points *points);

/* How many points are still to be solved, and their cost: the most memory that any of them needs, and the sum of
   their times. */
size_t sweep_points_left(const sweep_points *points, sgdmft_cost *out);

/* Fills the row of a point from the curves in its CSV file. Returns 0 or an exit code. */
int sweep_points_read_row(const job *j, sweep_point *point);

#endif
