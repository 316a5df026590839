/* The self-consistent solver.

   Data side, one path per sample, k-vectors, left limits:
     w(t) = R(t,0) w(0) + F(t) w* - sqrt(delta) int_0^t R(t,v) dU(v),    F = (m - R(.,0) m(0)) rho^{-1}
     r(t) = w(t) - int_0^t R(t,v) eta g(r(v-), y) dZ(v)
   Parameter side, closed by averages over paths:
     dm/dt      = - lambda m - delta E[eta g w*^T]
     dR(t,s)/dt = - lambda R - delta E[eta G(t) J(t,s)],   J(t,s) = R(t,s) - int_s^t R(t,v) eta G(v) J(v,s) dZ(v)
     E dU dU^T  = E[eta g dZ (eta g dZ)^T]
   with G = dg/dr and Z the driver: for SGD a Poisson process of rate 1, whose jumps are the visits.

   A replica draws its paths once, then solves on the grid of the problem and on every second node with the same
   paths: the difference estimates the time-step error with little noise, and removes it to leading order. Some replicas solve on
   every fourth node, too: what extrapolation from there differs by tells the error that is left (statistics.c).
   Replicas are independent, so their spread gives honest standard errors of everything.

   Before, a pilot with few paths on the coarse grid finds out which directions of start and innovations move the field most. These
   then get the first quasi-random dimensions of all replicas (twotime/principal.h). It changes no law, only the noise. */
#include "solvers/dmft/dmft.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/ranks.h"
#include "paths/draws.h"
#include "coordinates/draw.h"
#include "solvers/dmft/collect.h"
#include "solvers/dmft/coordinates.h"
#include "solvers/dmft/replica.h"
#include "solvers/common/rank_layout.h"

/* Shared by the threads of one solve. */
typedef struct solve_state {
    sgdmft_context *ctx;
    const dmft_plan *s;
    replica_result *result;
    path_share share; /* of each replica */
    double work_done, work_total;
    int begun;  /* replicas */
    int least;  /* of them to begin even if the caller interrupts: all ranks together need two for an error bar */
    int stop;   /* set when the caller interrupts or a system failure makes the rest pointless */
    int group_stopping; /* with a group of ranks: set on all of them after one is to stop */
    sgdmft_status status;
    char *message;
} solve_state;

static double replica_work(const dmft_plan *s, int index)
{
    double work = 0;
    for (int level = 0; level < dmft_plan_grids(s, index); level++)
        work += 0.5 * s->grid[level]->steps * (s->grid[level]->steps + 1.0);
    return work;
}

static int must_stop(solve_state *state)
{
    int stop;
    if (state->share.ranks)
        return state->group_stopping;
#pragma omp atomic read
    stop = state->stop;
    return stop;
}

/* Whether to stop, here or on any other rank. */
static int look_around(solve_state *state, double fraction, double t)
{
    rank_group *all = state->ctx->ranks;
    int stop, told = ranks_raised(all);
#pragma omp atomic read
    stop = state->stop;
    stop |= context_progress(state->ctx, fraction, t) != 0;
    if (stop && !told)
        ranks_raise(all);
    return stop || told;
}

/* Runs on any thread; only the first talks to the caller and to other ranks. */
static int report_work(void *user, double work, double t)
{
    solve_state *state = user;
    double done;
#pragma omp atomic capture
    done = state->work_done += work;
    if (omp_get_thread_num() == 0 && look_around(state, done / state->work_total, t)) {
#pragma omp atomic write
        state->stop = 1;
    }
    return must_stop(state);
}

static void want_stencils(const dmft_plan *s, const time_grid *grid, grid_solution *tr)
{
    double weights[4];
    int count;
    for (int i = 0; i < s->problem->output.times; i++) {
        int first = time_grid_stencil(grid, dmft_plan_time(s, i), &count, weights);
        memset(tr->wanted + first, 1, (size_t)count);
    }
}

/* Where the gradient jumps, averages over a sample jump when one path changes sides, so passes cannot agree better. */
static double tolerance_of(const dmft_plan *s)
{
    double tolerance = s->problem->numerics.tolerance, one_path = 2.0 / (double)s->problem->numerics.paths;
    return s->on_grid[GRID_FINE].shape.jumps && tolerance < one_path ? one_path : tolerance;
}

/* What a replica draws for one grid. */
typedef struct drawn {
    path_ensemble *paths;       /* samples */
    path_ensemble *coordinates; /* NULL for a ridge */
} drawn;

static void drawn_clear(drawn *d)
{
    path_ensemble_free(d->paths);
    path_ensemble_free(d->coordinates);
    *d = (drawn){NULL, NULL};
}

