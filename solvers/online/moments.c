/* With a ridge the equations close on m and q (docs/theory.md, section 8),

     dm/dtau = - lambda m - eta E[g w*^T]
     dq/dtau = - 2 lambda q - eta E[g w^T + w g^T] + eta^2 E[g g^T]

   and, since a sample is visited once, the response has no memory: from a time s on,

     dR/dtau = - (lambda + eta Gamma) R,                 R(s,s) = I
     dF/dtau = - (lambda + eta Gamma) F - eta Gamma*,    F(s,s) = 0
     C(tau,s) = R(tau,s) q(s) + F(tau,s) m(s)^T

   with the averages and Gamma, Gamma* of law.h.

   Output times and grid nodes are read off the dense output of the integrator; jumps of eta end one stretch of
   integration and begin the next.

   R(t, 0) decays at a different pace in different directions, and R(t, s) = R(t, 0) R(s, 0)^{-1} would lose all digits.
   The integrated response therefore starts anew from the identity whenever its inverse has grown too far, and what is
   kept are the responses over single cells, R(t_{i+1}, t_i) and F(t_{i+1}, t_i), from which all others are products. */
#include "solvers/online/moments.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "numerics/stepper.h"
#include "solvers/common/output_times.h"

/* Errors count relative to a component plus this part of its scale: overlaps grow from small values. */
static const double MOMENT_FLOOR = 0.01, RESPONSE_FLOOR = 0.01;

/* The integrated response starts anew when it or its inverse has grown to this size. */
static const double RESPONSE_RANGE = 100;

/* A smooth problem that needs more explicit steps than this since it was last started is stiff: modes that have died
   out limit the step. */
enum { MANY_STEPS = 1000 };

/* Relative to the horizon; jumps of eta that are closer together count as one. */
static const double SHORTEST_STRETCH = 1e-13;

/* Largest size of a state. */
enum { STATE_MAX = 4 * MATRIX_MAX * MATRIX_MAX };

/* Where the components of a state begin: m [k][k*], q lower triangle, R [k][k], F [k][k*]. */
typedef struct state_layout {
    size_t m, q, R, F, size;
} state_layout;

/* The right-hand side of the differential equation. */
typedef struct vector_field {
    const online_plan *plan;
    online_law *law;
    const online_accuracy *accuracy;
    state_layout at;
    double from, to; /* eta is taken inside [from, to], between two of its jumps */
    double *work;    /* of the schedule */
    int code;        /* by which a plug-in asked to stop */
} vector_field;

static state_layout layout_of(model_shape shape)
{
    size_t k = (size_t)shape.k, ks = (size_t)shape.kstar;
    state_layout at = {.m = 0, .q = k * ks};
    at.R = at.q + k * (k + 1) / 2;
    at.F = at.R + k * k;
    at.size = at.F + k * ks;
    return at;
}

/* m[k][k*] and q[k][k] in the state y. */
static void unpack(const vector_field *f, const double *y, double *m, double *q)
{
    int k = f->plan->shape.k, ks = f->plan->shape.kstar;
    const double *lower = y + f->at.q;
    memcpy(m, y + f->at.m, sizeof(double) * (size_t)(k * ks));
    for (int a = 0; a < k; a++)
        for (int b = 0; b <= a; b++)
            q[a * k + b] = q[b * k + a] = *lower++;
}

static double eta_at(const vector_field *f, double t)
{
    double eta, inside = fmin(fmax(t, f->from), f->to);
    schedule_values(f->plan->eta, f->work, 1, &inside, &eta);
    return eta;
}

/* out = - lambda x - eta (gamma x + extra), x[k][columns] */
static void respond(int k, int columns, double lambda, double eta, const double *gamma, const double *x,
                    const double *extra, double *out)
{
    for (int c = 0; c < k * columns; c++)
        out[c] = -lambda * x[c] - (extra ? eta * extra[c] : 0);
    matrix_accumulate(k, k, columns, -eta, gamma, x, out);
}

