/* If (theta(0), theta*) is Gaussian, it is made of the normals that path_ensemble has matched to each other, whose
   second moments are exact. For any other law it comes from Sobol' points of its own; linear maps near the identity
   then make the second moments exact. */
#include "coordinates/draw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/matrix.h"
#include "core/memory.h"
#include "core/sobol.h"
#include "model/coordinates_law.h"
#include "paths/gaussians.h"
#include "paths/lanes.h"
#include "paths/purposes.h"
#include "problem/problem.h"

/* Coordinates have no events of their own: they are drawn as normals alone. */
static const sample_process no_events = {.events = EVENTS_STEPS};

path_source coordinate_source(const path_source *samples)
{
    path_source source = *samples;
    source.process = &no_events;
    source.label = NULL;
    source.field = NULL;
    source.shape = (model_shape){.k = samples->shape.k, .kstar = samples->shape.kstar};
    return source;
}

/* x = matrix x for the `rows` rows of one block; `work` has rows n doubles. */
static void transform(int rows, size_t n, const double *matrix, double *work, double *x)
{
    memset(work, 0, sizeof(double) * (size_t)rows * n);
    lanes_combine(rows, rows, (size_t)rows, n, matrix, x, work);
    memcpy(x, work, sizeof(double) * (size_t)rows * n);
}

static void transform_gaussian(const path_source *source, path_ensemble *e, double *work)
{
    for (size_t b = 0; b < e->n_blocks; b++) {
        path_inputs *in = &e->block[b];
        transform(source->shape.kstar, in->n, source->start->chol_rho, work, in->wstar);
        transform(source->shape.k, in->n, source->start->b, work, in->z0);
    }
}

/* The Sobol' dimension of variable j of the law. Two scrambles of the same dimension are not independent, so those of
   the modes of the innovations are left out. The first dimensions are free, since theta* and u do not come from normals
   here. */
static unsigned dimension_of(const path_source *source, unsigned j)
{
    unsigned k = (unsigned)source->shape.k, fields = (unsigned)source->shape.kstar + k;
    return j < fields ? j : j + quasi_modes(k) * k;
}

/* (theta(0), theta*) of every coordinate into (z0, wstar). */
static sgdmft_status map_law(sgdmft_context *ctx, const path_source *source, uint32_t replica, path_ensemble *e)
{
    coordinates_law *law = NULL;
    sgdmft_status status = coordinates_law_new(ctx, source->problem, &law);
    if (status)
        return status;
    unsigned dims = (unsigned)coordinates_law_dims(law);
    size_t lanes = e->block[0].n;
    random_key key = {source->problem->numerics.seed, replica, PURPOSE_COORDINATES};
    double *u = memory_doubles((dims ? dims : 1) * lanes), *work = memory_doubles(coordinates_law_work(law));
    if (!u || !work)
        status = context_out_of_memory(ctx, "the law of the coordinates", 8.0 * dims * (double)lanes);
    for (size_t b = 0, start = 0; b < e->n_blocks && !status; start += e->block[b].n, b++) {
        path_inputs *in = &e->block[b];
        if (context_stop_now(ctx))
            status = context_interrupted(ctx, "coordinates were drawn");
        for (unsigned j = 0; j < dims && !status; j++)
            sobol_points(key, dimension_of(source, j), start, in->n, u + j * in->n);
        if (!status)
            coordinates_law_map(law, work, in->n, u, in->z0, in->wstar);
    }
    free(u);
    free(work);
    coordinates_law_free(law);
    return status;
}

/* out[rows][columns]: the mean of x y^T over all coordinates. x and y are rows of the array that begins with wstar,
   from first_x and first_y on. */
static void moments(const path_ensemble *e, size_t first_x, int rows, size_t first_y, int columns, double *out)
{
    memset(out, 0, sizeof(double) * (size_t)(rows * columns));
    for (size_t b = 0; b < e->n_blocks; b++) {
        const path_inputs *in = &e->block[b];
        lanes_outer(rows, columns, in->n, in->wstar + first_x * in->n, in->wstar + first_y * in->n, out);
    }
    for (int c = 0; c < rows * columns; c++)
        out[c] /= (double)e->paths;
}

