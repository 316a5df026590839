#include "solvers/dmft/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

#include "kernels/recursion.h"
#include "kernels/response_midpoint.h"
#include "kernels/response_pathwise.h"
#include "kernels/response_recursion.h"
#include "kernels/response_stein.h"
#include "paths/batch_events.h"
#include "paths/midpoint_events.h"
#include "paths/step_events.h"
#include "paths/visit_events.h"
#include "solvers/dmft/noise.h"

/* The number of steps is a multiple of this, for the two coarser grids. */
enum { GRID_UNIT = 4 };

/* No more steps than this times the unit are asked for. */
static const double STEPS_MOST = 1024;

/* The least number of batches in an epoch for the limit of small batches: there are two on the coarsest grid. */
static const double BATCHES_LEAST = 8;

/* The same in units of the rate of momentum: where the velocity is forgotten within a step of the finest grid, all grids
   look like plain SGD, and their differences say nothing about its effect. */
static const double BATCHES_OVER_RATE = 2;

/* The length of an epoch with an order of its own, in which a path that is visited has not been visited before; 0 where
   this says nothing, also where the order is kept. */
static double new_order_epoch(const visit_law *law)
{
    return law->kept ? 0 : law->epoch;
}

/* Batches that are a fraction of the data have the steps of the problem, and no other grids. */
static sgdmft_status make_discrete_grid(sgdmft_context *ctx, dmft_plan *plan)
{
    const sgdmft_problem *problem = plan->problem;
    const visit_law *law = problem->process->visits;
    int steps = (int)problem_discrete_steps(problem);
    plan->steps_least = steps;
    return time_grid_discrete(ctx, steps, problem->batch_fraction, plan->eta, new_order_epoch(law),
                              &plan->grid[GRID_FINE]);
}

/* The limit of small batches, from batches that become smaller: the finest grid has a multiple of four of them in an
   epoch, and reaches to the horizon or a little beyond. */
static sgdmft_status make_batch_grids(sgdmft_context *ctx, dmft_plan *plan)
{
    double horizon = plan->problem->horizon, steps = plan->problem->numerics.steps;
    double least = fmax(BATCHES_LEAST, BATCHES_OVER_RATE * plan->problem->momentum.rate);
    plan->steps_least = (int)ceil(fmin(least * horizon / GRID_UNIT, STEPS_MOST)) * GRID_UNIT;
    if (problem_leaves(plan->problem, PIN_STEPS))
        steps = fmax(steps, plan->steps_least);
    const visit_law *law = plan->problem->process->visits;
    double epoch = new_order_epoch(law);
    double batches = GRID_UNIT * fmax(ceil((steps - GRID_UNIT) / (GRID_UNIT * horizon)), 1);
    int whole = GRID_UNIT * (int)ceil(batches * horizon / GRID_UNIT - 1e-9);
    sgdmft_status status = SGDMFT_OK;
    for (int grid = GRID_FINE; grid < GRIDS && !status; grid++)
        status = time_grid_discrete(ctx, whole >> grid, (1 << grid) / batches, plan->eta, epoch, &plan->grid[grid]);
    for (int grid = GRID_FINE; grid < GRIDS && !status; grid++)
        status = time_grid_small_steps(ctx, plan->eta, law->epoch, plan->grid[grid]);
    return status;
}

static sgdmft_status make_grids(sgdmft_context *ctx, dmft_plan *plan)
{
    const sgdmft_problem *problem = plan->problem;
    if (problem_is_discrete(problem))
        return make_discrete_grid(ctx, plan);
    if (problem_uses_recursion(problem))
        return make_batch_grids(ctx, plan);
    int steps = (problem->numerics.steps + 3) / 4 * 4;
    double epoch = problem->process->visits ? problem->process->visits->epoch : 0;
    sgdmft_status status = time_grid_least_steps(ctx, problem->horizon, plan->eta, epoch, &plan->steps_least);
    if (status)
        return status;
    if (problem_leaves(problem, PIN_STEPS) && steps < plan->steps_least)
        steps = plan->steps_least;
    status = time_grid_new(ctx, steps, problem->horizon, problem->numerics.grading, plan->eta, epoch,
                           &plan->grid[GRID_FINE]);
    for (int grid = GRID_COARSE; grid < GRIDS && !status; grid++)
        status = time_grid_coarsen(ctx, plan->grid[grid - 1], plan->eta, &plan->grid[grid]);
    return status;
}

