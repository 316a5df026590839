/* With batches that are a fraction b of the data, the steps of the problem are those of discrete.c, with

     eta_k = curvature eta(k b),     decay = lambda b,     beta = momentum.beta.

   Small batches are the limit b -> 0 of the same, and with a velocity of rate gamma of

     eta_k = gamma b curvature eta(k b),     decay = gamma b lambda b,     beta = 1 - gamma b,

   as d theta = v dt, dv = - gamma (v + lambda theta) dt - gamma dforce, where v b is what a step adds to theta.

   If batches are independent, the mean of theta over them is that of full-batch gradient descent with the step b eta.
   Along an eigenvector of X^T X of eigenvalue x it obeys

     theta_{k+1} = theta_k + beta (theta_k - theta_{k-1}) - a (theta_k - its limit),     a = b (eta x + lambda),

   and is stable if and only if 0 <= a < 2 (1 + beta). The largest x is (1 + sqrt delta)^2. For b = 1 this is all
   there is to stability; for b < 1 the noise of the batches adds to it. */
#include "solvers/linear/batches.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "solvers/common/growth.h"
#include "solvers/common/statistics.h"

/* P at the start. */
static double first_risk(const linear_model *p)
{
    return p->q - 2 * p->m + p->rho + p->noise;
}

/* The bound on E|step|^2 as a bound on P, where the largest step counts. */
static double risk_limit(const linear_plan *plan, size_t steps, const double *eta)
{
    const linear_model *p = &plan->model;
    double largest = 0;
    for (size_t k = 0; k < steps; k++)
        largest = fmax(largest, eta[k]);
    if (!(largest > 0))
        return INFINITY;
    double square = largest * largest;
    return growth_limits_of(p->q + p->rho_start + square * first_risk(p)).step / square;
}

sgdmft_status batch_system_init(sgdmft_context *ctx, const linear_plan *plan, double per_unit, size_t steps,
                                batch_system *out)
{
    const sgdmft_problem *problem = plan->problem;
    const visit_law *visits = problem->process->visits;
    double b = 1 / per_unit, gamma = problem->momentum.rate, slowed = gamma > 0 ? gamma * b : 1;
    double *t = memory_doubles(steps);
    *out = (batch_system){.eta = memory_doubles(steps)};
    sgdmft_status status = t && out->eta ? SGDMFT_OK : context_out_of_memory(ctx, "the steps", 16.0 * (double)steps);
    for (size_t k = 0; k < steps && !status; k++)
        t[k] = (double)k * b;
    if (!status)
        status = linear_plan_eta(ctx, plan, steps, t, out->eta);
    free(t);
    if (status) {
        batch_system_clear(out);
        return status;
    }
    for (size_t k = 0; k < steps; k++)
        out->eta[k] *= plan->model.curvature;
    double limit = risk_limit(plan, steps, out->eta);
    for (size_t k = 0; k < steps; k++)
        out->eta[k] *= slowed;
    out->system = (discrete_system){.model = &plan->model,
                                    .steps = steps,
                                    .eta = out->eta,
                                    .b = b,
                                    .epoch = (size_t)round(visits->epoch * per_unit),
                                    .kept = visits->kept,
                                    .beta = gamma > 0 ? 1 - slowed : problem->momentum.beta,
                                    .decay = slowed * plan->model.lambda * b,
                                    .limit = limit};
    return SGDMFT_OK;
}

void batch_system_clear(batch_system *batches)
{
    free(batches->eta);
    batches->eta = NULL;
}

void batch_columns_at(const linear_plan *plan, const discrete_moments *moments, size_t node, double *value)
{
    const linear_model *p = &plan->model;
    double start = moments->R[node * moments->stride], test = moments->V[node * moments->stride + node];
    value[BATCH_TRAIN] = p->curvature / 2 * moments->P[node] + p->offset;
    value[BATCH_TEST] = p->curvature / 2 * test + p->offset;
    value[BATCH_Q] = discrete_correlation(p, moments, node, node);
    value[BATCH_M] = start * p->m_start + (moments->f[node] + 1) * p->slope * p->rho_start;
    value[BATCH_R] = start;
}

size_t batch_column_index(const solution_columns *col, batch_column column)
{
    const size_t index[BATCH_COLUMNS] = {col->train_loss, col->test_loss, col->q, col->m, col->response};
    return index[column];
}

/* A force of rate gamma moves the velocity by gamma b in a step. */
double batch_response(const linear_plan *plan, const batch_system *batches, const discrete_moments *moments, size_t i,
                      size_t j)
{
    double gamma = plan->problem->momentum.rate, R = moments->R[i * moments->stride + j];
    return gamma > 0 && j > 0 ? gamma * batches->system.b * R : R;
}

/* The largest a of the head of this file, and its bound. Returns 0 if the mean is not of this kind. */
static int mean_stability(const linear_plan *plan, double *a, double *bound)
{
    const sgdmft_problem *problem = plan->problem;
    double root = 1 + sqrt(plan->model.delta);
    if (plan->model.route != ROUTE_BATCHES || plan->model.scheduled || !process_is_independent(problem->process))
        return 0;
    *a = problem->batch_fraction * (plan->model.eta * root * root + plan->model.lambda);
    *bound = 2 * (1 + problem->momentum.beta);
    return 1;
}

