/* One replica on several grids, each of every second node of the one before, with the same paths: differences between
   grids are the time-step error with little noise. */
#ifndef SGDMFT_TESTS_SUPPORT_NESTED_GRIDS_H
#define SGDMFT_TESTS_SUPPORT_NESTED_GRIDS_H

#include "plan.h"
#include "solvers/dmft/replica.h"

enum { NESTED_GRIDS_MOST = 5 };

typedef struct nested_grids {
    int count;
    time_grid *grid[NESTED_GRIDS_MOST]; /* grid 0 is the finest */
    path_plan on_grid[NESTED_GRIDS_MOST];
    grid_solution *solution[NESTED_GRIDS_MOST]; /* with observables at every node */
} nested_grids;

/* Fails the test if a solve does not reach the horizon. */
void nested_grids_solve(const test_plan *t, uint32_t replica, int count, nested_grids *out);
void nested_grids_clear(nested_grids *nested);

/* Quantities that are compared between grids, for one student and one teacher: values at the horizon T and at (T, T/2).
   */
enum {
    QUANTITY_TRAIN,
    QUANTITY_TEST,
    QUANTITY_Q,
    QUANTITY_M,
    QUANTITY_R,
    QUANTITY_C_HALF,
    QUANTITY_R_HALF,
    QUANTITIES
};
extern const char *const quantity_names[QUANTITIES];
double nested_grids_value(const nested_grids *nested, int grid, int quantity);

#endif
