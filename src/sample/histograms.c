#include "sample/histograms.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "core/matrix.h"
#include "core/memory.h"
#include "core/sobol.h"
#include "problem/problem.h"
#include "sample/coordinates.h"
#include "sample/draws.h"

/* The bins of a coordinate are wider than what they must cover by this part, on either side. */
static const double MARGIN = 0.05;

/* A time this close to a node, in cells, is the node. */
static const double AT_NODE = 1e-9;

histogram_plan histogram_plan_of(const sgdmft_problem *problem, size_t nodes, const double *t)
{
    const problem_reals *asked = &problem->output.histograms;
    histogram_plan plan = {.n_bins = (size_t)problem->output.bins, .times = asked->value};
    while (nodes >= 2 && plan.n_times < asked->n && asked->value[plan.n_times] <= t[nodes - 1] * (1 + 1e-12))
        plan.n_times++;
    return plan;
}

/* Edges of n equal bins over [low, high] and a margin. */
static void set_edges(double low, double high, size_t n, double *edge)
{
    double margin = MARGIN * (high - low);
    if (!(margin > 1e-12 * fmax(fabs(low), fabs(high))))
        margin = 0.5; /* all coordinates are the same */
    for (size_t b = 0; b <= n; b++)
        edge[b] = low - margin + (high - low + 2 * margin) * (double)b / (double)n;
}

static sgdmft_status new_histograms(sgdmft_context *ctx, const histogram_plan *plan, int with_errors,
                                    sgdmft_solution *solution)
{
    sgdmft_status status = solution_add_histograms(ctx, solution, plan->n_times, plan->n_bins);
    if (!status && with_errors)
        status = solution_add_histogram_errors(ctx, solution);
    if (!status)
        memcpy(solution->histograms->t, plan->times, plan->n_times * sizeof(double));
    return status;
}

/* Moments: the law of one coordinate at one time is a mixture of normal laws with the same weight and variance. */

enum { POINTS = 16384, BISECTIONS = 60 };

/* A normal law has practically nothing beyond this many standard deviations. */
static const double FAR = 9.0;

typedef struct mixture {
    size_t n;
    double *mean; /* [n] */
    double sd;
} mixture;

/* Points of (theta(0), theta*). */
typedef struct points {
    size_t n;
    double *theta0, *thetastar; /* [k][n], [k*][n] */
} points;

