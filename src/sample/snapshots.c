#include "sample/snapshots.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "problem/problem.h"
#include "sample/histograms.h"

/* A time this close to a node, in cells, is the node. */
static const double AT_NODE = 1e-9;

/* A time between nodes: those with a weight above 0 are needed. */
typedef struct place {
    int node;
    double weight[2]; /* of `node` and the one after it */
} place;

static place place_of(const time_grid *grid, double t)
{
    place at = {.node = time_grid_cell(grid, t)};
    double after = (t - grid->t[at.node]) / grid->h[at.node];
    after = after < AT_NODE ? 0 : after > 1 - AT_NODE ? 1 : after;
    at.weight[0] = 1 - after;
    at.weight[1] = after;
    return at;
}

void snapshots_want(const sgdmft_problem *problem, const time_grid *grid, char *wanted)
{
    for (size_t i = 0; i < problem->output.histograms.n; i++) {
        place at = place_of(grid, problem->output.histograms.value[i]);
        for (int end = 0; end < 2; end++)
            if (at.weight[end] > 0)
                wanted[at.node + end] = 1;
    }
}

/* What is binned. */
typedef struct source {
    const time_grid *grid;
    size_t replicas, paths; /* paths of each */
    const coordinate_record *const *record;
    double *pooled;  /* [replicas * paths] */
    double *density; /* [n_bins] of one replica */
} source;

static const double *theta_of(const source *s, size_t replica, int node, size_t a)
{
    return s->record[replica]->theta[node] + a * s->paths;
}

static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

/* Widens [low, high] to what the bins are to cover of coordinate `a` at a node. */
static void widen(const source *s, int node, size_t a, double *low, double *high)
{
    size_t n = s->replicas * s->paths, out = (size_t)(HISTOGRAMS_TAIL * (double)n);
    for (size_t r = 0; r < s->replicas; r++)
        memcpy(s->pooled + r * s->paths, theta_of(s, r, node, a), sizeof(double) * s->paths);
    qsort(s->pooled, n, sizeof *s->pooled, ascending);
    *low = fmin(*low, s->pooled[out]);
    *high = fmax(*high, s->pooled[n - 1 - out]);
}

/* Adds `weight` times the density of a sample. */
static void add_density(size_t n, const double *sample, double weight, size_t bins, const double *edge, double *density)
{
    double width = (edge[bins] - edge[0]) / (double)bins;
    for (size_t p = 0; p < n; p++) {
        if (!(sample[p] >= edge[0] && sample[p] < edge[bins]))
            continue;
        size_t b = (size_t)((sample[p] - edge[0]) / width);
        b = b < bins ? b : bins - 1;
        while (sample[p] < edge[b])
            b--;
        while (sample[p] >= edge[b + 1])
            b++;
        density[b] += weight / ((double)n * (edge[b + 1] - edge[b]));
    }
}

/* Mean and standard error over replicas of the density of coordinate `a`. */
static void set_density(const source *s, place at, size_t a, size_t bins, const double *edge, double *mean, double *se)
{
    for (size_t r = 0; r < s->replicas; r++) {
        memset(s->density, 0, sizeof *s->density * bins);
        for (int end = 0; end < 2; end++)
            if (at.weight[end] > 0)
                add_density(s->paths, theta_of(s, r, at.node + end, a), at.weight[end], bins, edge, s->density);
        for (size_t b = 0; b < bins; b++) {
            double off = s->density[b] - mean[b];
            mean[b] += off / (double)(r + 1);
            se[b] += off * (s->density[b] - mean[b]);
        }
    }
    double n = (double)s->replicas;
    for (size_t b = 0; b < bins; b++)
        se[b] = n > 1 ? sqrt(se[b] / (n * (n - 1))) : 0;
}

static void fill(const source *s, size_t k, solution_histograms *h)
{
    for (size_t a = 0; a < k; a++) {
        double low = HUGE_VAL, high = -HUGE_VAL, *edge = h->edges + a * (h->n_bins + 1);
        for (size_t i = 0; i < h->n_times; i++) {
            place at = place_of(s->grid, h->t[i]);
            for (int end = 0; end < 2; end++)
                if (at.weight[end] > 0)
                    widen(s, at.node + end, a, &low, &high);
        }
        histograms_edges(low, high, h->n_bins, edge);
        for (size_t i = 0; i < h->n_times; i++) {
            size_t first = (i * k + a) * h->n_bins;
            set_density(s, place_of(s->grid, h->t[i]), a, h->n_bins, edge, h->density + first, h->se + first);
        }
    }
}

sgdmft_status snapshots_fill(sgdmft_context *ctx, const sgdmft_problem *problem, const time_grid *grid, size_t replicas,
                             const coordinate_record *const *record, sgdmft_solution *solution)
{
    const problem_reals *asked = &problem->output.histograms;
    size_t n = 0, nodes = solution->n_grid, bins = (size_t)problem->output.bins;
    while (nodes >= 2 && n < asked->n && asked->value[n] <= grid->t[nodes - 1] * (1 + 1e-12))
        n++;
    if (n == 0)
        return SGDMFT_OK;
    source s = {.grid = grid, .replicas = replicas, .paths = record[0]->paths, .record = record};
    s.pooled = malloc(s.replicas * s.paths * sizeof *s.pooled);
    s.density = malloc(bins * sizeof *s.density);
    sgdmft_status status = solution_add_histograms(ctx, solution, n, bins);
    if (!status)
        status = solution_add_histogram_errors(ctx, solution);
    if (!status && !(s.pooled && s.density))
        status = context_out_of_memory(ctx, "histograms", 8.0 * (double)(s.replicas * s.paths + bins));
    if (!status) {
        memcpy(solution->histograms->t, asked->value, n * sizeof(double));
        fill(&s, (size_t)solution->k, solution->histograms);
    }
    free(s.pooled);
    free(s.density);
    return status;
}