/* The matrix that turns second moments `have` into `want`. -1 if there is none, because `have` lacks a direction. */
static int transport(int k, const double *have, const double *want, double *out)
{
    double root[MATRIX_MAX * MATRIX_MAX], inverse[MATRIX_MAX * MATRIX_MAX], target[MATRIX_MAX * MATRIX_MAX];
    double reached[MATRIX_MAX * MATRIX_MAX] = {0}, scale = 0;
    if (matrix_psd_root(k, have, root, inverse) || matrix_psd_root(k, want, target, reached))
        return -1;
    memset(out, 0, sizeof(double) * (size_t)(k * k));
    memset(reached, 0, sizeof reached);
    matrix_add_product(k, 1, target, inverse, out);
    matrix_add_product(k, 1, out, root, reached);
    for (int a = 0; a < k; a++)
        scale = fmax(scale, want[a * k + a]);
    for (int c = 0; c < k * k; c++)
        if (!(fabs(reached[c] - target[c]) <= 1e-3 * sqrt(scale)))
            return -1;
    return 0;
}

/* Gives theta* the moments rho. Then theta(0) minus its regression on theta* becomes u, with moments B B^T. */
static int set_moments(const path_source *source, path_ensemble *e, double *work)
{
    int k = source->shape.k, kstar = source->shape.kstar;
    double have[MATRIX_MAX * MATRIX_MAX], want[MATRIX_MAX * MATRIX_MAX] = {0}, map[MATRIX_MAX * MATRIX_MAX];
    double slope[MATRIX_MAX * MATRIX_MAX], rho[MATRIX_MAX * MATRIX_MAX];
    moments(e, 0, kstar, 0, kstar, have);
    if (transport(kstar, have, source->problem->initial.rho, map))
        return -1;
    for (size_t b = 0; b < e->n_blocks; b++)
        transform(kstar, e->block[b].n, map, work, e->block[b].wstar);
    /* slope^T = rho^{-1} E[theta* theta0^T] */
    moments(e, 0, kstar, (size_t)kstar, k, slope);
    memcpy(rho, source->problem->initial.rho, sizeof(double) * (size_t)(kstar * kstar));
    if (matrix_solve(kstar, rho, (size_t)k, slope))
        return -1;
    for (int a = 0; a < k; a++)
        for (int b = 0; b < kstar; b++)
            map[a * kstar + b] = -slope[b * k + a];
    for (size_t b = 0; b < e->n_blocks; b++)
        lanes_combine(k, kstar, (size_t)kstar, e->block[b].n, map, e->block[b].wstar, e->block[b].z0);
    moments(e, (size_t)kstar, k, (size_t)kstar, k, have);
    matrix_add_product_t(k, 1, source->start->b, source->start->b, want);
    if (transport(k, have, want, map))
        return -1;
    for (size_t b = 0; b < e->n_blocks; b++)
        transform(k, e->block[b].n, map, work, e->block[b].z0);
    return 0;
}

sgdmft_status coordinates_draw(sgdmft_context *ctx, const path_source *source, const time_grid *grid, uint32_t replica,
                               path_ensemble **out)
{
    path_ensemble *e = NULL;
    sgdmft_status status = path_ensemble_normals(ctx, source, grid, replica | PURPOSE_COORDINATES_REPLICA, &e);
    if (status)
        return status;
    double *work = memory_doubles(MATRIX_MAX * e->block[0].n);
    if (!work) {
        status = context_out_of_memory(ctx, "the coordinates", 8.0 * MATRIX_MAX * (double)e->block[0].n);
    } else if (!coordinates_law_is_given(source->problem)) {
        transform_gaussian(source, e, work);
    } else {
        status = map_law(ctx, source, replica, e);
        if (!status && set_moments(source, e, work))
            status = context_fail(ctx, SGDMFT_ERR_RANGE,
                                  "initial: the second moments of %zu sampled coordinates are singular; hint: raise "
                                  "numerics.paths",
                                  e->paths);
    }
    free(work);
    if (status)
        path_ensemble_free(e);
    else
        *out = e;
    return status;
}
