#include "validation/claims/measure.h"

#include "columns/solution.h"

#include <gsl/gsl_cdf.h>
#include <lapacke.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double EXACT = 1e-6, SAME_TIME = 1e-9;

/* Index in s of time t (in units of `unit`), or -1. */
static long find_time(const sgdmft_solution *s, double unit, double t)
{
    for (size_t i = 0; i < s->n_times; i++)
        if (fabs(unit * s->times[i] - t) <= SAME_TIME * fmax(1, fabs(t)))
            return (long)i;
    return -1;
}

static double scale_of(const sgdmft_solution *s, const sgdmft_curve *curve)
{
    double scale = 0;
    for (size_t i = 0; i < s->n_times; i++)
        scale = fmax(scale, fabs(curve->value[i]));
    return scale > 0 ? scale : 1;
}

/* Sums over pairs of values, one from each side. */
typedef struct gap_sums {
    size_t pairs;
    double squares, noise, weighted; /* difference^2, error^2, |difference| error, in units of the scale */
    double allowed;                  /* allowance^2 */
} gap_sums;

double gaussian_equivalent(double t, double freedom)
{
    if (!(freedom > 0 && isfinite(freedom)))
        return t;
    double tail = gsl_cdf_tdist_Q(t, freedom);
    return tail > 0 ? gsl_cdf_ugaussian_Qinv(tail) : t;
}

static double z_of(double difference, double se, double freedom, double scale)
{
    if (se > 0)
        return isfinite(difference) ? gaussian_equivalent(fabs(difference) / se, freedom) : INFINITY;
    return fabs(difference) <= EXACT * scale ? 0 : INFINITY;
}

/* A value with its standard error. */
typedef struct estimate {
    double value, se;
} estimate;

/* Contribution of one side to the inverse of Welch's degrees of freedom; 0 if it is exact, or if the number of replicas
   is unknown. */
static double inverse_freedom(double variance, const sgdmft_solution *s)
{
    return s->info.replicas > 1 ? variance * variance / ((double)s->info.replicas - 1) : 0;
}

static double freedom_of(const sgdmft_solution *a, double se_a, const sgdmft_solution *b, double se_b)
{
    double variance = se_a * se_a + se_b * se_b;
    double inverse = inverse_freedom(se_a * se_a, a) + inverse_freedom(se_b * se_b, b);
    return inverse > 0 ? variance * variance / inverse : INFINITY;
}

static estimate extrapolated(const sgdmft_curve *a, size_t i, const gap_options *o)
{
    const sgdmft_curve *coarse = o->coarse ? sgdmft_solution_curve(o->coarse, a->name) : NULL;
    if (!o->coarse)
        return (estimate){a->value[i], a->se[i]};
    if (!coarse || i >= o->coarse->n_times)
        return (estimate){NAN, NAN};
    return (estimate){a->value[i] + o->weight * (a->value[i] - coarse->value[i]),
                      hypot((1 + o->weight) * a->se[i], o->weight * coarse->se[i])};
}

/* Adds one column at one time. */
static void take_pair(const sgdmft_curve *a, size_t i, const sgdmft_curve *b, size_t j, double freedom, double scale,
                      double t, const gap_options *o, gap_sums *sums, gap *out)
{
    estimate of_a = extrapolated(a, i, o);
    double difference = of_a.value - b->value[j], se = hypot(of_a.se, b->se[j]);
    double allowed = o->allowance * fabs(b->value[j]);
    double beyond = fabs(difference) - allowed, z = allowed > 0 && beyond <= 0 ? 0 : z_of(beyond, se, freedom, scale);
    if (!(z <= out->z)) {
        out->z = z;
        out->t = t;
        snprintf(out->column, sizeof out->column, "%s", a->name);
    }
    double x = difference / scale, e = se / scale;
    out->largest = fmax(out->largest, isfinite(x) ? fabs(x) : INFINITY);
    sums->pairs++;
    sums->squares += x * x;
    sums->noise += e * e;
    sums->allowed += allowed * allowed / (scale * scale);
    sums->weighted += fabs(x) * e;
}

/* Adds one column at all common times, and returns their number. */
static size_t take_column(const sgdmft_solution *a, const sgdmft_curve *x, const sgdmft_solution *b,
                          const sgdmft_curve *y, const gap_options *o, gap_sums *sums, gap *out)
{
    double unit_a = o->time_a > 0 ? o->time_a : 1, unit_b = o->time_b > 0 ? o->time_b : 1;
    size_t times = 0;
    for (size_t i = 0; i < a->n_times; i++) {
        double t = unit_a * a->times[i];
        long j = find_time(b, unit_b, t);
        if (j < 0)
            continue;
        double freedom = freedom_of(a, x->se[i], b, y->se[j]);
        take_pair(x, i, y, (size_t)j, freedom, scale_of(b, y), t, o, sums, out);
        times++;
    }
    return times;
}

