#include "solvers/setting.h"

#include <string.h>

static sgdmft_status make_grids(sgdmft_context *ctx, solve_setting *s)
{
    const sgdmft_problem *problem = s->problem;
    int even = problem->numerics.steps + problem->numerics.steps % 2;
    sgdmft_status status =
        time_grid_new(ctx, even, problem->horizon, problem->numerics.grading, s->eta, &s->grid[LEVEL_FINE]);
    if (!status)
        status = time_grid_coarsen(ctx, s->grid[LEVEL_FINE], s->eta, &s->grid[LEVEL_COARSE]);
    return status;
}

sgdmft_status solve_setting_init(sgdmft_context *ctx, const sgdmft_problem *problem, solve_setting *s)
{
    memset(s, 0, sizeof *s);
    s->problem = problem;
    sgdmft_status status = model_new(ctx, problem, &s->m);
    if (!status)
        status = model_check_smooth(ctx, s->m, problem);
    if (!status)
        status = initial_law_init(ctx, problem, &s->law);
    if (!status)
        status = schedule_new(ctx, problem, &s->eta);
    if (!status)
        status = make_grids(ctx, s);
    if (status) {
        solve_setting_clear(s);
        return status;
    }
    model_shape shape = model_get_shape(s->m);
    for (int level = 0; level < LEVELS; level++)
        s->set[level] = (path_setting){.m = s->m,
                                       .shape = shape,
                                       .law = &s->law,
                                       .q0 = problem->initial.q,
                                       .rho = problem->initial.rho,
                                       .at = estimates_layout_of(shape.k, shape.kstar, s->grid[level]->steps)};
    return SGDMFT_OK;
}

void solve_setting_clear(solve_setting *s)
{
    for (int level = 0; level < LEVELS; level++)
        time_grid_free(s->grid[level]);
    schedule_free(s->eta);
    initial_law_free(&s->law);
    model_free(s->m);
    memset(s, 0, sizeof *s);
}

double solve_setting_time(const solve_setting *s, int i)
{
    int last = s->problem->output.times - 1;
    return i == last ? s->problem->horizon : s->problem->horizon * i / last;
}
