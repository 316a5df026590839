#include "solvers/dmft/replicas.h"

#include <stdlib.h>
#include <string.h>

#include "core/ranks.h"
#include "solvers/common/replica_pool.h"
#include "solvers/dmft/collect.h"
#include "solvers/dmft/pilot.h"

/* The state of a solve on this rank, which its threads share. */
typedef struct solve_state {
    const dmft_plan *plan;
    replica_result *result;
    rank_layout layout;
    int first;       /* replica to begin with */
    uint32_t stream; /* of replica 0 */
    int replicas;    /* number to solve */
    double part;     /* of the whole work */
    int group;       /* of this rank: it solves replicas first + group, first + group + layout.groups, ... */
    replica_environment environment;
    solve_progress progress;
    double work; /* of all replicas of the group, in cells weighted by their history */
    int begun;   /* number of replicas */
    int least;   /* replicas to begin even if the caller interrupts: all groups together need two for an error bar */
    int group_stopping;
} solve_state;

/* The work of a replica, in cells weighted by the length of their history. */
static double replica_work(const dmft_plan *plan)
{
    double work = 0;
    for (int grid = 0; grid < dmft_plan_grids(plan) && plan->merged; grid++)
        work += dmft_plan_cells(plan, grid) * plan->grid[grid]->steps;
    for (int grid = 0; grid < dmft_plan_grids(plan) && !plan->merged; grid++)
        work += 0.5 * plan->grid[grid]->steps * (plan->grid[grid]->steps + 1.0);
    return work;
}

/* 1 if a replica is to stop. The ranks of a group agree on the node at which they stop; a rank that works alone stops
   when asked to. */
static int must_stop(solve_state *state)
{
    return state->environment.share.ranks ? state->group_stopping : solve_progress_stopped(&state->progress);
}

static int report(void *user, double work, double t)
{
    solve_state *state = user;
    solve_progress_report(&state->progress, state->part * work / state->work, t);
    return must_stop(state);
}

/* Solves replica number `number` of this group. */
static sgdmft_status solve_one(sgdmft_context *ctx, void *user, int number, int threads)
{
    solve_state *state = user;
    int begun, index = state->first + state->group + number * state->layout.groups;
    (void)threads; /* the environment states them */
#pragma omp atomic capture
    begun = state->begun++;
    if (must_stop(state) && begun >= state->least)
        return SGDMFT_OK;
    if (must_stop(state))
        context_grant_time(ctx);
    sgdmft_status status =
        nested_solve(ctx, state->plan, &state->environment, state->stream, index, &state->result[index]);
    if (status && state->environment.share.ranks)
        state->group_stopping = 1;
    return status == SGDMFT_ERR_INTERRUPTED ? SGDMFT_OK : status; /* the others are kept */
}

/* Solves the replicas of this group. */
static sgdmft_status run_group(sgdmft_context *ctx, solve_state *state)
{
    int groups = state->layout.groups, threads = sgdmft_context_threads(ctx);
    int replicas = (state->replicas - state->group + groups - 1) / groups;
    replica_pool pool = replica_pool_of(threads, replicas, &state->progress);
    path_share *share = &state->environment.share;
    if (share->ranks) { /* the ranks of a group solve its replicas together, one after the other */
        pool.at_once = 1;
        pool.threads = threads;
    }
    int parts = (int)share_count(share);
    share->threads = pool.threads < parts ? pool.threads : parts;
    state->work = replicas * replica_work(state->plan);
    return replica_pool_run(ctx, &pool, solve_one, state);
}

/* 1 if the replica reached the end on the grids that are always solved. */
static int is_complete(const dmft_plan *plan, const replica_result *result)
{
    for (int grid = 0; grid < dmft_plan_grids_least(plan); grid++)
        if (!result->on_grid[grid] || result->on_grid[grid]->nodes <= plan->grid[grid]->steps)
            return 0;
    return 1;
}

/* 1 if the replica was begun on all of these. */
static int is_begun(const dmft_plan *plan, const replica_result *result)
{
    for (int grid = 0; grid < dmft_plan_grids_least(plan); grid++)
        if (!result->on_grid[grid])
            return 0;
    return 1;
}

/* Moves the replicas that are averaged to the front and counts them. */
static void keep_usable(const dmft_plan *plan, replica_set *set)
{
    int complete = 0, some_missing = 0;
    for (int r = 0; r < set->asked; r++) {
        complete += is_complete(plan, &set->result[r]);
        for (int grid = 0; grid < dmft_plan_grids_least(plan); grid++) {
            const grid_solution *on_grid = set->result[r].on_grid[grid];
            some_missing |= !on_grid || on_grid->status == SGDMFT_ERR_INTERRUPTED;
        }
    }
    int (*usable)(const dmft_plan *, const replica_result *) = some_missing && complete >= 2 ? is_complete : is_begun;
    set->count = 0;
    for (int r = 0; r < set->asked; r++) {
        if (!usable(plan, &set->result[r]))
            continue;
        replica_result first = set->result[set->count];
        set->result[set->count] = set->result[r];
        if (r != set->count)
            set->result[r] = first;
        set->count++;
    }
}

