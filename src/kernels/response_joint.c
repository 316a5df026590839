#include "kernels/response_joint.h"

#include <math.h>
#include <string.h>

#include "core/matrix.h"
#include "kernels/start.h"
#include "kernels/step_rule.h"

/* The variance of a derivative in units of its estimate from the paths: a few paths near a threshold, which most
   samples miss, contribute much of the true one, and jumps inside a cell are not seen by derivatives at all. Tanh
   problem of docs/solver.md, T = 1000, simulated q(T) 3.19 (0.09): with 0.1, 1, 3 and 9 here it was 2.70, 3.07, 3.14
   and 3.21, with a spread of 12, 7, 2 and 1 %. Where the loss is convex, small values have less noise. */
static const double VARIANCE_UNSEEN = 4;

/* A variance that is a smaller part of the square of the mean is rounding: all paths have the same derivative. */
static const double ROUNDING = 1e-12;

/* The unknowns (l, c) of one student, and the normals: those of the start first, then (j, d). M and its products are
   kept for the whole solve, as rows of earlier cells stay the same. */
typedef struct joint_system {
    int unknowns, normals;
    size_t wide, high; /* distances between rows of M, and of the matrices */
    double *M;         /* [unknowns][normals] */
    double *products;  /* [unknowns][unknowns] M M^T, lower triangle */
    double *matrix;    /* [unknowns][unknowns] */
    double *defect;    /* [normals] */
    double *root;      /* [unknowns] standard deviations of x */
    double *side;      /* [unknowns] */
} joint_system;

static joint_system system_of(const kernels *kern, int i)
{
    size_t high = (size_t)(kern->k * kern->steps), wide = high + (size_t)kern->k;
    joint_system s = {.unknowns = kern->k * (i + 1), .normals = kern->k * (i + 2), .wide = wide, .high = high};
    s.M = kern->joint;
    s.products = s.M + high * wide;
    s.matrix = s.products + high * high;
    s.defect = s.matrix + high * high;
    s.root = s.defect + wide;
    s.side = s.root + high;
    return s;
}

size_t response_joint_work(int k, int steps)
{
    size_t high = (size_t)(k * steps), wide = high + (size_t)k;
    return high * wide + 2 * high * high + wide + 2 * high;
}

/* The root of Cov(theta(0) | theta*) and its inverse. */
static void start_root(const kernels *kern, double *root, double *inverse)
{
    int k = kern->k;
    memset(root, 0, sizeof *root * (size_t)(k * k));
    memset(inverse, 0, sizeof *inverse * (size_t)(k * k));
    double pseudo[MATRIX_MAX * MATRIX_MAX];
    if (kern->start_variance > 0 && !matrix_psd_root(k, kern->start_inverse, inverse, pseudo))
        memcpy(root, pseudo, sizeof *root * (size_t)(k * k));
}

static double dot(size_t n, const double *x, const double *y)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t j = 0; j < n; j++)
        sum += x[j] * y[j];
    return sum;
}

/* Solves the symmetric positive definite system in place: the lower triangle becomes the factor of Cholesky, the right
   side the solution. Not by LAPACK, whose threads would wait for each other many times a step. Non-zero if the matrix
   is not positive definite. */
static int solve_in_place(size_t n, size_t pitch, double *matrix, double *side)
{
    for (size_t x = 0; x < n; x++) {
        double *row = matrix + x * pitch;
        for (size_t y = 0; y < x; y++) {
            const double *other = matrix + y * pitch;
            row[y] = (row[y] - dot(y, row, other)) / other[y];
        }
        double rest = row[x] - dot(x, row, row);
        if (!(rest > 0) || !isfinite(rest))
            return -1;
        row[x] = sqrt(rest);
        side[x] = (side[x] - dot(x, row, side)) / row[x];
    }
    for (size_t x = n; x-- > 0;) {
        const double *row = matrix + x * pitch;
        side[x] /= row[x];
        for (size_t y = 0; y < x; y++)
            side[y] -= row[y] * side[x];
    }
    return 0;
}

/* Rows of M of cell l and its products with those of all earlier cells, from V and R at both ends of the cell. */
static void set_cell(const kernels *kern, int l, const double *root, const joint_system *s)
{
    int k = kern->k;
    double place = kern->grid->event[l];
    for (int c = 0; c < k; c++) {
        size_t at = (size_t)(l * k + c);
        double *out = s->M + at * s->wide;
        const double *low = kernels_V(kern, l, c), *high = kernels_V(kern, l + 1, c);
        memset(out, 0, sizeof *out * s->wide);
        for (int d = 0; d < k; d++)
            for (int e = 0; e < k; e++) {
                double start = kernels_R(kern, c * k + e, l)[0], end = kernels_R(kern, c * k + e, l + 1)[0];
                out[d] += (start + place * (end - start)) * root[e * k + d];
            }
        for (int j = 0; j < (l + 1) * k; j++)
            out[k + j] = j < l * k ? low[j] + place * (high[j] - low[j]) : place * high[j];
        for (size_t y = 0; y <= at; y++)
            s->products[at * s->high + y] = dot((y / (size_t)k + 2) * (size_t)k, out, s->M + y * s->wide);
    }
}

