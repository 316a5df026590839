#include "solvers/online/plan.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coordinates/ensemble.h"
#include "core/memory.h"
#include "solvers/common/growth.h"

/* Eigenvectors are the rows of vectors. */
static int eigen(int k, const double *a, double *vectors, double *values)
{
    double work[34 * MATRIX_MAX];
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++) {
            vectors[i * k + j] = 0.5 * (a[i * k + j] + a[j * k + i]);
            if (!isfinite(vectors[i * k + j]))
                return -1;
        }
    if (k > 1)
        return LAPACKE_dsyev_work(LAPACK_COL_MAJOR, 'V', 'U', k, vectors, k, values, work, 34 * MATRIX_MAX) ? -1 : 0;
    values[0] = vectors[0];
    vectors[0] = 1;
    return 0;
}

int online_root(int k, const double *a, double least, double *root, double *inverse, double *lowest)
{
    double vectors[MATRIX_MAX * MATRIX_MAX], values[MATRIX_MAX];
    if (eigen(k, a, vectors, values))
        return -1;
    memset(root, 0, sizeof(double) * (size_t)(k * k));
    if (inverse)
        memset(inverse, 0, sizeof(double) * (size_t)(k * k));
    for (int v = 0; v < k; v++) {
        double size = sqrt(fmax(values[v], least));
        for (int i = 0; i < k && size > 0; i++)
            for (int j = 0; j < k; j++) {
                double outer = vectors[v * k + i] * vectors[v * k + j];
                root[i * k + j] += size * outer;
                if (inverse)
                    inverse[i * k + j] += outer / size;
            }
    }
    *lowest = values[0];
    return 0;
}

static sgdmft_status factor_rho(sgdmft_context *ctx, online_plan *plan)
{
    int n = plan->shape.kstar;
    double inverse[MATRIX_MAX * MATRIX_MAX], lowest;
    if (online_root(n, plan->problem->initial.rho, 0, plan->rho_root, inverse, &lowest))
        return context_fail(ctx, SGDMFT_ERR_RANGE, "%s: initial.rho: LAPACK cannot compute its eigenvalues",
                            plan->problem->source);
    memset(plan->rho_inverse, 0, sizeof plan->rho_inverse);
    matrix_add_product(n, 1, inverse, inverse, plan->rho_inverse);
    return SGDMFT_OK;
}

static void set_scales(online_plan *plan)
{
    int k = plan->shape.k, ks = plan->shape.kstar;
    double sum = 0;
    for (int a = 0; a < k; a++)
        sum += plan->problem->initial.q[a * k + a];
    for (int a = 0; a < ks; a++)
        sum += plan->problem->initial.rho[a * ks + a];
    plan->moment_scale = sum / (k + ks);
    plan->moment_limit = growth_limits_of(plan->moment_scale).moment;
}

/* Where there is a coarser grid, the number of steps is rounded up to an even one. */
static sgdmft_status make_grids(sgdmft_context *ctx, online_plan *plan)
{
    const sgdmft_problem *problem = plan->problem;
    int steps = problem->numerics.steps + (plan->penalty ? problem->numerics.steps % 2 : 0);
    sgdmft_status status =
        time_grid_new(ctx, steps, problem->horizon, problem->numerics.grading, plan->eta, &plan->grid);
    return status || !plan->penalty ? status : time_grid_coarsen(ctx, plan->grid, plan->eta, &plan->coarse);
}

static sgdmft_status set_source(sgdmft_context *ctx, online_plan *plan)
{
    path_source source = {
        .problem = plan->problem, .m = plan->model, .shape = plan->shape, .law = &plan->law, .eta = plan->eta};
    plan->source = coordinate_source(&source);
    return initial_law_init(ctx, plan->problem, &plan->law);
}

static sgdmft_status fill(sgdmft_context *ctx, online_plan *plan)
{
    const sgdmft_problem *problem = plan->problem;
    sgdmft_status status = model_new(ctx, problem, &plan->model);
    if (status)
        return status;
    plan->shape = model_get_shape(plan->model);
    set_scales(plan);
    status = factor_rho(ctx, plan);
    if (!status)
        status = schedule_new(ctx, problem, &plan->eta);
    if (!status)
        status = schedule_jumps(ctx, plan->eta, problem->horizon, &plan->jump, &plan->n_jumps);
    if (!status)
        status = penalty_new(ctx, problem, &plan->penalty);
    if (!status && plan->penalty)
        status = set_source(ctx, plan);
    if (!status)
        status = make_grids(ctx, plan);
    if (status)
        return status;
    solution_shape shape = online_plan_shape(plan, NULL);
    plan->columns = solution_columns_of(&shape);
    return SGDMFT_OK;
}

sgdmft_status online_plan_new(sgdmft_context *ctx, const sgdmft_problem *problem, online_plan **out)
{
    online_plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        return context_out_of_memory(ctx, "the solver", sizeof *plan);
    plan->problem = problem;
    sgdmft_status status = fill(ctx, plan);
    if (status)
        online_plan_free(plan);
    else
        *out = plan;
    return status;
}

void online_plan_free(online_plan *plan)
{
    if (!plan)
        return;
    time_grid_free(plan->coarse);
    time_grid_free(plan->grid);
    penalty_free(plan->penalty);
    initial_law_free(&plan->law);
    free(plan->jump);
    schedule_free(plan->eta);
    model_free(plan->model);
    free(plan);
}

solution_shape online_plan_shape(const online_plan *plan, const char **names)
{
    for (int i = 0; names && i < plan->shape.observables; i++)
        names[i] = plan->problem->observables.item[i].name;
    return (solution_shape){.k = plan->shape.k,
                            .kstar = plan->shape.kstar,
                            .n_times = (size_t)plan->problem->output.times,
                            .n_grid = (size_t)plan->grid->steps + 1,
                            .n_observables = (size_t)plan->shape.observables,
                            .observables = names,
                            .response = !plan->penalty || !penalty_jumps(plan->penalty)};
}