static int is_left_out(const sgdmft_curve *curve, const gap_options *o)
{
    return o->without && strncmp(curve->name, o->without, strlen(o->without)) == 0;
}

int gap_between(const sgdmft_solution *a, const sgdmft_solution *b, const gap_options *options, gap *out)
{
    gap_options plain = {.time_a = 1}, o = options ? *options : plain;
    gap_sums sums = {0};
    *out = (gap){.z = -1};
    for (size_t c = 0; c < a->n_curves; c++) {
        const sgdmft_curve *curve = &a->curves[c],
                           *other = is_left_out(curve, &o) ? NULL : sgdmft_solution_curve(b, curve->name);
        size_t times = other ? take_column(a, curve, b, other, &o, &sums, out) : 0;
        out->columns += times > 0;
        out->times = times > out->times ? times : out->times;
    }
    if (sums.pairs == 0) {
        out->z = out->resolution = out->largest = out->distance = out->distance_se = NAN;
        return 1;
    }
    double n = (double)sums.pairs, beyond = (sums.squares - sums.noise) / n, raw = sqrt(sums.squares / n);
    out->resolution = sqrt((sums.noise + sums.allowed) / n);
    out->distance = beyond > 0 ? sqrt(beyond) : isnan(beyond) ? NAN : 0;
    out->distance_se = raw > 0 ? sums.weighted / (n * raw) : 0;
    return 0;
}

size_t difference_of(const sgdmft_solution *a, const sgdmft_solution *b, const char *curve, size_t room, double *t,
                     double *difference, double *se)
{
    const sgdmft_curve *x = sgdmft_solution_curve(a, curve), *y = sgdmft_solution_curve(b, curve);
    size_t n = 0;
    for (size_t i = 0; x && y && i < a->n_times && n < room; i++) {
        long j = find_time(b, 1, a->times[i]);
        if (j < 0)
            continue;
        double scale = scale_of(b, y);
        t[n] = a->times[i];
        difference[n] = (x->value[i] - y->value[j]) / scale;
        se[n++] = hypot(x->se[i], y->se[j]) / scale;
    }
    return n;
}

double spread_of(const sgdmft_solution *s, double *error)
{
    double squares = 0, repetitions = (double)s->info.replicas;
    size_t n = 0;
    for (size_t c = 0; c < s->n_curves; c++) {
        double scale = scale_of(s, &s->curves[c]);
        for (size_t i = 0; i < s->n_times; i++, n++)
            squares += repetitions * s->curves[c].se[i] * s->curves[c].se[i] / (scale * scale);
    }
    double spread = n > 0 ? sqrt(squares / (double)n) : NAN;
    *error = spread / sqrt(2 * (repetitions - 1));
    return spread;
}

power_law power_law_fit(size_t n, const double *x, const double *y, const double *y_se)
{
    double w = 0, wx = 0, wy = 0, wxx = 0, wxy = 0, wyy = 0, noise = 0;
    power_law fit = {NAN, NAN, 0};
    for (size_t i = 0; i < n; i++)
        noise = fmax(noise, y_se[i]);
    for (size_t i = 0; i < n; i++) {
        if (!(x[i] > 0 && y[i] > 0 && y[i] > 2 * y_se[i]))
            continue;
        double relative = noise > 0 ? fmax(y_se[i], 1e-3 * noise) / y[i] : 1, p = 1 / (relative * relative);
        double u = log(x[i]), v = log(y[i]);
        w += p;
        wx += p * u;
        wy += p * v;
        wxx += p * u * u;
        wxy += p * u * v;
        wyy += p * v * v;
        fit.points++;
    }
    double spread = wxx - wx * wx / w;
    if (fit.points < (noise > 0 ? 2 : 3) || !(spread > 0))
        return fit;
    fit.slope = (wxy - wx * wy / w) / spread;
    double rest = wyy - wy * wy / w - fit.slope * (wxy - wx * wy / w);
    fit.se = noise > 0 ? sqrt(1 / spread) : sqrt(fmax(rest, 0) / ((double)(fit.points - 2) * spread));
    return fit;
}

double smallest_eigenvalue(size_t n, const double *C)
{
    double *copy = malloc(n * n * sizeof *copy), *value = malloc(n * sizeof *value), smallest = NAN;
    if (copy && value && n > 0) {
        memcpy(copy, C, n * n * sizeof *copy);
        if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', (lapack_int)n, copy, (lapack_int)n, value) == 0)
            smallest = value[0];
    }
    free(copy);
    free(value);
    return smallest;
}