static int all_finite(const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return 0;
    return 1;
}

/* As stepper_problem wants it; `user` is the vector field. */
static int field_value(void *user, double t, const double *y, double *dy)
{
    vector_field *f = user;
    int k = f->plan->shape.k, ks = f->plan->shape.kstar;
    double lambda = f->plan->problem->lambda, eta = eta_at(f, t);
    double m[MATRIX_MAX * MATRIX_MAX], q[MATRIX_MAX * MATRIX_MAX];
    online_rates rate;
    unpack(f, y, m, q);
    int code = online_law_rates(f->law, t, m, q, &rate, &f->code);
    if (code)
        return code;
    for (int c = 0; c < k * ks; c++)
        dy[f->at.m + (size_t)c] = -lambda * y[f->at.m + (size_t)c] - eta * rate.gs[c];
    size_t i = f->at.q;
    for (int a = 0; a < k; a++)
        for (int b = 0; b <= a; b++, i++)
            dy[i] =
                -2 * lambda * y[i] - eta * (rate.gw[a * k + b] + rate.gw[b * k + a]) + eta * eta * rate.gg[a * k + b];
    respond(k, k, lambda, eta, rate.gamma, y + f->at.R, NULL, dy + f->at.R);
    respond(k, ks, lambda, eta, rate.gamma, y + f->at.F, rate.gamma_star, dy + f->at.F);
    return all_finite(dy, f->at.size) ? 0 : 1;
}

static void field_weights(void *user, const double *y, double *weight)
{
    const vector_field *f = user;
    double floor = MOMENT_FLOOR * f->plan->moment_scale;
    for (size_t i = 0; i < f->at.R; i++)
        weight[i] = 1 / (f->accuracy->rtol * (fabs(y[i]) + floor));
    for (size_t i = f->at.R; i < f->at.size; i++)
        weight[i] = 1 / (f->accuracy->response_rtol * (fabs(y[i]) + RESPONSE_FLOOR));
}

/* A time at which something is recorded. */
typedef struct recording {
    double t;
    int row, node; /* output time or grid node, -1 if not */
} recording;

/* One integration. */
typedef struct flow {
    sgdmft_context *ctx;
    const online_plan *plan;
    const online_accuracy *accuracy;
    solve_stage *stage;
    vector_field field;
    online_result *result;
    stepper *step;
    stepper_method method;
    recording *records; /* in order of time */
    size_t n_records, next;
    double *y;                 /* state at the last recording */
    double *R_start;           /* [k][k] R(t, 0) at the time t from which the response is integrated */
    double *R_node, *F_node;   /* the integrated responses at the last node */
    size_t steps, evaluations; /* of integrators that were replaced */
    size_t started;            /* steps of the present integrator when it was last started */
} flow;

static int by_time(const void *a, const void *b)
{
    const recording *x = a, *y = b;
    return x->t != y->t ? (x->t > y->t) - (x->t < y->t) : (x->node > y->node) - (x->node < y->node);
}

static sgdmft_status list_records(flow *f)
{
    size_t rows = output_times_count(f->plan->problem), nodes = (size_t)f->plan->grid->steps + 1;
    f->records = memory_zeroed(rows + nodes, sizeof *f->records);
    if (!f->records)
        return context_out_of_memory(f->ctx, "the output times", 16.0 * (double)(rows + nodes));
    for (size_t i = 0; i < rows; i++)
        f->records[f->n_records++] = (recording){output_time(f->plan->problem, i), (int)i, -1};
    for (size_t i = 0; i < nodes; i++)
        f->records[f->n_records++] = (recording){fmin(f->plan->grid->t[i], f->plan->problem->horizon), -1, (int)i};
    qsort(f->records, f->n_records, sizeof *f->records, by_time);
    return SGDMFT_OK;
}

static void set_identity(int k, double *a)
{
    for (int i = 0; i < k * k; i++)
        a[i] = i % (k + 1) == 0;
}

