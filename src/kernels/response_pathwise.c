#include "kernels/response_pathwise.h"

#include <math.h>
#include <string.h>

#include "core/matrix.h"
#include "kernels/filter.h"

/* Q(t_i, t_i) = gamma R(t_i, t_i), as no visit lies between a kick and its own time. R(t_i, t_i) is a multiple of the
   unit matrix. */
static void set_diagonal_Q(kernels *kern, int i, const averages_layout *at, const double *averages)
{
    for (int c = 0; c < kern->k * kern->k; c++)
        kernels_Q(kern, c, i)[i] = averages[at->gamma + (size_t)c] * kernels_R(kern, 0, i)[i];
}

static void start(kernels *kern, const averages_layout *at, const double *first)
{
    set_diagonal_Q(kern, 0, at, first);
}

/* q[ab][j] += x[a][c] R[c][b](t_row, t_j) for j < n. */
static void add_product_row(const kernels *kern, const double *x, int row, size_t n, double *q, size_t q_stride)
{
    int k = kern->k;
    for (int a = 0; a < k; a++)
        for (int c = 0; c < k; c++) {
            double factor = x[a * k + c];
            for (int b = 0; b < k; b++) {
                const double *r = kernels_R(kern, c * k + b, row);
                double *target = q + (size_t)(a * k + b) * q_stride;
                for (size_t j = 0; j < n; j++)
                    target[j] += factor * r[j];
            }
        }
}

/* The part of Q(t_node, t_j), j < node, that does not contain R(t_node, t_j): the sum over the cells in (10). */
static void known_Q(const kernels *kern, int node, const averages_layout *at, const double *averages, double *q)
{
    size_t kk = (size_t)(kern->k * kern->k), stride = (size_t)node;
    memset(q, 0, sizeof(double) * kk * stride);
    for (int c = 0; c < node; c++) {
        add_product_row(kern, averages_row(at, averages, c, RESPONSE_LEFT), c, (size_t)c + 1, q, stride);
        if (c + 1 < node) /* row c + 1 has an entry for t_{c+1}, but a kick there does not act on cell c */
            add_product_row(kern, averages_row(at, averages, c, RESPONSE_RIGHT), c + 1, (size_t)c + 1, q, stride);
    }
}

/* The matrix that multiplies R(t_node, t_j) in Q(t_node, t_j). */
static void own_Q(const kernels *kern, int node, const averages_layout *at, const double *averages, double *own)
{
    const double *right = averages_row(at, averages, node - 1, RESPONSE_RIGHT);
    for (int c = 0; c < kern->k * kern->k; c++)
        own[c] = averages[at->gamma + (size_t)c] + right[c];
}

/* Row `node` of Q from its known part and R. */
static void complete_Q(kernels *kern, int node, const averages_layout *at, const double *averages, const double *own,
                       double *known)
{
    size_t n = (size_t)node;
    add_product_row(kern, own, node, n, known, n);
    for (int c = 0; c < kern->k * kern->k; c++)
        memcpy(kernels_Q(kern, c, node), known + (size_t)c * n, sizeof(double) * n);
    set_diagonal_Q(kern, node, at, averages);
}

static double advance(kernels *kern, int i, const averages_layout *at, const double *next)
{
    int k = kern->k, kk = k * k;
    size_t n = (size_t)i + 1;
    filter_step step = filter_step_of(&kern->filter, kern->grid, i);
    step_weights time = step_rule_time(kern->grid, i), rate = step_rule_rates(kern->grid, kern->delta, i);
    step_weights force = {time.start * rate.start, time.end * rate.end};
    double own[MATRIX_MAX * MATRIX_MAX], matrix[MATRIX_MAX * MATRIX_MAX], change = 0;
    double *known = kern->scratch, *rhs = kern->scratch + (size_t)kk * n;
    known_Q(kern, i + 1, at, next, known);
    own_Q(kern, i + 1, at, next, own);
    for (int c = 0; c < kk; c++) {
        const double *r = kernels_R(kern, c, i), *q = kernels_Q(kern, c, i);
        for (size_t j = 0; j < n; j++)
            rhs[(size_t)c * n + j] = r[j] * step.keep - force.start * q[j] - force.end * known[(size_t)c * n + j];
        matrix[c] = force.end * own[c] + (c % (k + 1) == 0 ? step.divide : 0);
    }
    /* rhs[a][b][j] has k rows of k n right-hand sides */
    if (matrix_solve(k, matrix, (size_t)k * n, rhs))
        return NAN;
    for (int c = 0; c < kk; c++) {
        double *r = kernels_R(kern, c, i + 1);
        for (size_t j = 0; j < n; j++) {
            double value = rhs[(size_t)c * n + j];
            if (!isfinite(value))
                return NAN;
            change = fmax(change, relative_change(r[j], value, fabs(value)));
            r[j] = value;
        }
    }
    complete_Q(kern, i + 1, at, next, own, known);
    return change;
}

static void renew(kernels *kern, int i, const averages_layout *at, const double *after)
{
    double own[MATRIX_MAX * MATRIX_MAX];
    known_Q(kern, i, at, after, kern->scratch);
    own_Q(kern, i, at, after, own);
    complete_Q(kern, i, at, after, own, kern->scratch);
}

const response_estimator response_pathwise = {.name = "pathwise",
                                              .pathwise = 1,
                                              .rows = 2,
                                              .start = start,
                                              .advance = advance,
                                              .overlap = filter_overlap_row,
                                              .renew = renew};
