/* Output times and grid nodes are events, read off the dense output of the integrator; jumps of eta end one stretch of
   integration and begin the next.

   R(t, 0) decays, at a different pace in different directions, and R(t, s) = R(t, 0) R(s, 0)^{-1} would lose all digits.
   So the integrated response starts anew from the identity whenever its inverse has grown too far, and what is kept are
   the responses over single cells, R(t_{i+1}, t_i) and F(t_{i+1}, t_i), from which all others are products. */
#include "solvers/online/flow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "solvers/online/field.h"
#include "solvers/online/rates.h"
#include "numerics/stepper.h"

/* A mean square of theta this many times that of teacher and start counts as divergence. */
static const double MOMENT_GROWTH = 1e8;

/* The integrated response starts anew when it or its inverse has grown to this size. */
static const double RESPONSE_RANGE = 100;

/* A smooth problem that needs more explicit steps than this since it was last started is stiff: modes that have died out
   limit the step. */
enum { MANY_STEPS = 1000 };

/* Relative to the horizon; jumps of eta that are closer together are one. */
static const double SHORTEST_STRETCH = 1e-13;

/* Numbers in a state, at most. */
enum { STATE_MAX = 4 * MATRIX_MAX * MATRIX_MAX };

/* A time at which something is recorded. */
typedef struct event {
    double t;
    int row, node; /* output time or grid node, -1 if not */
} event;

typedef struct flow {
    sgdmft_context *ctx;
    const online_setting *s;
    const online_options *options;
    online_field field;
    online_run *run;
    stepper *step;
    stepper_method method;
    event *events;
    size_t n_events, next;
    double *y;                 /* state at the event */
    double *R_start;           /* [k][k] R(t, 0) at the time t from which the response is integrated */
    double *R_node, *F_node;   /* the integrated responses at the last node */
    size_t steps, evaluations; /* of integrators that were replaced */
    size_t started;            /* steps of the present integrator when it was last started */
} flow;

static int by_time(const void *a, const void *b)
{
    const event *x = a, *y = b;
    return x->t != y->t ? (x->t > y->t) - (x->t < y->t) : (x->node > y->node) - (x->node < y->node);
}

static sgdmft_status list_events(flow *f)
{
    size_t rows = (size_t)f->s->problem->output.times, nodes = (size_t)f->s->grid->steps + 1;
    f->events = memory_zeroed(rows + nodes, sizeof *f->events);
    if (!f->events)
        return context_out_of_memory(f->ctx, "the output times", 16.0 * (double)(rows + nodes));
    for (size_t i = 0; i < rows; i++)
        f->events[f->n_events++] = (event){online_setting_time(f->s, (int)i), (int)i, -1};
    for (size_t i = 0; i < nodes; i++)
        f->events[f->n_events++] = (event){fmin(f->s->grid->t[i], f->s->problem->horizon), -1, (int)i};
    qsort(f->events, f->n_events, sizeof *f->events, by_time);
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
    int k = f->s->shape.k;
    size_t overlap = sizeof(double) * (size_t)(k * f->s->shape.kstar);
    set_identity(k, f->y + f->field.at.R);
    memset(f->y + f->field.at.F, 0, overlap);
    set_identity(k, f->R_node);
    memset(f->F_node, 0, overlap);
}

static void set_start(flow *f)
{
    const sgdmft_problem *problem = f->s->problem;
    int k = f->s->shape.k;
    memcpy(f->y + f->field.at.m, problem->initial.m, sizeof(double) * (size_t)(k * f->s->shape.kstar));
    double *lower = f->y + f->field.at.q;
    for (int a = 0; a < k; a++)
        for (int b = 0; b <= a; b++)
            *lower++ = problem->initial.q[a * k + b];
    set_identity(k, f->R_start);
    start_response(f);
}

static sgdmft_status init(flow *f, online_law *law)
{
    sgdmft_status status = online_field_init(f->ctx, f->s, law, &f->field);
    if (status)
        return status;
    f->field.rtol = f->options->rtol;
    f->field.response_rtol = f->options->response_rtol;
    size_t kk = (size_t)(f->s->shape.k * f->s->shape.k), overlap = (size_t)(f->s->shape.k * f->s->shape.kstar);
    f->y = memory_doubles(f->field.at.size + 2 * kk + overlap);
    if (!f->y)
        return context_out_of_memory(f->ctx, "the state", 8.0 * (double)f->field.at.size);
    f->R_start = f->y + f->field.at.size;
    f->R_node = f->R_start + kk;
    f->F_node = f->R_node + kk;
    set_start(f);
    return list_events(f);
}

