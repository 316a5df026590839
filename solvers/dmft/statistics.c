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

/* The curves of one solution at the nodes of its grid, values[node][curve]; rows of nodes that are not wanted stay
   zero. Owned by the caller; NULL if memory runs out. */
static double *node_curves(const dmft_plan *plan, const grid_solution *on_grid, int grid, const solution_columns *col)
{
    int k = plan->on_grid[grid].shape.k, kstar = plan->on_grid[grid].shape.kstar;
    double *values = memory_doubles((size_t)on_grid->nodes * col->count), C[MATRIX_MAX * MATRIX_MAX];
    for (int i = 0; values && i < on_grid->nodes; i++) {
        if (!on_grid->wanted[i])
            continue;
        double *row = values + (size_t)i * col->count;
        const double *observed = on_grid->observed + (size_t)i * on_grid->observables;
        row[col->train_loss] = observed[0];
        row[col->test_loss] = observed[1];
        for (size_t o = 2; o < on_grid->observables; o++)
            row[col->observables + o - 2] = observed[o];
        kernels_correlation(on_grid->kern, plan->on_grid[grid].q0, plan->on_grid[grid].rho, i, i, C);
        for (int a = 0; a < k; a++)
            for (int b = 0; b <= a; b++)
                row[col->q + (size_t)(a * (a + 1) / 2 + b)] = C[a * k + b];
        for (int c = 0; c < k * kstar; c++)
            row[col->m + (size_t)c] = on_grid->kern->m[(size_t)i * (size_t)(k * kstar) + (size_t)c];
        for (int c = 0; c < k * k; c++)
            row[col->response + (size_t)c] = kernels_R(on_grid->kern, c, i)[0];
    }
    return values;
}

/* The number of nodes that all replicas on this grid reached; 0 if no replica solves it. */
static int nodes_reached(const dmft_plan *plan, const replica_set *set, int grid)
{
    int nodes = plan->grid[grid]->steps + 1, solved = 0;
    for (int r = 0; r < set->count; r++) {
        const grid_solution *on_grid = set->result[r].on_grid[grid];
        if (!on_grid && grid == GRID_CHECK)
            continue;
        solved = 1;
        if (!on_grid || on_grid->nodes < nodes)
            nodes = on_grid ? on_grid->nodes : 0;
    }
    return solved ? nodes : 0;
}

/* The curves of all replicas at their nodes, and scratch memory for the statistics of one curve. */
typedef struct replica_curves {
    const dmft_plan *plan;
    int replicas;
    int fitted;              /* 1: kernels.fitted, and the gradient is smooth */
    double **values[GRIDS];  /* [replica] node_curves, NULL if the replica does not solve the grid */
    size_t checked;          /* number of output times that the coarsest grid reached */
    double *sample;          /* [replicas] values at one time */
    double *change, *before; /* [checked] means of grid_changes along a curve */
} replica_curves;

static void replica_curves_clear(replica_curves *curves)
{
    for (int grid = 0; grid < GRIDS; grid++) {
        for (int r = 0; curves->values[grid] && r < curves->replicas; r++)
            free(curves->values[grid][r]);
        free(curves->values[grid]);
    }
    free(curves->sample);
    free(curves->change);
    free(curves->before);
}

static int jumps(const replica_curves *curves)
{
    return curves->plan->on_grid[GRID_FINE].shape.jumps;
}

static sgdmft_status replica_curves_init(sgdmft_context *ctx, const dmft_plan *plan, const replica_set *set,
                                         const solution_columns *col, replica_curves *curves)
{
    *curves = (replica_curves){.plan = plan, .replicas = set->count};
    /* where the gradient jumps, the whole change of Y_h counts already */
    curves->fitted = set->count > 0 && set->result[0].on_grid[GRID_FINE]->kern->fitted && !jumps(curves);
    curves->checked = output_times_reached(plan->problem, plan->grid[GRID_CHECK], nodes_reached(plan, set, GRID_CHECK));
    curves->sample = memory_doubles((size_t)curves->replicas);
    curves->change = memory_doubles(curves->checked + 1);
    curves->before = memory_doubles(curves->checked + 1);
    int failed = !curves->sample || !curves->change || !curves->before;
    for (int grid = 0; grid < GRIDS && !failed; grid++) {
        curves->values[grid] = calloc((size_t)curves->replicas, sizeof *curves->values[grid]);
        failed = !curves->values[grid];
        for (int r = 0; r < curves->replicas && !failed; r++) {
            const grid_solution *on_grid = set->result[r].on_grid[grid];
            if (!on_grid)
                continue;
            curves->values[grid][r] = node_curves(plan, on_grid, grid, col);
            failed = !curves->values[grid][r];
        }
    }
    return failed ? context_out_of_memory(ctx, "the curves", 8.0 * curves->replicas) : SGDMFT_OK;
}

