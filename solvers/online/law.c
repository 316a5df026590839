#include "solvers/online/law.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "paths/lanes.h"
#include "paths/purposes.h"
#include "solvers/online/factor_rule.h"

/* Blocks of points are summed in this many parts, and the parts are added in order, so that results do not depend on
   the number of threads. */
enum { PARTS = 16 };

/* A further thread pays from this many points on. */
enum { POINTS_PER_THREAD = 1 << 14 };

/* Where w is (nearly) a function of w* in some direction, B has no inverse there. The variance of z in that direction
   is then raised to this part of the mean squares of student and teacher: large enough for E[g z^T] to stand out from
   sampling noise; the bias of Gamma is of this order. */
static const double LEAST_VARIANCE = 1e-3;

/* Work space of one thread for the lanes of a block. */
typedef struct law_workspace {
    model_work *work;
    double *w, *g, *weighted, *G, *t, *seen;
    double *space;
} law_workspace;

struct online_law {
    const online_plan *plan;
    online_points points; /* rows w* (in place of z*), eps, z, weights */
    double **y;           /* [n_blocks] */
    int threads;
    law_workspace *workspace; /* [threads] */
    size_t sum_size;
    double *sums;      /* [PARTS][sum_size] */
    double *seen;      /* [1 + observables] */
    factor_rule *rule; /* or NULL, and then everything above is in use */
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
    return row_of(law, b, law->plan->shape.kstar);
}

static const double *z_of(const online_law *law, size_t b)
{
    return row_of(law, b, law->plan->shape.kstar + law->plan->shape.noises);
}

static const double *weight_of(const online_law *law, size_t b)
{
    return row_of(law, b, law->points.dims);
}

size_t online_law_points(const online_law *law)
{
    return law->rule ? factor_rule_points(law->rule) : law->points.n;
}

double online_law_bytes(model_shape shape, size_t points)
{
    return online_points_bytes(shape.k + shape.kstar + shape.noises, points) + 8.0 * shape.labels * (double)points;
}

static sgdmft_status workspace_init(sgdmft_context *ctx, const online_plan *plan, law_workspace *ws)
{
    size_t k = (size_t)plan->shape.k, ks = (size_t)plan->shape.kstar, seen = (size_t)plan->shape.observables + 1;
    size_t fields = k > ks ? k : ks, n = ONLINE_LANES, rows = fields + 2 * k + k * k + 1 + seen;
    ws->space = memory_doubles(rows * n);
    if (!ws->space)
        return context_out_of_memory(ctx, "Gaussian averages", 8.0 * (double)(rows * n));
    ws->w = ws->space;
    ws->g = ws->w + fields * n;
    ws->weighted = ws->g + k * n;
    ws->G = ws->weighted + k * n;
    ws->t = ws->G + k * k * n;
    ws->seen = ws->t + n;
    return model_work_new(ctx, plan->model, n, &ws->work);
}

static sgdmft_status allocate(sgdmft_context *ctx, online_law *law)
{
    size_t moments = sizeof(online_averages) / sizeof(double), seen = 1 + (size_t)law->plan->shape.observables;
    law->sum_size = moments > seen ? moments : seen;
    law->sums = memory_doubles(PARTS * law->sum_size);
    law->seen = memory_doubles(seen);
    law->y = memory_zeroed(law->points.n_blocks, sizeof *law->y);
    law->workspace = memory_zeroed((size_t)law->threads, sizeof *law->workspace);
    int failed = !law->sums || !law->seen || !law->y || !law->workspace;
    for (size_t b = 0; b < law->points.n_blocks && !failed; b++) {
        law->y[b] = memory_doubles((size_t)law->plan->shape.labels * law->points.lanes[b]);
        failed = !law->y[b];
    }
    if (failed)
        return context_out_of_memory(ctx, "Gaussian averages", online_law_bytes(law->plan->shape, law->points.n));
    sgdmft_status status = SGDMFT_OK;
    for (int i = 0; i < law->threads && !status; i++)
        status = workspace_init(ctx, law->plan, &law->workspace[i]);
    return status;
}

