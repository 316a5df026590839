#include "solvers/online/rates.h"

#include <math.h>
#include <string.h>

/* Spread of z where w is a function of w*, relative to the mean squares of student and teacher. Large enough for
   E[g z^T] to be seen above sampling noise; the bias of Gamma is of this order. */
static const double SMALLEST_SPREAD = 1e-3;

static double trace(int k, const double *a)
{
    double sum = 0;
    for (int i = 0; i < k; i++)
        sum += a[i * k + i];
    return sum;
}

/* Gamma from E[g z^T] where g jumps. */
static int response_by_stein(const online_setting *s, online_law *law, const online_state *at,
                             const online_moments *mean, double *gamma, int *plugin)
{
    int k = s->shape.k, ks = s->shape.kstar;
    double spread = trace(k, at->S) / k + trace(ks, s->problem->initial.rho) / ks;
    double least = SMALLEST_SPREAD * spread, inverse[MATRIX_MAX * MATRIX_MAX], lowest;
    online_state wide = *at;
    online_moments of_wide;
    if (online_root(k, at->S, least, wide.B, inverse, &lowest))
        return -1;
    if (lowest < least) {
        *plugin = online_law_moments(law, &wide, 0, &of_wide);
        mean = &of_wide;
    }
    memset(gamma, 0, sizeof(double) * (size_t)(k * k));
    matrix_add_product(k, 1, mean->gz, inverse, gamma);
    return 0;
}

int online_rates_find(const online_setting *s, online_law *law, double t, const double *m, const double *q,
                      online_rates *out, int *plugin)
{
    int k = s->shape.k, ks = s->shape.kstar, jumps = s->shape.jumps;
    online_state at;
    online_moments mean;
    memset(out, 0, sizeof *out);
    *plugin = 0;
    if (online_state_set(s, t, m, q, &at))
        return 1;
    *plugin = online_law_moments(law, &at, !jumps, &mean);
    if (jumps && !*plugin && response_by_stein(s, law, &at, &mean, out->gamma, plugin))
        return 1;
    if (*plugin)
        return -1;
    if (!jumps)
        memcpy(out->gamma, mean.G, sizeof out->gamma);
    memcpy(out->gs, mean.gs, sizeof out->gs);
    memcpy(out->gg, mean.gg, sizeof out->gg);
    matrix_add_product(k, 1, mean.gz, at.B, out->gw);
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
                out->gamma_star[a * ks + d] += direct * s->rho_inverse[c * ks + d];
        }
    return 0;
}

int online_rates_stein(const online_setting *s, online_law *law, double t, const double *m, const double *q,
                       double *defect, double *scale, int *plugin)
{
    int k = s->shape.k;
    online_state at;
    online_moments mean;
    memset(defect, 0, sizeof(double) * (size_t)(k * k));
    memset(scale, 0, sizeof(double) * (size_t)(k * k));
    *plugin = 0;
    if (s->shape.jumps || online_state_set(s, t, m, q, &at))
        return 0;
    *plugin = online_law_moments(law, &at, 1, &mean);
    double right[MATRIX_MAX * MATRIX_MAX] = {0};
    matrix_add_product(k, 1, mean.gz, at.B, defect);
    matrix_add_product(k, 1, mean.G, at.S, right);
    for (int c = 0; c < k * k; c++) {
        scale[c] = fabs(defect[c]) + fabs(right[c]);
        defect[c] -= right[c];
    }
    return *plugin;
}