/* A time and a curve. */
typedef struct lookup {
    double t;
    size_t curve, stride;
} lookup;

/* The value of a curve of one replica on one grid. */
static double look_up(const replica_curves *curves, int grid, int index, const lookup *at)
{
    return value_at_time(curves->plan->grid[grid], at->t, curves->values[grid][index], at->stride, at->curve);
}

/* Step errors from the coarsest grid, up to the time that it reached. If that is not the end, no fourth-order part is
   subtracted, because the curve would have a jump there. The fitted step rule of SGD has small errors at steps that are
   too long for them to be of second order, which counts as error. */
static void use_coarsest(const replica_curves *curves, size_t n, int fitted, sgdmft_curve *out)
{
    size_t checked = n < curves->checked ? n : curves->checked;
    double taken = checked == n ? fourth_order_part(jumps(curves), n, curves->change, curves->before) : 0;
    double doubt = fitted ? order_doubt(checked, curves->change, curves->before) : 0;
    for (size_t i = 0; i < checked; i++) {
        out->value[i] -= taken * curves->change[i];
        out->step_error[i] = (step_error_part(jumps(curves)) - taken) * curves->change[i];
        double from_order = doubt * grid_change_of(curves->change[i], curves->before[i]);
        if (fabs(from_order) > fabs(out->step_error[i]))
            out->step_error[i] = from_order;
    }
}

/* Value, standard error and step error of a curve. At times that the coarsest grid did not reach, the whole difference
   that extrapolation subtracts counts as step error, and three times that if the step rule is fitted. */
static void fill_curve(const replica_curves *curves, size_t curve, size_t stride, sgdmft_solution *solution)
{
    sgdmft_curve *out = &solution->curves[curve];
    int extrapolate = curves->plan->problem->numerics.extrapolate;
    for (size_t i = 0; i < solution->n_times; i++) {
        lookup at = {solution->times[i], curve, stride};
        int compare = extrapolate && i < curves->checked;
        grid_changes all = {0};
        double steps = 0;
        for (int r = 0; r < curves->replicas; r++) {
            double fine = look_up(curves, GRID_FINE, r, &at), coarse = look_up(curves, GRID_COARSE, r, &at);
            steps += step_error_of(fine, coarse);
            curves->sample[r] = extrapolate ? extrapolated(fine, coarse) : fine;
            if (compare && curves->values[GRID_CHECK][r])
                grid_changes_add(&all, fine, coarse, look_up(curves, GRID_CHECK, r, &at));
        }
        mean_and_error((size_t)curves->replicas, curves->sample, &out->value[i], &out->se[i]);
        /* without the coarsest grid, the order of the fitted rule, which long steps lower, is not known at all */
        out->step_error[i] = (curves->fitted && !compare ? 3 : 1) * steps / curves->replicas;
        if (compare) {
            curves->change[i] = all.change / all.count;
            curves->before[i] = all.before / all.count;
        }
    }
    if (extrapolate)
        use_coarsest(curves, solution->n_times, curves->fitted, out);
    add_step_errors(solution->n_times, solution->times, curves->plan->problem->horizon, out->step_error, out->se);
}

/* Standard errors above NOISY, in units of the scale of their curve, are themselves unreliable. Their cause is the
   number of steps if the step error is more than MOSTLY of them, otherwise the number of paths. */
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

/* Adds `share` times row i of the two-time arrays of one replica. */
static void add_row(const path_plan *plan, const grid_solution *on_grid, size_t i, double share,
                    sgdmft_solution *solution)
{
    size_t k = (size_t)plan->shape.k, kk = k * k, n = solution->n_grid;
    size_t overlap = k * (size_t)plan->shape.kstar;
    for (size_t j = 0; j <= i; j++) {
        double C[MATRIX_MAX * MATRIX_MAX];
        kernels_correlation(on_grid->kern, plan->q0, plan->rho, (int)i, (int)j, C);
        for (size_t c = 0; c < kk; c++) {
            size_t transposed = c % k * k + c / k;
            solution->C[(i * n + j) * kk + c] += share * C[c];
            if (j < i)
                solution->C[(j * n + i) * kk + transposed] += share * C[c];
            solution->R[(i * n + j) * kk + c] += share * kernels_R(on_grid->kern, (int)c, (int)i)[j];
        }
    }
    for (size_t c = 0; c < overlap; c++)
        solution->m[i * overlap + c] += share * on_grid->kern->m[i * overlap + c];
    solution->residual[i] = fmax(solution->residual[i], on_grid->residual[i]);
}

