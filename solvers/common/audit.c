#include "solvers/common/audit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "columns/solution_arrays.h"
#include "core/context.h"
#include "core/memory.h"
#include "core/random.h"
#include "model/data_law.h"
#include "model/model.h"
#include "paths/purposes.h"
#include "solvers/common/statistics.h"

/* Standard errors that explain an impossible value, and the relative size of rounding. */
static const double EXPLAINED = 6, ROUNDING = 1e-9;

/* Samples among which one is looked for at which an observable is not finite. */
enum { SAMPLES = 4096 };

/* The solution with the places of its columns. */
typedef struct audit {
    sgdmft_context *ctx;
    const sgdmft_problem *problem;
    sgdmft_solution *solution;
    solution_columns at;
    int nonnegative; /* the loss is never negative */
} audit;

static const sgdmft_curve *curve_of(const audit *x, size_t index)
{
    return &x->solution->curves[index];
}

static size_t q_index(const audit *x, int a)
{
    return x->at.q + (size_t)(a * (a + 3) / 2);
}

/* ---- impossible values ---- */

/* Below zero by more than its error bar explains, relative to the largest value of the curve. */
static int is_negative(const sgdmft_curve *curve, size_t i, double largest)
{
    return curve->value[i] < -(EXPLAINED * curve->se[i] + ROUNDING * largest);
}

static int overlap_too_large(const audit *x, int a, int b, size_t i)
{
    int kstar = x->solution->kstar;
    const sgdmft_curve *m = curve_of(x, x->at.m + (size_t)(a * kstar + b)), *q = curve_of(x, q_index(x, a));
    double rho = x->problem->initial.rho[b * kstar + b];
    double bound = sqrt(fmax(0, q->value[i] + EXPLAINED * q->se[i]) * rho);
    return fabs(m->value[i]) > bound * (1 + 1e-6) + EXPLAINED * m->se[i] + ROUNDING * sqrt(rho);
}

/* The column that is impossible at time i, or NULL. */
static const sgdmft_curve *impossible_at(const audit *x, size_t i, const double *largest)
{
    int k = x->solution->k, kstar = x->solution->kstar;
    for (size_t c = 0; c < x->at.observables; c++)
        if (!isfinite(curve_of(x, c)->value[i]))
            return curve_of(x, c);
    for (int a = 0; a < k; a++)
        if (is_negative(curve_of(x, q_index(x, a)), i, largest[q_index(x, a)]))
            return curve_of(x, q_index(x, a));
    for (int a = 0; a < k && !x->solution->info.simulated; a++)
        for (int b = 0; b < kstar; b++)
            if (overlap_too_large(x, a, b, i))
                return curve_of(x, x->at.m + (size_t)(a * kstar + b));
    for (size_t c = x->at.train_loss; c <= x->at.test_loss && x->nonnegative; c++)
        if (is_negative(curve_of(x, c), i, largest[c]))
            return curve_of(x, c);
    return NULL;
}

/* Keeps the times before output time i, at least the first. Identities at the horizon go, and so does the process of
   the coordinates, whose arrays are not cut. */
static void cut_before(const audit *x, size_t i)
{
    sgdmft_solution *s = x->solution;
    size_t times = i > 0 ? i : 1, nodes = 0;
    while (nodes < s->n_grid && s->t[nodes] <= s->times[times - 1] * (1 + ROUNDING))
        nodes++;
    if (s->coordinates && nodes < s->n_grid) {
        solution_arrays_free(s, OWNER_COORDINATES);
        free(s->coordinates);
        s->coordinates = NULL;
    }
    for (size_t n = 0; n < s->n_identities; n++)
        free(s->identities[n].name);
    s->n_identities = 0;
    solution_truncate(s, times, nodes);
}

/* Records a failure: in place of "ok", or after the message that is there. */
static sgdmft_status record(const audit *x, sgdmft_status why, const char *text)
{
    sgdmft_solution *s = x->solution;
    char *both = NULL;
    if (!s->status)
        return solution_set_status(x->ctx, s, why, text);
    if (asprintf(&both, "%s; %s", s->message, text) < 0)
        return context_out_of_memory(x->ctx, "a message", 300);
    sgdmft_status status = solution_set_status(x->ctx, s, s->status, both);
    free(both);
    return status;
}