/* E[S_i z0^T] from the averages with the start and the teacher. */
static void with_start(const kernels *kern, int i, const averages_layout *at, const double *averages,
                       const double *inverse, double *out)
{
    int k = kern->k;
    double own[MATRIX_MAX * MATRIX_MAX], length = kern->grid->h[i] * step_rule_eta(kern->grid, i);
    start_correlation(k, kern->kstar, kern->m, kern->rho_inverse, averages + at->mu, averages + at->gw0, own);
    memset(out, 0, sizeof *out * (size_t)(k * k));
    matrix_add_product(k, length, own, inverse, out);
}

/* The defect of Stein's lemma for student a; returns the variance of its kick that the field does not explain. */
static double set_defect(const kernels *kern, int i, int a, const averages_layout *at, const double *averages,
                         const double *start, const joint_system *s)
{
    int k = kern->k;
    double left = averages_row(at, averages, i, VISITS)[a * k + a];
    for (int j = 0; j <= i; j++)
        for (int d = 0; d < k; d++)
            s->defect[k + j * k + d] = averages_row(at, averages, j, CELL_NORMAL)[a * k + d];
    for (int d = 0; d < k; d++)
        s->defect[d] = start[a * k + d];
    for (int j = 0; j < s->normals; j++)
        left -= s->defect[j] * s->defect[j];
    for (int l = 0; l <= i; l++)
        for (int c = 0; c < k; c++) {
            double X = averages_row(at, averages, l, RESPONSE_CELL)[a * k + c];
            const double *row = s->M + (size_t)(l * k + c) * s->wide;
            for (int j = 0; j < s->normals; j++)
                s->defect[j] -= X * row[j];
        }
    return left;
}

/* Solves (1 + root M M^T root / left) u = root M defect / left; then D = root u. Non-zero if that fails. */
static int solve(const joint_system *s, double left)
{
    int n = s->unknowns;
    for (int x = 0; x < n; x++) {
        const double *products = s->products + (size_t)x * s->high;
        double *row = s->matrix + (size_t)x * s->high, scale = s->root[x] / left;
        s->side[x] = scale * dot((size_t)s->normals, s->M + (size_t)x * s->wide, s->defect);
        for (int y = 0; y <= x; y++)
            row[y] = scale * products[y] * s->root[y] + (x == y);
    }
    return solve_in_place((size_t)n, s->high, s->matrix, s->side);
}

/* Moves row a of X. */
static void move(const kernels *kern, int a, double left, const averages_layout *at, double *averages,
                 const joint_system *s)
{
    size_t k = (size_t)kern->k, kk = k * k;
    double largest = 0;
    for (size_t x = 0; x < (size_t)s->unknowns; x++) {
        const double *row = averages + averages_used(at, (int)(x / k)) + (size_t)a * k + x % k;
        double mean = row[RESPONSE_CELL * kk], variance = row[CELL_SQUARE * kk] - mean * mean;
        s->root[x] = variance > ROUNDING * mean * mean ? sqrt(VARIANCE_UNSEEN * variance) : 0;
        largest = fmax(largest, s->root[x]);
    }
    if (!(largest > 0) || !(left > 0) || solve(s, left))
        return;
    for (size_t x = 0; x < (size_t)s->unknowns; x++)
        averages[averages_used(at, (int)(x / k)) + RESPONSE_CELL * kk + (size_t)a * k + x % k] +=
            s->root[x] * s->side[x];
}

void response_joint(kernels *kern, int i, const averages_layout *at, double *averages)
{
    double root[MATRIX_MAX * MATRIX_MAX], inverse[MATRIX_MAX * MATRIX_MAX], start[MATRIX_MAX * MATRIX_MAX];
    joint_system s = system_of(kern, i);
    start_root(kern, root, inverse);
    /* the rows of the cell before changed once more after the last pass of its own */
    for (int l = i > 0 ? i - 1 : 0; l <= i; l++)
        set_cell(kern, l, root, &s);
    with_start(kern, i, at, averages, inverse, start);
    for (int a = 0; a < kern->k; a++) {
        double left = set_defect(kern, i, a, at, averages, start, &s);
        move(kern, a, left, at, averages, &s);
    }
}
