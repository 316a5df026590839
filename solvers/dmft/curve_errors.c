#include "solvers/dmft/curve_errors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "core/matrix.h"
#include "core/memory.h"
#include "solvers/common/output_times.h"
#include "solvers/common/statistics.h"
#include "solvers/common/step_errors.h"

/* The step error of Y_h as a part of X_2h - X_h where X_h = 2 Z_h - Z_2h comes from values Z_h of first order; a third of
   it is subtracted. */
static const double FIRST_ORDER_PART = 0.2;

/* As much of the defect of an identity may be noise, in units of its standard error. */
static const double NOISE_OF_DEFECT = 2;

/* The curves of one solution at the nodes of its grid, values[node][curve]; rows of nodes that are not wanted stay
   zero. Owned by the caller; NULL if memory runs out. */
static double *node_curves(const dmft_plan *plan, const grid_solution *on_grid, int grid, const solution_columns *col)
{
    int k = plan->on_grid[grid].shape.k, kstar = plan->on_grid[grid].shape.kstar;
    double *values = memory_doubles((size_t)on_grid->nodes * col->count);
    for (int i = 0; values && i < on_grid->nodes; i++) {
        if (!on_grid->wanted[i])
            continue;
        double *row = values + (size_t)i * col->count;
        const double *observed = on_grid->observed + (size_t)i * on_grid->observables;
        row[col->train_loss] = observed[0];
        row[col->test_loss] = observed[1];
        for (size_t o = 2; o < on_grid->observables; o++)
            row[col->observables + o - 2] = observed[o];
        const double *C = on_grid->C + (size_t)i * (size_t)(k * k), *R = on_grid->R + (size_t)i * (size_t)(k * k);
        for (int a = 0; a < k; a++)
            for (int b = 0; b <= a; b++)
                row[col->q + (size_t)(a * (a + 1) / 2 + b)] = C[a * k + b];
        for (int c = 0; c < k * kstar; c++)
            row[col->m + (size_t)c] = on_grid->m[(size_t)i * (size_t)(k * kstar) + (size_t)c];
        for (int c = 0; c < k * k; c++)
            row[col->response + (size_t)c] = R[c];
    }
    return values;
}

int curve_nodes_reached(const dmft_plan *plan, const replica_set *set, int grid)
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
    double **values[GRIDS];  /* [replica] node_curves, NULL if the replica does not solve the grid */
    int extrapolate;         /* 1: to zero step */
    int first_order;         /* 1: in the step, for the limit of small batches */
    size_t checked;          /* number of output times that the coarsest grid reached */
    double *sample;          /* [replicas] values at one time */
    double *change, *before; /* [checked] means of Y_2h - Y_h, and of X_2h - Y_2h, along a curve */
    double *fine, *coarse;   /* [times] means of X_2h - X_h, and [checked] of X_4h - X_2h */
    double *nearby;          /* [times] */
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
    free(curves->fine);
    free(curves->coarse);
    free(curves->nearby);
}

