/* Whether the gradient of the loss is affine in r is known from the symbolic Hessian. Everything else is probed: a
   function counts as affine if the affine function through its values at the origin and one unit to both sides along
   every axis agrees with it at random points of all magnitudes. */
#include "solvers/linear/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "expr/expr.h"
#include "model/callbacks.h"
#include "model/model.h"
#include "model/schedule.h"
#include "problem/problem.h"

#define HINT "numerics.method: march solves any model"

/* Points of a probe: lane 0 is the origin; then follow plus and minus one unit along every axis, random points along
   every axis, and random points in all variables. The unit of a variable is its typical size. */
enum { ALONG = 24, JOINT = 128, MOST_VARIABLES = 16 };

typedef struct probe {
    int variables;
    size_t lanes;
    double *at; /* [variables][lanes] */
} probe;

/* Deviations below this, relative to the terms of the sum, are rounding. */
static const double ROUNDING = 1e-11;

static double uniform(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) * 0x1p-53;
}

/* A number of either sign, from 0.01 to 100 in size. */
static double any_magnitude(uint64_t *state)
{
    double size = pow(100, 2 * uniform(state) - 1);
    return uniform(state) < 0.5 ? size : -size;
}

static size_t along_lane(const probe *p, int variable)
{
    return 1 + 2 * (size_t)p->variables + ALONG * (size_t)variable;
}

static int probe_init(probe *p, int variables, const double *unit)
{
    uint64_t state = 20240229;
    size_t v = (size_t)variables;
    *p = (probe){.variables = variables, .lanes = 1 + 2 * v + ALONG * v + JOINT};
    p->at = memory_doubles(v * p->lanes);
    if (!p->at)
        return 0;
    for (size_t i = 0; i < v; i++) {
        double *at = p->at + i * p->lanes;
        at[1 + 2 * i] = unit[i];
        at[2 + 2 * i] = -unit[i];
        for (size_t a = 0; a < ALONG; a++)
            at[along_lane(p, (int)i) + a] = unit[i] * any_magnitude(&state);
        for (size_t a = 0; a < JOINT; a++)
            at[along_lane(p, variables) + a] = unit[i] * any_magnitude(&state);
    }
    return 1;
}

/* Fits f by coefficient[0] + sum_i coefficient[1 + i] x_i. Returns -1 if f is affine, i if it is not affine along axis
   i, and the number of variables if it is affine along every axis but not in all variables together. */
static int probe_affine(const probe *p, const double *f, double *coefficient)
{
    coefficient[0] = f[0];
    for (int i = 0; i < p->variables; i++) {
        const double *at = p->at + (size_t)i * p->lanes;
        double apart = at[1 + 2 * i] - at[2 + 2 * i];
        coefficient[1 + i] = apart > 0 ? (f[1 + 2 * i] - f[2 + 2 * i]) / apart : 0;
    }
    for (size_t lane = 1; lane < p->lanes; lane++) {
        double sum = coefficient[0], size = fabs(sum) + fabs(f[lane]);
        for (int i = 0; i < p->variables; i++) {
            double term = coefficient[1 + i] * p->at[(size_t)i * p->lanes + lane];
            sum += term;
            size += fabs(term);
        }
        if (fabs(f[lane] - sum) <= ROUNDING * size)
            continue;
        if (lane >= along_lane(p, p->variables))
            return p->variables;
        return (int)(lane < along_lane(p, 0) ? (lane - 1) / 2 : (lane - along_lane(p, 0)) / ALONG);
    }
    return -1;
}

/* The properties of the model found so far; each step adds one. */
typedef struct inspection {
    sgdmft_context *ctx;
    const sgdmft_problem *problem;
    model *m;
    model_shape shape;
    model_work *work;
    double label[8][1 + MOST_VARIABLES]; /* y_c = label[c][0] + label[c][1] s + label[c][1 + e] eps_e */
    double size[8];                      /* root mean square of y_c, 1 where that is 0 */
    double gradient[1 + MOST_VARIABLES]; /* g = gradient[0] + gradient[1] r + gradient[1 + c] y_c */
} inspection;

static sgdmft_status refuse(const inspection *in, const origin *where, const char *what)
{
    return origin_fail(in->ctx, SGDMFT_ERR_UNSUPPORTED, where, "numerics.method: linear cannot solve this: %s; %s",
                       what, HINT);
}

static sgdmft_status refuse_key(const inspection *in, const char *key, const char *what)
{
    origin where = {in->problem->source, 0, 0, key};
    return refuse(in, &where, what);
}

