#include "kernels/response_sampled.h"

#include <math.h>
#include <string.h>

#include "core/matrix.h"
#include "kernels/filter.h"
#include "kernels/response_stein.h"

/* R(t_row, .) averaged over cell c. */
static void mean_response(const kernels *kern, int row, int c, double *out)
{
    for (int x = 0; x < kern->k * kern->k; x++)
        out[x] = step_rule_mean(kernels_R(kern, x, row), c);
}

/* The next coefficient x[i] of a function of time in the columns of V. Its coefficients x[l], first <= l < i, `stride`
   apart, are known; `left` is the function at node i + 1, and is overwritten. */
static void expand(const kernels *kern, int i, int first, size_t stride, double *left, double *x)
{
    int k = kern->k;
    size_t kk = (size_t)(k * k);
    double V[MATRIX_MAX * MATRIX_MAX], *out = x + (size_t)i * stride;
    for (int l = first; l < i; l++) {
        for (int a = 0; a < k; a++)
            memcpy(V + a * k, kernels_V(kern, i + 1, a) + l * k, sizeof(double) * (size_t)k);
        matrix_add_product(k, -1, V, x + (size_t)l * stride, left);
    }
    memset(out, 0, sizeof(double) * kk);
    matrix_add_product(k, 1, kern->sampled->V_inverse + (size_t)i * kk, left, out);
}

/* kick_ic from row i + 1 of R and V. */
static void new_kick(const kernels *kern, int i, int c)
{
    size_t kk = (size_t)(kern->k * kern->k);
    double left[MATRIX_MAX * MATRIX_MAX];
    mean_response(kern, i + 1, c, left);
    expand(kern, i, c, (size_t)kern->steps * kk, left, kern->sampled->kick + (size_t)c * kk);
}

/* Q(t_{i+1}, 0) from the correlations with the start and with the innovations. */
static void memory_of_start(const kernels *kern, int i, const averages_layout *at, const double *next)
{
    int k = kern->k, kk = k * k;
    double left[MATRIX_MAX * MATRIX_MAX], q[MATRIX_MAX * MATRIX_MAX];
    for (int x = 0; x < kk; x++)
        left[x] = kernels_R(kern, x, i + 1)[0] - kernels_onto_start(kern, x, i + 1);
    expand(kern, i, 0, (size_t)kk, left, kern->sampled->kick_start);
    kernels_from_start(kern, next + at->mu, next + at->gw0, q);
    for (int j = 0; j <= i; j++)
        matrix_add_product(k, 1, averages_row(at, next, j, INNOVATION), kern->sampled->kick_start + j * kk, q);
    for (int x = 0; x < kk; x++)
        kernels_Q(kern, x, i + 1)[0] = q[x];
}

/* mean[c] = Qm_{i+1,c} for c <= i. */
static void gradient_means(const kernels *kern, int i, const averages_layout *at, const double *next, double *mean)
{
    int k = kern->k;
    size_t kk = (size_t)(k * k), n = (size_t)kern->steps;
    for (int c = 0; c <= i; c++) {
        new_kick(kern, i, c);
        memset(mean + (size_t)c * kk, 0, sizeof(double) * kk);
        for (int j = c; j <= i; j++)
            matrix_add_product(k, 1, averages_row(at, next, j, INNOVATION),
                               kern->sampled->kick + ((size_t)j * n + (size_t)c) * kk, mean + (size_t)c * kk);
    }
}

/* Row i + 1 of R before its first pass: that of the node before. */
static void guess_row(kernels *kern, int i)
{
    if (kern->sampled->begun > i)
        return;
    kern->sampled->begun = i + 1;
    for (int x = 0; x < kern->k * kern->k; x++)
        memcpy(kernels_R(kern, x, i + 1), kernels_R(kern, x, i), sizeof(double) * (size_t)(i + 1));
}

/* Component x of P(t_i, t_j). P(0, 0) is not estimated, so the next row takes its place. */
static double penalty_kernel(const kernels *kern, int x, int i, int j)
{
    return kern->sampled->P[(size_t)x * kern->plane + (size_t)(i > 0 ? i : 1) * kern->stride + (size_t)j];
}

/* Row i + 1 of R by the trapezoid rule, implicit in the ridge. Returns the largest change relative to its scale, or
   NaN. */
static double advance_row(kernels *kern, int i)
{
    int k = kern->k, kk = k * k;
    step_weights time = step_rule_time(kern->grid, i), force = step_rule_force(kern->grid, kern->delta, i);
    double change = 0;
    const double *ridge = kern->sampled->ridge + (size_t)(i > 0 ? i : 1) * (size_t)kk;
    const double *ridge_next = kern->sampled->ridge + (size_t)(i + 1) * (size_t)kk;
    for (int j = 0; j <= i; j++) {
        double before[MATRIX_MAX * MATRIX_MAX], value[MATRIX_MAX * MATRIX_MAX], matrix[MATRIX_MAX * MATRIX_MAX];
        for (int x = 0; x < kk; x++) {
            before[x] = kernels_R(kern, x, i)[j];
            value[x] = before[x] - time.start * penalty_kernel(kern, x, i, j) -
                       time.end * penalty_kernel(kern, x, i + 1, j) - force.start * kernels_Q(kern, x, i)[j] -
                       force.end * kernels_Q(kern, x, i + 1)[j];
            matrix[x] = (x % (k + 1) == 0) + time.end * ridge_next[x];
        }
        matrix_add_product(k, -time.start, ridge, before, value);
        double entry = kernels_solve_R(kern, i + 1, j, matrix, value);
        if (isnan(entry))
            return NAN;
        change = fmax(change, entry);
    }
    return change;
}

/* Row i + 1 of Q. */
static void make_Q(kernels *kern, int i, const averages_layout *at, const double *averages)
{
    gradient_means(kern, i, at, averages, kern->scratch);
    response_smooth_row(kern, i + 1, i + 1, kern->scratch, kern->smooth_gradient ? averages + at->gamma : NULL,
                        kern->Q);
    if (kern->start_variance > 0)
        memory_of_start(kern, i, at, averages);
}

double response_sampled_advance(kernels *kern, int i, const averages_layout *at, const double *next,
                                const double *rests)
{
    guess_row(kern, i);
    make_Q(kern, i, at, next);
    response_cell_means(kern, i + 1, i + 1, rests, (size_t)(kern->k * kern->k), kern->scratch);
    response_smooth_row(kern, i + 1, i + 1, kern->scratch, NULL, kern->sampled->P);
    return advance_row(kern, i);
}

void response_sampled_renew(kernels *kern, int i, const averages_layout *at, const double *after)
{
    make_Q(kern, i - 1, at, after);
}
