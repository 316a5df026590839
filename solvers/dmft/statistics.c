/* From replicas to a solution: mean and standard error over replicas of every curve at the output times, the time-step error
   from the grids,

     X_h = X + c h^2 + ...:   error of X_h = (X_2h - X_h) / 3,   extrapolated Y_h = X_h + (X_h - X_2h) / 3,
     Y_h = X + c h^4 + ...:   error of Y_h = (Y_2h - Y_h) / 15 in theory, at most REMAINS (Y_2h - Y_h) as seen,

   and the means of the two-time arrays and of the identities. Noise and time-step error make up the standard error of a
   curve, sqrt(noise^2 + step error^2). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "core/memory.h"
#include "columns/solution.h"
#include "solvers/dmft/coordinates.h"
#include "solvers/dmft/dmft.h"
#include "core/matrix.h"

/* The error of Y_h in units of Y_2h - Y_h. With smooth gradients it is seen to be 1/5 to 1/15, and the latter, fourth order, is
   subtracted; where gradients jump, some curves are of first order, of which extrapolation leaves two thirds: 1
   (docs/solver.md). */
static const double REMAINS_SMOOTH = 0.2, REMAINS_JUMPS = 1, FOURTH_ORDER = 1.0 / 15;

/* Nearby output times, as a part of the horizon. */
static const double NEARBY = 0.2;

/* Curves of one trajectory at its nodes: values[node][curve]; rows of nodes that are not wanted stay zero. */
static double *node_curves(const dmft_plan *s, const grid_solution *tr, int level, const solution_columns *col)
{
    int k = s->on_grid[level].shape.k, kstar = s->on_grid[level].shape.kstar;
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
        kernels_correlation(tr->kern, s->on_grid[level].q0, s->on_grid[level].rho, i, i, C);
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
static int nodes_reached(const dmft_plan *s, const replica_set *set, int level)
{
    int nodes = s->grid[level]->steps + 1, solved = 0;
    for (int r = 0; r < set->count; r++) {
        const grid_solution *tr = set->result[r].level[level];
        if (!tr && level == GRID_CHECK)
            continue;
        solved = 1;
        if (!tr || tr->nodes < nodes)
            nodes = tr ? tr->nodes : 0;
    }
    return solved ? nodes : 0;
}

/* Output times whose interpolation needs reached nodes only. */
static size_t times_reached(const dmft_plan *s, int level, int nodes)
{
    double weights[4];
    int count, times = 0;
    for (; times < s->problem->output.times; times++) {
        int first = time_grid_stencil(s->grid[level], dmft_plan_time(s, times), &count, weights);
        if (first + count > nodes)
            break;
    }
    return (size_t)times;
}

static double interpolate(const time_grid *grid, double t, const double *values, size_t stride, size_t curve)
{
    double weights[4], sum = 0;
    int count, first = time_grid_stencil(grid, t, &count, weights);
    for (int i = 0; i < count; i++)
        sum += weights[i] * values[(size_t)(first + i) * stride + curve];
    return sum;
}

/* Mean and standard error of the mean; exactly 0 where replicas agree to rounding. */
static void mean_and_error(const double *x, int n, double *mean, double *se)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < n; i++)
        sum += x[i];
    *mean = sum / n;
    for (int i = 0; i < n; i++)
        squares += (x[i] - *mean) * (x[i] - *mean);
    *se = sqrt(squares / ((double)n * (n - 1)));
    if (*se < 1e-13 * fabs(*mean))
        *se = 0;
}