static sgdmft_status check_settings(const inspection *in)
{
    const sgdmft_problem *problem = in->problem;
    if (problem->process->events == EVENTS_FRESH)
        return refuse_key(in, "dynamics", "found online; allowed: sgd, sme, gradient-flow");
    if (problem->model.students != 1)
        return refuse_key(in, "model.students", "it needs exactly one student");
    if (problem->model.teachers != 1)
        return refuse_key(in, "model.teachers", "it needs exactly one teacher");
    if (problem->penalty.text)
        return refuse(in, &problem->penalty.where, "it needs a ridge (key lambda), or no penalty");
    if (callbacks_wanted(problem))
        return refuse(in, problem->model.plugin ? &problem->model.plugin_where : &problem->model.callbacks_where,
                      "it needs a label and a loss given as expressions");
    if (problem->observables.n > 0)
        return refuse(in, &problem->observables.item[0].where,
                      "it gives means of squares, not the law of r that an observable needs; remove the observables");
    return SGDMFT_OK;
}

static sgdmft_status no_memory(const inspection *in)
{
    return context_out_of_memory(in->ctx, "the inspection of a linear model", 8.0 * JOINT * MOST_VARIABLES);
}

static const char *label_trouble(int found, const probe *p)
{
    if (found == 0)
        return "the label is not affine in s";
    return found < p->variables ? "the label is not affine in its noise"
                                : "the label mixes s and its noise in other ways than a sum";
}

static double label_size(const inspection *in, const double *label, const double *unit)
{
    double square = label[0] * label[0];
    for (int i = 0; i <= in->shape.noises; i++)
        square += label[1 + i] * label[1 + i] * unit[i] * unit[i];
    return square > 0 ? sqrt(square) : 1;
}

static sgdmft_status inspect_label(inspection *in)
{
    probe p;
    double unit[MOST_VARIABLES] = {sqrt(in->problem->initial.rho[0]), 1, 1, 1, 1, 1, 1, 1, 1};
    if (!probe_init(&p, 1 + in->shape.noises, unit))
        return no_memory(in);
    double *y = memory_doubles((size_t)in->shape.labels * p.lanes);
    sgdmft_status status = y ? SGDMFT_OK : no_memory(in);
    if (!status)
        model_label(in->m, in->work, p.lanes, p.at, p.at + p.lanes, y);
    for (int c = 0; c < in->shape.labels && !status; c++) {
        int found = probe_affine(&p, y + (size_t)c * p.lanes, in->label[c]);
        if (found >= 0)
            status = refuse(in, &in->problem->model.label.item[c].where, label_trouble(found, &p));
        in->size[c] = label_size(in, in->label[c], unit);
    }
    free(y);
    free(p.at);
    return status;
}

/* The variables are r, y_1, ..., t; times are non-negative. */
static int loss_probe_init(const inspection *in, probe *p)
{
    double unit[MOST_VARIABLES] = {1};
    for (int c = 0; c < in->shape.labels; c++)
        unit[1 + c] = in->size[c];
    unit[1 + in->shape.labels] = in->problem->horizon / 100;
    if (!probe_init(p, 2 + in->shape.labels, unit))
        return 0;
    double *t = p->at + (size_t)(1 + in->shape.labels) * p->lanes;
    for (size_t lane = 0; lane < p->lanes; lane++)
        t[lane] = fabs(t[lane]);
    return 1;
}

static sgdmft_status judge_gradient(inspection *in, const probe *p, const double *g)
{
    const origin *where = &in->problem->model.loss.item[0].where;
    double coefficient[1 + MOST_VARIABLES];
    int time = 1 + in->shape.labels, found = probe_affine(p, g, coefficient);
    if (found == time)
        return refuse(in, where, "the gradient of the loss depends on t");
    if (found >= 1 && found < time)
        return refuse(in, where, "the gradient of the loss is not affine in y");
    if (found >= 0)
        return refuse(in, where, "the second derivative of the loss in r depends on y or t");
    if (!(coefficient[1] > 0))
        return refuse(in, where, "the second derivative of the loss in r is not positive");
    memcpy(in->gradient, coefficient, sizeof coefficient);
    return SGDMFT_OK;
}

