#include "paths/label_axes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/sobol.h"
#include "paths/lanes.h"
#include "paths/purposes.h"

/* E[y z] is an average over POINTS quasi-random points, which makes it accurate to about 1e-3. */
enum { POINTS = 8192, LANES = 512 };

/* Slopes below NEGLIGIBLE * sd(y) count as zero, and so do components below NEGLIGIBLE times the length of their
   vector. A variance below ROUNDING * E[y^2] is rounding. */
static const double NEGLIGIBLE = 0.01, ROUNDING = 1e-12;

typedef struct label_moments {
    double mean[LABEL_DIMS_MAX], square[LABEL_DIMS_MAX]; /* [labels] E[y], E[y^2] */
    double middle[LABEL_DIMS_MAX];                       /* [dims] E[z], which is not exactly 0 */
    double slope[LABEL_DIMS_MAX * LABEL_DIMS_MAX];       /* [labels][dims] E[y z] */
} label_moments;

/* Scratch memory for LANES points. */
typedef struct label_space {
    double *z; /* [dims][LANES] */
    double *s; /* [k*][LANES] w* */
    double *y; /* [labels][LANES] */
    model_work *work;
} label_space;

static void label_space_clear(label_space *space)
{
    model_work_free(space->work);
    free(space->z);
    free(space->s);
    free(space->y);
}

static sgdmft_status label_space_new(sgdmft_context *ctx, const model *m, label_space *out)
{
    model_shape shape = model_get_shape(m);
    size_t dims = (size_t)(shape.kstar + shape.noises);
    *out = (label_space){.z = memory_doubles(dims * LANES),
                         .s = memory_doubles((size_t)shape.kstar * LANES),
                         .y = memory_doubles((size_t)shape.labels * LANES)};
    sgdmft_status status = model_work_new(ctx, m, LANES, &out->work);
    if (!status && (!out->z || !out->s || !out->y))
        status = context_out_of_memory(ctx, "labels", 16.0 * (double)dims * LANES);
    if (status)
        label_space_clear(out);
    return status;
}

/* Adds the moments of points first .. first + LANES - 1. */
static int add_points(const model *m, const data_law *law, size_t first, label_space *space, label_moments *sum)
{
    model_shape shape = model_get_shape(m);
    int dims = shape.kstar + shape.noises;
    random_key key = {0, 0, PURPOSE_LABEL_AXES};
    for (int j = 0; j < dims; j++) {
        double *row = space->z + (size_t)j * LANES;
        sobol_points(key, (unsigned)j, first, LANES, row);
        normal_quantiles(LANES, row, row);
        lanes_sum(1, LANES, row, sum->middle + j);
    }
    memcpy(space->s, space->z, sizeof *space->s * (size_t)shape.kstar * LANES);
    data_law_signals(law, LANES, space->s);
    if (model_label(m, space->work, LANES, space->s, space->z + (size_t)shape.kstar * LANES, space->y))
        return -1;
    lanes_outer(shape.labels, dims, LANES, space->y, space->z, sum->slope);
    for (int c = 0; c < shape.labels; c++)
        for (size_t p = 0; p < LANES; p++) {
            double y = space->y[(size_t)c * LANES + p];
            sum->mean[c] += y;
            sum->square[c] += y * y;
        }
    return 0;
}

static double length(int dims, const double *x)
{
    double sum = 0;
    for (int j = 0; j < dims; j++)
        sum += x[j] * x[j];
    return sqrt(sum);
}

/* Makes the part of x[dims] that is orthogonal to the basis its next row, unless that part is not longer than `least`.
   Returns the new number of rows. The orthogonalisation is repeated because of rounding. */
static int add_axis(int dims, double x[LABEL_DIMS_MAX], double least, int count, double *basis)
{
    for (int twice = 0; twice < 2; twice++)
        for (int i = 0; i < count; i++) {
            double along = 0;
            for (int j = 0; j < dims; j++)
                along += x[j] * basis[i * dims + j];
            for (int j = 0; j < dims; j++)
                x[j] -= along * basis[i * dims + j];
        }
    double whole = length(dims, x);
    if (!(whole > least))
        return count;
    for (int j = 0; j < dims; j++)
        basis[count * dims + j] = x[j] / whole;
    return count + 1;
}

