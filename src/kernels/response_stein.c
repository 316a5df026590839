#include "kernels/response_stein.h"

#include <math.h>
#include <string.h>

#include "core/matrix.h"
#include "kernels/filter.h"
#include "kernels/fitting.h"

void response_cell_means(const kernels *kern, int known, int cells, const double *rows, size_t stride, double *mean)
{
    int k = kern->k;
    size_t kk = (size_t)(k * k);
    double root = sqrt(kern->delta);
    for (int c = known - 1; c >= 0; c--) {
        double sum[MATRIX_MAX * MATRIX_MAX];
        memcpy(sum, rows + (size_t)c * stride, sizeof(double) * kk);
        for (int d = c + 1; d < cells; d++)
            matrix_add_product(k, root, mean + (size_t)d * kk, kernels_L(kern, d, c), sum);
        memset(mean + (size_t)c * kk, 0, sizeof(double) * kk);
        matrix_add_product(k, -1 / root, sum, kern->root_inverse + (size_t)c * kk, mean + (size_t)c * kk);
    }
}

void response_smooth_row(kernels *kern, int node, int cells, const double *mean, const double *end, double *planes)
{
    size_t kk = (size_t)(kern->k * kern->k);
    smooth_rows *row = &kern->stencils[end != NULL];
    smooth_rows_refresh(row, kern->grid, cells, end != NULL);
    for (int j = 0; j <= cells; j++) {
        const smooth_stencil *s = &row->at[j];
        for (size_t x = 0; x < kk; x++) {
            double sum = end ? s->end * end[x] : 0;
            for (int c = 0; c < s->count; c++)
                sum += s->weight[c] * mean[(size_t)(s->first + c) * kk + x];
            planes[x * kern->plane + (size_t)node * kern->stride + (size_t)j] = sum;
        }
    }
}

/* 1 if cell c has no noise, as where eta = 0. */
static int is_silent(const kernels *kern, int c)
{
    int kk = kern->k * kern->k;
    for (int x = 0; x < kk; x++)
        if (kern->root_inverse[c * kk + x] != 0)
            return 0;
    return 1;
}

/* Nothing correlates with cells that have no noise. As theta only decays there, a kick in such a cell acts like a
   smaller one at its end: the mean is that of the cell after it, or for the last cell the value `end` of Q(t, t), times
   the decay. */
static void fill_silent(const kernels *kern, int cells, const double *end, double *mean)
{
    size_t kk = (size_t)(kern->k * kern->k);
    const double *h = kern->grid->h;
    for (int c = cells - 1; c >= 0; c--) {
        if (!is_silent(kern, c))
            continue;
        const double *later = c + 1 < cells ? mean + (size_t)(c + 1) * kk : end;
        double decay = exp(-0.5 * kern->filter.lambda * (h[c] + (c + 1 < cells ? h[c + 1] : 0)));
        for (size_t x = 0; x < kk; x++)
            mean[(size_t)c * kk + x] = decay * later[x];
    }
}

/* 1 if Q(t, 0) is better found from the start than from the first innovations: if the start varies more than they
   do. */
static int start_is_informative(const kernels *kern)
{
    const double *first = kernels_L(kern, 0, 0);
    double variance = 0;
    for (int c = 0; c < kern->k * kern->k; c++)
        variance += first[c] * first[c];
    return kern->start_variance > kern->delta * variance / kern->k;
}

static void start(kernels *kern, const averages_layout *at, const double *first)
{
    double q[MATRIX_MAX * MATRIX_MAX];
    if (kern->start_variance > 0)
        kernels_from_start(kern, first + at->mu, first + at->gw0, q);
    else
        memcpy(q, first + at->gamma, sizeof(double) * (size_t)(kern->k * kern->k));
    for (int c = 0; c < kern->k * kern->k; c++)
        kernels_Q(kern, c, 0)[0] = q[c];
}

/* out = gamma R for a block R. */
static void times_gamma(const kernels *kern, const double *gamma, const double *R, double *out)
{
    memset(out, 0, sizeof *out * (size_t)(kern->k * kern->k));
    matrix_add_product(kern->k, 1, gamma, R, out);
}

/* Q(t_node, t_j) = gamma R(t_node, t_j) for since <= j <= node, where no visit lies between, and its means over these
   cells. */
