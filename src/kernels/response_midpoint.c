#include "kernels/response_midpoint.h"

#include <math.h>
#include <string.h>

#include "core/matrix.h"
#include "kernels/filter.h"
#include "kernels/fitting.h"

void response_midpoint_own(const kernels *kern, int i, double *own)
{
    double place = kern->grid->event[i];
    for (int c = 0; c < kern->k * kern->k; c++)
        own[c] = place * (place * kernels_R(kern, c, i + 1)[i] + (1 - place) * (c % (kern->k + 1) == 0));
}

/* Nothing is needed of node 0: averages are those of cells. */
static void start(kernels *kern, const averages_layout *at, const double *first)
{
    (void)kern, (void)at, (void)first;
}

/* Samples whose process is smooth have no epochs. */
static void renew(kernels *kern, int i, const averages_layout *at, const double *after)
{
    (void)kern, (void)i, (void)at, (void)after;
}

/* al and its inverse; non-zero if it has none. */
static int own_decay(const kernels *kern, int i, const averages_layout *at, const double *next, double *al,
                     double *inverse)
{
    filter_step step = filter_step_with(&kern->filter, fitting_time(kern, i));
    const double *own = averages_row(at, next, i, RESPONSE_CELL);
    for (int c = 0; c < kern->k * kern->k; c++)
        al[c] = (c % (kern->k + 1) == 0 ? step.divide : 0) + kern->grid->event[i] * kern->delta * own[c];
    return matrix_inverse(kern->k, al, inverse);
}

/* rhs[a b][j] = ((2 - al) R_i - delta sum_{l<i} X_il Rb_l)_ab at t_j, j <= i. */
static void right_side(const kernels *kern, int i, const averages_layout *at, const double *next, const double *al,
                       double *rhs)
{
    int k = kern->k;
    size_t n = (size_t)i + 1;
    double ratio = (1 - kern->grid->event[i]) / kern->grid->event[i];
    memset(rhs, 0, sizeof *rhs * (size_t)(k * k) * n);
    for (int a = 0; a < k; a++)
        for (int c = 0; c < k; c++) {
            double one = a == c, keep = one - ratio * (al[a * k + c] - one);
            for (int b = 0; b < k; b++) {
                const double *r = kernels_R(kern, c * k + b, i);
                double *out = rhs + (size_t)(a * k + b) * n;
                for (int j = 0; j <= i; j++)
                    out[j] += keep * r[j];
                for (int l = 0; l < i; l++) {
                    double x = kern->delta * averages_row(at, next, l, RESPONSE_CELL)[a * k + c];
                    double place = kern->grid->event[l], start = (1 - place) * x, end = place * x;
                    const double *low = kernels_R(kern, c * k + b, l), *high = kernels_R(kern, c * k + b, l + 1);
                    for (int j = 0; j <= l; j++)
                        out[j] -= start * low[j] + end * high[j];
                }
            }
        }
}

static double advance(kernels *kern, int i, const averages_layout *at, const double *next)
{
    int k = kern->k;
    size_t n = (size_t)i + 1;
    double al[MATRIX_MAX * MATRIX_MAX], inverse[MATRIX_MAX * MATRIX_MAX], change = 0, *rhs = kern->scratch;
    if (own_decay(kern, i, at, next, al, inverse))
        return NAN;
    right_side(kern, i, at, next, al, rhs);
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            double *r = kernels_R(kern, a * k + b, i + 1);
            for (size_t j = 0; j < n; j++) {
                double value = 0;
                for (int c = 0; c < k; c++)
                    value += inverse[a * k + c] * rhs[(size_t)(c * k + b) * n + j];
                if (!isfinite(value))
                    return NAN;
                change = fmax(change, relative_change(r[j], value, fabs(value)));
                r[j] = value;
            }
        }
    return change;
}

void response_midpoint_force(const kernels *kern, int i, const averages_layout *at, const double *used, double *next)
{
    int k = kern->k, kstar = kern->kstar;
    const double *own = averages_row(at, used, i, RESPONSE_CELL), *m = kernels_m(kern, i + 1);
    double length = kern->delta * kern->grid->h[i] * step_rule_eta(kern->grid, i), *mu = next + at->mu;
    for (int a = 0; a < k; a++)
        for (int b = 0; b < kstar; b++) {
            double value = length * mu[a * kstar + b];
            for (int c = 0; c < k; c++)
                value -= kern->grid->event[i] * kern->delta * own[a * k + c] * m[c * kstar + b];
            mu[a * kstar + b] = value;
        }
}

void response_midpoint_guess(const kernels *kern, int i, const averages_layout *at, double *next)
{
    int k = kern->k, kstar = kern->kstar;
    double ridge = kern->filter.lambda * kern->grid->h[i], rate = kern->grid->event[i] * kern->delta;
    const double *own = averages_row(at, next, i, RESPONSE_CELL), *m = kernels_m(kern, i);
    double *force = next + at->mu;
    for (int a = 0; a < k; a++)
        for (int b = 0; b < kstar; b++) {
            force[a * kstar + b] = -ridge * m[a * kstar + b];
            for (int c = 0; c < k; c++)
                force[a * kstar + b] -= rate * own[a * k + c] * m[c * kstar + b];
        }
}

static double overlap(kernels *kern, int i, const averages_layout *at, const double *now, const double *next)
{
    int k = kern->k, kstar = kern->kstar;
    filter_step step = filter_step_with(&kern->filter, fitting_time(kern, i));
    double al[MATRIX_MAX * MATRIX_MAX], inverse[MATRIX_MAX * MATRIX_MAX];
    double change = 0;
    (void)now;
    if (own_decay(kern, i, at, next, al, inverse))
        return NAN;
    const double *before = kernels_m(kern, i), *force = next + at->mu;
    double *after = kernels_m(kern, i + 1);
    for (int a = 0; a < k; a++)
        for (int b = 0; b < kstar; b++) {
            double *m = after + a * kstar + b, value = 0;
            for (int c = 0; c < k; c++)
                value += inverse[a * k + c] * (step.keep * before[c * kstar + b] - force[c * kstar + b]);
            if (!isfinite(value))
                return NAN;
            change = fmax(change, relative_change(*m, value, fabs(value)));
            *m = value;
        }
    filter_teacher_row(kern, i + 1);
    return change;
}

const response_estimator response_midpoint = {.name = "pathwise",
                                              .pathwise = 1,
                                              .midpoint = 1,
                                              .rows = 3,
                                              .start = start,
                                              .advance = advance,
                                              .overlap = overlap,
                                              .renew = renew};
