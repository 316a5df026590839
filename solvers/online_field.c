#include "solvers/online_field.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Spread of z where w is a function of w*, relative to the mean squares of student and teacher. Large enough for
   E[g z^T] to be seen above sampling noise; the bias of Gamma is of this order. */
static const double SMALLEST_SPREAD = 1e-3;

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

static int set_state(const online_field *f, double t, const double *y, online_state *out)
{
    double m[BLOCK_MAX * BLOCK_MAX], q[BLOCK_MAX * BLOCK_MAX];
    online_field_unpack(f, y, m, q);
    return online_state_set(f->s, t, m, q, out);
}

static double trace(int k, const double *a)
{
    double sum = 0;
    for (int i = 0; i < k; i++)
        sum += a[i * k + i];
    return sum;
}

/* Gamma from E[g z^T] where g jumps. */
static int response_by_stein(online_field *f, const online_state *at, const online_moments *mean, double *gamma)
{
    int k = f->s->shape.k, ks = f->s->shape.kstar;
    double spread = trace(k, at->S) / k + trace(ks, f->s->problem->initial.rho) / ks;
    double least = SMALLEST_SPREAD * spread, inverse[BLOCK_MAX * BLOCK_MAX], lowest;
    online_state wide = *at;
    online_moments of_wide;
    if (online_root(k, at->S, least, wide.B, inverse, &lowest))
        return -1;
    if (lowest < least) {
        f->code = online_law_moments(f->law, &wide, 0, &of_wide);
        mean = &of_wide;
    }
    memset(gamma, 0, sizeof(double) * (size_t)(k * k));
    block_add_product(k, 1, mean->gz, inverse, gamma);
    return 0;
}

/* E[g w*^T], E[g w^T], E[g g^T] and the responses Gamma, Gamma*. 0, or as stepper_problem.value. */
typedef struct rates {
    double gs[BLOCK_MAX * BLOCK_MAX], gw[BLOCK_MAX * BLOCK_MAX], gg[BLOCK_MAX * BLOCK_MAX];
    double gamma[BLOCK_MAX * BLOCK_MAX], gamma_star[BLOCK_MAX * BLOCK_MAX];
} rates;

static int find_rates(online_field *f, double t, const double *y, rates *out)
{
    int k = f->s->shape.k, ks = f->s->shape.kstar, jumps = f->s->shape.jumps;
    const double *m = y + f->at.m;
    online_state at;
    online_moments mean;
    memset(out, 0, sizeof *out);
    if (set_state(f, t, y, &at))
        return 1;
    f->code = online_law_moments(f->law, &at, !jumps, &mean);
    if (jumps && !f->code && response_by_stein(f, &at, &mean, out->gamma))
        return 1;
    if (f->code)
        return -1;
    if (!jumps)
        memcpy(out->gamma, mean.G, sizeof out->gamma);
    memcpy(out->gs, mean.gs, sizeof out->gs);
    memcpy(out->gg, mean.gg, sizeof out->gg);
    block_add_product(k, 1, mean.gz, at.B, out->gw);
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++)
            for (int c = 0; c < ks; c++)
                out->gw[a * k + b] += mean.gs[a * ks + c] * at.A[b * ks + c];
    for (int a = 0; a < k; a++)
        for (int c = 0; c < ks; c++) {
            double direct = mean.gs[a * ks + c];
            for (int b = 0; b < k; b++)
                direct -= out->gamma[a * k + b] * m[b * ks + c];
            for (int d = 0; d < ks; d++)
                out->gamma_star[a * ks + d] += direct * f->s->rho_inverse[c * ks + d];
        }
    return 0;
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
    rates rate;
    int code = find_rates(f, t, y, &rate);
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

int online_field_stein(online_field *f, double t, const double *y, double *defect, double *scale)
{
    int k = f->s->shape.k;
    online_state at;
    online_moments mean;
    memset(defect, 0, sizeof(double) * (size_t)(k * k));
    memset(scale, 0, sizeof(double) * (size_t)(k * k));
    if (f->s->shape.jumps || set_state(f, t, y, &at))
        return 0;
    int code = f->code = online_law_moments(f->law, &at, 1, &mean);
    double right[BLOCK_MAX * BLOCK_MAX] = {0};
    block_add_product(k, 1, mean.gz, at.B, defect);
    block_add_product(k, 1, mean.G, at.S, right);
    for (int c = 0; c < k * k; c++) {
        scale[c] = fabs(defect[c]) + fabs(right[c]);
        defect[c] -= right[c];
    }
    return code;
}