typedef struct pool {
    const dmft_plan *s;
    int replicas;
    double **values[GRIDS]; /* [replica] node curves; NULL if it does not solve the grid */
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

static sgdmft_status pool_init(sgdmft_context *ctx, const dmft_plan *s, const replica_set *set,
                               const solution_columns *col, pool *p)
{
    *p = (pool){.s = s, .replicas = set->count};
    p->checked = times_reached(s, GRID_CHECK, nodes_reached(s, set, GRID_CHECK));
    p->sample = memory_doubles((size_t)p->replicas);
    p->change = memory_doubles(p->checked + 1);
    p->before = memory_doubles(p->checked + 1);
    int failed = !p->sample || !p->change || !p->before;
    for (int level = 0; level < GRIDS && !failed; level++) {
        p->values[level] = calloc((size_t)p->replicas, sizeof *p->values[level]);
        failed = !p->values[level];
        for (int r = 0; r < p->replicas && !failed; r++) {
            const grid_solution *tr = set->result[r].level[level];
            if (!tr)
                continue;
            p->values[level][r] = node_curves(s, tr, level, col);
            failed = !p->values[level][r];
        }
    }
    return failed ? context_out_of_memory(ctx, "the curves", 8.0 * p->replicas) : SGDMFT_OK;
}

/* Y_h from X_h and X_2h */
static double extrapolated(double fine, double coarse)
{
    return fine + (fine - coarse) / 3;
}

/* Where on a level to look for a curve. */
typedef struct lookup {
    double t;
    size_t curve, stride;
} lookup;

static double look_up(const pool *p, int level, int replica, const lookup *at)
{
    return interpolate(p->s->grid[level], at->t, p->values[level][replica], at->stride, at->curve);
}

/* Y_2h - Y_h and X_2h - Y_2h, sums over the replicas that solve all grids. */
typedef struct grid_changes {
    double change, before;
    int count;
} grid_changes;

static void grid_changes_add(grid_changes *x, double fine, double coarse, double check)
{
    double next = extrapolated(coarse, check);
    x->change += next - extrapolated(fine, coarse);
    x->before += coarse - next;
    x->count++;
}

static double sum_of_squares(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sum;
}

static int jumps(const pool *p)
{
    return p->s->on_grid[GRID_FINE].shape.jumps;
}

/* The part of the changes Y_2h - Y_h that is subtracted, `before` being X_2h - Y_2h. Where steps are too long for a fourth
   order, extrapolated values change by more than extrapolation changed them. */
static double fourth_order(const pool *p, const double *change, const double *before, size_t n)
{
    return jumps(p) || sum_of_squares(change, n) > sum_of_squares(before, n) ? 0 : FOURTH_ORDER;
}

static double remains(const pool *p)
{
    return jumps(p) ? REMAINS_JUMPS : REMAINS_SMOOTH;
}

/* From the coarsest grid, as far as it got. Where that is not to the end, nothing is subtracted, as the curve would break. */
static void use_coarsest(const pool *p, size_t n, sgdmft_curve *out)
{
    size_t checked = n < p->checked ? n : p->checked;
    double taken = checked == n ? fourth_order(p, p->change, p->before, n) : 0;
    for (size_t i = 0; i < checked; i++) {
        out->value[i] -= taken * p->change[i];
        out->step_error[i] = (remains(p) - taken) * p->change[i];
    }
}

/* Estimated errors change sign along a curve, but are not small there: the largest one nearby counts. The start is exact
   in time. */
static void add_step_errors(sgdmft_solution *solution, double horizon, sgdmft_curve *out)
{
    for (size_t i = 0; i < solution->n_times; i++) {
        double largest = fabs(out->step_error[i]);
        for (size_t j = 0; i > 0 && j < solution->n_times; j++)
            if (fabs(solution->times[j] - solution->times[i]) <= NEARBY * horizon)
                largest = fmax(largest, fabs(out->step_error[j]));
        out->se[i] = hypot(out->se[i], largest);
    }
}

/* Where the coarsest grid did not get, all that was subtracted counts as step error. */
static void fill_curve(const pool *p, size_t curve, size_t stride, sgdmft_solution *solution)
{
    sgdmft_curve *out = &solution->curves[curve];
    int extrapolate = p->s->problem->numerics.extrapolate;
    for (size_t i = 0; i < solution->n_times; i++) {
        lookup at = {solution->times[i], curve, stride};
        int compare = extrapolate && i < p->checked;
        grid_changes all = {0};
        double steps = 0;
        for (int r = 0; r < p->replicas; r++) {
            double fine = look_up(p, GRID_FINE, r, &at), coarse = look_up(p, GRID_COARSE, r, &at);
            steps += (coarse - fine) / 3;
            p->sample[r] = extrapolate ? extrapolated(fine, coarse) : fine;
            if (compare && p->values[GRID_CHECK][r])
                grid_changes_add(&all, fine, coarse, look_up(p, GRID_CHECK, r, &at));
        }
        mean_and_error(p->sample, p->replicas, &out->value[i], &out->se[i]);
        out->step_error[i] = steps / p->replicas;
        if (compare) {
            p->change[i] = all.change / all.count;
            p->before[i] = all.before / all.count;
        }
    }
    if (extrapolate)
        use_coarsest(p, solution->n_times, out);
    add_step_errors(solution, p->s->problem->horizon, out);
}

static void worst_errors(sgdmft_solution *solution)
{
    sgdmft_solve_info *info = &solution->info;
    for (size_t c = 0; c < solution->n_curves; c++) {
        const sgdmft_curve *curve = &solution->curves[c];
        double scale = solution_curve_scale(solution, curve);
        for (size_t i = 0; i < solution->n_times && scale > 0; i++) {
            info->se_max = fmax(info->se_max, curve->se[i] / scale);
            info->step_error_max = fmax(info->step_error_max, fabs(curve->step_error[i]) / scale);
        }
    }
}

/* Standard errors beyond this, in units of a curve's scale, are too large to be trusted themselves; and which part of them the
   step error is at least where steps, not paths, are to blame. */
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

static void fill_two_time(const dmft_plan *s, const replica_set *set, int threads, sgdmft_solution *solution)
{
    memcpy(solution->t, s->grid[GRID_FINE]->t, sizeof(double) * solution->n_grid);
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads) if (threads > 1)
    for (size_t i = 0; i < solution->n_grid; i++)
        for (int r = 0; r < set->count; r++)
            add_row(&s->on_grid[GRID_FINE], set->result[r].level[GRID_FINE], i, 1.0 / set->count, solution);
}