/* Replaces z* by w* = L z* and makes the labels. */
static sgdmft_status make_labels(sgdmft_context *ctx, online_law *law)
{
    int ks = law->plan->shape.kstar, failed = 0;
    law_workspace *ws = &law->workspace[0];
    for (size_t b = 0; b < law->points.n_blocks && !failed; b++) {
        size_t n = law->points.lanes[b], bytes = sizeof(double) * (size_t)ks * n;
        memset(ws->w, 0, bytes);
        lanes_combine(ks, ks, (size_t)ks, n, law->plan->signal_root, law->points.block[b], ws->w);
        memcpy(law->points.block[b], ws->w, bytes);
        failed = model_label(law->plan->model, ws->work, n, wstar_of(law, b), eps_of(law, b), law->y[b]);
    }
    return failed ? context_fail(ctx, SGDMFT_ERR_PLUGIN, "%s: model: the label call-back asked to stop (code %d)",
                                 law->plan->problem->source, failed)
                  : SGDMFT_OK;
}

static int useful_threads(size_t points, int threads)
{
    size_t most = points / POINTS_PER_THREAD + 1;
    most = most < PARTS ? most : PARTS;
    return (size_t)threads < most ? threads : (int)most;
}

sgdmft_status online_law_new(sgdmft_context *ctx, const online_plan *plan, online_points *points, int threads,
                             online_law **out)
{
    online_law *law = calloc(1, sizeof *law);
    if (!law) {
        online_points_clear(points);
        return context_out_of_memory(ctx, "Gaussian averages", sizeof *law);
    }
    law->plan = plan;
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

sgdmft_status online_law_of_replica(sgdmft_context *ctx, const online_plan *plan, int replica, size_t n, int threads,
                                    online_law **out)
{
    model_shape shape = plan->shape;
    random_key key = {.seed = plan->problem->numerics.seed, .replica = (uint32_t)replica, .purpose = PURPOSE_SOBOL};
    online_points points;
    sgdmft_status status = online_points_sobol(ctx, key, shape.kstar + shape.noises + shape.k, n, &points);
    return status ? status : online_law_new(ctx, plan, &points, threads, out);
}

sgdmft_status online_law_of_factors(sgdmft_context *ctx, const online_plan *plan, int order, int threads,
                                    online_law **out)
{
    online_law *law = calloc(1, sizeof *law);
    if (!law)
        return context_out_of_memory(ctx, "Gaussian averages", sizeof *law);
    law->plan = plan;
    law->threads = threads;
    law->sum_size = (size_t)plan->factors->at.count;
    law->sums = memory_doubles(law->sum_size);
    law->seen = memory_doubles((size_t)plan->shape.observables + 1);
    sgdmft_status status = law->sums && law->seen
                               ? factor_rule_new(ctx, plan->factors, order, threads, &law->rule)
                               : context_out_of_memory(ctx, "Gaussian averages", 8.0 * (double)law->sum_size);
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
    factor_rule_free(law->rule);
    for (size_t b = 0; law->y && b < law->points.n_blocks; b++)
        free(law->y[b]);
    free(law->y);
    for (int i = 0; law->workspace && i < law->threads; i++) {
        model_work_free(law->workspace[i].work);
        free(law->workspace[i].space);
    }
    free(law->workspace);
    free(law->sums);
    free(law->seen);
    online_points_clear(&law->points);
    free(law);
}

int online_state_set(const online_plan *plan, double t, const double *m, const double *q, online_state *out)
{
    int k = plan->shape.k;
    double smallest;
    theta_moments theta = {.C = q, .m = m, .rho = plan->problem->initial.rho};
    memset(out, 0, sizeof *out);
    out->t = t;
    data_law_field(&plan->law, &theta, &out->moments);
    if (data_law_regress(&plan->law, &out->moments, &out->field))
        return -1;
    return matrix_raised_root(k, out->field.rest, 0, out->field.root, NULL, &smallest);
}

/* Computes w at the lanes of a block. */
static void make_field(const online_law *law, size_t b, const online_state *at, law_workspace *ws)
{
    int k = law->plan->shape.k, ks = law->plan->shape.kstar;
    size_t n = law->points.lanes[b];
    memset(ws->w, 0, sizeof(double) * (size_t)k * n);
    lanes_combine(k, ks, (size_t)ks, n, at->field.onto_signal, wstar_of(law, b), ws->w);
    lanes_combine(k, k, (size_t)k, n, at->field.root, z_of(law, b), ws->w);
    for (size_t p = 0; p < n; p++)
        ws->t[p] = at->t;
}

static int add_averages(const online_law *law, size_t b, const online_state *at, int with_hessian, law_workspace *ws,
                        online_averages *sum)
{
    int k = law->plan->shape.k, ks = law->plan->shape.kstar;
    size_t n = law->points.lanes[b];
    const double *weight = weight_of(law, b);
    make_field(law, b, at, ws);
    int code =
        model_gradient(law->plan->model, ws->work, n, ws->t, ws->w, law->y[b], ws->g, with_hessian ? ws->G : NULL);
    for (int a = 0; a < k; a++)
        for (size_t p = 0; p < n; p++)
            ws->weighted[(size_t)a * n + p] = weight[p] * ws->g[(size_t)a * n + p];
    lanes_outer(k, k, n, ws->weighted, z_of(law, b), sum->gz);
    lanes_outer(k, ks, n, ws->weighted, wstar_of(law, b), sum->gs);
    lanes_outer(k, k, n, ws->weighted, ws->g, sum->gg);
    if (with_hessian)
        lanes_outer(k * k, 1, n, ws->G, weight, sum->G);
    return code;
}

static void join_parts(const online_law *law, size_t count, double *out)
{
    memset(out, 0, sizeof(double) * count);
    for (size_t part = 0; part < PARTS; part++)
        for (size_t i = 0; i < count; i++)
            out[i] += law->sums[part * law->sum_size + i];
}

int online_law_averages(online_law *law, const online_state *at, int with_hessian, online_averages *out)
{
    size_t count = sizeof *out / sizeof(double);
    int code = 0;
#pragma omp parallel for schedule(static, 1) num_threads(law->threads) reduction(| : code) if (law->threads > 1)
    for (int part = 0; part < PARTS; part++) {
        online_averages *sum = (online_averages *)(law->sums + (size_t)part * law->sum_size);
        memset(sum, 0, sizeof *sum);
        for (size_t b = (size_t)part; b < law->points.n_blocks; b += PARTS)
            code |= add_averages(law, b, at, with_hessian, &law->workspace[omp_get_thread_num()], sum);
    }
    join_parts(law, count, (double *)out);
    return code;
}

static int add_observations(const online_law *law, size_t b, const online_state *at, law_workspace *ws, double *sum)
{
    size_t n = law->points.lanes[b], count = (size_t)law->plan->shape.observables;
    make_field(law, b, at, ws);
    int code = model_loss(law->plan->model, ws->work, n, ws->t, ws->w, law->y[b], ws->seen);
    code |= model_observables(law->plan->model, ws->work, n, ws->t, ws->w, wstar_of(law, b), eps_of(law, b), law->y[b],
                              ws->seen + n);
    lanes_outer((int)count + 1, 1, n, ws->seen, weight_of(law, b), sum);
    return code;
}

/* cov[n][n] of the variables (w, w*, eps). */
static void set_covariance(model_shape shape, const field_moments *x, double *cov)
{
    int k = shape.k, ks = shape.kstar, n = k + ks + shape.noises;
    memset(cov, 0, sizeof *cov * (size_t)(n * n));
    for (int a = 0; a < n; a++)
        cov[a * n + a] = 1;
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++)
            cov[a * n + b] = x->C[a * k + b];
    for (int a = 0; a < k; a++)
        for (int b = 0; b < ks; b++)
            cov[a * n + k + b] = cov[(k + b) * n + a] = x->m[a * ks + b];
    for (int a = 0; a < ks; a++)
        for (int b = 0; b < ks; b++)
            cov[(k + a) * n + k + b] = x->rho[a * ks + b];
}

