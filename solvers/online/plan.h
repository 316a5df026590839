/* The data shared by all marches of one online problem: the compiled model, times and grids, constants of the averages.
   Immutable once made. */
#ifndef SGDMFT_SOLVERS_ONLINE_PLAN_H
#define SGDMFT_SOLVERS_ONLINE_PLAN_H

#include "columns/solution.h"
#include "kernels/grid.h"
#include "model/data_law.h"
#include "model/initial.h"
#include "model/model.h"
#include "model/penalty.h"
#include "model/schedule.h"
#include "paths/ensemble.h"
#include "problem/problem.h"
#include "solvers/online/factors.h"

typedef struct online_plan {
    const sgdmft_problem *problem; /* not owned */
    model *model;
    model_shape shape;
    online_factors *factors; /* averages that are sums of products */
    schedule *eta;
    eta_jump *jump; /* ascending, inside (0, T) */
    size_t n_jumps;
    time_grid *grid; /* its nodes are those of the two-time arrays */

    /* For a penalty other than the ridge, where coordinates are sampled; otherwise NULL and zero. */
    penalty *penalty;
    time_grid *coarse;  /* every second node of the grid */
    initial_law start;  /* of theta and theta* */
    path_source source; /* of the coordinates */

    solution_columns columns;
    data_law law;
    double signal_root[MATRIX_MAX * MATRIX_MAX]; /* [k*][k*] symmetric root of rho, see law.h */
    double moment_scale;                         /* mean square of a coordinate of student and teacher at the start */
    double moment_limit;                         /* a mean square of theta above this counts as divergence */
} online_plan;

/* The problem must outlive the plan. Fails as model_new, online_factors_new, penalty_new, schedule_new, data_law_init
   and initial_law_init do. */
sgdmft_status online_plan_new(sgdmft_context *ctx, const sgdmft_problem *problem, online_plan **out);
void online_plan_free(online_plan *plan);

/* The shape of the solution. names[observables], unless NULL, is filled with their names, which the problem owns. */
solution_shape online_plan_shape(const online_plan *plan, const char **names);

#endif