static sgdmft_status cut_impossible(const audit *x, const double *largest)
{
    sgdmft_solution *s = x->solution;
    const sgdmft_curve *curve = NULL;
    size_t i = 0;
    while (i < s->n_times && !(curve = impossible_at(x, i, largest)))
        i++;
    if (!curve)
        return SGDMFT_OK;
    double value = curve->value[i], t = s->times[i];
    char *text = NULL;
    cut_before(x, i);
    int length = asprintf(
        &text,
        "the solution breaks down before t = %.6g, where %s would be %.4g, which is impossible: the output ends "
        "at t = %.6g; hint: raise numerics.paths and numerics.steps, or shorten horizon",
        t, curve->name, value, s->times[s->n_times - 1]);
    if (length < 0)
        return context_out_of_memory(x->ctx, "a message", 300);
    sgdmft_status status = record(x, SGDMFT_ERR_NO_CONVERGENCE, text);
    free(text);
    s->info.se_max = s->info.step_error_max = 0;
    return status ? status : set_worst_errors(x->ctx, x->problem, s);
}

static sgdmft_status find_impossible(const audit *x)
{
    double *largest = memory_doubles(x->at.observables);
    if (!largest)
        return context_out_of_memory(x->ctx, "the scales of curves", 8.0 * (double)x->at.observables);
    for (size_t c = 0; c < x->at.observables; c++)
        largest[c] = columns_largest(curve_of(x, c)->value, x->solution->n_times);
    sgdmft_status status = cut_impossible(x, largest);
    free(largest);
    return status;
}

/* ---- observables that are not finite ---- */

/* Fresh samples at one output time. */
typedef struct fresh_samples {
    double *z, *s, *eps, *w, *y, *t, *out; /* rows of SAMPLES numbers */
    double *memory;
    model_work *work;
} fresh_samples;

static sgdmft_status fresh_samples_new(sgdmft_context *ctx, const model *m, fresh_samples *out)
{
    model_shape shape = model_get_shape(m);
    size_t rows = (size_t)(2 * shape.k + shape.kstar + shape.noises + shape.labels + shape.observables + 1);
    *out = (fresh_samples){.memory = memory_doubles(rows * SAMPLES)};
    if (!out->memory)
        return context_out_of_memory(ctx, "samples", 8.0 * (double)(rows * SAMPLES));
    out->z = out->memory;
    out->w = out->z + (size_t)shape.k * SAMPLES;
    out->s = out->w + (size_t)shape.k * SAMPLES;
    out->eps = out->s + (size_t)shape.kstar * SAMPLES;
    out->y = out->eps + (size_t)shape.noises * SAMPLES;
    out->out = out->y + (size_t)shape.labels * SAMPLES;
    out->t = out->out + (size_t)shape.observables * SAMPLES;
    return model_work_new(ctx, m, SAMPLES, &out->work);
}

/* The law of the field at an output time, from the overlaps there. -1 if they are not those of a law. */
static int law_at(const audit *x, const data_law *law, size_t i, field_regression *out)
{
    double C[MATRIX_MAX * MATRIX_MAX], m[MATRIX_MAX * MATRIX_MAX];
    int k = x->solution->k, kstar = x->solution->kstar;
    field_moments field;
    for (int a = 0; a < k; a++)
        for (int b = 0; b <= a; b++)
            C[a * k + b] = C[b * k + a] = curve_of(x, x->at.q + (size_t)(a * (a + 1) / 2 + b))->value[i];
    for (int c = 0; c < k * kstar; c++)
        m[c] = curve_of(x, x->at.m + (size_t)c)->value[i];
    data_law_field(law, &(theta_moments){C, m, x->problem->initial.rho}, &field);
    return data_law_regress(law, &field, out);
}

/* Draws samples at output time i and evaluates the observables. -1 if that is not possible. */
static int draw_samples(const audit *x, const model *m, const data_law *law, size_t i, fresh_samples *samples)
{
    model_shape shape = model_get_shape(m);
    size_t normals = (size_t)(shape.k + shape.kstar + shape.noises);
    field_regression at;
    if (law_at(x, law, i, &at))
        return -1;
    random_key key = {x->problem->numerics.seed, 0, PURPOSE_AUDIT};
    for (size_t p = 0; p < SAMPLES; p++) {
        double z[3 * MODEL_MOST];
        random_normals(key, p, 0, normals, z);
        for (size_t j = 0; j < normals; j++) {
            size_t k = (size_t)shape.k, kstar = (size_t)shape.kstar;
            double *row = j < k           ? samples->z + j * SAMPLES
                          : j < k + kstar ? samples->s + (j - k) * SAMPLES
                                          : samples->eps + (j - k - kstar) * SAMPLES;
            row[p] = z[j];
        }
        samples->t[p] = x->solution->times[i];
    }
    data_law_signals(law, SAMPLES, samples->s);
    data_law_fresh_fields(law, &at, SAMPLES, samples->s, samples->z, samples->w);
    return model_label(m, samples->work, SAMPLES, samples->s, samples->eps, samples->y) ||
                   model_observables(m, samples->work, SAMPLES, samples->t, samples->w, samples->s, samples->eps,
                                     samples->y, samples->out)
               ? -1
               : 0;
}

