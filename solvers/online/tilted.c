#include "solvers/online/tilted.h"

#include <math.h>

#include "core/matrix.h"

/* The tilted law. */
typedef struct tilted_law {
    int n, tilts;
    const double *cov;                           /* [n][n] */
    double part[FACTOR_VARIABLES * FACTOR_TILT]; /* [n][tilts] whose squares are what the tilt takes from C */
    double norm;                                 /* E exp(...) */
} tilted_law;

static double covariance(const tilted_law *law, int i, int j)
{
    double c = law->cov[i * law->n + j];
    for (int g = 0; g < law->tilts; g++)
        c -= law->part[i * law->tilts + g] * law->part[j * law->tilts + g];
    return c;
}

static double variance(const tilted_law *law, int i)
{
    return fmax(covariance(law, i, i), 0);
}

static void set_law(const closed_group *group, int n, const double *cov, tilted_law *law)
{
    double inner[FACTOR_TILT * FACTOR_TILT] = {0}, root[FACTOR_TILT * FACTOR_TILT];
    int tilts = group->n;
    *law = (tilted_law){.n = n, .tilts = tilts, .cov = cov, .norm = 1};
    for (int g = 0; g < tilts; g++)
        for (int h = 0; h < tilts; h++)
            inner[g * tilts + h] = cov[group->variable[g] * n + group->variable[h]] + (g == h) / (2 * group->rate[g]);
    if (tilts && matrix_cholesky(tilts, inner, root)) {
        law->norm = NAN;
        return;
    }
    for (int g = 0; g < tilts; g++)
        law->norm /= root[g * tilts + g] * sqrt(2 * group->rate[g]);
    for (int i = 0; i < n; i++)
        for (int g = 0; g < tilts; g++) {
            double x = cov[i * n + group->variable[g]];
            for (int h = 0; h < g; h++)
                x -= root[g * tilts + h] * law->part[i * tilts + h];
            law->part[i * tilts + g] = x / root[g * tilts + g];
        }
}

/* E' of the product of the two odd functions of a term. */
static double average(const tilted_law *law, const closed_term *term)
{
    if (term->kind == CLOSED_ONE)
        return 1;
    int x = term->variable[0], y = term->variable[1];
    double cross = covariance(law, x, y), a = term->rate[0], b = term->rate[1];
    if (term->kind == CLOSED_X_X)
        return cross;
    double scale = 1 + 2 * b * b * variance(law, y);
    if (term->kind == CLOSED_X_ERF)
        return M_2_SQRTPI * b * cross / sqrt(scale);
    return M_2_PI * asin(2 * a * b * cross / sqrt((1 + 2 * a * a * variance(law, x)) * scale));
}

void tilted_add(const closed_group *group, int n, const double *cov, double *out)
{
    tilted_law law;
    set_law(group, n, cov, &law);
    for (size_t i = 0; i < group->n_terms; i++) {
        const closed_term *term = &group->term[i];
        out[term->target] += law.norm * term->coefficient * average(&law, term);
    }
}