/* Sums of products: losses and observables to law->seen. */
static void observe_factors(online_law *law, const online_state *at)
{
    const online_factors *factors = law->plan->factors;
    double cov[FACTOR_VARIABLES * FACTOR_VARIABLES];
    set_covariance(law->plan->shape, &at->moments, cov);
    factor_rule_average(law->rule, &factors->seen, cov, law->seen);
    for (int i = 0; i <= law->plan->shape.observables; i++)
        if (!factors->seen_fits[i])
            law->seen[i] = NAN;
}

int online_law_observe(online_law *law, const online_state *at, const double **out)
{
    *out = law->seen;
    if (law->rule) {
        observe_factors(law, at);
        return 0;
    }
    size_t count = 1 + (size_t)law->plan->shape.observables;
    int code = 0;
#pragma omp parallel for schedule(static, 1) num_threads(law->threads) reduction(| : code) if (law->threads > 1)
    for (int part = 0; part < PARTS; part++) {
        double *sum = law->sums + (size_t)part * law->sum_size;
        memset(sum, 0, sizeof(double) * count);
        for (size_t b = (size_t)part; b < law->points.n_blocks; b += PARTS)
            code |= add_observations(law, b, at, &law->workspace[omp_get_thread_num()], sum);
    }
    join_parts(law, count, law->seen);
    return code;
}

