/* Least squares with a linear label: everything is an integral over the spectral law mu of X^T X (docs/linear.md).

   With a_x = eta x + lambda, E = exp(-a_x t), u = eta (1 - E)/a_x, f = x u, P and Y as in modes.c, and m0, rho those of
   the scaled teacher,

     m(t)   = int (E m0 + f rho) dmu                          (divided by the slope of the label),
     R(t,s) = int exp(-a_x (t-s)) dmu,
     C(t,s) = int [E_t E_s q0 + x (E_t u_s + E_s u_t) m0 + x u_t u_s (x rho + sigma^2)] dmu
              + eta^2 int x exp(-a_x (t-s)) Y_x(s) dmu,       s <= t,    q(t) = C(t,t),
     test   = curvature/2 [int (E^2 q0 + 2 E (f-1) m0 + (f-1)^2 rho + x u^2 sigma^2) dmu + eta^2 int x Y dmu + sigma^2],
     train  = curvature/2 P.

   A row of C costs one operation for each of its entries and each point of mu, as exp(-a_x (t-s)) is a running product
   over the nodes s, from s = t backwards. */
#include "solvers/linear/spectrum.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "core/memory.h"
#include "solvers/common/growth.h"
#include "solvers/common/statistics.h"
#include "solvers/linear/modes.h"

/* The Volterra equation is checked at the nodes by another quadrature. It must hold to this accuracy relative to P. */
static const double TRUSTED = 1e-9;

/* E, u and Y at every time; Y is zero for a gradient flow. */
typedef struct mode_table {
    double *E, *u, *Y; /* [times][points] */
} mode_table;

/* A solve in progress. */
typedef struct exact_solve {
    sgdmft_context *ctx;
    const linear_plan *plan;
    linear_modes modes;
    linear_risk risk;
    double *square, *single; /* coefficients of the source of P */
    double limit;            /* of P */
    int interrupted;
} exact_solve;

static void exact_solve_clear(exact_solve *solve)
{
    linear_modes_clear(&solve->modes);
    linear_risk_clear(&solve->risk);
    free(solve->square);
    free(solve->single);
}

/* The bound on E|step|^2 = (eta curvature)^2 P, given the moments of the problem and its first step. */
static double risk_limit(const linear_modes *modes, const double *square, const double *single)
{
    const linear_model *p = &modes->model;
    double first = p->eta * p->eta * linear_modes_free_risk(modes, square, single, 0);
    return growth_limits_of(p->q + p->rho_start + first).step / (p->eta * p->eta);
}

static sgdmft_status solve_risk(exact_solve *solve)
{
    const linear_plan *plan = solve->plan;
    sgdmft_status status = linear_modes_init(solve->ctx, &plan->model, linear_plan_horizon(plan), &solve->modes);
    if (status)
        return status;
    solve->square = memory_doubles(solve->modes.law.n);
    solve->single = memory_doubles(solve->modes.law.n);
    if (!solve->square || !solve->single)
        return context_out_of_memory(solve->ctx, "the spectrum", 16.0 * (double)solve->modes.law.n);
    linear_modes_source(&solve->modes, solve->square, solve->single);
    solve->limit = risk_limit(&solve->modes, solve->square, solve->single);
    solve->risk.end = solve->modes.horizon;
    if (plan->model.visits)
        status = linear_risk_solve(solve->ctx, &solve->modes, plan->grid.n - 1, solve->limit, &solve->risk);
    return status;
}

static void mode_table_clear(mode_table *table)
{
    free(table->E);
    free(table->u);
    free(table->Y);
}

static sgdmft_status mode_table_init(const exact_solve *solve, const risk_curve *risk, const time_points *times,
                                     size_t count, mode_table *table)
{
    const linear_modes *modes = &solve->modes;
    size_t n = modes->law.n;
    double eta = solve->plan->model.eta;
    *table = (mode_table){memory_doubles(count * n), memory_doubles(count * n), memory_doubles(count * n)};
    if (!table->E || !table->u || !table->Y) {
        mode_table_clear(table);
        return context_out_of_memory(solve->ctx, "the spectrum at all times", 24.0 * (double)count * (double)n);
    }
    for (size_t i = 0; i < count; i++)
        for (size_t x = 0; x < n; x++) {
            double a = modes->decay[x], s = times->s[i];
            table->E[i * n + x] = exp(-a * s);
            table->u[i * n + x] = a > 0 ? -eta * expm1(-a * s) / a : eta * s;
        }
    if (!solve->plan->model.visits)
        return SGDMFT_OK;
    sgdmft_status status = linear_filtered_risk(solve->ctx, modes, risk, count, times->s, table->Y);
    if (status)
        mode_table_clear(table);
    return status;
}

