/* At a fixed time every moment X of the recursion with steps of length b is a power series in b, as long as the time is
   a node and eta is smooth. Levels l = 0, 1, ... have steps of length b_l = b_0 / 2^l, and Romberg's table

     T_l0 = X(b_l),     T_lj = T_{l,j-1} + (T_{l,j-1} - T_{l-1,j-1}) / (2^j - 1)

   removes one power after the other: the error of T_lj is of order b^{j+1}. The result is T_ll of the last level. Its
   error is estimated by

     |T_ll - T_{l,l-1}| + 2^{-l} |T_{l,l-1} - T_{l,l-2}|.

   The first term is about the error of T_{l,l-1}, which has a power less, so that the bars are too long rather than too
   short. It changes sign along a curve, where the error of T_ll need not be small; the second term, which is usually
   smaller, changes sign elsewhere. This is all that there is in the standard errors, since nothing is sampled.

   Two-time arrays are at the nodes of level 0, which belong to all levels. Curves are interpolated to output times at
   every level, by a polynomial through nodes of the same epoch, since derivatives jump where an epoch begins.

   A level costs eight times as much as the one before. So levels are added as long as they are cheap, and beyond that
   until the accuracy of the problem is met. */
#include "solvers/linear/small_batches.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "problem/problem.h"
#include "solvers/common/statistics.h"
#include "solvers/common/worst_error.h"
#include "solvers/linear/batches.h"

enum { LEVELS_LEAST = 3, LEVELS_MOST = 16 };

/* More digits than this are not looked for. */
static const double FINE = 1e-10;

/* Romberg's table for many numbers: its last row. Numbers that a level did not reach are NaN. */
typedef struct romberg {
    size_t size;
    int levels;
    double *row[LEVELS_MOST]; /* T_lj, [size] each */
} romberg;

/* A solve in progress. All numbers of a level stand in one array: columns at output times, then m, C and R at nodes. */
typedef struct limit_solve {
    sgdmft_context *ctx;
    const linear_plan *plan;
    solution_columns col;
    romberg table;
    double *level;     /* numbers of the level under way */
    size_t steps;      /* of the last level in the table */
    discrete_end end;  /* of that level, or DISCRETE_INTERRUPTED if a later one was broken off */
    char *diverged;    /* why, if it did */
    worst_error worst; /* of the curves */
} limit_solve;

static size_t level_size(const linear_plan *plan)
{
    size_t nodes = plan->grid.n;
    return plan->output.n * BATCH_COLUMNS + nodes + 2 * nodes * nodes;
}

/* ---- Romberg's table ---- */

static sgdmft_status romberg_add(sgdmft_context *ctx, romberg *table, const double *level)
{
    double *added = memory_doubles(table->size);
    if (!added)
        return context_out_of_memory(ctx, "Romberg's table", 8.0 * (double)table->size);
    table->row[table->levels] = added;
    for (size_t i = 0; i < table->size; i++) {
        double carry = level[i];
        for (int j = 0; j < table->levels; j++) {
            double next = carry + (carry - table->row[j][i]) / (exp2(j + 1) - 1);
            table->row[j][i] = carry;
            carry = next;
        }
        added[i] = carry;
    }
    table->levels++;
    return SGDMFT_OK;
}

static void romberg_clear(romberg *table)
{
    for (int j = 0; j < table->levels; j++)
        free(table->row[j]);
    table->levels = 0;
}

static double romberg_value(const romberg *table, size_t i)
{
    return table->row[table->levels - 1][i];
}

/* With a single level nothing is known of the error, and the number itself counts. */
static double romberg_error(const romberg *table, size_t i)
{
    int last = table->levels - 1;
    double before = last > 0 ? table->row[last - 1][i] : 0, earlier = last > 1 ? table->row[last - 2][i] : 0;
    return fabs(romberg_value(table, i) - before) + exp2(-last) * fabs(before - earlier);
}

/* ---- one level ---- */

/* The nodes from which columns at a time are interpolated, and their weights. */
typedef struct stencil {
    size_t first, count;
    double weight[SMALL_BATCHES_POINTS];
} stencil;

static stencil stencil_at(const discrete_system *system, double place)
{
    size_t low = 0, high = system->steps, points;
    if (system->epoch > 0) {
        low = (size_t)place / system->epoch * system->epoch;
        high = low + system->epoch < high ? low + system->epoch : high;
        low = low == high ? high - system->epoch : low;
    }
    points = high - low + 1 < SMALL_BATCHES_POINTS ? high - low + 1 : SMALL_BATCHES_POINTS;
    double first = fmin(fmax(floor(place) - (double)points / 2 + 1, (double)low), (double)(high - points + 1));
    stencil s = {.first = (size_t)first, .count = points};
    for (size_t i = 0; i < points; i++) {
        s.weight[i] = 1;
        for (size_t j = 0; j < points; j++)
            if (j != i)
                s.weight[i] *= (place - first - (double)j) / ((double)i - (double)j);
    }
    return s;
}