/* The paths as this rank shares them with its group. */
static path_source shared_source(const solve_state *state)
{
    path_source source = state->s->source;
    source.share = &state->share;
    return source;
}

static sgdmft_status draw(sgdmft_context *ctx, const solve_state *state, int level, uint32_t index, drawn *out)
{
    const dmft_plan *s = state->s;
    const time_grid *grid = s->grid[level];
    path_source source = shared_source(state), coordinates = coordinate_source(&source);
    sgdmft_status status = path_ensemble_new(ctx, &source, grid, index, &out->paths);
    if (!status && s->pen)
        status = coordinates_draw(ctx, &coordinates, grid, index, &out->coordinates);
    return status;
}

/* What was drawn for the level before, on this one. */
static sgdmft_status coarsen(sgdmft_context *ctx, const solve_state *state, int level, const drawn *fine, drawn *out)
{
    const dmft_plan *s = state->s;
    const time_grid *from = s->grid[level - 1], *to = s->grid[level];
    path_source source = shared_source(state), coordinates = coordinate_source(&source);
    sgdmft_status status = path_ensemble_coarsen(ctx, fine->paths, &source, from, to, &out->paths);
    if (!status && s->pen)
        status = path_ensemble_coarsen(ctx, fine->coordinates, &coordinates, from, to, &out->coordinates);
    return status;
}

/* With everything that a replica needs in place. */
static sgdmft_status run_level(sgdmft_context *ctx, solve_state *state, replica *rep, coordinate_ensemble *par)
{
    const dmft_plan *s = state->s;
    rep->par = par;
    rep->tolerance = tolerance_of(s);
    rep->passes_max = s->problem->numerics.passes_max;
    rep->monitor = (replica_monitor){report_work, state};
    rep->stop_requested = &state->stop;
    rep->group_stopping = &state->group_stopping;
    return s->problem->numerics.method == METHOD_PICARD ? solve_picard(ctx, rep) : solve_march(ctx, rep);
}

sgdmft_status dmft_grid_solution(sgdmft_context *ctx, const dmft_plan *s, int level, grid_solution **out)
{
    kernels *kern = NULL;
    sgdmft_status status = dmft_plan_kernels(ctx, s, s->grid[level], &kern);
    if (status)
        return status;
    status = grid_solution_new(ctx, kern, 2 + 2 * (size_t)s->on_grid[level].shape.observables, out);
    if (status) {
        kernels_free(kern);
        return status;
    }
    want_stencils(s, s->grid[level], *out);
    return s->pen && level == GRID_FINE ? dmft_coordinates_record(ctx, s, &(*out)->record) : SGDMFT_OK;
}

static sgdmft_status solve_level(sgdmft_context *ctx, solve_state *state, int level, const drawn *in, grid_solution **out)
{
    const dmft_plan *s = state->s;
    coordinate_ensemble *par = NULL;
    replica *rep = NULL;
    sgdmft_status status = dmft_grid_solution(ctx, s, level, out);
    if (!status && s->pen) {
        status =
            coordinate_ensemble_new(ctx, s->pen, &s->start, in->coordinates, (*out)->kern, share_threads(&state->share), &par);
        if (!status && (*out)->record)
            coordinate_ensemble_keep(par, (*out)->record);
    }
    if (!status)
        status = replica_new(ctx, &s->on_grid[level], in->paths, *out, s->grid[level], &state->share, &rep);
    status = ranks_agree(ctx, state->share.ranks, status);
    if (!status)
        status = run_level(ctx, state, rep, par);
    replica_free(rep);
    coordinate_ensemble_free(par);
    return status;
}

/* From the coarsest level on, whose paths are made of those of the finer ones. */
static sgdmft_status solve_replica(sgdmft_context *ctx, solve_state *state, int index)
{
    replica_result *result = &state->result[index];
    drawn in[GRIDS] = {{NULL, NULL}};
    int levels = dmft_plan_grids(state->s, index);
    sgdmft_status status = draw(ctx, state, GRID_FINE, (uint32_t)index, &in[GRID_FINE]);
    for (int level = GRID_COARSE; level < levels && !status; level++)
        status = ranks_agree(ctx, state->share.ranks, coarsen(ctx, state, level, &in[level - 1], &in[level]));
    for (int level = levels - 1; level >= 0; level--) {
        if (!status)
            status = solve_level(ctx, state, level, &in[level], &result->level[level]);
        if (!status && level == GRID_FINE)
            result->visits = in[GRID_FINE].paths->visits;
        drawn_clear(&in[level]);
    }
    return status;
}

/* Paths of the pilot, also per step and student; they are at most one in PILOT_SHARE of all. */
enum { PILOT_PATHS = 1024, PILOT_PER_STEP = 16, PILOT_SHARE = 16 };