/* Sums over the spectrum at one time. */
typedef struct moments {
    double q, m, R, error; /* error = E (theta - slope theta*)^2 */
    double risk;           /* P, from Y */
} moments;

static moments moments_at(const exact_solve *solve, const mode_table *table, size_t i)
{
    const linear_model *p = &solve->plan->model;
    const spectral_law *law = &solve->modes.law;
    const double *E = table->E + i * law->n, *u = table->u + i * law->n, *Y = table->Y + i * law->n;
    moments sum = {.risk = solve->modes.constant};
    for (size_t k = 0; k < law->n; k++) {
        double x = law->x[k], w = law->weight[k], share = solve->modes.share[k], c = 1 - share;
        double visits = p->eta * p->eta * x * Y[k], noise = x * u[k] * u[k] * p->noise, f = x * u[k];
        sum.q += w * (E[k] * E[k] * p->q + 2 * E[k] * f * p->m + f * f * p->rho + noise + visits);
        sum.m += w * (E[k] * p->m_start + f * p->slope * p->rho_start);
        sum.R += w * E[k];
        sum.error += w * (E[k] * E[k] * (p->q - 2 * c * p->m + c * c * p->rho) +
                          2 * E[k] * share * (c * p->rho - p->m) + share * share * p->rho + noise + visits);
        sum.risk += (solve->square[k] * E[k] + solve->single[k]) * E[k] + w * x * visits / p->delta;
    }
    return sum;
}

/* P at a time, and its change when the steps were last halved. */
static double risk_at(const exact_solve *solve, double s, const moments *at, double *change)
{
    *change = 0;
    if (!solve->plan->model.visits)
        return at->risk;
    double fine = risk_curve_at(&solve->risk.fine, s);
    *change = risk_curve_at(&solve->risk.coarse, s) - fine;
    return fine;
}

static void fill_times(const exact_solve *solve, const solution_columns *col, const mode_table *fine,
                       const mode_table *coarse, sgdmft_solution *solution)
{
    double half = solve->plan->model.curvature / 2, change;
    sgdmft_curve *curve = solution->curves;
    for (size_t i = 0; i < solution->n_times; i++) {
        moments now = moments_at(solve, fine, i), before = moments_at(solve, coarse, i);
        double risk = risk_at(solve, solve->plan->output.s[i], &now, &change);
        curve[col->train_loss].value[i] = half * risk + solve->plan->model.offset;
        curve[col->train_loss].step_error[i] = half * change;
        curve[col->test_loss].value[i] = half * (now.error + solve->plan->model.noise) + solve->plan->model.offset;
        curve[col->test_loss].step_error[i] = half * (before.error - now.error);
        curve[col->q].value[i] = now.q;
        curve[col->q].step_error[i] = before.q - now.q;
        curve[col->m].value[i] = now.m;
        curve[col->response].value[i] = now.R;
    }
}

static sgdmft_status fill_curves(const exact_solve *solve, const solution_columns *col, sgdmft_solution *solution)
{
    mode_table fine, coarse;
    size_t count = solution->n_times;
    memcpy(solution->times, solve->plan->output.t, count * sizeof *solution->times);
    sgdmft_status status = mode_table_init(solve, &solve->risk.fine, &solve->plan->output, count, &fine);
    if (status)
        return status;
    status = mode_table_init(solve, &solve->risk.coarse, &solve->plan->output, count, &coarse);
    if (!status) {
        fill_times(solve, col, &fine, &coarse, solution);
        mode_table_clear(&coarse);
    }
    mode_table_clear(&fine);
    return status;
}

/* Factors of the column s of C, C(t,s) = E_t.A + u_t.B + exp(-a (t-s)).Z, where the dot is a sum over points of mu. */
typedef struct column_table {
    double *A, *B, *Z; /* [nodes][points] */
    double *back;      /* [nodes][points] exp(-a (t_i - t_{i-1})) */
} column_table;

static void column_table_clear(column_table *table)
{
    free(table->A);
    free(table->B);
    free(table->Z);
    free(table->back);
}

