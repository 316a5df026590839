#include "solvers/dmft/noise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/matrix.h"
#include "core/memory.h"
#include "core/random.h"
#include "paths/lanes.h"
#include "paths/purposes.h"

/* Enough points to tell a singular matrix from others: only its order of magnitude counts. */
enum { POINTS = 4096 };

/* A direction in which the mean square of G is a smaller part of the mean one counts as flat. */
static const double FLAT = 1e-8;

/* The arrays of one draw of all points. */
typedef struct start_points {
    double *space, *wstar, *eps, *z0, *w, *y, *t, *g, *G;
    model_work *work;
} start_points;

static void start_points_clear(start_points *x)
{
    free(x->space);
    model_work_free(x->work);
}

static sgdmft_status start_points_new(sgdmft_context *ctx, const dmft_plan *plan, model_shape shape, start_points *x)
{
    size_t k = (size_t)shape.k, kstar = (size_t)shape.kstar;
    size_t rows = kstar + (size_t)shape.noises + 3 * k + k * k + (size_t)shape.labels + 1;
    *x = (start_points){.space = memory_doubles(rows * POINTS)};
    if (!x->space)
        return context_out_of_memory(ctx, "points of the start", 8.0 * (double)rows * POINTS);
    x->wstar = x->space;
    x->eps = x->wstar + kstar * POINTS;
    x->z0 = x->eps + (size_t)shape.noises * POINTS;
    x->w = x->z0 + k * POINTS;
    x->g = x->w + k * POINTS;
    x->G = x->g + k * POINTS;
    x->y = x->G + k * k * POINTS;
    x->t = x->y + (size_t)shape.labels * POINTS; /* zeros */
    return model_work_new(ctx, plan->m, POINTS, &x->work);
}

/* Draws the points; then g and G are those at w(0). Non-zero if a call-back asked to stop. */
static int draw(const dmft_plan *plan, model_shape shape, start_points *x)
{
    int k = shape.k, kstar = shape.kstar;
    random_key key = {0, 0, PURPOSE_NOISE};
    random_normals(key, 0, 0, (size_t)(kstar + shape.noises + k) * POINTS, x->wstar);
    data_law_signals(&plan->law, POINTS, x->wstar);
    lanes_combine(k, kstar, (size_t)kstar, POINTS, plan->law.start_onto_signal, x->wstar, x->w);
    lanes_combine(k, k, (size_t)k, POINTS, plan->law.start_root, x->z0, x->w);
    return model_label(plan->m, x->work, POINTS, x->wstar, x->eps, x->y) ||
           model_gradient(plan->m, x->work, POINTS, x->t, x->w, x->y, x->g, x->G);
}

/* The smallest eigenvalue of E[g g^T] relative to the scale, in the directions in which the gradient changes at all: a
   loss that does not depend on one, as softmax on a common shift, needs no noise there. */
static double smallest_part(int k, double *outer, const double *curvature)
{
    double root[MATRIX_MAX * MATRIX_MAX], inverse[MATRIX_MAX * MATRIX_MAX], onto[MATRIX_MAX * MATRIX_MAX] = {0};
    double bend = matrix_trace(k, curvature) / k, scale = fmax(matrix_trace(k, outer) / k, bend);
    if (!(scale > 0) || !isfinite(scale) || matrix_psd_root_above(k, curvature, FLAT * bend, root, inverse))
        return 1;
    matrix_add_product(k, 1, root, inverse, onto);
    for (int c = 0; c < k * k; c++)
        outer[c] += scale * ((c % (k + 1) == 0) - onto[c]);
    return matrix_smallest_eigenvalue(k, outer) / scale;
}

/* E[g g^T] and E[G G^T] at the start. */
static sgdmft_status squares_at_start(sgdmft_context *ctx, const dmft_plan *plan, double *outer, double *curvature)
{
    model_shape shape = model_get_shape(plan->m);
    int k = shape.k;
    start_points x;
    memset(outer, 0, sizeof *outer * (size_t)(k * k));
    memset(curvature, 0, sizeof *curvature * (size_t)(k * k));
    sgdmft_status status = start_points_new(ctx, plan, shape, &x);
    if (!status && draw(plan, shape, &x))
        status = context_fail(ctx, SGDMFT_ERR_PLUGIN, "model: a call-back asked to stop");
    if (!status) {
        lanes_outer(k, k, POINTS, x.g, x.g, outer);
        for (int c = 0; c < k; c++) /* row c of G, which is symmetric */
            lanes_outer(k, k, POINTS, x.G + (size_t)(c * k) * POINTS, x.G + (size_t)(c * k) * POINTS, curvature);
    }
    start_points_clear(&x);
    return status;
}

sgdmft_status noise_at_start(sgdmft_context *ctx, const dmft_plan *plan, double *ratio)
{
    double outer[MATRIX_MAX * MATRIX_MAX], curvature[MATRIX_MAX * MATRIX_MAX];
    sgdmft_status status = squares_at_start(ctx, plan, outer, curvature);
    if (!status)
        *ratio = smallest_part(model_get_shape(plan->m).k, outer, curvature);
    return status;
}

sgdmft_status rate_at_start(sgdmft_context *ctx, const dmft_plan *plan, double *rate)
{
    int k = model_get_shape(plan->m).k;
    double outer[MATRIX_MAX * MATRIX_MAX], curvature[MATRIX_MAX * MATRIX_MAX], square = 0;
    const sgdmft_problem *problem = plan->problem;
    sgdmft_status status = squares_at_start(ctx, plan, outer, curvature);
    for (int c = 0; c < k && !status; c++)
        square = fmax(square, curvature[c * (k + 1)] / POINTS);
    double edge = (1 + sqrt(problem->delta)) * (1 + sqrt(problem->delta));
    *rate = plan->grid[GRID_FINE]->eta_start[0] * sqrt(square) * edge + problem->lambda;
    return status;
}