/* 0: it would not pay, or there is a penalty. Coordinates that are sampled would have to be drawn for it, too. */
static int64_t pilot_paths(const dmft_plan *s)
{
    int64_t all = s->problem->numerics.paths * s->problem->numerics.replicas;
    int64_t paths = (int64_t)PILOT_PER_STEP * s->grid[GRID_COARSE]->steps * s->source.shape.k;
    paths = paths > PILOT_PATHS ? paths : PILOT_PATHS;
    return s->pen || paths * PILOT_SHARE > all ? 0 : paths;
}

/* The pilot of a solve. It says nothing of its progress, and if its dynamics end early there are no axes. */
static sgdmft_status run_pilot(sgdmft_context *ctx, const dmft_plan *s, int64_t paths, principal_axes **axes)
{
    sgdmft_problem problem = *s->problem;
    dmft_plan small = *s;
    solve_state state = {.ctx = ctx, .s = &small, .work_total = INFINITY};
    drawn in = {NULL, NULL};
    grid_solution *tr = NULL;
    problem.numerics.paths = paths;
    small.problem = small.source.problem = &problem;
    state.share.threads = sgdmft_context_threads(ctx);
    sgdmft_status status = draw(ctx, &state, GRID_COARSE, DRAW_PILOT_REPLICA, &in);
    if (!status)
        status = solve_level(ctx, &state, GRID_COARSE, &in, &tr);
    if (!status && !tr->status)
        status = principal_axes_new(ctx, tr->kern, s->law.start_root, axes);
    grid_solution_free(tr);
    drawn_clear(&in);
    return status;
}

/* The axes of the field, of rank 0 for all ranks; NULL if a pilot does not pay. Together. */
static sgdmft_status find_axes(sgdmft_context *ctx, const dmft_plan *s, principal_axes **axes)
{
    int64_t paths = pilot_paths(s);
    sgdmft_status status = SGDMFT_OK;
    if (paths == 0)
        return SGDMFT_OK;
    if (ranks_rank(ctx->ranks) == 0)
        status = run_pilot(ctx, s, paths, axes);
    status = ranks_agree(ctx, ctx->ranks, status);
    if (!status)
        status = principal_axes_broadcast(ctx, axes);
    return status;
}

/* A thread has a context of its own: messages of different replicas do not mix. */
static void run_replica(solve_state *state, int index)
{
    int begun;
#pragma omp atomic capture
    begun = state->begun++;
    if (must_stop(state) && begun >= state->least)
        return;
    /* ranks of a group must not fail where the others do not notice: they do without */
    sgdmft_context *own = state->share.ranks ? state->ctx : NULL;
    sgdmft_status status = own ? SGDMFT_OK : sgdmft_context_new(&own);
    if (!status)
        status = solve_replica(own, state, index);
    if (status) {
#pragma omp critical(sgdmft_replica_failure)
        if (!state->status) {
            state->status = status;
            state->message = own ? strdup(sgdmft_context_message(own)) : NULL;
        }
#pragma omp atomic write
        state->stop = 1;
        if (state->share.ranks)
            state->group_stopping = 1;
    }
    if (own != state->ctx)
        sgdmft_context_free(own);
}

static int complete(const dmft_plan *s, const replica_result *result)
{
    for (int level = 0; level <= GRID_COARSE; level++)
        if (!result->level[level] || result->level[level]->nodes <= s->grid[level]->steps)
            return 0;
    return 1;
}

static int begun(const dmft_plan *s, const replica_result *result)
{
    return result->level[GRID_FINE] && result->level[GRID_COARSE];
}

/* Moves the replicas to be used to the front and counts them. */
static void keep_usable(const dmft_plan *s, replica_set *set)
{
    int whole = 0, some_missing = 0;
    for (int r = 0; r < set->asked; r++) {
        whole += complete(s, &set->result[r]);
        for (int level = 0; level <= GRID_COARSE; level++) {
            const grid_solution *tr = set->result[r].level[level];
            some_missing |= !tr || tr->status == SGDMFT_ERR_INTERRUPTED;
        }
    }
    int (*usable)(const dmft_plan *, const replica_result *) = some_missing && whole >= 2 ? complete : begun;
    set->count = 0;
    for (int r = 0; r < set->asked; r++) {
        if (!usable(s, &set->result[r]))
            continue;
        replica_result keep = set->result[set->count];
        set->result[set->count++] = set->result[r];
        set->result[r] = r == set->count - 1 ? set->result[r] : keep;
    }
}

