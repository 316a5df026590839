#include "kernels/filter.h"

#include <math.h>
#include <string.h>

#include "core/matrix.h"
#include "kernels/balance.h"
#include "kernels/fitting.h"
#include "kernels/start.h"

void filter_teacher_row(kernels *kern, int i)
{
    int k = kern->k, kstar = kern->kstar;
    double R[MATRIX_MAX * MATRIX_MAX];
    kernels_block(kern, i, 0, R);
    start_teacher(k, kstar, kernels_m(kern, i), R, kern->m, kern->rho_inverse, kern->F + i * k * kstar);
}

double filter_overlap_row(kernels *kern, int i, const averages_layout *at, const double *now, const double *next)
{
    int width = kern->k * kern->kstar;
    filter_step step = filter_step_with(&kern->filter, fitting_time(kern, i));
    step_weights force = fitting_force(kern, i);
    const double *before = kernels_m(kern, i), *mu = now + at->mu, *mu_next = next + at->mu;
    double *after = kernels_m(kern, i + 1), change = 0;
    for (int c = 0; c < width; c++) {
        double value = (before[c] * step.keep - force.start * mu[c] - force.end * mu_next[c]) / step.divide;
        if (!isfinite(value))
            return NAN;
        change = fmax(change, relative_change(after[c], value, fabs(value)));
        after[c] = value;
    }
    filter_teacher_row(kern, i + 1);
    return change;
}

/* row[j] = V_{i+1,j} for j <= i, as blocks. */
static void make_field_row(const kernels *kern, int i, double *row)
{
    int k = kern->k;
    size_t kk = (size_t)(k * k);
    double scale = -sqrt(kern->delta);
    memset(row, 0, sizeof(double) * (size_t)(i + 1) * kk);
    for (int c = 0; c <= i; c++) {
        double mean[MATRIX_MAX * MATRIX_MAX];
        for (size_t x = 0; x < kk; x++)
            mean[x] = fitting_mean(kern, kernels_R(kern, (int)x, i + 1), c);
        const double *factor = kernels_L(kern, c, 0);
        if (k == 1) {
            for (int j = 0; j <= c; j++)
                row[j] += scale * mean[0] * factor[j];
        } else {
            for (int j = 0; j <= c; j++)
                matrix_add_product(k, scale, mean, factor + (size_t)j * kk, row + (size_t)j * kk);
        }
    }
}

double filter_field_row(kernels *kern, int i, const averages_layout *at, const double *now, const double *next)
{
    int k = kern->k, width = (i + 1) * k;
    size_t kk = (size_t)(k * k);
    double *row = kern->scratch, *before = row + (size_t)(i + 1) * kk, change = 0;
    make_field_row(kern, i, row);
    for (int a = 0; a < k; a++) {
        double *target = kernels_V(kern, i + 1, a);
        memcpy(before + a * width, target, sizeof(double) * (size_t)width);
        for (int j = 0; j <= i; j++)
            for (int b = 0; b < k; b++)
                target[j * k + b] = row[(size_t)j * kk + (size_t)(a * k + b)];
    }
    if (kern->fitted && balance_newest(kern, i, at, now, next))
        return NAN;
    for (int a = 0; a < k; a++) {
        const double *value = kernels_V(kern, i + 1, a);
        for (int j = 0; j < width; j++) {
            if (!isfinite(value[j]))
                return NAN;
            change = fmax(change, relative_change(before[a * width + j], value[j], fabs(value[j])));
        }
    }
    return change;
}
