#include "sample/histograms.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/sobol.h"
#include "columns/solution.h"
#include "model/coordinates_law.h"
#include "problem/problem.h"
#include "sample/coordinates.h"
#include "sample/draws.h"
#include "core/matrix.h"

enum { POINTS = 16384, BISECTIONS = 60 };

/* By how much bins are wider than what they must cover, on either side. */
static const double MARGIN = 0.05;
/* Beyond so many standard deviations the normal law has nothing. */
static const double FAR = 9.0;

/* The law of one coordinate at one time: an equal mixture of normals. */
typedef struct mixture {
    size_t n;
    double *mean;
    double spread;
} mixture;

/* Points of (theta0, theta*). */
typedef struct points {
    size_t n;
    double *theta0, *thetastar; /* [k][n], [k*][n] */
} points;

static double below(const mixture *mix, double x)
{
    double sum = 0;
    if (mix->spread > 0)
        for (size_t p = 0; p < mix->n; p++)
            sum += 0.5 * erfc((mix->mean[p] - x) / (mix->spread * M_SQRT2));
    else
        for (size_t p = 0; p < mix->n; p++)
            sum += mix->mean[p] < x;
    return sum / (double)mix->n;
}

static double quantile(const mixture *mix, double probability)
{
    double low = mix->mean[0], high = low;
    for (size_t p = 1; p < mix->n; p++) {
        low = fmin(low, mix->mean[p]);
        high = fmax(high, mix->mean[p]);
    }
    low -= FAR * mix->spread;
    high += FAR * mix->spread;
    for (int i = 0; i < BISECTIONS; i++) {
        double middle = low + (high - low) / 2;
        if (below(mix, middle) < probability)
            low = middle;
        else
            high = middle;
    }
    return low + (high - low) / 2;
}

static sgdmft_status draw_points(sgdmft_context *ctx, const sgdmft_problem *problem, points *out)
{
    size_t k = (size_t)problem->model.students, kstar = (size_t)problem->model.teachers;
    coordinates_law *law = NULL;
    out->n = problem_has_law(problem) ? POINTS : 1;
    out->theta0 = memory_doubles(k * out->n);
    out->thetastar = memory_doubles(kstar * out->n);
    if (out->n == 1)
        return out->theta0 && out->thetastar ? SGDMFT_OK : context_out_of_memory(ctx, "histograms", 0);
    sgdmft_status status = coordinates_law_new(ctx, problem, &law);
    if (status)
        return status;
    size_t dims = (size_t)coordinates_law_dims(law);
    double *u = memory_doubles(dims * out->n), *work = memory_doubles(coordinates_law_work(law));
    if (out->theta0 && out->thetastar && u && work) {
        random_key key = {.seed = problem->numerics.seed, .replica = 0, .purpose = SAMPLE_MIXTURE};
        for (size_t v = 0; v < dims; v++)
            sobol_points(key, (unsigned)v, 0, out->n, u + v * out->n);
        coordinates_law_map(law, work, out->n, u, out->theta0, out->thetastar);
    } else {
        status = context_out_of_memory(ctx, "histograms", 8.0 * (double)((dims + k + kstar) * out->n));
    }
    free(u);
    free(work);
    coordinates_law_free(law);
    return status;
}

/* What a time needs: R(t,0), F(t) and the variances that (theta0, theta*) leave, or all of C(t,t) without a law. */
typedef struct moments {
    double R[MATRIX_MAX * MATRIX_MAX], F[MATRIX_MAX * MATRIX_MAX], variance[MATRIX_MAX];
} moments;

static sgdmft_status moments_at_node(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x, size_t i,
                                     moments *out)
{
    size_t k = (size_t)x->k;
    double K[MATRIX_MAX * MATRIX_MAX];
    memcpy(out->R, two_time_R(x, i, 0), k * k * sizeof *out->R);
    sgdmft_status status = coordinates_onto_teacher(ctx, x, problem, i, out->F);
    if (status)
        return status;
    coordinates_remainder(x, problem, i, out->F, i, out->F, K);
    const double *variance = problem_has_law(problem) ? K : two_time_C(x, i, i);
    for (size_t a = 0; a < k; a++)
        out->variance[a] = variance[a * k + a];
    return SGDMFT_OK;
}

static void blend(double place, size_t n, const double *high, double *low)
{
    for (size_t i = 0; i < n; i++)
        low[i] += place * (high[i] - low[i]);
}

