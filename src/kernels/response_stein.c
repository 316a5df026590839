/* The response from Gaussian integration by parts (Stein's lemma), without derivatives along paths: also right where the
   gradient jumps and G has delta functions that no path sees.

   The innovation of cell c, dU_c = sum_{j<=c} L_cj xi_j, shifts the field at later times t by - sqrt(delta) R(t, s) dU_c
   averaged over s in the cell. So with Qm_ic the mean over s in cell c of Q(t_i, s) = E[G(t_i) J(t_i, s)],

     E[g(t_i) xi_j^T] = - sqrt(delta) sum_{j <= c < i} Qm_ic L_cj          -> Qm, from the last cell backwards
     E[g(t_i) (w(0) - A w*)^T] = Q(t_i, 0) P,    A = m(0) rho^{-1},  P = q(0) - m(0) rho^{-1} m(0)^T
     R_{i+1,j} = R_ij + h/2 (f_ij + f_{i+1,j}),  f = - lambda R - delta eta Q,  R_jj = 1

   Qm is noisy from cell to cell, of variance 1 / (paths delta E|dU_c|^2), while Q is smooth in s: a local polynomial
   through the cells around t_j gives Q(t_i, t_j), also at the ends. Unless the gradient jumps, Q(t_i, t_i) = E[G] is
   known besides. */
#include <math.h>
#include <string.h>

#include "core/matrix.h"
#include "kernels/kernels_parts.h"
#include "kernels/smooth.h"

void kernels_cell_means(const kernels *kern, int i, const double *rows, size_t stride, double *mean)
{
    int k = kern->k;
    size_t kk = (size_t)(k * k);
    double root = sqrt(kern->delta);
    for (int c = i; c >= 0; c--) {
        double sum[MATRIX_MAX * MATRIX_MAX];
        memcpy(sum, rows + (size_t)c * stride, sizeof(double) * kk);
        for (int d = c + 1; d <= i; d++)
            matrix_add_product(k, root, mean + (size_t)d * kk, kernels_L(kern, d, c), sum);
        memset(mean + (size_t)c * kk, 0, sizeof(double) * kk);
        matrix_add_product(k, -1 / root, sum, kern->root_inverse + (size_t)c * kk, mean + (size_t)c * kk);
    }
}

void kernels_from_start(const kernels *kern, const averages_layout *at, const double *averages, double *q)
{
    int k = kern->k, kstar = kern->kstar;
    double own[MATRIX_MAX * MATRIX_MAX], A[MATRIX_MAX * MATRIX_MAX] = {0};
    for (int a = 0; a < k; a++)
        for (int b = 0; b < kstar; b++)
            for (int c = 0; c < kstar; c++)
                A[a * kstar + b] += kern->m[a * kstar + c] * kern->rho_inverse[c * kstar + b];
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            own[a * k + b] = averages[at->gw0 + (size_t)(a * k + b)];
            for (int c = 0; c < kstar; c++)
                own[a * k + b] -= averages[at->mu + (size_t)(a * kstar + c)] * A[b * kstar + c];
        }
    memset(q, 0, sizeof(double) * (size_t)(k * k));
    matrix_add_product(k, 1, own, kern->start_inverse, q);
}

/* The start tells more about Q(t, 0) than the first innovations if it varies more than they do. */
static int start_tells(const kernels *kern)
{
    const double *first = kernels_L(kern, 0, 0);
    double spread = 0;
    for (int c = 0; c < kern->k * kern->k; c++)
        spread += first[c] * first[c];
    return kern->start_spread > kern->delta * spread / kern->k;
}

void kernels_start(kernels *kern, const averages_layout *at, const double *first)
{
    double q[MATRIX_MAX * MATRIX_MAX];
    if (at->response == RESPONSE_STEIN && kern->start_spread > 0)
        kernels_from_start(kern, at, first, q);
    else
        memcpy(q, first + at->gamma, sizeof(double) * (size_t)(kern->k * kern->k));
    for (int c = 0; c < kern->k * kern->k; c++)
        kernels_Q(kern, c, 0)[0] = q[c];
}

/* Stencils for i + 1 cells. One more cell changes those near the end only, so that rows in order cost little: those of
   nodes whose window reached the end of the cells before. */
static void refresh_stencils(const kernels *kern, int i, int known_end, stencil_row *row)
{
    if (row->cells == i + 1)
        return;
    row->cells = i + 1;
    for (int j = i > SMOOTH_WINDOW ? i - SMOOTH_WINDOW : 0; j <= i + 1; j++)
        row->at[j] = smooth_at(kern->grid->t, i + 1, kern->grid->t[j], known_end);
}

void kernels_smooth_row(kernels *kern, int i, const double *mean, const double *end, double *planes)
{
    size_t kk = (size_t)(kern->k * kern->k);
    stencil_row *row = &kern->stencils[end != NULL];
    refresh_stencils(kern, i, end != NULL, row);
    for (int j = 0; j <= i + 1; j++) {
        const smooth_stencil *s = &row->at[j];
        for (size_t x = 0; x < kk; x++) {
            double sum = end ? s->end * end[x] : 0;
            for (int c = 0; c < s->count; c++)
                sum += s->weight[c] * mean[(size_t)(s->first + c) * kk + x];
            planes[x * kern->plane + (size_t)(i + 1) * kern->stride + (size_t)j] = sum;
        }
    }
}

double kernels_response_stein(kernels *kern, int i, const averages_layout *at, const double *next)
{
    int kk = kern->k * kern->k;
    double *mean = kern->scratch, start[MATRIX_MAX * MATRIX_MAX], change = 0;
    kernels_cell_means(kern, i, averages_row(at, next, 0, INNOVATION), at->kinds * (size_t)kk, mean);
    kernels_smooth_row(kern, i, mean, kern->smooth ? next + at->gamma : NULL, kern->Q);
    if (start_tells(kern)) {
        kernels_from_start(kern, at, next, start);
        for (int c = 0; c < kk; c++)
            kernels_Q(kern, c, i + 1)[0] = start[c];
    }
    double half = 0.5 * kern->grid->h[i], now = half * kern->delta * kern->grid->eta_start[i];
    double then = half * kern->delta * kern->grid->eta_end[i], decay = half * kern->lambda;
    for (int c = 0; c < kk; c++) {
        const double *before = kernels_R(kern, c, i), *q = kernels_Q(kern, c, i), *q_next = kernels_Q(kern, c, i + 1);
        double *r = kernels_R(kern, c, i + 1);
        for (int j = 0; j <= i; j++) {
            double value = (before[j] * (1 - decay) - now * q[j] - then * q_next[j]) / (1 + decay);
            if (!isfinite(value))
                return NAN;
            change = fmax(change, relative_change(r[j], value, fabs(value)));
            r[j] = value;
        }
    }
    return change;
}