static sgdmft_status column_table_init(const exact_solve *solve, const mode_table *modes, size_t count,
                                       column_table *table)
{
    const linear_model *p = &solve->plan->model;
    const spectral_law *law = &solve->modes.law;
    size_t size = count * law->n;
    *table = (column_table){memory_doubles(size), memory_doubles(size), memory_doubles(size), memory_doubles(size)};
    if (!table->A || !table->B || !table->Z || !table->back) {
        column_table_clear(table);
        return context_out_of_memory(solve->ctx, "the spectrum at all times", 32.0 * (double)size);
    }
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < law->n; k++) {
            double x = law->x[k], w = law->weight[k], E = modes->E[i * law->n + k], u = modes->u[i * law->n + k];
            table->A[i * law->n + k] = w * (p->q * E + x * p->m * u);
            table->B[i * law->n + k] = w * x * (p->m * E + (x * p->rho + p->noise) * u);
            table->Z[i * law->n + k] = p->eta * p->eta * w * x * modes->Y[i * law->n + k];
            table->back[i * law->n + k] =
                i ? exp(-solve->modes.decay[k] * (solve->plan->grid.s[i] - solve->plan->grid.s[i - 1])) : 1;
        }
    return SGDMFT_OK;
}

/* Row i of C and R up to the diagonal; D is work space. */
static void fill_row(const exact_solve *solve, const mode_table *modes, const column_table *table, size_t i, double *D,
                     double *C, double *R)
{
    size_t n = solve->modes.law.n;
    const double *E = modes->E + i * n, *u = modes->u + i * n, *w = solve->modes.law.weight;
    for (size_t k = 0; k < n; k++)
        D[k] = 1;
    for (size_t j = i + 1; j-- > 0;) {
        const double *A = table->A + j * n, *B = table->B + j * n, *Z = table->Z + j * n, *back = table->back + j * n;
        double correlation = 0, response = 0;
#pragma omp simd reduction(+ : correlation, response)
        for (size_t k = 0; k < n; k++) {
            correlation += E[k] * A[k] + u[k] * B[k] + D[k] * Z[k];
            response += w[k] * D[k];
            D[k] *= back[k];
        }
        C[j] = correlation;
        R[j] = j == i ? 1 : response;
    }
}

/* Rows between two reports of progress. */
enum { ROWS_AT_ONCE = 64 };

/* Fills rows until the caller interrupts. Returns the number of rows that are complete. */
static size_t fill_rows(exact_solve *solve, const mode_table *modes, const column_table *table, double *scratch,
                        sgdmft_solution *solution)
{
    size_t nodes = solution->n_grid, n = solve->modes.law.n;
    int threads = sgdmft_context_threads(solve->ctx);
    for (size_t first = 0; first < nodes; first += ROWS_AT_ONCE) {
        size_t end = nodes - first < ROWS_AT_ONCE ? nodes : first + ROWS_AT_ONCE;
#pragma omp parallel for schedule(dynamic, 4) num_threads(threads) if (threads > 1)
        for (size_t i = first; i < end; i++)
            fill_row(solve, modes, table, i, scratch + (size_t)omp_get_thread_num() * n, solution->C + i * nodes,
                     solution->R + i * nodes);
        double done = (double)end / (double)nodes;
        solve->interrupted = context_progress(solve->ctx, done * done, solve->plan->grid.t[end - 1]) && end < nodes;
        if (solve->interrupted)
            return end;
    }
    return nodes;
}

static void mirror(sgdmft_solution *solution, size_t rows)
{
    size_t nodes = solution->n_grid;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < i; j++)
            solution->C[j * nodes + i] = solution->C[i * nodes + j];
}

/* m at the nodes, and the residual of the Volterra equation there. */
static void fill_nodes(const exact_solve *solve, const mode_table *modes, sgdmft_solution *solution)
{
    double running = 0, change;
    for (size_t i = 0; i < solution->n_grid; i++) {
        moments now = moments_at(solve, modes, i);
        double risk = risk_at(solve, solve->plan->grid.s[i], &now, &change);
        running = fmax(running, fabs(risk));
        solution->t[i] = solve->plan->grid.t[i];
        solution->m[i] = now.m;
        double defect = fabs(risk - now.risk), scale = fabs(risk) + 1e-14 * running;
        solution->residual[i] = scale > 0 ? defect / scale : defect;
        solution->info.residual_max = fmax(solution->info.residual_max, solution->residual[i]);
    }
}

static sgdmft_status fill_two_time(exact_solve *solve, sgdmft_solution *solution, size_t *rows)
{
    mode_table modes;
    column_table table = {0};
    double *scratch = memory_doubles((size_t)sgdmft_context_threads(solve->ctx) * solve->modes.law.n);
    sgdmft_status status = mode_table_init(solve, &solve->risk.fine, &solve->plan->grid, solution->n_grid, &modes);
    if (!status) {
        status = scratch ? column_table_init(solve, &modes, solution->n_grid, &table)
                         : context_out_of_memory(solve->ctx, "the rows of C", 8.0 * (double)solve->modes.law.n);
        if (!status) {
            fill_nodes(solve, &modes, solution);
            *rows = fill_rows(solve, &modes, &table, scratch, solution);
            mirror(solution, *rows);
            column_table_clear(&table);
        }
        mode_table_clear(&modes);
    }
    free(scratch);
    return status;
}

