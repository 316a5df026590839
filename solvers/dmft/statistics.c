#include "solvers/dmft/statistics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "core/context.h"
#include "core/matrix.h"
#include "core/memory.h"
#include "solvers/common/output_times.h"
#include "solvers/common/statistics.h"
#include "solvers/dmft/coordinates.h"

/* Curves of one trajectory at its nodes: values[node][curve]; rows of nodes that are not wanted stay zero. */
static double *node_curves(const dmft_plan *plan, const grid_solution *tr, int level, const solution_columns *col)
{
    int k = plan->on_grid[level].shape.k, kstar = plan->on_grid[level].shape.kstar;
    double *values = memory_doubles((size_t)tr->nodes * col->count), C[MATRIX_MAX * MATRIX_MAX];
    for (int i = 0; values && i < tr->nodes; i++) {
        if (!tr->wanted[i])
            continue;
        double *row = values + (size_t)i * col->count;
        const double *seen = tr->observed + (size_t)i * tr->observables;
        row[col->train_loss] = seen[0];
        row[col->test_loss] = seen[1];
        for (size_t o = 2; o < tr->observables; o++)
            row[col->observables + o - 2] = seen[o];
        kernels_correlation(tr->kern, plan->on_grid[level].q0, plan->on_grid[level].rho, i, i, C);
        for (int a = 0; a < k; a++)
            for (int b = 0; b <= a; b++)
                row[col->q + (size_t)(a * (a + 1) / 2 + b)] = C[a * k + b];
        for (int c = 0; c < k * kstar; c++)
            row[col->m + (size_t)c] = tr->kern->m[(size_t)i * (size_t)(k * kstar) + (size_t)c];
        for (int c = 0; c < k * k; c++)
            row[col->response + (size_t)c] = kernels_R(tr->kern, c, i)[0];
    }
    return values;
}

/* Nodes that all replicas which solve this grid reached on it; 0 if there are none. */
static int nodes_reached(const dmft_plan *plan, const replica_set *set, int level)
{
    int nodes = plan->grid[level]->steps + 1, solved = 0;
    for (int r = 0; r < set->count; r++) {
        const grid_solution *tr = set->result[r].on_grid[level];
        if (!tr && level == GRID_CHECK)
            continue;
        solved = 1;
        if (!tr || tr->nodes < nodes)
            nodes = tr ? tr->nodes : 0;
    }
    return solved ? nodes : 0;
}

typedef struct pool {
    const dmft_plan *plan;
    int replicas;
    double **values[GRIDS];  /* [replica] node curves; NULL if it does not solve the grid */
    size_t checked;          /* output times that the coarsest grid reached */
    double *sample;          /* [replicas] */
    double *change, *before; /* [checked] of one curve, means of grid_changes */
} pool;

static void pool_clear(pool *p)
{
    for (int level = 0; level < GRIDS; level++) {
        for (int r = 0; p->values[level] && r < p->replicas; r++)
            free(p->values[level][r]);
        free(p->values[level]);
    }
    free(p->sample);
    free(p->change);
    free(p->before);
}

static sgdmft_status pool_init(sgdmft_context *ctx, const dmft_plan *plan, const replica_set *set,
                               const solution_columns *col, pool *p)
{
    *p = (pool){.plan = plan, .replicas = set->count};
    p->checked = output_times_reached(plan->problem, plan->grid[GRID_CHECK], nodes_reached(plan, set, GRID_CHECK));
    p->sample = memory_doubles((size_t)p->replicas);
    p->change = memory_doubles(p->checked + 1);
    p->before = memory_doubles(p->checked + 1);
    int failed = !p->sample || !p->change || !p->before;
    for (int level = 0; level < GRIDS && !failed; level++) {
        p->values[level] = calloc((size_t)p->replicas, sizeof *p->values[level]);
        failed = !p->values[level];
        for (int r = 0; r < p->replicas && !failed; r++) {
            const grid_solution *tr = set->result[r].on_grid[level];
            if (!tr)
                continue;
            p->values[level][r] = node_curves(plan, tr, level, col);
            failed = !p->values[level][r];
        }
    }
    return failed ? context_out_of_memory(ctx, "the curves", 8.0 * p->replicas) : SGDMFT_OK;
}