int online_law_fill_row(online_law *law, double t, const double *m, const double *q, const char *some, double *row)
{
    const solution_columns *columns = &law->plan->columns;
    size_t train = columns->train_loss, test = columns->test_loss;
    online_state at;
    const double *mean;
    if (online_state_set(law->plan, t, m, q, &at))
        return 0;
    int code = online_law_observe(law, &at, &mean);
    for (size_t i = 0; i <= (size_t)law->plan->shape.observables; i++) {
        if (!some || some[train])
            row[train] = mean[i];
        if (!some || some[test])
            row[test] = mean[i];
        train = columns->observables + 2 * i;
        test = train + 1;
    }
    return code;
}

static double trace(int k, const double *a)
{
    double sum = 0;
    for (int i = 0; i < k; i++)
        sum += a[i * k + i];
    return sum;
}

/* Gamma from E[g z^T], for g with jumps. Returns 0, or -1 if S is not finite. */
static int response_by_stein(online_law *law, const online_state *at, const online_averages *mean, double *gamma,
                             int *plugin)
{
    int k = law->plan->shape.k, ks = law->plan->shape.kstar;
    double scale = trace(k, at->field.rest) / k + trace(ks, law->plan->problem->initial.rho) / ks;
    double least = LEAST_VARIANCE * scale, inverse[MATRIX_MAX * MATRIX_MAX], smallest;
    online_state wide = *at;
    online_averages of_wide;
    if (matrix_raised_root(k, at->field.rest, least, wide.field.root, inverse, &smallest))
        return -1;
    if (smallest < least) {
        *plugin = online_law_averages(law, &wide, 0, &of_wide);
        mean = &of_wide;
    }
    memset(gamma, 0, sizeof(double) * (size_t)(k * k));
    matrix_add_product(k, 1, mean->gz, inverse, gamma);
    return 0;
}

