#include "kernels/response_recursion.h"

#include <string.h>

#include "core/matrix.h"
#include "kernels/response_stein.h"

/* Q(t_node, t_j) = gamma R(t_node, t_j). */
static void set_unvisited(kernels *kern, int node, int j, const double *gamma)
{
    int k = kern->k;
    double R[MATRIX_MAX * MATRIX_MAX], q[MATRIX_MAX * MATRIX_MAX] = {0};
    kernels_block(kern, node, j, R);
    matrix_add_product(k, 1, gamma, R, q);
    for (int x = 0; x < k * k; x++)
        kernels_Q(kern, x, node)[j] = q[x];
}

/* Q(t_node, 0): the effect of theta(0) on g. Where theta(0) is a function of the teacher, nothing depends on it. */
static void set_start(kernels *kern, int node, const averages_layout *at, const double *averages)
{
    double q[MATRIX_MAX * MATRIX_MAX];
    if (!(kern->start_variance > 0)) {
        set_unvisited(kern, node, 0, averages + at->gamma);
        return;
    }
    kernels_from_start(kern, averages + at->mu, averages + at->gw0, q);
    for (int x = 0; x < kern->k * kern->k; x++)
        kernels_Q(kern, x, node)[0] = q[x];
}

/* Row `node` of Q. */
static void make_row(kernels *kern, int node, const averages_layout *at, const double *averages)
{
    size_t kk = (size_t)(kern->k * kern->k);
    int since = kern->smooth_gradient ? kern->grid->history[node] : node + 1, known = since > 0 ? since - 1 : 0;
    double *mean = kern->scratch;
    for (int j = since; j <= node; j++)
        set_unvisited(kern, node, j, averages + at->gamma);
    for (int c = known; c < node; c++)
        for (size_t x = 0; x < kk; x++)
            mean[(size_t)c * kk + x] = kernels_Q(kern, (int)x, node)[c + 1];
    response_cell_means(kern, known, node, averages_row(at, averages, 0, INNOVATION), at->kinds * kk, mean);
    for (int c = 0; c < known; c++)
        for (size_t x = 0; x < kk; x++)
            kernels_Q(kern, (int)x, node)[c + 1] = mean[(size_t)c * kk + x];
    if (since > 0)
        set_start(kern, node, at, averages);
}

static void start(kernels *kern, const averages_layout *at, const double *first)
{
    make_row(kern, 0, at, first);
}

const response_estimator response_recursion = {.name = "stein", .rows = 1, .start = start, .renew = make_row};