static const path_events *path_events_of(const sample_process *process, int discrete,
                                         const response_estimator *response)
{
    if (response->midpoint)
        return &midpoint_events;
    if (discrete)
        return &batch_events;
    return process->visits ? &visit_events : &step_events;
}

/* The smallest number of paths for each normal that Stein's lemma correlates the gradient with. Below about half of it,
   the noise of the response amplifies itself. */
static const int64_t PATHS_PER_NORMAL = 16;

/* With fewer paths than PATHS_PER_PAIR times the square of the number of normals, the bias that noise gives to curves
   is visible (docs/solver.md). Derivatives along paths have no such bias, and take no longer for horizons up to
   PATHWISE_HORIZON. */
static const double PATHS_PER_PAIR = 0.64, PATHWISE_HORIZON = 20;

/* The number of normals from which on derivatives along paths are preferred in discrete time, and how much more they may
   cost, as they need fewer paths. */
static const int64_t MANY_NORMALS = 256;
static const double PATHWISE_PRICE = 8;

/* Where the smallest eigenvalue of E[g g^T] is a smaller part of its scale, the field has no noise in some direction.
   Where it is small, the noise of Stein's lemma is that of a few paths. */
static const double LEAST_NOISE = 1e-6, LITTLE_NOISE = 1e-2;

/* Merged cells are at most this part of their age wide, at this accuracy; the error of merging falls with its second
   power. With 0.4, 0.8 and 1.5 the test loss of the linear model (delta = 1.5, T = 20), 0.018, is off by 5e-5, 8e-5 and
   3e-4. Fewer cells leave less noise in the response, and with it less bias. */
static const double MERGE_RATIO = 0.8, MERGE_ACCURACY = 1e-2, LEAST_RATIO = 0.25, MOST_RATIO = 1.2;

static double merge_ratio(double accuracy)
{
    return fmin(fmax(MERGE_RATIO * sqrt(accuracy / MERGE_ACCURACY), LEAST_RATIO), MOST_RATIO);
}

/* From this horizon on a merged history needs less time for the same error, also with as many steps. */
static const double MERGED_HORIZON = 12;

/* Why the history of the problem cannot be merged, or NULL: it needs white noise to correlate with, and a ridge. */
static const char *cannot_merge(const dmft_plan *plan)
{
    const sgdmft_problem *problem = plan->problem;
    if (problem->process->events == EVENTS_BATCHES)
        return "batches of a fraction of the data, or sampling: cyclic";
    if (problem_has_momentum(problem))
        return "momentum";
    if (problem->process->no_stein)
        return "dynamics: gradient-flow, whose field has no noise";
    if (plan->penalty)
        return "penalty";
    if (problem->numerics.response == RESPONSE_BY_PATHS)
        return "numerics.response: pathwise";
    return problem->numerics.method == METHOD_PICARD ? "numerics.method: picard" : NULL;
}

/* Whether the history is merged, as far as the problem tells. */
static sgdmft_status choose_history(sgdmft_context *ctx, dmft_plan *plan)
{
    const sgdmft_problem *problem = plan->problem;
    const sample_process *process = problem->process;
    const char *why_not = cannot_merge(plan);
    history_choice choice = problem->numerics.history;
    if (choice == HISTORY_MERGED && why_not)
        return context_fail(ctx, SGDMFT_ERR_CONFLICT,
                            "%s: numerics.history: merged cannot be used with %s; allowed: auto, full", problem->source,
                            why_not);
    plan->merged =
        choice == HISTORY_MERGED || (choice == HISTORY_AUTO && !why_not && problem->horizon > MERGED_HORIZON);
    plan->rule = (cell_rule){.ratio = merge_ratio(problem->numerics.accuracy),
                             .recent = process->last_visit ? process->last_visit->window : 0,
                             .epoch = process->visits ? process->visits->epoch : 0};
    return SGDMFT_OK;
}