/* Where on a level to look for a curve. */
typedef struct lookup {
    double t;
    size_t curve, stride;
} lookup;

static double look_up(const pool *p, int grid, int index, const lookup *at)
{
    return value_at_time(p->plan->grid[grid], at->t, p->values[grid][index], at->stride, at->curve);
}

static int jumps(const pool *p)
{
    return p->plan->on_grid[GRID_FINE].shape.jumps;
}

/* From the coarsest grid, as far as it got. Where that is not to the end, nothing is subtracted, as the curve would
   break. */
static void use_coarsest(const pool *p, size_t n, sgdmft_curve *out)
{
    size_t checked = n < p->checked ? n : p->checked;
    double taken = checked == n ? fourth_order_part(jumps(p), n, p->change, p->before) : 0;
    for (size_t i = 0; i < checked; i++) {
        out->value[i] -= taken * p->change[i];
        out->step_error[i] = (step_error_part(jumps(p)) - taken) * p->change[i];
    }
}

/* Where the coarsest grid did not get, all that was subtracted counts as step error. */
static void fill_curve(const pool *p, size_t curve, size_t stride, sgdmft_solution *solution)
{
    sgdmft_curve *out = &solution->curves[curve];
    int extrapolate = p->plan->problem->numerics.extrapolate;
    for (size_t i = 0; i < solution->n_times; i++) {
        lookup at = {solution->times[i], curve, stride};
        int compare = extrapolate && i < p->checked;
        grid_changes all = {0};
        double steps = 0;
        for (int r = 0; r < p->replicas; r++) {
            double fine = look_up(p, GRID_FINE, r, &at), coarse = look_up(p, GRID_COARSE, r, &at);
            steps += step_error_of(fine, coarse);
            p->sample[r] = extrapolate ? extrapolated(fine, coarse) : fine;
            if (compare && p->values[GRID_CHECK][r])
                grid_changes_add(&all, fine, coarse, look_up(p, GRID_CHECK, r, &at));
        }
        mean_and_error((size_t)p->replicas, p->sample, &out->value[i], &out->se[i]);
        out->step_error[i] = steps / p->replicas;
        if (compare) {
            p->change[i] = all.change / all.count;
            p->before[i] = all.before / all.count;
        }
    }
    if (extrapolate)
        use_coarsest(p, solution->n_times, out);
    add_step_errors(solution->n_times, solution->times, p->plan->problem->horizon, out->step_error, out->se);
}

/* Standard errors beyond this, in units of a curve's scale, are too large to be trusted themselves; and which part of
   them the step error is at least where steps, not paths, are to blame. */
static const double NOISY = 0.2, MOSTLY = 0.7;

static void warn_of_errors(sgdmft_context *ctx, const sgdmft_problem *problem, const sgdmft_solve_info *info)
{
    double largest = 100 * info->se_max;
    if (info->se_max <= NOISY)
        return;
    if (info->step_error_max > MOSTLY * info->se_max)
        context_log(
            ctx, SGDMFT_LOG_WARNING,
            "%s: standard errors reach %.0f %% of the scale of a curve: %zu steps are too few up to t = %g; hint: "
            "raise numerics.steps",
            problem->source, largest, info->steps, problem->horizon);
    else
        context_log(
            ctx, SGDMFT_LOG_WARNING,
            "%s: standard errors reach %.0f %% of the scale of a curve: %zu paths are too few for %zu steps up to "
            "t = %g; hint: raise numerics.paths",
            problem->source, largest, info->paths, info->steps, problem->horizon);
}