/* The replicas of one group of ranks. Few replicas on many threads: each replica's blocks are shared instead. */
static void run_group(solve_state *state, const rank_layout *plan, int group)
{
    int replicas = (state->s->problem->numerics.replicas - group + plan->groups - 1) / plan->groups;
    int threads = sgdmft_context_threads(state->ctx), outer = threads < replicas ? threads : replicas;
    int inside = state->share.ranks || threads > replicas, parts = (int)share_count(&state->share);
    if (inside)
        outer = 1;
    state->share.threads = !inside ? 1 : threads < parts ? threads : parts;
    for (int i = 0; i < replicas; i++)
        state->work_total += replica_work(state->s, group + i * plan->groups);
#pragma omp parallel for schedule(dynamic, 1) num_threads(outer) if (outer > 1)
    for (int i = 0; i < replicas; i++)
        run_replica(state, group + i * plan->groups);
}

rank_layout dmft_rank_layout(const dmft_plan *s, int ranks)
{
    const sgdmft_problem *problem = s->problem;
    size_t lanes = path_block_lanes(s->source.shape.k, s->grid[GRID_FINE]->steps, problem->numerics.paths);
    size_t blocks = ((size_t)problem->numerics.paths + lanes - 1) / lanes;
    return rank_layout_plan(ranks, problem->numerics.replicas, blocks, s->pen != NULL);
}

static sgdmft_status run_replicas(sgdmft_context *ctx, const dmft_plan *s, replica_set *set)
{
    rank_group *all = ctx->ranks;
    rank_layout plan = dmft_rank_layout(s, ranks_size(all));
    int group = rank_layout_group(&plan, ranks_size(all), ranks_rank(all));
    solve_state state = {.ctx = ctx, .s = s, .result = set->result, .least = plan.groups > 1 ? 1 : 2};
    if (plan.size > 1) {
        sgdmft_status status = ranks_split(ctx, all, group < 0 ? plan.groups : group, &state.share.ranks);
        status = ranks_agree(ctx, all, status);
        if (status) {
            ranks_free(state.share.ranks);
            return status;
        }
    }
    if (group >= 0)
        run_group(&state, &plan, group);
    sgdmft_status status = SGDMFT_OK;
    if (state.status)
        status = context_fail(ctx, state.status, "%s", state.message ? state.message : "out of memory");
    if (status)
        ranks_raise(all);
    free(state.message);
    ranks_free(state.share.ranks);
    ranks_lower(all);
    status = ranks_agree(ctx, all, status);
    if (!status)
        status = collect_replicas(ctx, s, &plan, set);
    if (!status && ranks_rank(all) == 0)
        keep_usable(s, set);
    return status;
}

sgdmft_status dmft_replicas(sgdmft_context *ctx, const dmft_plan *s, replica_set *set)
{
    dmft_plan turned = *s;
    label_axes label;
    principal_axes *field = NULL;
    sgdmft_status status = ranks_agree(ctx, ctx->ranks, label_axes_find(ctx, s->m, &s->law, &label));
    turned.source.label = &label;
    if (!status)
        status = find_axes(ctx, &turned, &field);
    turned.source.field = field;
    if (!status)
        status = run_replicas(ctx, &turned, set);
    principal_axes_free(field);
    return status;
}

void replica_result_clear(replica_result *result)
{
    for (int level = 0; level < GRIDS; level++)
        grid_solution_free(result->level[level]);
    memset(result, 0, sizeof *result);
}

static sgdmft_status way_prepare(sgdmft_context *ctx, const sgdmft_problem *problem, void **setup)
{
    dmft_plan *s = calloc(1, sizeof *s);
    if (!s)
        return context_out_of_memory(ctx, "the solver", sizeof *s);
    sgdmft_status status = dmft_plan_init(ctx, problem, s);
    if (status)
        free(s);
    else
        *setup = s;
    return status;
}

static void way_release(void *setup)
{
    dmft_plan_clear(setup);
    free(setup);
}

static void way_cost(const void *setup, int threads, int ranks, sgdmft_cost *out)
{
    dmft_cost(setup, threads, ranks, out);
}

static sgdmft_status way_run(sgdmft_context *ctx, const void *setup, sgdmft_solution **out)
{
    const dmft_plan *s = setup;
    replica_set set = {.asked = s->problem->numerics.replicas};
    set.result = calloc((size_t)set.asked, sizeof *set.result);
    if (!set.result)
        return context_out_of_memory(ctx, "the replicas", sizeof *set.result * (double)set.asked);
    sgdmft_status status = dmft_replicas(ctx, s, &set);
    if (!status && ranks_rank(ctx->ranks) == 0)
        status = dmft_solution(ctx, s, &set, out);
    for (int r = 0; r < set.asked; r++)
        replica_result_clear(&set.result[r]);
    free(set.result);
    return status;
}

const solver dmft_solver = {
    .prepare = way_prepare, .release = way_release, .cost = way_cost, .run = way_run, .together = 1};
