#include "solvers/online/law.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "paths/lanes.h"

/* The points are summed in so many parts, always the same ones, and the parts are added in order: threads do not
   matter. */
enum { PARTS = 16 };

/* Fewer points than this are not worth another thread. */
enum { POINTS_PER_THREAD = 1 << 14 };

/* Room of one thread for the lanes of a block. */
typedef struct scratch {
    model_work *work;
    double *w, *g, *weighted, *G, *t, *seen;
    double *space;
} scratch;

struct online_law {
    const online_setting *s;
    gauss_points points; /* rows: w* (in place of z*), eps, z, weights */
    double **y;          /* [n_blocks] */
    int threads;
    scratch *scratch; /* [threads] */
    size_t sum_size;
    double *sums; /* [PARTS][sum_size] */
    double *seen; /* [1 + observables] */
};

static const double *row_of(const online_law *law, size_t b, int row)
{
    return law->points.block[b] + (size_t)row * law->points.lanes[b];
}

static const double *wstar_of(const online_law *law, size_t b)
{
    return row_of(law, b, 0);
}

static const double *eps_of(const online_law *law, size_t b)
{
    return row_of(law, b, law->s->shape.kstar);
}

static const double *z_of(const online_law *law, size_t b)
{
    return row_of(law, b, law->s->shape.kstar + law->s->shape.noises);
}

static const double *weight_of(const online_law *law, size_t b)
{
    return row_of(law, b, law->points.dims);
}

size_t online_law_points(const online_law *law)
{
    return law->points.n;
}

double online_law_bytes(model_shape shape, size_t points)
{
    return gauss_points_bytes(shape.k + shape.kstar + shape.noises, points) + 8.0 * shape.labels * (double)points;
}

static sgdmft_status scratch_init(sgdmft_context *ctx, const online_setting *s, scratch *sc)
{
    size_t k = (size_t)s->shape.k, ks = (size_t)s->shape.kstar, seen = (size_t)s->shape.observables + 1;
    size_t fields = k > ks ? k : ks, n = GAUSS_LANES, rows = fields + 2 * k + k * k + 1 + seen;
    sc->space = memory_doubles(rows * n);
    if (!sc->space)
        return context_out_of_memory(ctx, "Gaussian averages", 8.0 * (double)(rows * n));
    sc->w = sc->space;
    sc->g = sc->w + fields * n;
    sc->weighted = sc->g + k * n;
    sc->G = sc->weighted + k * n;
    sc->t = sc->G + k * k * n;
    sc->seen = sc->t + n;
    return model_work_new(ctx, s->m, n, &sc->work);
}

static sgdmft_status allocate(sgdmft_context *ctx, online_law *law)
{
    size_t moments = sizeof(online_moments) / sizeof(double), seen = 1 + (size_t)law->s->shape.observables;
    law->sum_size = moments > seen ? moments : seen;
    law->sums = memory_doubles(PARTS * law->sum_size);
    law->seen = memory_doubles(seen);
    law->y = memory_zeroed(law->points.n_blocks, sizeof *law->y);
    law->scratch = memory_zeroed((size_t)law->threads, sizeof *law->scratch);
    int failed = !law->sums || !law->seen || !law->y || !law->scratch;
    for (size_t b = 0; b < law->points.n_blocks && !failed; b++) {
        law->y[b] = memory_doubles((size_t)law->s->shape.labels * law->points.lanes[b]);
        failed = !law->y[b];
    }
    if (failed)
        return context_out_of_memory(ctx, "Gaussian averages", online_law_bytes(law->s->shape, law->points.n));
    sgdmft_status status = SGDMFT_OK;
    for (int i = 0; i < law->threads && !status; i++)
        status = scratch_init(ctx, law->s, &law->scratch[i]);
    return status;
}

/* Replaces z* by w* = L z* and makes the labels. */
static sgdmft_status make_labels(sgdmft_context *ctx, online_law *law)
{
    int ks = law->s->shape.kstar, failed = 0;
    scratch *sc = &law->scratch[0];
    for (size_t b = 0; b < law->points.n_blocks && !failed; b++) {
        size_t n = law->points.lanes[b], bytes = sizeof(double) * (size_t)ks * n;
        memset(sc->w, 0, bytes);
        lanes_combine(ks, ks, (size_t)ks, n, law->s->rho_root, law->points.block[b], sc->w);
        memcpy(law->points.block[b], sc->w, bytes);
        failed = model_label(law->s->m, sc->work, n, wstar_of(law, b), eps_of(law, b), law->y[b]);
    }
    return failed
               ? context_fail(ctx, SGDMFT_ERR_PLUGIN, "%s: model.plugin: the label call-back asked to stop (code %d)",
                              law->s->problem->source, failed)
               : SGDMFT_OK;
}

static int useful_threads(size_t points, int threads)
{
    size_t most = points / POINTS_PER_THREAD + 1;
    most = most < PARTS ? most : PARTS;
    return (size_t)threads < most ? threads : (int)most;
}

sgdmft_status online_law_new(sgdmft_context *ctx, const online_setting *s, gauss_points *points, int threads,
                             online_law **out)
{
    online_law *law = calloc(1, sizeof *law);
    if (!law) {
        gauss_points_clear(points);
        return context_out_of_memory(ctx, "Gaussian averages", sizeof *law);
    }
    law->s = s;
    law->points = *points;
    law->threads = useful_threads(points->n, threads);
    memset(points, 0, sizeof *points);
    sgdmft_status status = allocate(ctx, law);
    if (!status)
        status = make_labels(ctx, law);
    if (status)
        online_law_free(law);
    else
        *out = law;
    return status;
}