/* The number of normals of a path that the gradient is correlated with: those of all steps, or of the cells of a merged
   history. */
static int64_t count_normals(const dmft_plan *plan)
{
    double mean;
    int steps = plan->grid[GRID_FINE]->steps;
    if (plan->merged)
        steps = MOMENTS * cell_rule_count(plan->grid[GRID_FINE], plan->rule, &mean);
    return (int64_t)steps * plan->problem->model.students;
}

/* Says that the response by Stein's lemma, which nothing else can replace, misses directions without noise. */
static void warn_without_noise(sgdmft_context *ctx, const dmft_plan *plan)
{
    context_log(
        ctx, SGDMFT_LOG_WARNING,
        "%s: initial: at t = 0 the gradient is zero, or the same for several students, so that the field has no "
        "noise which the gradient could be correlated with; the response, and what depends on it, is unreliable; "
        "hint: another start%s",
        plan->problem->source,
        plan->problem->process->no_pathwise || plan->penalty || model_get_shape(plan->m).jumps
            ? ""
            : ", or numerics.response: auto");
}

/* In discrete time derivatives along paths cost as much as T^2 k / 6 multiply-adds for each normal, and correlations half
   the number of normals. Correlations have less noise, but need many paths where there are many normals. */
static int paths_are_cheaper(const dmft_plan *plan, int64_t normals)
{
    double horizon = plan->problem->horizon;
    return plan->grid[GRID_FINE]->discrete && normals > MANY_NORMALS &&
           horizon * horizon * plan->problem->model.students <= PATHWISE_PRICE * (double)normals;
}

/* What the recursion of discrete time does not have: sweeps, and sampled coordinates with a gradient that jumps, as their
   mean gradient is found from derivatives along paths. */
static sgdmft_status check_recursion(sgdmft_context *ctx, const dmft_plan *plan)
{
    const sgdmft_problem *problem = plan->problem;
    const char *what = problem_is_discrete(problem)    ? "batch_fraction"
                       : problem_has_momentum(problem) ? "momentum"
                                                       : "sampling: cyclic";
    if (!plan->grid[GRID_FINE]->discrete)
        return SGDMFT_OK;
    if (plan->penalty && model_get_shape(plan->m).jumps)
        return context_fail(ctx, SGDMFT_ERR_KINK,
                            "%s:%d:%d: penalty: cannot be used with %s where the gradient of the loss jumps; allowed: "
                            "the ridge, lambda, a smooth loss, or sgdmft simulate",
                            problem->penalty.where.source, problem->penalty.where.line, problem->penalty.where.column,
                            what);
    if (problem->numerics.method == METHOD_PICARD)
        return context_fail(ctx, SGDMFT_ERR_CONFLICT,
                            "%s: numerics.method: picard cannot be used with %s, whose steps need no passes; allowed: "
                            "march",
                            problem->source, what);
    return SGDMFT_OK;
}

/* Chooses the estimator of the response, and refuses those that the problem rules out: Stein's lemma needs white noise
   in the field, which gradient flow does not have. Derivatives along paths do not exist where the gradient jumps, and
   grow with the Brownian motion of SME. */