/* Adds one replica's share of row i of the two-time arrays. */
static void add_row(const path_plan *constants, const grid_solution *tr, size_t i, double share,
                    sgdmft_solution *solution)
{
    size_t k = (size_t)constants->shape.k, kk = k * k, n = solution->n_grid;
    size_t overlap = k * (size_t)constants->shape.kstar;
    for (size_t j = 0; j <= i; j++) {
        double C[MATRIX_MAX * MATRIX_MAX];
        kernels_correlation(tr->kern, constants->q0, constants->rho, (int)i, (int)j, C);
        for (size_t c = 0; c < kk; c++) {
            size_t transposed = c % k * k + c / k;
            solution->C[(i * n + j) * kk + c] += share * C[c];
            if (j < i)
                solution->C[(j * n + i) * kk + transposed] += share * C[c];
            solution->R[(i * n + j) * kk + c] += share * kernels_R(tr->kern, (int)c, (int)i)[j];
        }
    }
    for (size_t c = 0; c < overlap; c++)
        solution->m[i * overlap + c] += share * tr->kern->m[i * overlap + c];
    solution->residual[i] = fmax(solution->residual[i], tr->residual[i]);
}

static void fill_two_time(const dmft_plan *plan, const replica_set *set, int threads, sgdmft_solution *solution)
{
    memcpy(solution->t, plan->grid[GRID_FINE]->t, sizeof(double) * solution->n_grid);
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads) if (threads > 1)
    for (size_t i = 0; i < solution->n_grid; i++)
        for (int r = 0; r < set->count; r++)
            add_row(&plan->on_grid[GRID_FINE], set->result[r].on_grid[GRID_FINE], i, 1.0 / set->count, solution);
}

static double defect_of(const replica_result *result, int level, size_t at)
{
    return result->on_grid[level]->identity[at];
}

static sgdmft_identity identity_of(const pool *p, const replica_set *set, size_t at)
{
    sgdmft_identity identity = {.t = p->plan->problem->horizon};
    int extrapolate = p->plan->problem->numerics.extrapolate;
    int compare = extrapolate && (size_t)p->plan->problem->output.times == p->checked;
    grid_changes all = {0};
    for (int r = 0; r < p->replicas; r++) {
        const replica_result *result = &set->result[r];
        double fine = defect_of(result, GRID_FINE, at), coarse = defect_of(result, GRID_COARSE, at);
        p->sample[r] = extrapolate ? extrapolated(fine, coarse) : fine;
        identity.scale += result->on_grid[GRID_FINE]->identity_scale[at] / p->replicas;
        if (compare && result->on_grid[GRID_CHECK])
            grid_changes_add(&all, fine, coarse, defect_of(result, GRID_CHECK, at));
    }
    mean_and_error((size_t)p->replicas, p->sample, &identity.defect, &identity.se);
    if (all.count > 0) {
        double taken = fourth_order_part(jumps(p), 1, &all.change, &all.before), change = all.change / all.count;
        identity.defect -= taken * change;
        identity.se = hypot(identity.se, (step_error_part(jumps(p)) - taken) * change);
    }
    return identity;
}

static sgdmft_status add_identities(sgdmft_context *ctx, const pool *p, const replica_set *set,
                                    sgdmft_solution *solution)
{
    static const char *const kind[2] = {"dC(t,t)/dt", "dC(t,0)/dt"};
    int k = solution->k;
    size_t kk = (size_t)(k * k);
    for (int which = 0; which < 2; which++)
        for (int a = 0; a < k; a++)
            for (int b = 0; b < (which == 0 ? a + 1 : k); b++) {
                sgdmft_identity identity = identity_of(p, set, (size_t)which * kk + (size_t)(a * k + b));
                if (asprintf(&identity.name, "%s %d%d", kind[which], a + 1, b + 1) < 0)
                    return context_out_of_memory(ctx, "the identities", 64);
                sgdmft_status status = solution_add_identity(ctx, solution, &identity);
                free(identity.name);
                if (status)
                    return status;
            }
    return SGDMFT_OK;
}

static void count_work(const dmft_plan *plan, const replica_set *set, sgdmft_solve_info *info)
{
    double steps = 0;
    info->paths = (size_t)plan->problem->numerics.paths;
    info->replicas = (size_t)set->count;
    info->steps = (size_t)plan->grid[GRID_FINE]->steps;
    info->extrapolated = plan->problem->numerics.extrapolate;
    for (int r = 0; r < set->count; r++) {
        info->visits += set->result[r].visits;
        for (int level = 0; level <= GRID_COARSE; level++) {
            const grid_solution *tr = set->result[r].on_grid[level];
            info->passes += tr->passes;
            steps += tr->steps;
            if ((size_t)tr->passes_max > info->passes_max)
                info->passes_max = (size_t)tr->passes_max;
            for (int i = 0; i < tr->nodes; i++)
                info->residual_max = fmax(info->residual_max, tr->residual[i]);
        }
    }
    info->passes /= steps > 0 ? steps : 1;
}