static sgdmft_status inspect_gradient(inspection *in)
{
    probe p;
    if (!in->shape.linear)
        return refuse(in, &in->problem->model.loss.item[0].where, "the gradient of the loss is not affine in r");
    if (!loss_probe_init(in, &p))
        return no_memory(in);
    size_t n = p.lanes;
    double *g = memory_doubles(n);
    sgdmft_status status = g ? SGDMFT_OK : no_memory(in);
    if (!status) {
        model_gradient(in->m, in->work, n, p.at + (size_t)(1 + in->shape.labels) * n, p.at, p.at + n, g, NULL);
        status = judge_gradient(in, &p, g);
    }
    free(g);
    free(p.at);
    return status;
}

/* D(y) = constant + slope.y + y.bend y / 2, the loss at r = 0. */
typedef struct quadratic {
    int n;
    double constant, slope[8], bend[8][8];
} quadratic;

static double quadratic_value(const quadratic *q, const double *y, size_t stride, double *size)
{
    double sum = q->constant;
    *size = fabs(sum);
    for (int c = 0; c < q->n; c++) {
        double term = q->slope[c] * y[(size_t)c * stride];
        sum += term;
        *size += fabs(term);
        for (int d = 0; d < q->n; d++) {
            term = 0.5 * q->bend[c][d] * y[(size_t)c * stride] * y[(size_t)d * stride];
            sum += term;
            *size += fabs(term);
        }
    }
    return sum;
}

static sgdmft_status evaluate_loss(const inspection *in, size_t n, const double *t, const double *y, double *out)
{
    double *r = memory_doubles(n);
    if (!r)
        return no_memory(in);
    model_loss(in->m, in->work, n, t, r, y, out);
    free(r);
    return SGDMFT_OK;
}

/* Coefficients from the values at 0, e_c, -e_c and e_c + e_d, where e_c is one unit of y_c. */
static sgdmft_status fit_quadratic(const inspection *in, quadratic *q)
{
    enum { CASES = 1 + 16 + 64 };
    double y[8 * CASES] = {0}, t[CASES] = {0}, D[CASES];
    const double *size = in->size;
    int n = in->shape.labels;
    for (int c = 0; c < n; c++) {
        y[c * CASES + 1 + c] = size[c];
        y[c * CASES + 9 + c] = -size[c];
        for (int d = 0; d < n; d++) {
            y[c * CASES + 17 + c * 8 + d] += size[c];
            y[d * CASES + 17 + c * 8 + d] += size[d];
        }
    }
    sgdmft_status status = evaluate_loss(in, CASES, t, y, D);
    if (status)
        return status;
    *q = (quadratic){.n = n, .constant = D[0]};
    for (int c = 0; c < n; c++) {
        q->slope[c] = 0.5 * (D[1 + c] - D[9 + c]) / size[c];
        for (int d = 0; d < n; d++) {
            double change = c == d ? D[1 + c] + D[9 + c] - 2 * D[0] : D[17 + c * 8 + d] - D[1 + c] - D[1 + d] + D[0];
            q->bend[c][d] = change / (size[c] * size[d]);
        }
    }
    return SGDMFT_OK;
}

static sgdmft_status inspect_rest(const inspection *in, quadratic *q)
{
    probe p;
    sgdmft_status status = fit_quadratic(in, q);
    if (status)
        return status;
    if (!loss_probe_init(in, &p))
        return no_memory(in);
    double *D = memory_doubles(p.lanes), size;
    const double *y = p.at + p.lanes, *t = y + (size_t)in->shape.labels * p.lanes;
    status = D ? evaluate_loss(in, p.lanes, t, y, D) : no_memory(in);
    for (size_t lane = 0; lane < p.lanes && !status; lane++) {
        double want = quadratic_value(q, y + lane, p.lanes, &size);
        if (!(fabs(D[lane] - want) <= ROUNDING * (size + fabs(D[lane]))))
            status = refuse(in, &in->problem->model.loss.item[0].where,
                            "the part of the loss without r is not quadratic in y, or depends on t");
    }
    free(D);
    free(p.at);
    return status;
}

/* *depends = 1 if the step depends on t; *step is the step at t = 0. */
static sgdmft_status inspect_step(const inspection *in, double *step, int *depends)
{
    const problem_text *eta = &in->problem->eta;
    expr_graph *graph = NULL;
    expr_node t, node;
    schedule *s = NULL;
    double *work = NULL, zero = 0;
    sgdmft_status status = expr_graph_new(in->ctx, &graph);
    if (!status)
        status = expr_variable(in->ctx, graph, "t", &t);
    if (!status)
        status = expr_parse(in->ctx, graph, eta->text, &eta->where, &node);
    if (!status)
        *depends = expr_depends(graph, node, t);
    expr_graph_free(graph);
    if (!status)
        status = schedule_new(in->ctx, in->problem, &s);
    if (!status) {
        work = memory_doubles(schedule_work(s));
        status = work ? SGDMFT_OK : no_memory(in);
    }
    if (!status)
        schedule_values(s, work, 1, &zero, step);
    free(work);
    schedule_free(s);
    return status;
}