static void columns_between(const linear_plan *plan, const batch_system *batches, const discrete_moments *moments,
                            double t, double *out)
{
    double place = t / batches->system.b, nearest = round(place), value[BATCH_COLUMNS];
    if (fabs(place - nearest) < 1e-9 * (1 + nearest))
        place = nearest;
    stencil s = stencil_at(&batches->system, place);
    for (int c = 0; c < BATCH_COLUMNS; c++)
        out[c] = 0;
    for (size_t i = 0; i < s.count; i++) {
        if (s.weight[i] == 0)
            continue;
        if (s.first + i < moments->nodes)
            batch_columns_at(plan, moments, s.first + i, value);
        for (int c = 0; c < BATCH_COLUMNS; c++)
            out[c] += s.first + i < moments->nodes ? s.weight[i] * value[c] : NAN;
    }
}

/* All numbers of a level, whose steps are `ratio` times as many as those of level 0. */
static void record(const linear_plan *plan, const batch_system *batches, const discrete_moments *moments, size_t ratio,
                   double *out)
{
    size_t nodes = plan->grid.n;
    double value[BATCH_COLUMNS];
    for (size_t i = 0; i < plan->output.n; i++, out += BATCH_COLUMNS)
        columns_between(plan, batches, moments, plan->output.t[i], out);
    double *m = out, *C = m + nodes, *R = C + nodes * nodes;
    for (size_t i = 0; i < nodes; i++) {
        int reached = i * ratio < moments->nodes;
        if (reached)
            batch_columns_at(plan, moments, i * ratio, value);
        m[i] = reached ? value[BATCH_M] : NAN;
        for (size_t j = 0; j <= i; j++) {
            C[i * nodes + j] = reached ? discrete_correlation(&plan->model, moments, i * ratio, j * ratio) : NAN;
            R[i * nodes + j] = reached ? batch_response(plan, batches, moments, i * ratio, j * ratio) : NAN;
        }
    }
}

/* Adds a level to the table. If it is the first one whose steps are short enough for the dynamics not to diverge, it
   takes the place of all others. */
static sgdmft_status accept_level(limit_solve *solve, const batch_system *batches, const discrete_moments *moments,
                                  size_t ratio)
{
    const linear_plan *plan = solve->plan;
    if (solve->diverged && moments->end == DISCRETE_COMPLETE)
        romberg_clear(&solve->table);
    free(solve->diverged);
    solve->diverged = NULL;
    solve->steps = plan->steps * ratio;
    record(plan, batches, moments, ratio, solve->level);
    sgdmft_status status = romberg_add(solve->ctx, &solve->table, solve->level);
    if (status || moments->end != DISCRETE_DIVERGED)
        return status;
    solve->diverged = batch_diverged(plan, batches, (double)moments->nodes * batches->system.b, moments->largest);
    return solve->diverged ? SGDMFT_OK : context_out_of_memory(solve->ctx, "a message", 256);
}

/* Solves with `ratio` times as many steps as at level 0, and adds this to the table unless it was interrupted. */
static sgdmft_status add_level(limit_solve *solve, size_t ratio)
{
    const linear_plan *plan = solve->plan;
    batch_system batches;
    discrete_moments moments = {0};
    double per_unit = plan->per_unit * (double)ratio;
    sgdmft_status status = batch_system_init(solve->ctx, plan, per_unit, plan->steps * ratio, &batches);
    if (status)
        return status;
    status = discrete_solve(solve->ctx, &batches.system, &moments);
    if (!status)
        solve->end = moments.end;
    if (!status && (moments.end != DISCRETE_INTERRUPTED || solve->table.levels == 0))
        status = accept_level(solve, &batches, &moments, ratio);
    discrete_moments_clear(&moments);
    batch_system_clear(&batches);
    return status;
}

/* ---- the solution ---- */

static void fill_curves(const limit_solve *solve, sgdmft_solution *solution)
{
    const linear_plan *plan = solve->plan;
    size_t times = plan->output.n;
    memcpy(solution->times, plan->output.t, times * sizeof(double));
    for (int c = 0; c < BATCH_COLUMNS; c++) {
        sgdmft_curve *curve = &solution->curves[batch_column_index(&solve->col, c)];
        for (size_t i = 0; i < times; i++) {
            curve->value[i] = romberg_value(&solve->table, i * BATCH_COLUMNS + (size_t)c);
            curve->step_error[i] = i > 0 ? romberg_error(&solve->table, i * BATCH_COLUMNS + (size_t)c) : 0;
            curve->se[i] = curve->step_error[i];
        }
    }
}