static sgdmft_status choose_response(sgdmft_context *ctx, dmft_plan *plan, const response_estimator **out)
{
    const sgdmft_problem *problem = plan->problem;
    response_choice choice = problem->numerics.response;
    const sample_process *process = problem->process;
    if (process->no_stein && choice == RESPONSE_BY_STEIN)
        return context_fail(ctx, SGDMFT_ERR_CONFLICT,
                            "%s: numerics.response: stein cannot be used with dynamics: %s, as %s; allowed: auto, "
                            "pathwise",
                            problem->source, process->dynamics, process->no_stein);
    if (process->no_pathwise && choice == RESPONSE_BY_PATHS)
        return context_fail(ctx, SGDMFT_ERR_CONFLICT,
                            "%s: numerics.response: pathwise cannot be used with dynamics: %s, as %s; allowed: auto, "
                            "stein",
                            problem->source, process->dynamics, process->no_pathwise);
    int no_stein = process->no_stein != NULL;
    if (plan->penalty && penalty_jumps(plan->penalty))
        return context_fail(
            ctx, SGDMFT_ERR_KINK,
            "%s:%d:%d: penalty: its derivative jumps, and coordinates that meet the jump chatter across it, so "
            "that no step becomes self-consistent; allowed: a smooth penalty, e.g. sqrt(th1^2 + 0.01) for "
            "abs(th1), or dynamics: online",
            problem->penalty.where.source, problem->penalty.where.line, problem->penalty.where.column);
    int discrete = plan->grid[GRID_FINE]->discrete;
    if (plan->penalty && discrete && choice == RESPONSE_BY_STEIN)
        return context_fail(ctx, SGDMFT_ERR_CONFLICT,
                            "%s: numerics.response: stein cannot be used with penalty (line %d) in discrete time; "
                            "allowed: auto, pathwise",
                            problem->source, problem->penalty.where.line);
    if (plan->penalty && !no_stein && !discrete && choice == RESPONSE_BY_PATHS)
        return context_fail(
            ctx, SGDMFT_ERR_CONFLICT,
            "%s: numerics.response: pathwise cannot be used with penalty (line %d); allowed: auto, stein",
            problem->source, problem->penalty.where.line);
    /* Sampled coordinates become self-consistent step by step, while a sweep would restart them. */
    if (plan->penalty && problem->numerics.method == METHOD_PICARD)
        return context_fail(ctx, SGDMFT_ERR_CONFLICT,
                            "%s: numerics.method: picard cannot be used with penalty (line %d); allowed: march",
                            problem->source, problem->penalty.where.line);
    /* For SGD both estimators are right where the loss is smooth. Stein's lemma needs less time for the same error, but
       many more paths than there are normals. */
    int64_t normals = count_normals(plan), paths = problem->numerics.paths;
    int may_choose = process->visits && choice == RESPONSE_AUTO && !plan->penalty && !model_get_shape(plan->m).jumps;
    int few = paths < PATHS_PER_NORMAL * normals;
    int biased = !plan->merged && problem->horizon <= PATHWISE_HORIZON &&
                 (double)paths < PATHS_PER_PAIR * (double)normals * (double)normals;
    double noise = 1;
    sgdmft_status status = no_stein || choice == RESPONSE_BY_PATHS ? SGDMFT_OK : noise_at_start(ctx, plan, &noise);
    if (status)
        return status;
    int without = noise <= LEAST_NOISE || (problem->horizon <= PATHWISE_HORIZON && noise <= LITTLE_NOISE);
    int forced = problem->numerics.history == HISTORY_MERGED;
    /* innovations of full batches are nearly functions of the first ones, and where a sample keeps its place, gradients
       are correlated over the few paths that are visited */
    int paths_are_better =
        process->batch == BATCH_FULL || process_keeps_places(process) || paths_are_cheaper(plan, normals);
    int stein = !no_stein && choice != RESPONSE_BY_PATHS && !(plan->penalty && discrete) &&
                (forced || !(may_choose && (few || biased || without || paths_are_better)));
    plan->merged = plan->merged && stein;
    if (stein && noise <= LEAST_NOISE)
        warn_without_noise(ctx, plan);
    if (stein && few)
        context_log(ctx, SGDMFT_LOG_WARNING,
                    "%s: numerics.paths: %lld paths are few for %lld normals of the noise of the field; the response "
                    "by Stein's "
                    "lemma needs %lld or more",
                    problem->source, (long long)paths, (long long)normals, (long long)(PATHS_PER_NORMAL * normals));
    *out = !stein ? &response_pathwise : plan->grid[GRID_FINE]->discrete ? &response_recursion : &response_stein;
    if (process->midpoint && !stein && !plan->penalty) /* sampled coordinates are moved by the trapezoid rule */
        *out = &response_midpoint;
    /* Platen's scheme for SME is of weak order 2 for smooth gradients only; where they jump, usual steps are too
       coarse */
    return process->visits && stein ? SGDMFT_OK : model_check_smooth(ctx, plan->m, problem);
}

