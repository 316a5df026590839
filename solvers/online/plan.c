#include "solvers/online/plan.h"

#include <stdlib.h>
#include <string.h>

#include "coordinates/draw.h"
#include "core/memory.h"
#include "model/callbacks.h"
#include "solvers/common/growth.h"
#include "solvers/common/output_times.h"

static sgdmft_status set_laws(sgdmft_context *ctx, online_plan *plan)
{
    double smallest;
    sgdmft_status status = data_law_init(ctx, plan->problem, &plan->law);
    if (!status &&
        matrix_raised_root(plan->shape.kstar, plan->problem->initial.rho, 0, plan->signal_root, NULL, &smallest))
        status = context_fail(ctx, SGDMFT_ERR_RANGE, "%s: initial.rho: an entry is not finite", plan->problem->source);
    return status;
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
        time_grid_new(ctx, steps, problem->horizon, problem->numerics.grading, plan->eta, 0, &plan->grid);
    return status || !plan->penalty ? status : time_grid_coarsen(ctx, plan->grid, plan->eta, &plan->coarse);
}

static sgdmft_status set_source(sgdmft_context *ctx, online_plan *plan)
{
    path_source source = {
        .problem = plan->problem, .m = plan->model, .shape = plan->shape, .start = &plan->start, .eta = plan->eta};
    plan->source = coordinate_source(&source);
    return initial_law_init(ctx, plan->problem, &plan->start);
}

static sgdmft_status fill(sgdmft_context *ctx, online_plan *plan)
{
    const sgdmft_problem *problem = plan->problem;
    sgdmft_status status = model_new(ctx, problem, &plan->model);
    if (!status)
        status = model_check_limit(ctx, plan->model, problem);
    if (status)
        return status;
    plan->shape = model_get_shape(plan->model);
    set_scales(plan);
    status = online_factors_new(ctx, problem, plan->shape, callbacks_wanted(problem), &plan->factors);
    if (!status)
        status = set_laws(ctx, plan);
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
    free(plan->jump);
    schedule_free(plan->eta);
    online_factors_free(plan->factors);
    model_free(plan->model);
    free(plan);
}

solution_shape online_plan_shape(const online_plan *plan, const char **names)
{
    for (int i = 0; names && i < plan->shape.observables; i++)
        names[i] = plan->problem->observables.item[i].name;
    return (solution_shape){.k = plan->shape.k,
                            .kstar = plan->shape.kstar,
                            .n_times = output_times_count(plan->problem),
                            .n_grid = (size_t)plan->grid->steps + 1,
                            .n_observables = (size_t)plan->shape.observables,
                            .observables = names,
                            .response = !plan->penalty || !penalty_jumps(plan->penalty)};
}