static void fill_two_time(const limit_solve *solve, sgdmft_solution *solution)
{
    size_t nodes = solution->n_grid, m = solve->plan->output.n * BATCH_COLUMNS, C = m + nodes, R = C + nodes * nodes;
    for (size_t i = 0; i < nodes; i++) {
        solution->t[i] = solve->plan->grid.t[i];
        solution->m[i] = romberg_value(&solve->table, m + i);
        for (size_t j = 0; j <= i; j++) {
            solution->R[i * nodes + j] = romberg_value(&solve->table, R + i * nodes + j);
            solution->C[i * nodes + j] = solution->C[j * nodes + i] = romberg_value(&solve->table, C + i * nodes + j);
        }
    }
}

/* Takes away what the levels did not all reach. */
static void truncate(const limit_solve *solve, sgdmft_solution *solution)
{
    const double *train = solution->curves[batch_column_index(&solve->col, BATCH_TRAIN)].value;
    size_t times = 0, nodes = 0;
    while (times < solution->n_times && isfinite(train[times]))
        times++;
    while (nodes < solution->n_grid && isfinite(solution->m[nodes]))
        nodes++;
    solution_truncate(solution, times, nodes);
}

static sgdmft_status set_status(const limit_solve *solve, sgdmft_solution *solution)
{
    const sgdmft_problem *problem = solve->plan->problem;
    char *message = NULL;
    sgdmft_status why = SGDMFT_OK;
    int failed = 0;
    if (solve->end == DISCRETE_INTERRUPTED) {
        why = SGDMFT_ERR_INTERRUPTED;
        failed = asprintf(&message, "interrupted; the curves are those of %zu steps until t = %.6g", solve->steps,
                          solution->t[solution->n_grid - 1]) < 0;
    } else if (solve->diverged) {
        why = SGDMFT_ERR_DIVERGED;
        failed = !(message = strdup(solve->diverged));
    } else if (problem_asks_accuracy(problem) && solve->worst.relative > problem->numerics.accuracy) {
        why = SGDMFT_ERR_ACCURACY;
        message = worst_error_message(solution, &solve->worst, problem->numerics.accuracy, "more steps would take long",
                                      "it is what the last extrapolation to small batches changed; hint: shorten "
                                      "horizon, or lower eta or momentum.rate");
        failed = !message;
    }
    if (failed)
        return context_out_of_memory(solve->ctx, "a message", 256);
    sgdmft_status status = why ? solution_set_status(solve->ctx, solution, why, message) : SGDMFT_OK;
    free(message);
    return status;
}

/* ---- the solve ---- */

/* 1 if another level, with twice the steps, is worth its time. */
static int goes_on(const limit_solve *solve)
{
    size_t next = 2 * solve->steps;
    if (solve->end == DISCRETE_INTERRUPTED || next > SMALL_BATCHES_STEPS_MOST || solve->table.levels == LEVELS_MOST)
        return 0;
    if (solve->table.levels < LEVELS_LEAST)
        return 1;
    double wanted = next > SMALL_BATCHES_STEPS_CHEAP ? solve->plan->problem->numerics.accuracy : FINE;
    return solve->worst.relative > wanted;
}

static sgdmft_status refine(limit_solve *solve, sgdmft_solution *solution)
{
    sgdmft_status status;
    size_t ratio = 1;
    do {
        status = add_level(solve, ratio);
        if (status)
            return status;
        fill_curves(solve, solution);
        status = worst_error_find(solve->ctx, solution, solve->plan->problem->initial.rho, &solve->worst);
        ratio *= 2;
    } while (!status && goes_on(solve));
    return status;
}

static sgdmft_status finish(limit_solve *solve, sgdmft_solution *solution)
{
    fill_two_time(solve, solution);
    truncate(solve, solution);
    solution->info.steps = solve->steps;
    solution->info.extrapolated = 1;
    sgdmft_status status = set_worst_errors(solve->ctx, solve->plan->problem, solution);
    solution->info.accuracy = problem_asks_accuracy(solve->plan->problem) ? solve->plan->problem->numerics.accuracy : 0;
    solution->info.accuracy_reached = solution->info.se_max;
    return status ? status : set_status(solve, solution);
}

static void clear(limit_solve *solve)
{
    romberg_clear(&solve->table);
    free(solve->level);
    free(solve->diverged);
}

sgdmft_status small_batches_solve(sgdmft_context *ctx, const linear_plan *plan, sgdmft_solution **out)
{
    solution_shape shape = {.k = 1, .kstar = 1, .n_times = plan->output.n, .n_grid = plan->grid.n, .response = 1};
    limit_solve solve = {.ctx = ctx, .plan = plan, .col = solution_columns_of(&shape)};
    sgdmft_solution *solution = NULL;
    sgdmft_status status = solution_new(ctx, &shape, &solution);
    solve.table.size = level_size(plan);
    solve.level = memory_doubles(solve.table.size);
    if (!status && !solve.level)
        status = context_out_of_memory(ctx, "a level", 8.0 * (double)solve.table.size);
    if (!status)
        status = refine(&solve, solution);
    if (!status)
        status = finish(&solve, solution);
    clear(&solve);
    if (status)
        sgdmft_solution_free(solution);
    else
        *out = solution;
    return status;
}