/* The integrated response is the identity from here on. */
static void start_response(flow *f)
{
    int k = f->plan->shape.k;
    size_t overlap = sizeof(double) * (size_t)(k * f->plan->shape.kstar);
    set_identity(k, f->y + f->field.at.R);
    memset(f->y + f->field.at.F, 0, overlap);
    set_identity(k, f->R_node);
    memset(f->F_node, 0, overlap);
}

static void set_start(flow *f)
{
    const sgdmft_problem *problem = f->plan->problem;
    int k = f->plan->shape.k;
    memcpy(f->y + f->field.at.m, problem->initial.m, sizeof(double) * (size_t)(k * f->plan->shape.kstar));
    double *lower = f->y + f->field.at.q;
    for (int a = 0; a < k; a++)
        for (int b = 0; b <= a; b++)
            *lower++ = problem->initial.q[a * k + b];
    set_identity(k, f->R_start);
    start_response(f);
}

static sgdmft_status init(flow *f, online_law *law)
{
    size_t work = schedule_work(f->plan->eta) + 1;
    f->field = (vector_field){.plan = f->plan,
                              .law = law,
                              .accuracy = f->accuracy,
                              .at = layout_of(f->plan->shape),
                              .to = f->plan->problem->horizon,
                              .work = memory_doubles(work)};
    if (!f->field.work)
        return context_out_of_memory(f->ctx, "the schedule", 8.0 * (double)work);
    size_t kk = (size_t)(f->plan->shape.k * f->plan->shape.k),
           overlap = (size_t)(f->plan->shape.k * f->plan->shape.kstar);
    f->y = memory_doubles(f->field.at.size + 2 * kk + overlap);
    if (!f->y)
        return context_out_of_memory(f->ctx, "the state", 8.0 * (double)f->field.at.size);
    f->R_start = f->y + f->field.at.size;
    f->R_node = f->R_start + kk;
    f->F_node = f->R_node + kk;
    set_start(f);
    return list_records(f);
}

static void release(flow *f)
{
    stepper_free(f->step);
    free(f->field.work);
    free(f->records);
    free(f->y);
}

static void plugin_stop(flow *f, double t)
{
    online_result_stop(f->result, SGDMFT_ERR_PLUGIN,
                       "model: the loss call-back asked to stop near tau = %.6g (code %d)", t, f->field.code);
}

static void record_row(flow *f, int row, double t)
{
    const online_plan *plan = f->plan;
    int k = plan->shape.k;
    double *out = f->result->curves + (size_t)row * f->result->columns;
    double m[MATRIX_MAX * MATRIX_MAX], q[MATRIX_MAX * MATRIX_MAX];
    memcpy(out + plan->columns.m, f->y + f->field.at.m, sizeof(double) * (size_t)(k * plan->shape.kstar));
    memcpy(out + plan->columns.q, f->y + f->field.at.q, sizeof(double) * (size_t)(k * (k + 1) / 2));
    matrix_add_product(k, 1, f->y + f->field.at.R, f->R_start, out + plan->columns.response);
    if (f->accuracy->observe) {
        unpack(&f->field, f->y, m, q);
        f->field.code = online_law_fill_row(f->field.law, t, m, q, NULL, out);
        if (f->field.code) {
            plugin_stop(f, t);
            return;
        }
    }
    f->result->rows = (size_t)row + 1;
}

static double largest(const double *a, int n)
{
    double most = 0;
    for (int i = 0; i < n; i++)
        most = fmax(most, fabs(a[i]));
    return most;
}