void online_law_free(online_law *law)
{
    if (!law)
        return;
    for (size_t b = 0; law->y && b < law->points.n_blocks; b++)
        free(law->y[b]);
    free(law->y);
    for (int i = 0; law->scratch && i < law->threads; i++) {
        model_work_free(law->scratch[i].work);
        free(law->scratch[i].space);
    }
    free(law->scratch);
    free(law->sums);
    free(law->seen);
    gauss_points_clear(&law->points);
    free(law);
}

int online_state_set(const online_setting *s, double t, const double *m, const double *q, online_state *out)
{
    int k = s->shape.k, ks = s->shape.kstar;
    memset(out, 0, sizeof *out);
    out->t = t;
    for (int a = 0; a < k; a++)
        for (int b = 0; b < ks; b++)
            for (int c = 0; c < ks; c++)
                out->A[a * ks + b] += m[a * ks + c] * s->rho_inverse[c * ks + b];
    for (int a = 0; a < k; a++)
        for (int b = 0; b <= a; b++) {
            double explained = 0;
            for (int c = 0; c < ks; c++)
                explained += 0.5 * (out->A[a * ks + c] * m[b * ks + c] + out->A[b * ks + c] * m[a * ks + c]);
            out->S[a * k + b] = out->S[b * k + a] = q[a * k + b] - explained;
        }
    for (int c = 0; c < k * ks; c++)
        if (!isfinite(m[c]))
            return -1;
    return online_root(k, out->S, 0, out->B, NULL, &out->lowest);
}

/* w at the lanes of a block. */
static void make_field(const online_law *law, size_t b, const online_state *at, scratch *sc)
{
    int k = law->s->shape.k, ks = law->s->shape.kstar;
    size_t n = law->points.lanes[b];
    memset(sc->w, 0, sizeof(double) * (size_t)k * n);
    lanes_combine(k, ks, (size_t)ks, n, at->A, wstar_of(law, b), sc->w);
    lanes_combine(k, k, (size_t)k, n, at->B, z_of(law, b), sc->w);
    for (size_t p = 0; p < n; p++)
        sc->t[p] = at->t;
}

static int add_moments(const online_law *law, size_t b, const online_state *at, int with_hessian, scratch *sc,
                       online_moments *sum)
{
    int k = law->s->shape.k, ks = law->s->shape.kstar;
    size_t n = law->points.lanes[b];
    const double *weight = weight_of(law, b);
    make_field(law, b, at, sc);
    int code = model_gradient(law->s->m, sc->work, n, sc->t, sc->w, law->y[b], sc->g, with_hessian ? sc->G : NULL);
    for (int a = 0; a < k; a++)
        for (size_t p = 0; p < n; p++)
            sc->weighted[(size_t)a * n + p] = weight[p] * sc->g[(size_t)a * n + p];
    lanes_outer(k, k, n, sc->weighted, z_of(law, b), sum->gz);
    lanes_outer(k, ks, n, sc->weighted, wstar_of(law, b), sum->gs);
    lanes_outer(k, k, n, sc->weighted, sc->g, sum->gg);
    if (with_hessian)
        lanes_outer(k * k, 1, n, sc->G, weight, sum->G);
    return code;
}

static void join_parts(const online_law *law, size_t count, double *out)
{
    memset(out, 0, sizeof(double) * count);
    for (size_t part = 0; part < PARTS; part++)
        for (size_t i = 0; i < count; i++)
            out[i] += law->sums[part * law->sum_size + i];
}

int online_law_moments(online_law *law, const online_state *at, int with_hessian, online_moments *out)
{
    size_t count = sizeof *out / sizeof(double);
    int code = 0;
#pragma omp parallel for schedule(static, 1) num_threads(law->threads) reduction(| : code) if (law->threads > 1)
    for (int part = 0; part < PARTS; part++) {
        online_moments *sum = (online_moments *)(law->sums + (size_t)part * law->sum_size);
        memset(sum, 0, sizeof *sum);
        for (size_t b = (size_t)part; b < law->points.n_blocks; b += PARTS)
            code |= add_moments(law, b, at, with_hessian, &law->scratch[omp_get_thread_num()], sum);
    }
    join_parts(law, count, (double *)out);
    return code;
}

static int add_observations(const online_law *law, size_t b, const online_state *at, scratch *sc, double *sum)
{
    size_t n = law->points.lanes[b], count = (size_t)law->s->shape.observables;
    make_field(law, b, at, sc);
    int code = model_loss(law->s->m, sc->work, n, sc->t, sc->w, law->y[b], sc->seen);
    code |= model_observables(law->s->m, sc->work, n, sc->t, sc->w, wstar_of(law, b), eps_of(law, b), law->y[b],
                              sc->seen + n);
    lanes_outer((int)count + 1, 1, n, sc->seen, weight_of(law, b), sum);
    return code;
}

int online_law_observe(online_law *law, const online_state *at, const double **out)
{
    size_t count = 1 + (size_t)law->s->shape.observables;
    int code = 0;
#pragma omp parallel for schedule(static, 1) num_threads(law->threads) reduction(| : code) if (law->threads > 1)
    for (int part = 0; part < PARTS; part++) {
        double *sum = law->sums + (size_t)part * law->sum_size;
        memset(sum, 0, sizeof(double) * count);
        for (size_t b = (size_t)part; b < law->points.n_blocks; b += PARTS)
            code |= add_observations(law, b, at, &law->scratch[omp_get_thread_num()], sum);
    }
    join_parts(law, count, law->seen);
    *out = law->seen;
    return code;
}
