#include "nested_grids.h"

#include <string.h>

#include "check.h"
#include "paths/coarsen.h"
#include "problem/problem.h"
#include "solvers/dmft/march.h"
#include "solvers/dmft/picard.h"

const char *const quantity_names[QUANTITIES] = {"train(T)", "test(T)",  "q(T)",    "m(T)",
                                                "R(T,0)",   "C(T,T/2)", "R(T,T/2)"};

static int go_on(void *user, double work, double t)
{
    return 0;
}

static void solve_on(const test_plan *t, const path_ensemble *paths, nested_grids *nested, int g)
{
    const sgdmft_problem *problem = t->problem;
    model_shape shape = t->plan.on_grid[GRID_FINE].shape;
    kernels *kern = NULL;
    replica *rep = NULL;
    nested->on_grid[g] = t->plan.on_grid[GRID_FINE];
    nested->on_grid[g].grid = nested->grid[g];
    nested->on_grid[g].at =
        averages_layout_of(shape.k, shape.kstar, nested->grid[g]->steps, nested->on_grid[g].at.response);
    check_ok(t->ctx, dmft_plan_kernels(t->ctx, &t->plan, nested->grid[g], &kern));
    grid_shape sizes = {.k = shape.k,
                        .kstar = shape.kstar,
                        .steps = nested->grid[g]->steps,
                        .observables = 2 + 2 * (size_t)shape.observables};
    check_ok(t->ctx, grid_solution_new(t->ctx, &sizes, kern, &nested->solution[g]));
    memset(nested->solution[g]->wanted, 1, (size_t)nested->grid[g]->steps + 1);
    replica_source source = {&nested->on_grid[g], paths, nested->solution[g], nested->grid[g], NULL, NULL};
    check_ok(t->ctx, replica_new(t->ctx, &source, &rep));
    rep->tolerance = problem->numerics.tolerance;
    rep->passes_max = problem->numerics.passes_max;
    rep->monitor.report = go_on;
    check_ok(t->ctx, problem->numerics.method == METHOD_PICARD ? picard_solve(t->ctx, rep) : march_solve(t->ctx, rep));
    replica_free(rep);
    if (nested->solution[g]->message)
        print_error("%s\n", nested->solution[g]->message);
    assert_int_equal(nested->solution[g]->status, SGDMFT_OK);
    assert_int_equal(nested->solution[g]->nodes, nested->grid[g]->steps + 1);
}

void nested_grids_solve(const test_plan *t, uint32_t replica_number, int count, nested_grids *nested)
{
    const sgdmft_problem *problem = t->problem;
    path_ensemble *paths[NESTED_GRIDS_MOST] = {test_paths(t, replica_number)};
    memset(nested, 0, sizeof *nested);
    nested->count = count;
    check_ok(t->ctx, time_grid_new(t->ctx, problem->numerics.steps, problem->horizon, problem->numerics.grading,
                                   t->plan.eta, t->plan.grid[GRID_FINE]->epoch, &nested->grid[0]));
    for (int g = 0; g < count; g++) {
        solve_on(t, paths[g], nested, g);
        if (g + 1 == count)
            break;
        check_ok(t->ctx, time_grid_coarsen(t->ctx, nested->grid[g], t->plan.eta, &nested->grid[g + 1]));
        check_ok(t->ctx, path_ensemble_coarsen(t->ctx, paths[g], &t->plan.source, nested->grid[g], nested->grid[g + 1],
                                               &paths[g + 1]));
    }
    for (int g = 0; g < count; g++) /* coarse paths share the fields of finer ones */
        path_ensemble_free(paths[g]);
}

void nested_grids_clear(nested_grids *nested)
{
    for (int g = 0; g < nested->count; g++) {
        grid_solution_free(nested->solution[g]);
        time_grid_free(nested->grid[g]);
    }
}

double nested_grids_value(const nested_grids *nested, int g, int quantity)
{
    const grid_solution *solved = nested->solution[g];
    int last = nested->grid[g]->steps, half = last / 2;
    double C;
    switch (quantity) {
    case QUANTITY_TRAIN: return solved->observed[(size_t)last * solved->observables];
    case QUANTITY_TEST: return solved->observed[(size_t)last * solved->observables + 1];
    case QUANTITY_M: return solved->kern->m[last];
    case QUANTITY_R: return kernels_R(solved->kern, 0, last)[0];
    case QUANTITY_R_HALF: return kernels_R(solved->kern, 0, last)[half];
    default:
        kernels_correlation(solved->kern, nested->on_grid[g].q0, nested->on_grid[g].rho, last,
                            quantity == QUANTITY_Q ? last : half, &C);
        return C;
    }
}