static double probability_below(const mixture *mix, double x)
{
    double sum = 0;
    if (mix->sd > 0)
        for (size_t p = 0; p < mix->n; p++)
            sum += 0.5 * erfc((mix->mean[p] - x) / (mix->sd * M_SQRT2));
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
    low -= FAR * mix->sd;
    high += FAR * mix->sd;
    for (int i = 0; i < BISECTIONS; i++) {
        double middle = low + (high - low) / 2;
        if (probability_below(mix, middle) < probability)
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
    out->n = coordinates_law_is_given(problem) ? POINTS : 1;
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

/* R(t,0), F(t) and the variances that (theta(0), theta*) leave; all of C(t,t) without a law. */
typedef struct moments {
    double R[MATRIX_MAX * MATRIX_MAX], F[MATRIX_MAX * MATRIX_MAX], variance[MATRIX_MAX];
} moments;

static sgdmft_status moments_at_node(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x, size_t i,
                                     moments *out)
{
    size_t k = (size_t)x->k;
    double K[MATRIX_MAX * MATRIX_MAX];
    memcpy(out->R, two_time_R(x, i, 0), k * k * sizeof *out->R);
    sgdmft_status status = coordinates_onto_teacher(ctx, problem, x, i, out->F);
    if (status)
        return status;
    coordinates_rest(problem, x, i, out->F, i, out->F, K);
    const double *variance = coordinates_law_is_given(problem) ? K : two_time_C(x, i, i);
    for (size_t a = 0; a < k; a++)
        out->variance[a] = variance[a * k + a];
    return SGDMFT_OK;
}

static void interpolate(double place, size_t n, const double *high, double *low)
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
    interpolate(place, k * k, high.R, out->R);
    interpolate(place, k * (size_t)x->kstar, high.F, out->F);
    interpolate(place, k, high.variance, out->variance);
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
    mix->sd = at->variance[a] > 0 ? sqrt(at->variance[a]) : 0;
}

static void mixture_density(const mixture *mix, size_t bins, const double *edge, double *density)
{
    double before = probability_below(mix, edge[0]);
    for (size_t b = 0; b < bins; b++) {
        double after = probability_below(mix, edge[b + 1]);
        density[b] = (after - before) / (edge[b + 1] - edge[b]);
        before = after;
    }
}

static void integrate_coordinate(const two_time *x, const points *pts, const moments *at, int a, mixture *mix,
                                 solution_histograms *h)
{
    double low = HUGE_VAL, high = -HUGE_VAL, *edge = h->edges + (size_t)a * (h->n_bins + 1);
    for (size_t i = 0; i < h->n_times; i++) {
        set_mixture(x, pts, &at[i], a, mix);
        low = fmin(low, quantile(mix, HISTOGRAMS_TAIL));
        high = fmax(high, quantile(mix, 1 - HISTOGRAMS_TAIL));
    }
    set_edges(low, high, h->n_bins, edge);
    for (size_t i = 0; i < h->n_times; i++) {
        set_mixture(x, pts, &at[i], a, mix);
        mixture_density(mix, h->n_bins, edge, h->density + (i * (size_t)x->k + (size_t)a) * h->n_bins);
    }
}

static sgdmft_status integrate(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x,
                               solution_histograms *h)
{
    points pts = {0};
    mixture mix = {0};
    moments *at = calloc(h->n_times, sizeof *at);
    sgdmft_status status = at ? draw_points(ctx, problem, &pts) : context_out_of_memory(ctx, "histograms", 0);
    if (!status && !(mix.mean = memory_doubles(pts.n)))
        status = context_out_of_memory(ctx, "histograms", 8.0 * (double)pts.n);
    for (size_t i = 0; i < h->n_times && !status; i++)
        status = moments_at(ctx, problem, x, h->t[i], &at[i]);
    for (int a = 0; a < x->k && !status; a++)
        integrate_coordinate(x, &pts, at, a, &mix, h);
    free(at);
    free(mix.mean);
    free(pts.theta0);
    free(pts.thetastar);
    return status;
}

sgdmft_status histograms_from_moments(sgdmft_context *ctx, const sgdmft_problem *problem, const histogram_plan *plan,
                                      sgdmft_solution *solution)
{
    two_time x = two_time_of(solution);
    sgdmft_status status = coordinates_check_ridge(ctx, problem);
    if (!status)
        status = new_histograms(ctx, plan, 0, solution);
    if (!status)
        status = integrate(ctx, problem, &x, solution->histograms);
    if (status)
        solution_drop_histograms(solution);
    return status;
}

/* Snapshots: densities of sampled coordinates. */

/* A time between nodes; a node is needed if its weight is above 0. */
typedef struct node_pair {
    size_t node; /* and the one after it */
    double weight[2];
} node_pair;

static node_pair nodes_around(const two_time *x, double t)
{
    double after;
    node_pair at = {.node = two_time_cell(x, t, &after)};
    after = after < AT_NODE ? 0 : after > 1 - AT_NODE ? 1 : after;
    at.weight[0] = 1 - after;
    at.weight[1] = after;
    return at;
}

void histogram_plan_nodes(const histogram_plan *plan, size_t nodes, const double *t, char *wanted)
{
    two_time x = {.n = nodes, .t = t};
    for (size_t i = 0; i < plan->n_times; i++) {
        node_pair at = nodes_around(&x, plan->times[i]);
        for (size_t end = 0; end < 2; end++)
            if (at.weight[end] > 0)
                wanted[at.node + end] = 1;
    }
}

typedef struct samples {
    two_time x;
    size_t replicas, paths; /* paths of each */
    const coordinate_snapshots *const *snapshots;
    double *pooled;  /* [replicas * paths] */
    double *density; /* [n_bins] of one replica */
} samples;

static const double *values_of(const samples *s, size_t replica, size_t node, size_t a)
{
    return coordinate_snapshots_at(s->snapshots[replica], node) + a * s->paths;
}

static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

/* Widens [low, high] to what the bins of coordinate `a` must cover at a node. */
static void widen(const samples *s, size_t node, size_t a, double *low, double *high)
{
    size_t n = s->replicas * s->paths, tail = (size_t)(HISTOGRAMS_TAIL * (double)n);
    for (size_t r = 0; r < s->replicas; r++)
        memcpy(s->pooled + r * s->paths, values_of(s, r, node, a), sizeof(double) * s->paths);
    qsort(s->pooled, n, sizeof *s->pooled, ascending);
    *low = fmin(*low, s->pooled[tail]);
    *high = fmax(*high, s->pooled[n - 1 - tail]);
}

/* Adds `weight` times the density of values[n]. */
static void add_density(size_t n, const double *values, double weight, size_t bins, const double *edge, double *density)
{
    double width = (edge[bins] - edge[0]) / (double)bins;
    for (size_t p = 0; p < n; p++) {
        if (!(values[p] >= edge[0] && values[p] < edge[bins]))
            continue;
        size_t b = (size_t)((values[p] - edge[0]) / width);
        b = b < bins ? b : bins - 1;
        while (values[p] < edge[b])
            b--;
        while (values[p] >= edge[b + 1])
            b++;
        density[b] += weight / ((double)n * (edge[b + 1] - edge[b]));
    }
}

/* One standard error of a density from n independent paths. */
static double binomial_error(double density, double width, size_t n)
{
    double probability = fmin(density * width, 1);
    return sqrt(probability * (1 - probability) / (double)n) / width;
}

/* The density of coordinate `a` at one time, with its error over replicas; of a single one, that of independent
   paths. */
static void sampled_density(const samples *s, node_pair at, size_t a, size_t bins, const double *edge, double *mean,
                            double *se)
{
    for (size_t r = 0; r < s->replicas; r++) {
        memset(s->density, 0, sizeof *s->density * bins);
        for (size_t end = 0; end < 2; end++)
            if (at.weight[end] > 0)
                add_density(s->paths, values_of(s, r, at.node + end, a), at.weight[end], bins, edge, s->density);
        for (size_t b = 0; b < bins; b++) {
            double off = s->density[b] - mean[b];
            mean[b] += off / (double)(r + 1);
            se[b] += off * (s->density[b] - mean[b]);
        }
    }
    double n = (double)s->replicas;
    for (size_t b = 0; b < bins; b++)
        se[b] = n > 1 ? sqrt(se[b] / (n * (n - 1))) : binomial_error(mean[b], edge[b + 1] - edge[b], s->paths);
}

static void fill_from_samples(const samples *s, size_t k, solution_histograms *h)
{
    for (size_t a = 0; a < k; a++) {
        double low = HUGE_VAL, high = -HUGE_VAL, *edge = h->edges + a * (h->n_bins + 1);
        for (size_t i = 0; i < h->n_times; i++) {
            node_pair at = nodes_around(&s->x, h->t[i]);
            for (size_t end = 0; end < 2; end++)
                if (at.weight[end] > 0)
                    widen(s, at.node + end, a, &low, &high);
        }
        set_edges(low, high, h->n_bins, edge);
        for (size_t i = 0; i < h->n_times; i++) {
            size_t first = (i * k + a) * h->n_bins;
            sampled_density(s, nodes_around(&s->x, h->t[i]), a, h->n_bins, edge, h->density + first, h->se + first);
        }
    }
}

sgdmft_status histograms_from_snapshots(sgdmft_context *ctx, const histogram_plan *plan, size_t replicas,
                                        const coordinate_snapshots *const *snapshots, sgdmft_solution *solution)
{
    samples s = {
        .x = two_time_of(solution), .replicas = replicas, .paths = snapshots[0]->paths, .snapshots = snapshots};
    s.pooled = malloc(s.replicas * s.paths * sizeof *s.pooled);
    s.density = malloc(plan->n_bins * sizeof *s.density);
    sgdmft_status status = new_histograms(ctx, plan, 1, solution);
    if (!status && !(s.pooled && s.density))
        status = context_out_of_memory(ctx, "histograms", 8.0 * (double)(s.replicas * s.paths + plan->n_bins));
    if (status)
        solution_drop_histograms(solution);
    else
        fill_from_samples(&s, (size_t)solution->k, solution->histograms);
    free(s.pooled);
    free(s.density);
    return status;
}

/* Paths: the same, with snapshots of a process that is drawn anew. */

/* Draws all blocks of paths that are number `first` or come `every` ones after it. */
static sgdmft_status draw_blocks(const coordinate_process *process, uint64_t seed, size_t first, size_t every,
                                 coordinate_paths *paths, coordinate_snapshots *out)
{
    size_t k = (size_t)process->k;
    for (size_t block = first; block * SAMPLE_LANES < out->paths; block += every) {
        sgdmft_status status = coordinate_paths_draw(process, seed, block, paths);
        if (status)
            return status;
        size_t start = block * SAMPLE_LANES, left = out->paths - start,
               lanes = left < SAMPLE_LANES ? left : SAMPLE_LANES;
        for (size_t row = 0; row < out->kept * k; row++)
            memcpy(out->theta + row * out->paths + start, paths->theta + row * SAMPLE_LANES, sizeof(double) * lanes);
    }
    return SGDMFT_OK;
}

static sgdmft_status draw_snapshots(sgdmft_context *ctx, const coordinate_process *process, uint64_t seed,
                                    coordinate_snapshots *out)
{
    int threads = sgdmft_context_threads(ctx);
    coordinate_paths **paths = calloc((size_t)threads, sizeof *paths);
    sgdmft_status status = paths ? SGDMFT_OK : context_out_of_memory(ctx, "histograms", 8.0 * threads);
    for (int i = 0; i < threads && !status; i++)
        status = coordinate_paths_new(ctx, process, &paths[i]);
    sgdmft_status drawn = status;
    if (!status) {
#pragma omp parallel for schedule(static, 1) num_threads(threads)
        for (int i = 0; i < threads; i++) {
            sgdmft_status mine = draw_blocks(process, seed, (size_t)i, (size_t)threads, paths[i], out);
            if (mine) {
#pragma omp atomic write
                drawn = mine;
            }
        }
    }
    for (int i = 0; paths && i < threads; i++)
        coordinate_paths_free(paths[i]);
    free(paths);
    return status ? status : coordinate_paths_report(ctx, drawn);
}

sgdmft_status histograms_from_paths(sgdmft_context *ctx, const sgdmft_problem *problem, const histogram_plan *plan,
                                    sgdmft_solution *solution)
{
    two_time x = two_time_of(solution);
    coordinate_snapshots snapshots = {0};
    coordinate_process *process = NULL;
    char *wanted = calloc(x.n, 1);
    size_t *node = malloc(x.n * sizeof *node), n = 0;
    sgdmft_status status = wanted && node ? SGDMFT_OK : context_out_of_memory(ctx, "histograms", 9.0 * (double)x.n);
    if (!status) {
        histogram_plan_nodes(plan, x.n, x.t, wanted);
        for (size_t i = 0; i < x.n; i++)
            if (wanted[i])
                node[n++] = i;
        status = coordinate_process_new(ctx, problem, &x, n, node, &process);
    }
    if (!status)
        status = coordinate_snapshots_new(ctx, x.k, x.n, (size_t)problem->numerics.paths, wanted, &snapshots);
    if (!status)
        status = draw_snapshots(ctx, process, problem->numerics.seed, &snapshots);
    if (!status)
        status = histograms_from_snapshots(ctx, plan, 1, (const coordinate_snapshots *const[]){&snapshots}, solution);
    else
        solution_drop_histograms(solution);
    coordinate_process_free(process);
    coordinate_snapshots_clear(&snapshots);
    free(wanted);
    free(node);
    return status;
}