/* Where the history is merged, all nodes have two-time arrays up to this number of steps; with more there are this many
   of them. */
enum { MARKS_OF_ALL = 256, MARKS_OF_MANY = 64 };

/* The nodes with two-time arrays: all, or some that are equally spaced in the logarithm of the time as far as the steps
   allow. Non-zero if memory runs out. */
static int choose_marks(dmft_plan *plan)
{
    const time_grid *grid = plan->grid[GRID_FINE];
    double first = grid->t[1], last = grid->t[grid->steps];
    int all = grid->steps <= MARKS_OF_ALL, most = all ? grid->steps + 1 : MARKS_OF_MANY;
    plan->mark = memory_zeroed((size_t)most, sizeof *plan->mark);
    for (int j = 0; j < most && plan->mark; j++) {
        double t = j == 0 ? 0 : first * pow(last / first, (j - 1.0) / (most - 2));
        int cell = j + 1 < most ? time_grid_cell(grid, fmin(t, last)) : grid->steps;
        int node = cell < grid->steps && t - grid->t[cell] > grid->t[cell + 1] - t ? cell + 1 : cell;
        if (all)
            node = j;
        if (plan->n_marks == 0 || node > plan->mark[plan->n_marks - 1])
            plan->mark[plan->n_marks++] = node;
    }
    return plan->mark ? 0 : -1;
}

/* The averages on a grid: rows for every cell, or for every moment of the cells of a merged history. */
static averages_layout layout_on(const dmft_plan *plan, int grid, const model_shape *shape,
                                 const response_estimator *response)
{
    double mean;
    int rows = plan->grid[grid]->steps;
    if (plan->merged)
        rows = MOMENTS * (cell_rule_count(plan->grid[grid], plan->rule, &mean) + 1);
    return averages_layout_of(shape->k, shape->kstar, rows, response);
}

sgdmft_status dmft_plan_init(sgdmft_context *ctx, const sgdmft_problem *problem, dmft_plan *plan)
{
    const response_estimator *response = &response_pathwise;
    memset(plan, 0, sizeof *plan);
    plan->problem = problem;
    sgdmft_status status = model_new(ctx, problem, &plan->m);
    if (!status)
        status = model_check_limit(ctx, plan->m, problem);
    if (!status)
        status = penalty_new(ctx, problem, &plan->penalty);
    if (!status)
        status = initial_law_init(ctx, problem, &plan->start);
    if (!status)
        status = data_law_init(ctx, problem, &plan->law);
    if (!status)
        status = schedule_new(ctx, problem, &plan->eta);
    if (!status)
        status = make_grids(ctx, plan);
    if (!status)
        status = check_recursion(ctx, plan);
    if (!status)
        status = choose_history(ctx, plan);
    if (!status)
        status = choose_response(ctx, plan, &response);
    if (!status && response->midpoint)
        status = rate_at_start(ctx, plan, &plan->fastest);
    if (status) {
        dmft_plan_clear(plan);
        return status;
    }
    model_shape shape = model_get_shape(plan->m);
    if (plan->merged && choose_marks(plan)) {
        dmft_plan_clear(plan);
        return context_out_of_memory(ctx, "the times of two-time arrays", 8.0 * MARKS_OF_ALL);
    }
    for (int grid = 0; grid < GRIDS && plan->grid[grid]; grid++)
        plan->on_grid[grid] = (path_plan){
            .m = plan->m,
            .process = problem->process,
            .events = path_events_of(problem->process, plan->grid[grid]->discrete, response),
            .grid = plan->grid[grid],
            .shape = shape,
            .law = &plan->law,
            .q0 = problem->initial.q,
            .rho = problem->initial.rho,
            .at = layout_on(plan, grid, &shape, response),
            .last_visit = !response->pathwise && problem->process->last_visit != NULL && !plan->grid[grid]->discrete,
            .single = problem->process->white_noise};
    plan->source = (path_source){.problem = problem,
                                 .process = problem->process,
                                 .m = plan->m,
                                 .shape = shape,
                                 .law = &plan->law,
                                 .start = &plan->start,
                                 .eta = plan->eta,
                                 .by_visits = response->pathwise || process_keeps_places(problem->process)};
    return SGDMFT_OK;
}