rank_layout replica_set_layout(const dmft_plan *plan, int ranks, int replicas)
{
    const sgdmft_problem *problem = plan->problem;
    size_t lanes = source_lanes(&plan->source, plan->grid[GRID_FINE]);
    size_t blocks = ((size_t)problem->numerics.paths + lanes - 1) / lanes;
    return rank_layout_plan(ranks, replicas, blocks, plan->penalty != NULL);
}

sgdmft_status replica_set_continue(sgdmft_context *ctx, const dmft_plan *plan, replica_set *set)
{
    rank_group *all = ctx->ranks;
    int replicas = set->asked - set->solved;
    solve_state state = {.plan = plan,
                         .result = set->result,
                         .first = set->solved,
                         .stream = set->stream,
                         .replicas = replicas,
                         .part = set->part > 0 ? set->part : 1,
                         .layout = replica_set_layout(plan, ranks_size(all), replicas)};
    const rank_layout *layout = &state.layout;
    path_share *share = &state.environment.share;
    sgdmft_status status = SGDMFT_OK;
    state.group = rank_layout_group(layout, ranks_size(all), ranks_rank(all));
    state.least = set->solved > 1 ? 0 : layout->groups > 1 ? 1 : 2;
    state.progress.ctx = ctx;
    state.progress.done = set->begin;
    state.progress.deadline = set->deadline;
    state.environment.monitor = (replica_monitor){report, &state};
    state.environment.stop_requested = &state.progress.stop_requested;
    state.environment.group_stopping = &state.group_stopping;
    if (layout->size > 1)
        status = ranks_split(ctx, all, state.group < 0 ? layout->groups : state.group, &share->ranks);
    status = ranks_agree(ctx, all, status);
    if (!status && state.group >= 0)
        status = run_group(ctx, &state);
    if (status)
        ranks_raise(all);
    ranks_free(share->ranks);
    ranks_lower(all);
    status = ranks_agree(ctx, all, status);
    if (!status)
        status = collect_replicas(ctx, plan, layout, set);
    if (!status)
        set->solved = set->asked;
    if (!status && ranks_rank(all) == 0) {
        keep_usable(plan, set);
        if (set->count < set->asked && set->count < 2)
            status = context_fail(ctx, SGDMFT_ERR_INTERRUPTED,
                                  "interrupted before two replicas were begun, which an error bar needs: nothing is "
                                  "kept");
    }
    return ranks_agree(ctx, all, status);
}

sgdmft_status replica_axes_find(sgdmft_context *ctx, const dmft_plan *plan, replica_axes *out)
{
    dmft_plan with_label = *plan;
    *out = (replica_axes){.field = NULL};
    sgdmft_status status = ranks_agree(ctx, ctx->ranks, label_axes_find(ctx, plan->m, &plan->law, &out->label));
    with_label.source.label = &out->label;
    return status ? status : pilot_axes(ctx, &with_label, &out->field);
}

void replica_axes_use(const replica_axes *axes, dmft_plan *plan)
{
    plan->source.label = &axes->label;
    plan->source.field = axes->field;
}

void replica_axes_clear(replica_axes *axes)
{
    principal_axes_free(axes->field);
    axes->field = NULL;
}

sgdmft_status replica_set_solve(sgdmft_context *ctx, const dmft_plan *plan, replica_set *set)
{
    dmft_plan with_axes = *plan;
    replica_axes axes;
    sgdmft_status status = replica_axes_find(ctx, plan, &axes);
    replica_axes_use(&axes, &with_axes);
    if (!status)
        status = replica_set_continue(ctx, &with_axes, set);
    replica_axes_clear(&axes);
    return status;
}

sgdmft_status replica_set_new(sgdmft_context *ctx, int asked, replica_set *out)
{
    *out = (replica_set){.asked = asked, .result = calloc((size_t)asked, sizeof *out->result)};
    return out->result ? SGDMFT_OK : context_out_of_memory(ctx, "the replicas", sizeof *out->result * (double)asked);
}

sgdmft_status replica_set_grow(sgdmft_context *ctx, int asked, replica_set *set)
{
    replica_result *more = realloc(set->result, (size_t)asked * sizeof *more);
    if (!more)
        return context_out_of_memory(ctx, "the replicas", sizeof *more * (double)asked);
    memset(more + set->asked, 0, (size_t)(asked - set->asked) * sizeof *more);
    set->result = more;
    set->asked = asked;
    return SGDMFT_OK;
}

void replica_set_clear(replica_set *set)
{
    for (int r = 0; r < set->asked && set->result; r++)
        replica_result_clear(&set->result[r]);
    free(set->result);
    *set = (replica_set){0};
}