/* Sums of products: all but gamma_star. */
static void rates_of_factors(online_law *law, const online_state *at, online_rates *out)
{
    const online_factors *factors = law->plan->factors;
    int k = law->plan->shape.k, ks = law->plan->shape.kstar;
    double cov[FACTOR_VARIABLES * FACTOR_VARIABLES], *mean = law->sums;
    set_covariance(law->plan->shape, &at->moments, cov);
    factor_rule_average(law->rule, &factors->motion, cov, mean);
    memcpy(out->gs, mean + factors->at.gs, sizeof(double) * (size_t)(k * ks));
    memcpy(out->gw, mean + factors->at.gw, sizeof(double) * (size_t)(k * k));
    for (int c = 0; c < k * k; c++) {
        int a = c / k, b = c % k, lower = a > b ? a * k + b : b * k + a;
        out->gg[c] = mean[factors->at.gg + lower];
        out->gamma[c] = mean[factors->at.G + lower];
    }
}

/* The same by points. Returns 0, or 1 if S is not finite. */
static int rates_of_points(online_law *law, const online_state *at, online_rates *out, int *plugin)
{
    int k = law->plan->shape.k, ks = law->plan->shape.kstar, jumps = law->plan->shape.jumps;
    online_averages mean;
    *plugin = online_law_averages(law, at, !jumps, &mean);
    if (jumps && !*plugin && response_by_stein(law, at, &mean, out->gamma, plugin))
        return 1;
    if (!jumps)
        memcpy(out->gamma, mean.G, sizeof out->gamma);
    memcpy(out->gs, mean.gs, sizeof out->gs);
    memcpy(out->gg, mean.gg, sizeof out->gg);
    matrix_add_product(k, 1, mean.gz, at->field.root, out->gw);
    matrix_accumulate_t(k, ks, k, 1, mean.gs, at->field.onto_signal, out->gw);
    return 0;
}

int online_law_rates(online_law *law, double t, const double *m, const double *q, online_rates *out, int *plugin)
{
    const online_plan *plan = law->plan;
    int k = plan->shape.k, ks = plan->shape.kstar;
    double rest[MATRIX_MAX * MATRIX_MAX];
    online_state at;
    memset(out, 0, sizeof *out);
    *plugin = 0;
    if (online_state_set(plan, t, m, q, &at))
        return 1;
    if (law->rule)
        rates_of_factors(law, &at, out);
    else if (rates_of_points(law, &at, out, plugin))
        return 1;
    if (*plugin)
        return -1;
    memcpy(rest, out->gs, sizeof rest);
    matrix_accumulate(k, k, ks, -1, out->gamma, m, rest);
    data_law_onto_signal(&plan->law, rest, out->gamma_star);
    return 0;
}

int online_law_stein_defect(online_law *law, double t, const double *m, const double *q, double *defect, double *scale)
{
    const online_plan *plan = law->plan;
    int k = plan->shape.k, ks = plan->shape.kstar;
    online_state at;
    online_rates mean = {.gs = {0}};
    int code = 0;
    memset(defect, 0, sizeof(double) * (size_t)(k * k));
    memset(scale, 0, sizeof(double) * (size_t)(k * k));
    if (plan->shape.jumps || online_state_set(plan, t, m, q, &at))
        return 0;
    double right[MATRIX_MAX * MATRIX_MAX] = {0};
    if (law->rule) {
        rates_of_factors(law, &at, &mean);
        memcpy(defect, mean.gw, sizeof(double) * (size_t)(k * k));
        matrix_accumulate_t(k, ks, k, -1, mean.gs, at.field.onto_signal, defect);
        matrix_add_product(k, 1, mean.gamma, at.field.rest, right);
    } else {
        online_averages by_points;
        code = online_law_averages(law, &at, 1, &by_points);
        matrix_add_product(k, 1, by_points.gz, at.field.root, defect);
        matrix_add_product(k, 1, by_points.G, at.field.rest, right);
    }
    for (int c = 0; c < k * k; c++) {
        scale[c] = fabs(defect[c]) + fabs(right[c]);
        defect[c] -= right[c];
    }
    return code;
}

sgdmft_status online_plugin_status(sgdmft_context *ctx, const online_plan *plan, int code)
{
    return code ? context_fail(ctx, SGDMFT_ERR_PLUGIN, "%s: model: the loss call-back asked to stop (code %d)",
                               plan->problem->source, code)
                : SGDMFT_OK;
}