void dmft_plan_clear(dmft_plan *plan)
{
    free(plan->mark);
    for (int grid = 0; grid < GRIDS; grid++)
        time_grid_free(plan->grid[grid]);
    schedule_free(plan->eta);
    penalty_free(plan->penalty);
    model_free(plan->m);
    memset(plan, 0, sizeof *plan);
}

static kernels_plan plan_of_kernels(const dmft_plan *plan, const time_grid *grid)
{
    const sgdmft_problem *problem = plan->problem;
    return (kernels_plan){
        .k = problem->model.students,
        .kstar = problem->model.teachers,
        .delta = problem->delta,
        .filter = recursion_filter(problem->lambda, problem->momentum.rate, problem->momentum.beta, grid->h[0]),
        .white_noise = problem->process->white_noise,
        .smooth_gradient = !plan->on_grid[GRID_FINE].shape.jumps,
        .discrete = grid->discrete,
        .fitted = problem->process->visits && !grid->discrete && !plan->penalty &&
                  !plan->on_grid[GRID_FINE].at.response->pathwise,
        .midpoint = plan->on_grid[GRID_FINE].at.response->midpoint,
        .grid = grid,
        .q0 = problem->initial.q,
        .m0 = problem->initial.m,
        .rho = problem->initial.rho};
}

sgdmft_status dmft_plan_kernels(sgdmft_context *ctx, const dmft_plan *plan, const time_grid *grid, kernels **out)
{
    kernels_plan made = plan_of_kernels(plan, grid);
    sgdmft_status status = kernels_new(ctx, &made, out);
    if (status)
        return status;
    if (!plan->penalty)
        return SGDMFT_OK;
    status = kernels_set_sampled(ctx, *out);
    if (status) {
        kernels_free(*out);
        *out = NULL;
    }
    return status;
}

void dmft_plan_merged(const dmft_plan *plan, int grid, merged_kernels_plan *out)
{
    *out = (merged_kernels_plan){.base = plan_of_kernels(plan, plan->grid[grid]),
                                 .rule = plan->rule,
                                 .marks = grid == GRID_FINE ? plan->n_marks : 0};
}

double dmft_plan_cells(const dmft_plan *plan, int grid)
{
    double mean = 0.5 * (plan->grid[grid]->steps + 1);
    if (plan->merged)
        cell_rule_count(plan->grid[grid], plan->rule, &mean);
    return mean;
}

int dmft_plan_grids_least(const dmft_plan *plan)
{
    return plan->grid[GRID_COARSE] ? GRID_CHECK : GRID_COARSE;
}

int dmft_plan_grids(const dmft_plan *plan)
{
    if (!plan->grid[GRID_COARSE])
        return 1;
    return plan->problem->numerics.extrapolate ? GRIDS : GRID_CHECK;
}
