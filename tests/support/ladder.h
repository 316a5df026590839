/* One replica on several grids, each of every second node of the one before, with the same paths: differences between
   grids are the time-step error with little noise. */
#ifndef SGDMFT_TESTS_SUPPORT_LADDER_H
#define SGDMFT_TESTS_SUPPORT_LADDER_H

#include "solvers/dmft/replica.h"
#include "setting.h"

enum { LADDER_MOST = 5 };

typedef struct ladder {
    int levels;
    time_grid *grid[LADDER_MOST];
    path_plan on_grid[LADDER_MOST];
    grid_solution *run[LADDER_MOST]; /* level 0 is the finest; observables at every node */
} ladder;

/* Fails the test if a solve does not reach the horizon. */
void ladder_solve(const test_setting *t, uint32_t replica, int levels, ladder *out);
void ladder_clear(ladder *l);

/* What is compared between grids, for one student and one teacher: values at the horizon T and at (T, T/2). */
enum { LADDER_TRAIN, LADDER_TEST, LADDER_Q, LADDER_M, LADDER_R, LADDER_C_HALF, LADDER_R_HALF, LADDER_QUANTITIES };
extern const char *const ladder_names[LADDER_QUANTITIES];
double ladder_value(const ladder *l, int level, int quantity);

#endif