/* Number of times up to the end. If the dynamics diverge, the end itself is left out. */
static size_t count_reached(const exact_solve *solve, const time_points *times)
{
    size_t reached = times->n;
    while (solve->risk.end < solve->modes.horizon && reached > 0 && times->s[reached - 1] >= solve->risk.end)
        reached--;
    return reached;
}

static sgdmft_status set_stop(const exact_solve *solve, sgdmft_solution *solution, sgdmft_status why, char *message)
{
    if (!message)
        return context_out_of_memory(solve->ctx, "a message", 256);
    sgdmft_status status = solution_set_status(solve->ctx, solution, why, message);
    free(message);
    return status;
}

static sgdmft_status set_status(const exact_solve *solve, sgdmft_solution *solution)
{
    double squared = solve->plan->model.eta * solve->plan->model.eta, worst = solution->info.residual_max;
    char *message = NULL;
    sgdmft_status why = SGDMFT_OK;
    int printed = 0;
    if (solve->interrupted || solve->risk.interrupted) {
        why = SGDMFT_ERR_INTERRUPTED;
        printed = asprintf(&message, "interrupted at t = %.6g", solution->t[solution->n_grid - 1]);
    } else if (solve->risk.end < solve->modes.horizon) {
        why = SGDMFT_ERR_DIVERGED;
        printed = asprintf(&message,
                           "the dynamics diverge: at t = %.6g the mean squared step E|eta g|^2 is %.3g (limit %.3g); "
                           "hint: lower eta, or shorten horizon to below %.6g",
                           solve->risk.end, squared * solve->risk.largest, squared * solve->limit, solve->risk.end);
    } else if (solve->risk.change > solve->risk.required || worst > TRUSTED) {
        why = SGDMFT_ERR_NO_CONVERGENCE;
        printed =
            asprintf(&message,
                     "the exact method did not reach its accuracy: halving the step still changes the train loss by "
                     "%.3g of its value (allowed: %.3g), and its Volterra equation has a residual of %.3g (allowed: "
                     "%.3g); hint: shorten horizon",
                     solve->risk.change, solve->risk.required, worst, TRUSTED);
    }
    return why ? set_stop(solve, solution, why, printed < 0 ? NULL : message) : SGDMFT_OK;
}

static sgdmft_status fill_solution(exact_solve *solve, const solution_columns *col, sgdmft_solution *solution)
{
    size_t nodes = count_reached(solve, &solve->plan->grid), rows = nodes;
    if (solve->risk.interrupted) {
        nodes = rows = 1;
        context_grant_time(solve->ctx);
    }
    solution_truncate(solution, solve->risk.interrupted ? 1 : count_reached(solve, &solve->plan->output), nodes);
    sgdmft_status status = fill_curves(solve, col, solution);
    if (!status)
        status = fill_two_time(solve, solution, &rows);
    if (status == SGDMFT_ERR_INTERRUPTED) { /* the curves are complete, and of the two-time arrays the start is kept */
        solve->interrupted = 1;
        solution_truncate(solution, solution->n_times, nodes = rows = 1);
        context_grant_time(solve->ctx);
        status = fill_two_time(solve, solution, &rows);
    }
    if (status)
        return status;
    if (rows < nodes) {
        size_t times = solution->n_times;
        while (times > 0 && solution->times[times - 1] > solve->plan->grid.t[rows - 1])
            times--;
        solution_truncate(solution, times, rows);
    }
    solution->info.steps = solve->plan->model.visits ? solve->risk.fine.steps : solve->plan->grid.n - 1;
    status = set_worst_errors(solve->ctx, solve->plan->problem, solution);
    return status ? status : set_status(solve, solution);
}

sgdmft_status spectrum_solve(sgdmft_context *ctx, const linear_plan *plan, sgdmft_solution **out)
{
    exact_solve solve = {.ctx = ctx, .plan = plan};
    solution_shape shape = {.k = 1, .kstar = 1, .n_times = plan->output.n, .n_grid = plan->grid.n, .response = 1};
    solution_columns col = solution_columns_of(&shape);
    sgdmft_solution *solution = NULL;
    sgdmft_status status = solve_risk(&solve);
    if (!status)
        status = solution_new(ctx, &shape, &solution);
    if (!status)
        status = fill_solution(&solve, &col, solution);
    exact_solve_clear(&solve);
    if (status) {
        sgdmft_solution_free(solution);
        return status;
    }
    *out = solution;
    return SGDMFT_OK;
}