static void release(flow *f)
{
    stepper_free(f->step);
    online_field_clear(&f->field);
    free(f->events);
    free(f->y);
}

static void plugin_stop(flow *f, double t)
{
    online_run_stop(f->run, SGDMFT_ERR_PLUGIN,
                    "model.plugin: the loss call-back asked to stop near tau = %.6g (code %d)", t, f->field.code);
}

static void record_row(flow *f, int row, double t)
{
    const online_setting *s = f->s;
    int k = s->shape.k;
    double *out = f->run->curve + (size_t)row * f->run->columns;
    double m[MATRIX_MAX * MATRIX_MAX], q[MATRIX_MAX * MATRIX_MAX];
    memcpy(out + s->columns.m, f->y + f->field.at.m, sizeof(double) * (size_t)(k * s->shape.kstar));
    memcpy(out + s->columns.q, f->y + f->field.at.q, sizeof(double) * (size_t)(k * (k + 1) / 2));
    matrix_add_product(k, 1, f->y + f->field.at.R, f->R_start, out + s->columns.response);
    if (f->options->observe) {
        online_field_unpack(&f->field, f->y, m, q);
        f->field.code = online_run_observe(s, f->field.law, t, m, q, out);
        if (f->field.code) {
            plugin_stop(f, t);
            return;
        }
    }
    f->run->rows = (size_t)row + 1;
}

static double largest(const double *a, int n)
{
    double most = 0;
    for (int i = 0; i < n; i++)
        most = fmax(most, fabs(a[i]));
    return most;
}

/* Responses over the cell that ends at the node. Returns 1 if the integrated response starts anew. */
static int record_node(flow *f, int node)
{
    int k = f->s->shape.k, ks = f->s->shape.kstar;
    size_t kk = (size_t)(k * k), overlap = (size_t)(k * ks), i = (size_t)node;
    const double *R = f->y + f->field.at.R, *F = f->y + f->field.at.F;
    online_field_unpack(&f->field, f->y, f->run->m + i * overlap, f->run->q + i * kk);
    f->run->nodes = i + 1;
    if (node == 0)
        return 0;
    double inverse[MATRIX_MAX * MATRIX_MAX], copy[MATRIX_MAX * MATRIX_MAX];
    double *cell_R = f->run->R + (i - 1) * kk, *cell_F = f->run->F + (i - 1) * overlap;
    set_identity(k, inverse);
    memcpy(copy, f->R_node, sizeof(double) * kk);
    matrix_solve(k, copy, kk / (size_t)k, inverse); /* regular, or it would have been started anew */
    matrix_add_product(k, 1, R, inverse, cell_R);
    for (int a = 0; a < k; a++)
        for (int c = 0; c < ks; c++) {
            double before = 0;
            for (int b = 0; b < k; b++)
                before += cell_R[a * k + b] * f->F_node[b * ks + c];
            cell_F[a * ks + c] = F[a * ks + c] - before;
        }
    set_identity(k, inverse);
    memcpy(copy, R, sizeof(double) * kk);
    int lost = matrix_solve(k, copy, kk / (size_t)k, inverse) || !(largest(inverse, k * k) < RESPONSE_RANGE) ||
               !(largest(R, k * k) < RESPONSE_RANGE);
    memcpy(f->R_node, R, sizeof(double) * kk);
    memcpy(f->F_node, F, sizeof(double) * overlap);
    return lost;
}

static void renew_response(flow *f)
{
    int k = f->s->shape.k;
    double product[MATRIX_MAX * MATRIX_MAX] = {0};
    matrix_add_product(k, 1, f->y + f->field.at.R, f->R_start, product);
    memcpy(f->R_start, product, sizeof(double) * (size_t)(k * k));
    start_response(f);
}

/* Records all events up to time t. Returns 1 if the integration must start again from the last event. */
static int record_until(flow *f, double t)
{
    while (f->next < f->n_events && f->events[f->next].t <= t && !f->run->status) {
        const event *e = &f->events[f->next++];
        if (f->step)
            stepper_dense(f->step, e->t, f->y);
        f->run->t = e->t;
        if (e->row >= 0)
            record_row(f, e->row, e->t);
        else if (record_node(f, e->node) && e->t < f->s->problem->horizon) {
            renew_response(f);
            return 1;
        }
    }
    return 0;
}

