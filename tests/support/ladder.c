#include "solvers/dmft/march.h"
#include "solvers/dmft/picard.h"
#include "paths/coarsen.h"
#include "ladder.h"

#include <string.h>

#include "check.h"
#include "problem/problem.h"

const char *const ladder_names[LADDER_QUANTITIES] = {"train(T)", "test(T)",  "q(T)",    "m(T)",
                                                     "R(T,0)",   "C(T,T/2)", "R(T,T/2)"};

static int go_on(void *user, double work, double t)
{
    return 0;
}

static void solve_level(const test_setting *t, const path_ensemble *paths, ladder *l, int level)
{
    const sgdmft_problem *problem = t->problem;
    model_shape shape = t->s.on_grid[GRID_FINE].shape;
    kernels *kern = NULL;
    replica *rep = NULL;
    l->on_grid[level] = t->s.on_grid[GRID_FINE];
    l->on_grid[level].grid = l->grid[level];
    l->on_grid[level].at = averages_layout_of(shape.k, shape.kstar, l->grid[level]->steps, l->on_grid[level].at.response);
    check_ok(t->ctx, dmft_plan_kernels(t->ctx, &t->s, l->grid[level], &kern));
    check_ok(t->ctx, grid_solution_new(t->ctx, kern, 2 + 2 * (size_t)shape.observables, &l->run[level]));
    memset(l->run[level]->wanted, 1, (size_t)l->grid[level]->steps + 1);
    check_ok(t->ctx, replica_new(t->ctx, &l->on_grid[level], paths, l->run[level], l->grid[level], NULL, &rep));
    rep->tolerance = problem->numerics.tolerance;
    rep->passes_max = problem->numerics.passes_max;
    rep->monitor.report = go_on;
    check_ok(t->ctx, problem->numerics.method == METHOD_PICARD ? picard_solve(t->ctx, rep) : march_solve(t->ctx, rep));
    replica_free(rep);
    if (l->run[level]->message)
        print_error("%s\n", l->run[level]->message);
    assert_int_equal(l->run[level]->status, SGDMFT_OK);
    assert_int_equal(l->run[level]->nodes, l->grid[level]->steps + 1);
}

void ladder_solve(const test_setting *t, uint32_t replica_number, int levels, ladder *l)
{
    const sgdmft_problem *problem = t->problem;
    path_ensemble *paths[LADDER_MOST] = {test_paths(t, replica_number)};
    memset(l, 0, sizeof *l);
    l->levels = levels;
    check_ok(t->ctx, time_grid_new(t->ctx, problem->numerics.steps, problem->horizon, problem->numerics.grading,
                                   t->s.eta, 0, &l->grid[0]));
    for (int level = 0; level < levels; level++) {
        solve_level(t, paths[level], l, level);
        if (level + 1 == levels)
            break;
        check_ok(t->ctx, time_grid_coarsen(t->ctx, l->grid[level], t->s.eta, &l->grid[level + 1]));
        check_ok(t->ctx, path_ensemble_coarsen(t->ctx, paths[level], &t->s.source, l->grid[level], l->grid[level + 1],
                                               &paths[level + 1]));
    }
    for (int level = 0; level < levels; level++) /* coarse paths share the fields of finer ones */
        path_ensemble_free(paths[level]);
}

void ladder_clear(ladder *l)
{
    for (int level = 0; level < l->levels; level++) {
        grid_solution_free(l->run[level]);
        time_grid_free(l->grid[level]);
    }
}

double ladder_value(const ladder *l, int level, int quantity)
{
    const grid_solution *run = l->run[level];
    int last = l->grid[level]->steps, half = last / 2;
    double C;
    switch (quantity) {
    case LADDER_TRAIN: return run->observed[(size_t)last * run->observables];
    case LADDER_TEST: return run->observed[(size_t)last * run->observables + 1];
    case LADDER_M: return run->kern->m[last];
    case LADDER_R: return kernels_R(run->kern, 0, last)[0];
    case LADDER_R_HALF: return kernels_R(run->kern, 0, last)[half];
    default:
        kernels_correlation(run->kern, l->on_grid[level].q0, l->on_grid[level].rho, last, quantity == LADDER_Q ? last : half,
                            &C);
        return C;
    }
}