/* What makes the mean unstable, or NULL; *failed = 1 if memory ran out. */
static char *describe_instability(const linear_plan *plan, int *failed)
{
    double a, bound, b = plan->problem->batch_fraction, root = 1 + sqrt(plan->model.delta);
    char *text = NULL;
    *failed = 0;
    if (!mean_stability(plan, &a, &bound) || a < bound)
        return NULL;
    double largest = fmax(0, (bound / b - plan->model.lambda) / (root * root) / plan->model.curvature);
    *failed = asprintf(&text,
                       "%s is unstable: batch_fraction (%seta (1 + sqrt(delta))^2 + lambda) = %.4g, and it is stable "
                       "below 2 (1 + momentum.beta) = %.4g, that is, for eta below %.4g",
                       b < 1 ? "the mean over batches" : "full-batch gradient descent",
                       plan->model.curvature == 1 ? "" : "l'' ", a, bound, largest) < 0;
    return *failed ? NULL : text;
}

void batch_warn_unstable(sgdmft_context *ctx, const linear_plan *plan)
{
    int failed;
    char *text = describe_instability(plan, &failed);
    if (text)
        context_log(ctx, SGDMFT_LOG_WARNING, "%s", text);
    free(text);
}

char *batch_diverged(const linear_plan *plan, const batch_system *batches, double t, double P)
{
    int failed;
    char *unstable = describe_instability(plan, &failed), *text = NULL;
    double eta = 0, gamma = plan->problem->momentum.rate;
    for (size_t k = 0; k < batches->system.steps; k++)
        eta = fmax(eta, batches->eta[k] / (gamma > 0 ? gamma * batches->system.b : 1));
    if (!failed && asprintf(&text,
                            "the dynamics diverge: at t = %.6g the mean squared step E|eta g|^2 is %.3g (limit %.3g)"
                            "%s%s; hint: lower eta, or shorten horizon to below %.6g",
                            t, eta * eta * P, eta * eta * batches->system.limit, unstable ? "; " : "",
                            unstable ? unstable : "", t) < 0)
        text = NULL;
    free(unstable);
    return text;
}

/* The node of a time that is one. */
static size_t node_at(const linear_plan *plan, double t)
{
    return (size_t)round(t * plan->per_unit);
}

/* Everything up to the last node that was reached. */
static void fill(const linear_plan *plan, const batch_system *batches, const discrete_moments *moments,
                 const solution_columns *col, sgdmft_solution *solution)
{
    size_t nodes = moments->nodes, times = plan->output.n;
    double value[BATCH_COLUMNS];
    while (times > 0 && node_at(plan, plan->output.t[times - 1]) >= nodes)
        times--;
    solution_truncate(solution, times, nodes);
    memcpy(solution->times, plan->output.t, times * sizeof(double));
    for (size_t i = 0; i < times; i++) {
        batch_columns_at(plan, moments, node_at(plan, plan->output.t[i]), value);
        for (int c = 0; c < BATCH_COLUMNS; c++)
            solution->curves[batch_column_index(col, c)].value[i] = value[c];
    }
    for (size_t i = 0; i < nodes; i++) {
        batch_columns_at(plan, moments, i, value);
        solution->t[i] = plan->grid.t[i];
        solution->m[i] = value[BATCH_M];
        for (size_t j = 0; j <= i; j++) {
            solution->R[i * nodes + j] = batch_response(plan, batches, moments, i, j);
            solution->C[i * nodes + j] = solution->C[j * nodes + i] = discrete_correlation(&plan->model, moments, i, j);
        }
    }
    solution->info.steps = plan->steps;
}

static sgdmft_status set_status(sgdmft_context *ctx, const linear_plan *plan, const batch_system *batches,
                                const discrete_moments *moments, sgdmft_solution *solution)
{
    char *message = NULL;
    sgdmft_status why = SGDMFT_ERR_INTERRUPTED;
    if (moments->end == DISCRETE_COMPLETE)
        return SGDMFT_OK;
    if (moments->end == DISCRETE_DIVERGED) {
        why = SGDMFT_ERR_DIVERGED;
        message = batch_diverged(plan, batches, plan->grid.t[moments->nodes], moments->largest);
    } else if (asprintf(&message, "interrupted at t = %.6g", plan->grid.t[moments->nodes - 1]) < 0) {
        message = NULL;
    }
    if (!message)
        return context_out_of_memory(ctx, "a message", 256);
    sgdmft_status status = solution_set_status(ctx, solution, why, message);
    free(message);
    return status;
}

sgdmft_status batches_solve(sgdmft_context *ctx, const linear_plan *plan, sgdmft_solution **out)
{
    solution_shape shape = {.k = 1, .kstar = 1, .n_times = plan->output.n, .n_grid = plan->grid.n, .response = 1};
    solution_columns col = solution_columns_of(&shape);
    batch_system batches;
    discrete_moments moments = {0};
    sgdmft_solution *solution = NULL;
    sgdmft_status status = batch_system_init(ctx, plan, plan->per_unit, plan->steps, &batches);
    if (status)
        return status;
    batch_warn_unstable(ctx, plan);
    status = discrete_solve(ctx, &batches.system, &moments);
    if (!status)
        status = solution_new(ctx, &shape, &solution);
    if (!status) {
        fill(plan, &batches, &moments, &col, solution);
        status = set_worst_errors(ctx, plan->problem, solution);
    }
    if (!status)
        status = set_status(ctx, plan, &batches, &moments, solution);
    discrete_moments_clear(&moments);
    batch_system_clear(&batches);
    if (status)
        sgdmft_solution_free(solution);
    else
        *out = solution;
    return status;
}