/* x = E[(y - E y) z] of label c, or 0 if that is negligible. */
static void slope_of(const label_moments *mean, int c, int dims, double *x)
{
    double variance = mean->square[c] - mean->mean[c] * mean->mean[c];
    for (int j = 0; j < dims; j++)
        x[j] = mean->slope[c * dims + j] - mean->mean[c] * mean->middle[j];
    double whole = length(dims, x);
    int some = variance > ROUNDING * mean->square[c] && whole > NEGLIGIBLE * sqrt(variance);
    for (int j = 0; j < dims; j++)
        if (!some || fabs(x[j]) < NEGLIGIBLE * whole)
            x[j] = 0;
}

/* An orthonormal basis, row by row: first the slopes of the labels, then coordinate axes as far as they add a
   direction. */
static void make_basis(const label_moments *mean, int labels, int dims, double *basis)
{
    int count = 0;
    double x[LABEL_DIMS_MAX];
    for (int c = 0; c < labels && count < dims; c++) {
        slope_of(mean, c, dims, x);
        count = add_axis(dims, x, NEGLIGIBLE * length(dims, x), count, basis);
    }
    for (int j = 0; j < dims && count < dims; j++) {
        memset(x, 0, sizeof x);
        x[j] = 1;
        /* of the orthogonal parts of all coordinate axes, the longest has a length of 1 / sqrt(dims) or more */
        count = add_axis(dims, x, 0.5 / sqrt(dims), count, basis);
    }
}

/* Turns sums into means. */
static void divide(label_moments *sum, int labels, int dims)
{
    for (int c = 0; c < labels; c++) {
        sum->mean[c] /= POINTS;
        sum->square[c] /= POINTS;
    }
    for (int j = 0; j < dims; j++)
        sum->middle[j] /= POINTS;
    for (int j = 0; j < labels * dims; j++)
        sum->slope[j] /= POINTS;
}

sgdmft_status label_axes_find(sgdmft_context *ctx, const model *m, const data_law *law, label_axes *out)
{
    model_shape shape = model_get_shape(m);
    int dims = shape.kstar + shape.noises, stopped = 0;
    label_moments sum = {.mean = {0}};
    label_space space;
    *out = (label_axes){0};
    if (dims < 2)
        return SGDMFT_OK;
    sgdmft_status status = label_space_new(ctx, m, &space);
    if (status)
        return status;
    for (size_t first = 0; first < POINTS && !stopped; first += LANES)
        stopped = add_points(m, law, first, &space, &sum);
    label_space_clear(&space);
    if (stopped)
        return context_fail(ctx, SGDMFT_ERR_PLUGIN, "model: the label call-back asked to stop");
    divide(&sum, shape.labels, dims);
    double basis[LABEL_DIMS_MAX * LABEL_DIMS_MAX] = {0};
    make_basis(&sum, shape.labels, dims, basis);
    out->dims = dims;
    for (int i = 0; i < dims; i++)
        for (int j = 0; j < dims; j++)
            out->rotation[j * dims + i] = basis[i * dims + j];
    return SGDMFT_OK;
}

void label_axes_apply(const label_axes *axes, int kstar, size_t n, double *zstar, double *eps)
{
    int dims = axes->dims;
    for (size_t p = 0; p < n && dims > 0; p++) {
        double x[LABEL_DIMS_MAX];
        for (int j = 0; j < dims; j++)
            x[j] = j < kstar ? zstar[(size_t)j * n + p] : eps[(size_t)(j - kstar) * n + p];
        for (int i = 0; i < dims; i++) {
            double sum = 0;
            for (int j = 0; j < dims; j++)
                sum += axes->rotation[i * dims + j] * x[j];
            *(i < kstar ? &zstar[(size_t)i * n + p] : &eps[(size_t)(i - kstar) * n + p]) = sum;
        }
    }
}