static sgdmft_status replica_curves_init(sgdmft_context *ctx, const dmft_plan *plan, const replica_set *set,
                                         const solution_columns *col, replica_curves *curves)
{
    *curves = (replica_curves){.plan = plan, .replicas = set->count};
    curves->extrapolate = plan->problem->numerics.extrapolate && plan->grid[GRID_COARSE];
    curves->first_order = plan->grid[GRID_FINE]->discrete && plan->grid[GRID_CHECK];
    curves->checked = 0;
    if (plan->grid[GRID_CHECK] && !curves->first_order)
        curves->checked =
            output_times_reached(plan->problem, plan->grid[GRID_CHECK], curve_nodes_reached(plan, set, GRID_CHECK));
    curves->sample = memory_doubles((size_t)curves->replicas);
    curves->change = memory_doubles(curves->checked + 1);
    curves->before = memory_doubles(curves->checked + 1);
    size_t times = output_times_count(plan->problem);
    curves->fine = memory_doubles(times);
    curves->coarse = memory_doubles(curves->checked + 1);
    curves->nearby = memory_doubles(times);
    int failed =
        !curves->sample || !curves->change || !curves->before || !curves->fine || !curves->coarse || !curves->nearby;
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

static int jumps(const replica_curves *curves)
{
    return curves->plan->on_grid[GRID_FINE].shape.jumps;
}

/* The mean of differences between grids and its standard error, summed up over replicas. */
typedef struct difference_sums {
    double sum, squares;
    int count;
} difference_sums;

static void difference_add(difference_sums *x, double value)
{
    x->sum += value;
    x->squares += value * value;
    x->count++;
}

static double difference_mean(const difference_sums *x)
{
    return x->count ? x->sum / x->count : 0;
}

/* The square of the standard error of the mean, as wide as few replicas make it; 0 for a single one. */
static double difference_noise(const difference_sums *x)
{
    double mean = difference_mean(x), widening = noise_widening((size_t)x->count);
    return x->count > 1 ? widening * widening * fmax(x->squares / x->count - mean * mean, 0) / (x->count - 1) : 0;
}

/* Mean squares over times of the standard errors of X_2h - X_h, X_4h - X_2h and Y_2h - Y_h. */
typedef struct series_noise {
    double fine, coarse, change;
} series_noise;

/* The values of a curve on a grid with the step h and on one with 2h. In the limit of small batches X_h is only of first
   order in h, and 2 X_h - X_2h takes its place, which is of second order. */
typedef struct grid_pair {
    double fine, coarse;
} grid_pair;

static grid_pair look_up_pair(const replica_curves *curves, int index, const lookup *at)
{
    double fine = look_up(curves, GRID_FINE, index, at);
    if (!curves->plan->grid[GRID_COARSE])
        return (grid_pair){fine, fine};
    double coarse = look_up(curves, GRID_COARSE, index, at);
    if (!curves->first_order || !curves->extrapolate)
        return (grid_pair){fine, coarse};
    return (grid_pair){2 * fine - coarse, 2 * coarse - look_up(curves, GRID_CHECK, index, at)};
}

/* Values and noise of a curve, and the differences between grids that its step errors are made of. At times that the
   coarsest grid did not reach, the order of the error is not known, and the whole difference between the grids counts
   as step error. */
static series_noise mean_curve(const replica_curves *curves, size_t curve, size_t stride,
                               const sgdmft_solution *solution, sgdmft_curve *out)
{
    int extrapolate = curves->extrapolate;
    double part = extrapolate ? 1 : 1.0 / 3;
    if (curves->first_order)
        part = extrapolate ? FIRST_ORDER_PART : 1;
    series_noise noise = {0};
    size_t checked = extrapolate ? curves->checked : 0;
    for (size_t i = 0; i < solution->n_times; i++) {
        lookup at = {solution->times[i], curve, stride};
        difference_sums first = {0}, second = {0}, change = {0};
        for (int r = 0; r < curves->replicas; r++) {
            grid_pair x = look_up_pair(curves, r, &at);
            difference_add(&first, x.coarse - x.fine);
            curves->sample[r] = extrapolate ? extrapolated(x.fine, x.coarse) : x.fine;
            if (i >= checked || !curves->values[GRID_CHECK][r])
                continue;
            double check = look_up(curves, GRID_CHECK, r, &at);
            difference_add(&second, check - x.coarse);
            difference_add(&change, extrapolated(x.coarse, check) - extrapolated(x.fine, x.coarse));
        }
        mean_and_error((size_t)curves->replicas, curves->sample, &out->value[i], &out->se[i]);
        curves->fine[i] = difference_mean(&first);
        out->step_error[i] = part * curves->fine[i];
        if (i >= checked)
            continue;
        curves->coarse[i] = difference_mean(&second);
        curves->change[i] = difference_mean(&change);
        noise.fine += difference_noise(&first) / (double)checked;
        noise.coarse += difference_noise(&second) / (double)checked;
        noise.change += difference_noise(&change) / (double)checked;
    }
    return noise;
}

/* Subtracts the fourth-order part from the values, and makes the bar of a curve by itself in out->step_error. If the
   coarsest grid did not reach the end, no part is subtracted, because the curve would have a jump there. */
static void bar_curve(const replica_curves *curves, size_t n, const series_noise *noise, sgdmft_curve *out)
{
    size_t checked = n < curves->checked ? n : curves->checked;
    if (!curves->extrapolate)
        return;
    for (size_t i = 0; i < checked; i++)
        curves->before[i] = curves->coarse[i] / 3; /* X_2h - Y_2h */
    double taken = checked == n ? fourth_order_part(jumps(curves), n, curves->change, curves->before) : 0;
    double left = step_error_part(jumps(curves)) - taken;
    for (size_t i = 0; i < checked; i++) {
        out->value[i] -= taken * curves->change[i];
        out->step_error[i] = left * curves->change[i];
    }
    grid_series series = {checked,
                          {curves->fine, sqrt(noise->fine)},
                          {curves->coarse, sqrt(noise->coarse)},
                          {out->step_error, left * sqrt(noise->change)}};
    step_error_bars(&series, curves->nearby);
    memcpy(out->step_error, curves->nearby, sizeof *curves->nearby * checked);
}

static double defect_of(const replica_result *result, int grid, size_t at)
{
    return result->on_grid[grid]->identity[at];
}

static sgdmft_identity identity_of(const replica_curves *curves, const replica_set *set, size_t at)
{
    sgdmft_identity identity = {.t = curves->plan->problem->horizon};
    int extrapolate = curves->extrapolate;
    int compare = extrapolate && output_times_count(curves->plan->problem) == curves->checked;
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

/* Adds the identities to the solution; *largest becomes the largest relative defect of those for C_aa(t,t). */
static sgdmft_status add_identities(sgdmft_context *ctx, const replica_curves *curves, const replica_set *set,
                                    sgdmft_solution *solution, double *largest)
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
                if (which == 0 && a == b && identity.scale > 0)
                    *largest = fmax(*largest, (fabs(identity.defect) - NOISE_OF_DEFECT * identity.se) / identity.scale);
            }
    return SGDMFT_OK;
}