/* Responses over the cell that ends at the node. Returns 1 if the integrated response is to start anew. */
static int record_node(flow *f, int node)
{
    int k = f->plan->shape.k, ks = f->plan->shape.kstar;
    size_t kk = (size_t)(k * k), overlap = (size_t)(k * ks), i = (size_t)node;
    const double *R = f->y + f->field.at.R, *F = f->y + f->field.at.F;
    unpack(&f->field, f->y, f->result->m + i * overlap, f->result->q + i * kk);
    f->result->nodes = i + 1;
    if (node == 0)
        return 0;
    double inverse[MATRIX_MAX * MATRIX_MAX];
    double *cell_R = f->result->R + (i - 1) * kk, *cell_F = f->result->F + (i - 1) * overlap;
    matrix_inverse(k, f->R_node, inverse); /* exists: otherwise the response would have been started anew */
    matrix_add_product(k, 1, R, inverse, cell_R);
    memcpy(cell_F, F, sizeof(double) * overlap);
    matrix_accumulate(k, k, ks, -1, cell_R, f->F_node, cell_F);
    int lost = matrix_inverse(k, R, inverse) || !(largest(inverse, k * k) < RESPONSE_RANGE) ||
               !(largest(R, k * k) < RESPONSE_RANGE);
    memcpy(f->R_node, R, sizeof(double) * kk);
    memcpy(f->F_node, F, sizeof(double) * overlap);
    return lost;
}

static void renew_response(flow *f)
{
    int k = f->plan->shape.k;
    double product[MATRIX_MAX * MATRIX_MAX] = {0};
    matrix_add_product(k, 1, f->y + f->field.at.R, f->R_start, product);
    memcpy(f->R_start, product, sizeof(double) * (size_t)(k * k));
    start_response(f);
}

/* Records what is due up to time t. Returns 1 if the integration must start again from the last recording. */
static int record_until(flow *f, double t)
{
    while (f->next < f->n_records && f->records[f->next].t <= t && !f->result->status) {
        const recording *e = &f->records[f->next++];
        if (f->step)
            stepper_dense(f->step, e->t, f->y);
        f->result->t = e->t;
        if (e->row >= 0)
            record_row(f, e->row, e->t);
        else if (record_node(f, e->node) && e->t < f->plan->problem->horizon) {
            renew_response(f);
            return 1;
        }
    }
    return 0;
}

static void check_divergence(flow *f, double t, const double *y)
{
    int k = f->plan->shape.k;
    double sum = 0, limit = f->plan->moment_limit;
    const double *lower = y + f->field.at.q;
    for (int a = 0; a < k; a++)
        sum += lower[a * (a + 3) / 2] / k;
    if (!(sum <= limit))
        online_result_stop(
            f->result, SGDMFT_ERR_DIVERGED,
            "the dynamics diverge: at tau = %.6g the mean square of theta is %.3g (limit %.3g); hint: lower "
            "eta, or shorten horizon to below %.6g",
            t, sum, limit, t);
}

static void no_step(flow *f, double t)
{
    if (f->field.code)
        plugin_stop(f, t);
    else
        online_result_stop(f->result, SGDMFT_ERR_DIVERGED,
                           "the dynamics diverge: the integrator cannot pass tau = %.6g; hint: lower eta, or shorten "
                           "horizon to below %.6g",
                           t, t);
}

static int report(flow *f, double t)
{
    if (!solve_stage_report(f->stage, t / f->plan->problem->horizon, t))
        return 0;
    online_result_stop(f->result, SGDMFT_ERR_INTERRUPTED, "interrupted at tau = %.6g", t);
    return 1;
}

static sgdmft_status new_stepper(flow *f)
{
    if (f->step) {
        f->steps += stepper_steps(f->step);
        f->evaluations += stepper_evaluations(f->step);
    }
    stepper_free(f->step);
    f->step = NULL;
    stepper_problem problem = {f->field.at.size, field_value, field_weights, &f->field};
    return stepper_new(f->ctx, &problem, f->method, &f->step);
}

static sgdmft_status start(flow *f, double t, const double *y, double end)
{
    f->started = stepper_steps(f->step);
    return stepper_start(f->ctx, f->step, t, y, end);
}

/* Continues from (t, y) with another method. */
static sgdmft_status change_method(flow *f, stepper_method method, double t, const double *y, double end)
{
    f->method = method;
    sgdmft_status status = new_stepper(f);
    return status ? status : start(f, t, y, end);
}