static double defect_of(const replica_result *result, int level, size_t at)
{
    return result->level[level]->identity[at];
}

static sgdmft_identity identity_of(const pool *p, const replica_set *set, size_t at)
{
    sgdmft_identity identity = {.t = p->s->problem->horizon};
    int extrapolate = p->s->problem->numerics.extrapolate;
    int compare = extrapolate && (size_t)p->s->problem->output.times == p->checked;
    grid_changes all = {0};
    for (int r = 0; r < p->replicas; r++) {
        const replica_result *result = &set->result[r];
        double fine = defect_of(result, GRID_FINE, at), coarse = defect_of(result, GRID_COARSE, at);
        p->sample[r] = extrapolate ? extrapolated(fine, coarse) : fine;
        identity.scale += result->level[GRID_FINE]->identity_scale[at] / p->replicas;
        if (compare && result->level[GRID_CHECK])
            grid_changes_add(&all, fine, coarse, defect_of(result, GRID_CHECK, at));
    }
    mean_and_error(p->sample, p->replicas, &identity.defect, &identity.se);
    if (all.count > 0) {
        double taken = fourth_order(p, &all.change, &all.before, 1), change = all.change / all.count;
        identity.defect -= taken * change;
        identity.se = hypot(identity.se, (remains(p) - taken) * change);
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

static void count_work(const dmft_plan *s, const replica_set *set, sgdmft_solve_info *info)
{
    double steps = 0;
    info->paths = (size_t)s->problem->numerics.paths;
    info->replicas = (size_t)set->count;
    info->steps = (size_t)s->grid[GRID_FINE]->steps;
    info->extrapolated = s->problem->numerics.extrapolate;
    for (int r = 0; r < set->count; r++) {
        info->visits += set->result[r].visits;
        for (int level = 0; level <= GRID_COARSE; level++) {
            const grid_solution *tr = set->result[r].level[level];
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
            const grid_solution *tr = set->result[r].level[level];
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

static sgdmft_status fill_solution(sgdmft_context *ctx, const dmft_plan *s, const replica_set *set,
                                   const solution_columns *col, sgdmft_solution *solution)
{
    int nodes = nodes_reached(s, set, GRID_FINE);
    size_t times = times_reached(s, GRID_FINE, nodes);
    size_t coarse_times = times_reached(s, GRID_COARSE, nodes_reached(s, set, GRID_COARSE));
    pool p;
    sgdmft_status status = pool_init(ctx, s, set, col, &p);
    if (!status) {
        for (int i = 0; i < s->problem->output.times; i++)
            solution->times[i] = dmft_plan_time(s, i);
        solution_truncate(solution, times < coarse_times ? times : coarse_times, (size_t)nodes);
        for (size_t c = 0; c < col->count; c++)
            fill_curve(&p, c, col->count, solution);
        worst_errors(solution);
        fill_two_time(s, set, sgdmft_context_threads(ctx), solution);
        count_work(s, set, &solution->info);
        warn_of_errors(ctx, s->problem, &solution->info);
        status = take_status(ctx, set, solution);
    }
    if (!status && s->pen)
        status = dmft_coordinates_fill(ctx, s, set, solution);
    if (!status && nodes == s->grid[GRID_FINE]->steps + 1)
        status = add_identities(ctx, &p, set, solution);
    pool_clear(&p);
    return status;
}

sgdmft_status dmft_solution(sgdmft_context *ctx, const dmft_plan *s, const replica_set *set,
                                      sgdmft_solution **out)
{
    model_shape shape = s->on_grid[GRID_FINE].shape;
    size_t count = (size_t)shape.observables;
    const char **names = calloc(count + 1, sizeof *names);
    if (!names)
        return context_out_of_memory(ctx, "the curves", 8.0 * (double)count);
    for (size_t i = 0; i < count; i++)
        names[i] = s->problem->observables.item[i].name;
    solution_shape want = {.k = shape.k,
                           .kstar = shape.kstar,
                           .n_times = (size_t)s->problem->output.times,
                           .n_grid = (size_t)s->grid[GRID_FINE]->steps + 1,
                           .n_observables = count,
                           .observables = names,
                           .response = 1};
    solution_columns col = solution_columns_of(&want);
    sgdmft_solution *solution = NULL;
    sgdmft_status status = solution_new(ctx, &want, &solution);
    free(names);
    if (!status)
        status = fill_solution(ctx, s, set, &col, solution);
    if (status) {
        sgdmft_solution_free(solution);
        return status;
    }
    *out = solution;
    return SGDMFT_OK;
}