static sgdmft_status set_step(const inspection *in, linear_model *out)
{
    double step = 0;
    sgdmft_status status = inspect_step(in, &step, &out->scheduled);
    if (status)
        return status;
    int spectrum = out->route == ROUTE_SPECTRUM;
    if (out->scheduled && spectrum && out->visits)
        return refuse(in, &in->problem->eta.where,
                      "for sme, and for sgd with small batches, sampling: replacement and no momentum, eta must not "
                      "depend on t");
    if (out->scheduled && spectrum && out->lambda > 0)
        return refuse(in, &in->problem->eta.where, "eta must not depend on t when there is a ridge");
    out->eta = out->curvature * (out->scheduled ? 1 : step);
    return SGDMFT_OK;
}

/* Second moments, once labels and gradient are known as affine functions. */
static void set_moments(const inspection *in, const quadratic *rest, linear_model *out)
{
    int labels = in->shape.labels, noises = in->shape.noises;
    double rho = in->problem->initial.rho[0], combined[1 + MOST_VARIABLES] = {in->gradient[0]}, mean = rest->constant;
    for (int c = 0; c < labels; c++)
        for (int i = 0; i < 2 + noises; i++)
            combined[i] += in->gradient[2 + c] * in->label[c][i];
    out->curvature = in->gradient[1];
    out->slope = -combined[1] / out->curvature;
    out->noise = 0;
    for (int i = 0; i < 2 + noises; i++)
        if (i != 1)
            out->noise += combined[i] * combined[i] / (out->curvature * out->curvature);
    for (int c = 0; c < labels; c++) {
        mean += rest->slope[c] * in->label[c][0];
        for (int d = 0; d < labels; d++) {
            double moment = rho * in->label[c][1] * in->label[d][1];
            for (int i = 0; i < 2 + noises; i++)
                moment += i == 1 ? 0 : in->label[c][i] * in->label[d][i];
            mean += 0.5 * rest->bend[c][d] * moment;
        }
    }
    out->m_start = in->problem->initial.m[0];
    out->rho_start = rho;
    out->q = in->problem->initial.q[0];
    out->m = out->slope * out->m_start;
    out->rho = out->slope * out->slope * rho;
    double square = 0.5 * out->curvature * (out->rho + out->noise);
    out->offset = fabs(mean - square) <= 1e-14 * (fabs(mean) + square) ? 0 : mean - square;
}

static sgdmft_status inspect(inspection *in, linear_model *out)
{
    quadratic rest;
    size_t lanes = 1 + (2 + ALONG) * MOST_VARIABLES + JOINT;
    sgdmft_status status = model_new(in->ctx, in->problem, &in->m);
    if (!status)
        status = model_check_limit(in->ctx, in->m, in->problem);
    if (status)
        return status;
    in->shape = model_get_shape(in->m);
    status = model_work_new(in->ctx, in->m, lanes, &in->work);
    if (!status)
        status = inspect_label(in);
    if (!status)
        status = inspect_gradient(in);
    if (!status)
        status = inspect_rest(in, &rest);
    if (!status)
        set_moments(in, &rest, out);
    if (!status)
        status = set_step(in, out);
    return status;
}

static linear_route route_of(const sgdmft_problem *problem)
{
    if (problem_is_discrete(problem))
        return ROUTE_BATCHES;
    return process_is_independent(problem->process) && !problem_has_momentum(problem) ? ROUTE_SPECTRUM
                                                                                      : ROUTE_SMALL_BATCHES;
}

sgdmft_status linear_model_init(sgdmft_context *ctx, const sgdmft_problem *problem, linear_model *out)
{
    inspection in = {.ctx = ctx, .problem = problem};
    *out = (linear_model){.route = route_of(problem),
                          .delta = problem->delta,
                          .lambda = problem->lambda,
                          .visits = problem->process->white_noise};
    sgdmft_status status = check_settings(&in);
    if (!status)
        status = inspect(&in, out);
    model_work_free(in.work);
    model_free(in.m);
    return status;
}