static void take_column(const double *rows, int count, size_t p, double *out)
{
    for (int j = 0; j < count; j++)
        out[j] = rows[(size_t)j * SAMPLES + p];
}

/* Looks for a sample at which the observable is not finite; *why stays NULL if there is none. */
static sgdmft_status find_sample(const audit *x, const model *m, size_t observable, const fresh_samples *samples,
                                 char **why)
{
    model_shape shape = model_get_shape(m);
    const double *values = samples->out + observable * SAMPLES;
    size_t p = 0;
    while (p < SAMPLES && isfinite(values[p]))
        p++;
    if (p == SAMPLES)
        return SGDMFT_OK;
    double r[MODEL_MOST], s[MODEL_MOST], eps[MODEL_MOST], y[MODEL_MOST];
    take_column(samples->w, shape.k, p, r);
    take_column(samples->s, shape.kstar, p, s);
    take_column(samples->eps, shape.noises, p, eps);
    take_column(samples->y, shape.labels, p, y);
    model_sample sample = {samples->t[p], r, s, eps, y};
    return model_explain_observable(x->ctx, m, x->problem, observable, &sample, why);
}

/* Why an observable is not finite at output time i, from fresh samples there; NULL if they do not show it. */
static sgdmft_status explain(const audit *x, size_t observable, size_t i, char **why)
{
    model *m = NULL;
    data_law law;
    fresh_samples samples = {.memory = NULL};
    *why = NULL;
    sgdmft_status status = model_new(x->ctx, x->problem, &m);
    if (!status)
        status = data_law_init(x->ctx, x->problem, &law);
    if (!status)
        status = fresh_samples_new(x->ctx, m, &samples);
    if (!status && !draw_samples(x, m, &law, i, &samples))
        status = find_sample(x, m, observable, &samples, why);
    model_work_free(samples.work);
    free(samples.memory);
    model_free(m);
    return status;
}

/* The first output time at which a curve is not finite, or n_times. */
static size_t first_fault(const audit *x, size_t column)
{
    size_t i = 0;
    while (i < x->solution->n_times && isfinite(curve_of(x, column)->value[i]))
        i++;
    return i;
}

static sgdmft_status report_observable(const audit *x, size_t observable, size_t train, size_t test)
{
    size_t first = train < test ? train : test, n = x->solution->n_times;
    const problem_text *text = &x->problem->observables.item[observable];
    const char *where = train == test  ? "training and test averages are"
                        : train < test ? "training average is"
                                       : "test average is";
    char *why = NULL, *message = NULL;
    sgdmft_status status = explain(x, observable, first, &why);
    if (status)
        return status;
    int length = asprintf(
        &message,
        "observables.%s: \"%s\": its %s not finite from t = %.6g on (%zu of %zu output times)%s%s; the "
        "other curves are not affected; hint: write it so that it is finite for all Gaussian r and s",
        text->name, text->text, where, x->solution->times[first], n - first, n, why ? ": " : "", why ? why : "");
    free(why);
    if (length < 0)
        return context_out_of_memory(x->ctx, "a message", 300);
    status = record(x, SGDMFT_ERR_NON_FINITE, message);
    free(message);
    return status;
}

static sgdmft_status find_undefined(const audit *x)
{
    sgdmft_status status = SGDMFT_OK;
    for (size_t o = 0; o < x->problem->observables.n && !status; o++) {
        size_t train = first_fault(x, x->at.observables + 2 * o), test = first_fault(x, x->at.observables + 2 * o + 1);
        if (train < x->solution->n_times || test < x->solution->n_times)
            status = report_observable(x, o, train, test);
    }
    return status;
}

/* 1 if the expression of the loss shows that it is never negative. It is asked only where an average is negative. */
static sgdmft_status ask_sign(audit *x)
{
    int negative = 0;
    for (size_t c = x->at.train_loss; c <= x->at.test_loss; c++)
        for (size_t i = 0; i < x->solution->n_times; i++)
            negative |= curve_of(x, c)->value[i] < 0;
    model *m = NULL;
    sgdmft_status status = negative ? model_new(x->ctx, x->problem, &m) : SGDMFT_OK;
    if (m)
        x->nonnegative = model_get_shape(m).nonnegative;
    model_free(m);
    return status;
}

sgdmft_status solution_audit(sgdmft_context *ctx, const sgdmft_problem *problem, sgdmft_solution *solution)
{
    solution_shape shape = {.k = solution->k, .kstar = solution->kstar, .n_observables = problem->observables.n};
    audit x = {.ctx = ctx, .problem = problem, .solution = solution, .at = solution_columns_of(&shape)};
    sgdmft_status status = ask_sign(&x);
    if (!status)
        status = find_impossible(&x);
    return status ? status : find_undefined(&x);
}