static void check_divergence(flow *f, double t, const double *y)
{
    int k = f->s->shape.k;
    double sum = 0, limit = MOMENT_GROWTH * f->s->moment_scale;
    const double *lower = y + f->field.at.q;
    for (int a = 0; a < k; a++)
        sum += lower[a * (a + 3) / 2] / k;
    if (!(sum <= limit))
        online_run_stop(
            f->run, SGDMFT_ERR_DIVERGED,
            "the dynamics diverge: at tau = %.6g the mean square of theta is %.3g (limit %.3g); hint: lower "
            "eta, or shorten horizon to below %.6g",
            t, sum, limit, t);
}

static void no_step(flow *f, double t)
{
    if (f->field.code)
        plugin_stop(f, t);
    else
        online_run_stop(f->run, SGDMFT_ERR_DIVERGED,
                        "the dynamics diverge: the integrator cannot pass tau = %.6g; hint: lower eta, or shorten "
                        "horizon to below %.6g",
                        t, t);
}

static int report(flow *f, double t)
{
    if (!f->options->monitor.report(f->options->monitor.user, t / f->s->problem->horizon, t))
        return 0;
    online_run_stop(f->run, SGDMFT_ERR_INTERRUPTED, "interrupted at tau = %.6g", t);
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
    stepper_problem problem = {f->field.at.size, online_field_value, online_field_weights, &f->field};
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

/* Integrates from t, where the state is f->y, to `end`; eta does not jump in between. Leaves the state there in f->y. */
static sgdmft_status integrate_stretch(flow *f, double t, double end)
{
    double here[STATE_MAX], tiny = SHORTEST_STRETCH * f->s->problem->horizon;
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
        if (!f->run->status && record_until(f, t)) {
            t = f->run->t;
            memcpy(here, f->y, bytes);
            if (t < end - tiny)
                status = start(f, t, here, end);
        } else if (f->options->implicit && f->method == STEPPER_ADAMS &&
                   stepper_steps(f->step) > f->started + MANY_STEPS) {
            status = change_method(f, STEPPER_BDF, t, here, end);
        }
        if (f->run->status || report(f, t))
            break;
    }
    memcpy(f->y, here, bytes);
    return status;
}

/* Non-zero, with the reason in the run, if the vector field has no value at the start. */
static int check_start(flow *f)
{
    double slope[STATE_MAX];
    int code = online_field_value(&f->field, 0, f->y, slope);
    if (code < 0)
        plugin_stop(f, 0);
    else if (code > 0)
        online_run_stop(
            f->run, SGDMFT_ERR_NON_FINITE,
            "an average of the gradient of the loss is not a finite number at tau = 0; hint: keep model.loss "
            "and its derivatives finite for all r and y");
    return code;
}

/* Stein's identity at the horizon. */
static void check_end(flow *f)
{
    double m[MATRIX_MAX * MATRIX_MAX], q[MATRIX_MAX * MATRIX_MAX], t = f->s->problem->horizon;
    online_field_unpack(&f->field, f->y, m, q);
    if (online_rates_stein(f->s, f->field.law, t, m, q, f->run->stein, f->run->stein_scale, &f->field.code))
        plugin_stop(f, t);
}

static sgdmft_status integrate(flow *f)
{
    const online_setting *s = f->s;
    double t = 0;
    f->field.from = 0;
    f->field.to = s->n_jumps ? s->jump[0].before : s->problem->horizon;
    if (check_start(f))
        return SGDMFT_OK;
    record_until(f, 0);
    sgdmft_status status = new_stepper(f);
    for (size_t i = 0; i <= s->n_jumps && !status && !f->run->status; i++) {
        f->field.from = i == 0 ? 0 : s->jump[i - 1].after;
        f->field.to = i == s->n_jumps ? s->problem->horizon : s->jump[i].before;
        double end = i == s->n_jumps ? s->problem->horizon : s->jump[i].after;
        status = integrate_stretch(f, t, end);
        t = end;
    }
    if (!status && !f->run->status)
        check_end(f);
    f->run->steps = f->steps + (f->step ? stepper_steps(f->step) : 0);
    f->run->evaluations = f->evaluations + (f->step ? stepper_evaluations(f->step) : 0);
    return status;
}

sgdmft_status online_integrate(sgdmft_context *ctx, const online_setting *s, online_law *law,
                               const online_options *options, online_run **out)
{
    flow f = {.ctx = ctx, .s = s, .options = options, .method = STEPPER_ADAMS};
    sgdmft_status status = online_run_new(ctx, s, &f.run);
    if (!status)
        status = init(&f, law);
    if (!status)
        status = integrate(&f);
    release(&f);
    if (status)
        online_run_free(f.run);
    else
        *out = f.run;
    return status;
}