static void fill_two_time(const dmft_plan *plan, const replica_set *set, int threads, sgdmft_solution *solution)
{
    memcpy(solution->t, plan->grid[GRID_FINE]->t, sizeof(double) * solution->n_grid);
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads) if (threads > 1)
    for (size_t i = 0; i < solution->n_grid; i++)
        for (int r = 0; r < set->count; r++)
            add_row(&plan->on_grid[GRID_FINE], set->result[r].on_grid[GRID_FINE], i, 1.0 / set->count, solution);
}

static double defect_of(const replica_result *result, int grid, size_t at)
{
    return result->on_grid[grid]->identity[at];
}

static sgdmft_identity identity_of(const replica_curves *curves, const replica_set *set, size_t at)
{
    sgdmft_identity identity = {.t = curves->plan->problem->horizon};
    int extrapolate = curves->plan->problem->numerics.extrapolate;
    int compare = extrapolate && (size_t)curves->plan->problem->output.times == curves->checked;
    grid_changes all = {0};
    for (int r = 0; r < curves->replicas; r++) {
        const replica_result *result = &set->result[r];
        double fine = defect_of(result, GRID_FINE, at), coarse = defect_of(result, GRID_COARSE, at);
        curves->sample[r] = extrapolate ? extrapolated(fine, coarse) : fine;
        identity.scale += result->on_grid[GRID_FINE]->identity_scale[at] / curves->replicas;
        if (compare && result->on_grid[GRID_CHECK])
            grid_changes_add(&all, fine, coarse, defect_of(result, GRID_CHECK, at));
    }
    mean_and_error((size_t)curves->replicas, curves->sample, &identity.defect, &identity.se);
    if (all.count > 0) {
        double taken = fourth_order_part(jumps(curves), 1, &all.change, &all.before), change = all.change / all.count;
        identity.defect -= taken * change;
        identity.se = hypot(identity.se, (step_error_part(jumps(curves)) - taken) * change);
    }
    return identity;
}

static sgdmft_status add_identities(sgdmft_context *ctx, const replica_curves *curves, const replica_set *set,
                                    sgdmft_solution *solution)
{
    static const char *const kind[2] = {"dC(t,t)/dt", "dC(t,0)/dt"};
    int k = solution->k;
    size_t kk = (size_t)(k * k);
    for (int which = 0; which < 2; which++)
        for (int a = 0; a < k; a++)
            for (int b = 0; b < (which == 0 ? a + 1 : k); b++) {
                sgdmft_identity identity = identity_of(curves, set, (size_t)which * kk + (size_t)(a * k + b));
                sgdmft_status status =
                    solution_add_identity(ctx, solution, &identity, "%s %d%d", kind[which], a + 1, b + 1);
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
        for (int grid = 0; grid <= GRID_COARSE; grid++) {
            const grid_solution *on_grid = set->result[r].on_grid[grid];
            info->passes += on_grid->passes;
            steps += on_grid->steps;
            if ((size_t)on_grid->passes_max > info->passes_max)
                info->passes_max = (size_t)on_grid->passes_max;
            for (int i = 0; i < on_grid->nodes; i++)
                info->residual_max = fmax(info->residual_max, on_grid->residual[i]);
        }
    }
    info->passes /= steps > 0 ? steps : 1;
}

/* The status of the solution: that of the first replica that stopped early, or else a message if replicas are left
   out. */
static sgdmft_status take_status(sgdmft_context *ctx, const replica_set *set, sgdmft_solution *solution)
{
    for (int r = 0; r < set->count; r++)
        for (int grid = GRID_COARSE; grid >= 0; grid--) {
            const grid_solution *on_grid = set->result[r].on_grid[grid];
            if (on_grid->status)
                return solution_set_status(ctx, solution, on_grid->status, on_grid->message ? on_grid->message : "");
        }
    if (set->count == set->asked)
        return SGDMFT_OK;
    char *message = NULL;
    if (asprintf(&message, "interrupted: %d of %d replicas were complete; the curves are means over these", set->count,
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
    replica_curves curves;
    sgdmft_status status = replica_curves_init(ctx, plan, set, col, &curves);
    if (!status) {
        for (size_t i = 0; i < solution->n_times; i++)
            solution->times[i] = output_time(plan->problem, i);
        solution_truncate(solution, times < coarse_times ? times : coarse_times, (size_t)nodes);
        for (size_t c = 0; c < col->count; c++)
            fill_curve(&curves, c, col->count, solution);
        set_worst_errors(solution);
        fill_two_time(plan, set, sgdmft_context_threads(ctx), solution);
        count_work(plan, set, &solution->info);
        warn_of_errors(ctx, plan->problem, &solution->info);
        status = take_status(ctx, set, solution);
    }
    if (!status && plan->penalty)
        status = dmft_coordinates_fill(ctx, plan, set, solution);
    if (!status && nodes == plan->grid[GRID_FINE]->steps + 1)
        status = add_identities(ctx, &curves, set, solution);
    replica_curves_clear(&curves);
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