static sgdmft_status allocate(sgdmft_context *ctx, size_t count, size_t n, curve_errors *out)
{
    *out = (curve_errors){.count = count,
                          .n = n,
                          .noise = memory_doubles(count * n + 1),
                          .step = memory_doubles(count * n + 1),
                          .own_step = memory_doubles(count * n + 1),
                          .scale = memory_doubles(count * n + 1)};
    return out->noise && out->step && out->own_step && out->scale
               ? SGDMFT_OK
               : context_out_of_memory(ctx, "the errors of curves", 32.0 * (double)(count * n));
}

/* Makes the bars of all curves from those of each by itself, and adds noise and bars up. R does not raise the bars of
   other curves, as its steepest part, at early times, is seen by none of them. */
static void complete(const replica_curves *curves, const solution_columns *col, sgdmft_solution *solution,
                     curve_errors *errors)
{
    size_t n = errors->n;
    double horizon = curves->plan->problem->horizon;
    step_errors_join(errors->count, col->response, n, errors->scale, errors->step);
    memcpy(errors->own_step, errors->step, sizeof *errors->step * errors->count * n);
    for (size_t c = 0; c < errors->count; c++) {
        sgdmft_curve *out = &solution->curves[c];
        double *bar = errors->step + c * n, *noise = errors->noise + c * n, *scale = errors->scale + c * n;
        memcpy(out->step_error, bar, sizeof *bar * n);
        step_errors_nearby(n, solution->times, horizon, bar, curves->nearby);
        memcpy(bar, curves->nearby, sizeof *bar * n);
        for (size_t i = 0; i < n; i++)
            if (solution->times[i] > 0)
                bar[i] = hypot(bar[i], errors->identity_defect * scale[i]);
        noise_pool(n, solution->times, horizon, (size_t)curves->replicas, scale, curves->nearby, noise);
        for (size_t i = 0; i < n; i++)
            out->se[i] = hypot(noise[i], bar[i]);
    }
}

sgdmft_status curve_errors_fill(sgdmft_context *ctx, const dmft_plan *plan, const replica_set *set,
                                const solution_columns *col, sgdmft_solution *solution, curve_errors *out)
{
    size_t n = solution->n_times;
    int whole = solution->n_grid == (size_t)plan->grid[GRID_FINE]->steps + 1;
    replica_curves curves;
    sgdmft_status status = allocate(ctx, col->count, n, out);
    if (status)
        return status;
    status = replica_curves_init(ctx, plan, set, col, &curves);
    for (size_t c = 0; c < col->count && !status; c++) {
        sgdmft_curve *curve = &solution->curves[c];
        series_noise noise = mean_curve(&curves, c, col->count, solution, curve);
        bar_curve(&curves, n, &noise, curve);
        memcpy(out->noise + c * n, curve->se, sizeof *curve->se * n);
        memcpy(out->step + c * n, curve->step_error, sizeof *curve->step_error * n);
    }
    for (size_t c = 0; c < col->count && !status; c++)
        solution_natural_scale(solution, plan->problem->initial.rho, c, out->scale + c * n);
    if (!status && whole && !plan->grid[GRID_FINE]->discrete)
        status = add_identities(ctx, &curves, set, solution, &out->identity_defect);
    if (!status)
        complete(&curves, col, solution, out);
    replica_curves_clear(&curves);
    return status;
}

void curve_errors_clear(curve_errors *errors)
{
    free(errors->noise);
    free(errors->step);
    free(errors->own_step);
    free(errors->scale);
    *errors = (curve_errors){0};
}
