#include "solvers/online/field.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "solvers/online/rates.h"

/* Errors count relative to a component plus this part of its scale: overlaps grow from small values. */
static const double MOMENT_FLOOR = 0.01, RESPONSE_FLOOR = 0.01;

static online_layout layout_of(model_shape shape)
{
    size_t k = (size_t)shape.k, ks = (size_t)shape.kstar;
    online_layout at = {.m = 0, .q = k * ks};
    at.R = at.q + k * (k + 1) / 2;
    at.F = at.R + k * k;
    at.size = at.F + k * ks;
    return at;
}

sgdmft_status online_field_init(sgdmft_context *ctx, const online_setting *s, online_law *law, online_field *out)
{
    *out = (online_field){.s = s, .law = law, .at = layout_of(s->shape), .to = s->problem->horizon};
    out->work = memory_doubles(schedule_work(s->eta) + 1);
    return out->work ? SGDMFT_OK : context_out_of_memory(ctx, "the schedule", 8.0 * (double)schedule_work(s->eta));
}

void online_field_clear(online_field *f)
{
    free(f->work);
    f->work = NULL;
}

void online_field_unpack(const online_field *f, const double *y, double *m, double *q)
{
    int k = f->s->shape.k, ks = f->s->shape.kstar;
    const double *lower = y + f->at.q;
    memcpy(m, y + f->at.m, sizeof(double) * (size_t)(k * ks));
    for (int a = 0; a < k; a++)
        for (int b = 0; b <= a; b++)
            q[a * k + b] = q[b * k + a] = *lower++;
}

static double eta_at(const online_field *f, double t)
{
    double eta, inside = fmin(fmax(t, f->from), f->to);
    schedule_values(f->s->eta, f->work, 1, &inside, &eta);
    return eta;
}

/* out = - lambda x - eta (gamma x + extra), x[k][columns] */
static void respond(int k, int columns, double lambda, double eta, const double *gamma, const double *x,
                    const double *extra, double *out)
{
    for (int a = 0; a < k; a++)
        for (int c = 0; c < columns; c++) {
            double sum = extra ? extra[a * columns + c] : 0;
            for (int b = 0; b < k; b++)
                sum += gamma[a * k + b] * x[b * columns + c];
            out[a * columns + c] = -lambda * x[a * columns + c] - eta * sum;
        }
}

static int all_finite(const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return 0;
    return 1;
}

int online_field_value(void *user, double t, const double *y, double *dy)
{
    online_field *f = user;
    int k = f->s->shape.k, ks = f->s->shape.kstar;
    double lambda = f->s->problem->lambda, eta = eta_at(f, t);
    double m[MATRIX_MAX * MATRIX_MAX], q[MATRIX_MAX * MATRIX_MAX];
    online_rates rate;
    online_field_unpack(f, y, m, q);
    int code = online_rates_find(f->s, f->law, t, m, q, &rate, &f->code);
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

void online_field_weights(void *user, const double *y, double *weight)
{
    const online_field *f = user;
    double floor = MOMENT_FLOOR * f->s->moment_scale;
    for (size_t i = 0; i < f->at.R; i++)
        weight[i] = 1 / (f->rtol * (fabs(y[i]) + floor));
    for (size_t i = f->at.R; i < f->at.size; i++)
        weight[i] = 1 / (f->response_rtol * (fabs(y[i]) + RESPONSE_FLOOR));
}