/* Integrates from t, where the state is f->y, to `end`; eta does not jump in between. Leaves the state there in f->y.
   */
static sgdmft_status integrate_stretch(flow *f, double t, double end)
{
    double here[STATE_MAX], tiny = SHORTEST_STRETCH * f->plan->problem->horizon;
    size_t bytes = sizeof(double) * f->field.at.size;
    sgdmft_status status = SGDMFT_OK;
    memcpy(here, f->y, bytes);
    if (t < end - tiny)
        status = start(f, t, here, end);
    while (!status && t < end - tiny) {
        if (stepper_step(f->step, &t)) {
            no_step(f, t);
            break;
        }
        stepper_dense(f->step, t, here);
        check_divergence(f, t, here);
        if (!f->result->status && record_until(f, t)) {
            t = f->result->t;
            memcpy(here, f->y, bytes);
            if (t < end - tiny)
                status = start(f, t, here, end);
        } else if (f->accuracy->implicit && f->method == STEPPER_ADAMS &&
                   stepper_steps(f->step) > f->started + MANY_STEPS) {
            status = change_method(f, STEPPER_BDF, t, here, end);
        }
        if (f->result->status || report(f, t))
            break;
    }
    memcpy(f->y, here, bytes);
    return status;
}

/* Non-zero, with the reason in the result, if the vector field has no value at the start. */
static int check_start(flow *f)
{
    double slope[STATE_MAX];
    int code = field_value(&f->field, 0, f->y, slope);
    if (code < 0)
        plugin_stop(f, 0);
    else if (code > 0)
        online_result_stop(
            f->result, SGDMFT_ERR_NON_FINITE,
            "an average of the gradient of the loss is not a finite number at tau = 0; hint: keep model.loss "
            "and its derivatives finite for all r and y");
    return code;
}

/* Stein's identity at the horizon. */
static void check_end(flow *f)
{
    double m[MATRIX_MAX * MATRIX_MAX], q[MATRIX_MAX * MATRIX_MAX], t = f->plan->problem->horizon;
    unpack(&f->field, f->y, m, q);
    f->field.code = online_law_stein_defect(f->field.law, t, m, q, f->result->stein, f->result->stein_scale);
    if (f->field.code)
        plugin_stop(f, t);
}

static sgdmft_status integrate(flow *f)
{
    const online_plan *plan = f->plan;
    double t = 0;
    f->field.from = 0;
    f->field.to = plan->n_jumps ? plan->jump[0].before : plan->problem->horizon;
    if (check_start(f))
        return SGDMFT_OK;
    record_until(f, 0);
    sgdmft_status status = new_stepper(f);
    for (size_t i = 0; i <= plan->n_jumps && !status && !f->result->status; i++) {
        f->field.from = i == 0 ? 0 : plan->jump[i - 1].after;
        f->field.to = i == plan->n_jumps ? plan->problem->horizon : plan->jump[i].before;
        double end = i == plan->n_jumps ? plan->problem->horizon : plan->jump[i].after;
        status = integrate_stretch(f, t, end);
        t = end;
    }
    if (!status && !f->result->status)
        check_end(f);
    f->result->steps = f->steps + (f->step ? stepper_steps(f->step) : 0);
    f->result->passes = f->evaluations + (f->step ? stepper_evaluations(f->step) : 0);
    return status;
}

sgdmft_status online_moments_solve(sgdmft_context *ctx, const online_plan *plan, online_law *law,
                                   const online_accuracy *accuracy, solve_stage *stage, online_result **out)
{
    flow f = {.ctx = ctx, .plan = plan, .accuracy = accuracy, .stage = stage, .method = STEPPER_ADAMS};
    sgdmft_status status = online_result_new(ctx, plan, &f.result);
    if (!status)
        status = init(&f, law);
    if (!status)
        status = integrate(&f);
    release(&f);
    if (status)
        online_result_free(f.result);
    else
        *out = f.result;
    return status;
}