static sgdmft_status moments_at(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x, double t,
                                moments *out)
{
    double place;
    size_t cell = two_time_cell(x, t, &place), k = (size_t)x->k;
    moments high;
    sgdmft_status status = moments_at_node(ctx, problem, x, cell, out);
    if (!status)
        status = moments_at_node(ctx, problem, x, cell + 1, &high);
    if (status)
        return status;
    blend(place, k * k, high.R, out->R);
    blend(place, k * (size_t)x->kstar, high.F, out->F);
    blend(place, k, high.variance, out->variance);
    return SGDMFT_OK;
}

static void set_mixture(const two_time *x, const points *pts, const moments *at, int a, mixture *mix)
{
    memset(mix->mean, 0, pts->n * sizeof *mix->mean);
    for (int c = 0; c < x->k; c++)
        for (size_t p = 0; p < pts->n; p++)
            mix->mean[p] += at->R[a * x->k + c] * pts->theta0[(size_t)c * pts->n + p];
    for (int c = 0; c < x->kstar; c++)
        for (size_t p = 0; p < pts->n; p++)
            mix->mean[p] += at->F[a * x->kstar + c] * pts->thetastar[(size_t)c * pts->n + p];
    mix->n = pts->n;
    mix->spread = at->variance[a] > 0 ? sqrt(at->variance[a]) : 0;
}

void histograms_edges(double low, double high, size_t n, double *edge)
{
    double margin = MARGIN * (high - low);
    if (!(margin > 1e-12 * fmax(fabs(low), fabs(high))))
        margin = 0.5; /* a constant */
    for (size_t b = 0; b <= n; b++)
        edge[b] = low - margin + (high - low + 2 * margin) * (double)b / (double)n;
}

/* Bins of coordinate `a`, the same at all times. */
static void set_edges(const two_time *x, const points *pts, const moments *at, int a, mixture *mix,
                      solution_histograms *h)
{
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (size_t i = 0; i < h->n_times; i++) {
        set_mixture(x, pts, &at[i], a, mix);
        low = fmin(low, quantile(mix, HISTOGRAMS_TAIL));
        high = fmax(high, quantile(mix, 1 - HISTOGRAMS_TAIL));
    }
    histograms_edges(low, high, h->n_bins, h->edges + (size_t)a * (h->n_bins + 1));
}

static void set_density(const mixture *mix, size_t bins, const double *edge, double *density)
{
    double before = below(mix, edge[0]);
    for (size_t b = 0; b < bins; b++) {
        double after = below(mix, edge[b + 1]);
        density[b] = (after - before) / (edge[b + 1] - edge[b]);
        before = after;
    }
}

static sgdmft_status fill(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x, solution_histograms *h)
{
    points pts = {0};
    mixture mix = {0};
    moments *at = calloc(h->n_times, sizeof *at);
    sgdmft_status status = at ? draw_points(ctx, problem, &pts) : context_out_of_memory(ctx, "histograms", 0);
    if (!status && !(mix.mean = memory_doubles(pts.n)))
        status = context_out_of_memory(ctx, "histograms", 8.0 * (double)pts.n);
    for (size_t i = 0; i < h->n_times && !status; i++)
        status = moments_at(ctx, problem, x, h->t[i], &at[i]);
    for (int a = 0; a < x->k && !status; a++) {
        set_edges(x, &pts, at, a, &mix, h);
        for (size_t i = 0; i < h->n_times; i++) {
            set_mixture(x, &pts, &at[i], a, &mix);
            set_density(&mix, h->n_bins, h->edges + (size_t)a * (h->n_bins + 1),
                        h->density + (i * (size_t)x->k + (size_t)a) * h->n_bins);
        }
    }
    free(at);
    free(mix.mean);
    free(pts.theta0);
    free(pts.thetastar);
    return status;
}

sgdmft_status histograms_fill(sgdmft_context *ctx, const sgdmft_problem *problem, sgdmft_solution *solution)
{
    two_time x = two_time_of(solution);
    const problem_reals *asked = &problem->output.histograms;
    size_t n = 0;
    if (solution->histograms)
        return SGDMFT_OK; /* by a solver that knows them */
    while (x.n >= 2 && n < asked->n && asked->value[n] <= x.t[x.n - 1] * (1 + 1e-12))
        n++;
    if (n == 0)
        return SGDMFT_OK;
    sgdmft_status status = coordinates_check(ctx, problem);
    if (!status)
        status = solution_add_histograms(ctx, solution, n, (size_t)problem->output.bins);
    if (status)
        return status;
    memcpy(solution->histograms->t, asked->value, n * sizeof(double));
    return fill(ctx, problem, &x, solution->histograms);
}