/* The first replica that stopped early says why; replicas that were left out, too. */
static sgdmft_status take_status(sgdmft_context *ctx, const replica_set *set, sgdmft_solution *solution)
{
    for (int r = 0; r < set->count; r++)
        for (int level = GRID_COARSE; level >= 0; level--) {
            const grid_solution *tr = set->result[r].on_grid[level];
            if (tr->status)
                return solution_set_status(ctx, solution, tr->status, tr->message ? tr->message : "");
        }
    if (set->count == set->asked)
        return SGDMFT_OK;
    char *message = NULL;
    if (asprintf(&message, "interrupted: %d of %d replicas were complete; the curves are theirs", set->count,
                 set->asked) < 0)
        return context_out_of_memory(ctx, "a message", 100);
    sgdmft_status status = solution_set_status(ctx, solution, SGDMFT_ERR_INTERRUPTED, message);
    free(message);
    return status;
}

static sgdmft_status fill_solution(sgdmft_context *ctx, const dmft_plan *plan, const replica_set *set,
                                   const solution_columns *col, sgdmft_solution *solution)
{
    int nodes = nodes_reached(plan, set, GRID_FINE);
    size_t times = output_times_reached(plan->problem, plan->grid[GRID_FINE], nodes);
    size_t coarse_times =
        output_times_reached(plan->problem, plan->grid[GRID_COARSE], nodes_reached(plan, set, GRID_COARSE));
    pool p;
    sgdmft_status status = pool_init(ctx, plan, set, col, &p);
    if (!status) {
        for (size_t i = 0; i < solution->n_times; i++)
            solution->times[i] = output_time(plan->problem, i);
        solution_truncate(solution, times < coarse_times ? times : coarse_times, (size_t)nodes);
        for (size_t c = 0; c < col->count; c++)
            fill_curve(&p, c, col->count, solution);
        set_worst_errors(solution);
        fill_two_time(plan, set, sgdmft_context_threads(ctx), solution);
        count_work(plan, set, &solution->info);
        warn_of_errors(ctx, plan->problem, &solution->info);
        status = take_status(ctx, set, solution);
    }
    if (!status && plan->penalty)
        status = dmft_coordinates_fill(ctx, plan, set, solution);
    if (!status && nodes == plan->grid[GRID_FINE]->steps + 1)
        status = add_identities(ctx, &p, set, solution);
    pool_clear(&p);
    return status;
}

sgdmft_status replica_statistics(sgdmft_context *ctx, const dmft_plan *plan, const replica_set *set,
                                 sgdmft_solution **out)
{
    model_shape shape = plan->on_grid[GRID_FINE].shape;
    size_t count = (size_t)shape.observables;
    const char **names = calloc(count + 1, sizeof *names);
    if (!names)
        return context_out_of_memory(ctx, "the curves", 8.0 * (double)count);
    for (size_t i = 0; i < count; i++)
        names[i] = plan->problem->observables.item[i].name;
    solution_shape want = {.k = shape.k,
                           .kstar = shape.kstar,
                           .n_times = (size_t)plan->problem->output.times,
                           .n_grid = (size_t)plan->grid[GRID_FINE]->steps + 1,
                           .n_observables = count,
                           .observables = names,
                           .response = 1};
    solution_columns col = solution_columns_of(&want);
    sgdmft_solution *solution = NULL;
    sgdmft_status status = solution_new(ctx, &want, &solution);
    free(names);
    if (!status)
        status = fill_solution(ctx, plan, set, &col, solution);
    if (status) {
        sgdmft_solution_free(solution);
        return status;
    }
    *out = solution;
    return SGDMFT_OK;
}