static void set_unvisited(kernels *kern, int node, int since, const double *gamma, double *mean)
{
    int kk = kern->k * kern->k;
    double R[MATRIX_MAX * MATRIX_MAX], q[MATRIX_MAX * MATRIX_MAX];
    for (int j = since; j <= node; j++) {
        kernels_block(kern, node, j, R);
        times_gamma(kern, gamma, R, q);
        for (int x = 0; x < kk; x++)
            kernels_Q(kern, x, node)[j] = q[x];
    }
    for (int c = since; c < node; c++)
        for (int x = 0; x < kk; x++)
            mean[(size_t)c * (size_t)kk + (size_t)x] = fitting_mean(kern, kernels_Q(kern, x, node), c);
}

/* Row `node` of Q from averages over paths that have not been visited since node `since`; R(t_node, t_j) is known for j
   >= since. */
static void make_Q(kernels *kern, int node, int since, const averages_layout *at, const double *averages)
{
    size_t kk = (size_t)(kern->k * kern->k);
    double *mean = kern->scratch, end[MATRIX_MAX * MATRIX_MAX], q[MATRIX_MAX * MATRIX_MAX];
    const double *gamma = averages + at->gamma;
    if (!kern->smooth_gradient)
        since = node; /* gamma lacks the delta functions */
    set_unvisited(kern, node, since, gamma, mean);
    if (since == 0)
        return;
    for (size_t x = 0; x < kk; x++)
        end[x] = since < node ? kernels_Q(kern, (int)x, node)[since] : gamma[x];
    response_cell_means(kern, since, node, averages_row(at, averages, 0, INNOVATION), at->kinds * kk, mean);
    fill_silent(kern, since, end, mean);
    response_smooth_row(kern, node, since, mean, kern->smooth_gradient ? end : NULL, kern->Q);
    if (start_is_informative(kern)) {
        kernels_from_start(kern, averages + at->mu, averages + at->gw0, q);
        for (size_t x = 0; x < kk; x++)
            kernels_Q(kern, (int)x, node)[0] = q[x];
    }
}

/* R(t_{i+1}, t_j), first <= j <= i, by a step that is implicit in Q(t_{i+1}, t_j) = gamma R(t_{i+1}, t_j). */
static double advance_unvisited(kernels *kern, int i, int first, const double *gamma)
{
    int k = kern->k, kk = k * k;
    filter_step step = filter_step_with(&kern->filter, fitting_time(kern, i));
    step_weights force = fitting_force(kern, i);
    double change = 0;
    for (int j = first; j <= i; j++) {
        double value[MATRIX_MAX * MATRIX_MAX], matrix[MATRIX_MAX * MATRIX_MAX];
        for (int x = 0; x < kk; x++) {
            value[x] = kernels_R(kern, x, i)[j] * step.keep - force.start * kernels_Q(kern, x, i)[j];
            matrix[x] = force.end * gamma[x] + (x % (k + 1) == 0 ? step.divide : 0);
        }
        double entry = kernels_solve_R(kern, i + 1, j, matrix, value);
        if (isnan(entry))
            return NAN;
        change = fmax(change, entry);
    }
    return change;
}

/* R(t_{i+1}, t_j) for j < end from Q at both nodes. */
static double advance_known(kernels *kern, int i, int end)
{
    filter_step step = filter_step_with(&kern->filter, fitting_time(kern, i));
    step_weights force = fitting_force(kern, i);
    double change = 0;
    for (int c = 0; c < kern->k * kern->k; c++) {
        const double *before = kernels_R(kern, c, i), *q = kernels_Q(kern, c, i), *q_next = kernels_Q(kern, c, i + 1);
        double *r = kernels_R(kern, c, i + 1);
        for (int j = 0; j < end; j++) {
            double value = (before[j] * step.keep - force.start * q[j] - force.end * q_next[j]) / step.divide;
            if (!isfinite(value))
                return NAN;
            change = fmax(change, relative_change(r[j], value, fabs(value)));
            r[j] = value;
        }
    }
    return change;
}

static double advance(kernels *kern, int i, const averages_layout *at, const double *next)
{
    int since = kern->smooth_gradient ? kern->grid->history[i + 1] : i + 1;
    double unvisited = advance_unvisited(kern, i, since, next + at->gamma);
    make_Q(kern, i + 1, since, at, next);
    double known = advance_known(kern, i, since);
    return larger_change(unvisited, known);
}

/* Just after a node where an epoch begins, all visits before the node count. */
static void renew(kernels *kern, int i, const averages_layout *at, const double *after)
{
    make_Q(kern, i, i, at, after);
}

const response_estimator response_stein = {
    .name = "stein", .rows = 1, .start = start, .advance = advance, .overlap = filter_overlap_row, .renew = renew};
