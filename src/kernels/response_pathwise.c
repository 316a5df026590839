/* The response from pathwise derivatives. With Q(t_i, t_j) = E[G(t_i) J(t_i, t_j)] at the nodes,

     R_{i+1,j} = R_ij + h/2 (f_ij + f_{i+1,j}),   f = - lambda R - delta eta Q,   R_jj = 1
     Q_ij      = gamma_i R_ij + sum_{j <= c < i} (left_ic R_cj + right_ic R_{c+1,j})

   where the sum over cells is the sum over events against the linear interpolation of R(., t_j), so the first cell
   enters with half a hat only. Terms with R_{i+1,j} are solved for (a k x k system shared by all j). */
#include <math.h>
#include <string.h>

#include "core/matrix.h"
#include "kernels/kernels_parts.h"

/* Q(t_i, t_i) = gamma: no visit lies between a kick and its own time. */
static void set_diagonal_Q(kernels *kern, int i, const averages_layout *at, const double *averages)
{
    for (int c = 0; c < kern->k * kern->k; c++)
        kernels_Q(kern, c, i)[i] = averages[at->gamma + (size_t)c];
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

/* The part of Q(t_{i+1}, t_j), j <= i, that does not contain R(t_{i+1}, t_j). */
static void known_Q(const kernels *kern, int i, const averages_layout *at, const double *next, double *q)
{
    size_t kk = (size_t)(kern->k * kern->k), stride = (size_t)i + 1;
    memset(q, 0, sizeof(double) * kk * stride);
    for (int c = 0; c <= i; c++) {
        add_product_row(kern, averages_row(at, next, c, RESPONSE_LEFT), c, (size_t)c + 1, q, stride);
        if (c < i) /* row c + 1 reaches one node further, but a kick there feels only the next cell */
            add_product_row(kern, averages_row(at, next, c, RESPONSE_RIGHT), c + 1, (size_t)c + 1, q, stride);
    }
}

double kernels_response_pathwise(kernels *kern, int i, const averages_layout *at, const double *next)
{
    int k = kern->k, kk = k * k;
    size_t n = (size_t)i + 1;
    double half = 0.5 * kern->grid->h[i], start = kern->delta * kern->grid->eta_start[i];
    double end = kern->delta * kern->grid->eta_end[i];
    double *known = kern->scratch, *rhs = kern->scratch + (size_t)kk * n;
    known_Q(kern, i, at, next, known);
    for (int c = 0; c < kk; c++) {
        const double *r = kernels_R(kern, c, i), *q = kernels_Q(kern, c, i);
        for (size_t j = 0; j < n; j++)
            rhs[(size_t)c * n + j] =
                r[j] * (1 - half * kern->lambda) - half * start * q[j] - half * end * known[(size_t)c * n + j];
    }
    double own[MATRIX_MAX * MATRIX_MAX] = {0}, matrix[MATRIX_MAX * MATRIX_MAX];
    const double *right = averages_row(at, next, i, RESPONSE_RIGHT);
    for (int c = 0; c < kk; c++) {
        own[c] = next[at->gamma + (size_t)c] + right[c];
        matrix[c] = half * end * own[c] + (c % (k + 1) == 0 ? 1 + half * kern->lambda : 0);
    }
    /* rhs[a][b][j]: k rows of k n right-hand sides */
    if (matrix_solve(k, matrix, (size_t)k * n, rhs))
        return NAN;
    double change = 0;
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
    add_product_row(kern, own, i + 1, n, known, n);
    for (int c = 0; c < kk; c++)
        memcpy(kernels_Q(kern, c, i + 1), known + (size_t)c * n, sizeof(double) * n);
    set_diagonal_Q(kern, i + 1, at, next);
    return change;
}
