#include "paths/lanes.h"

#include <string.h>

#include "core/matrix.h"
#include "core/simd.h"
#include "kernels/averages.h"
#include "paths/lanes_parts.h"

INLINED void response(size_t kk, size_t n, int slots, response_row R, const int *restrict cell,
                      const double *restrict place, double *restrict rho)
{
    for (int b = 0; b < slots; b++)
        for (size_t c = 0; c < kk; c++) {
            const double *restrict row = R.row + c * R.plane;
            const int *restrict at = cell + (size_t)b * n;
            const double *restrict x = place + (size_t)b * n;
            double *restrict out = rho + ((size_t)b * kk + c) * n;
            for (size_t p = 0; p < n; p++) {
                double low = row[at[p]], high = row[at[p] + 1];
                out[p] = low + x[p] * (high - low);
            }
        }
}

static VECTOR_CLONES void response_clones(int k, size_t n, int slots, response_row R, const int *cell,
                                          const double *place, double *rho)
{
    response((size_t)(k * k), n, slots, R, cell, place, rho);
}

/* out[a][b] += sign * sum_c x[a][c] y[c][b] in every lane */
INLINED void multiply_add(size_t k, size_t n, double sign, const double *restrict x, const double *restrict y,
                          double *restrict out)
{
    for (size_t a = 0; a < k; a++)
        for (size_t b = 0; b < k; b++)
            for (size_t c = 0; c < k; c++) {
                const double *restrict left = x + (a * k + c) * n, *restrict right = y + (c * k + b) * n;
                double *restrict target = out + (a * k + b) * n;
                for (size_t p = 0; p < n; p++)
                    target[p] += sign * left[p] * right[p];
            }
}

INLINED void chain_node(size_t k, size_t n, int slots, int first, const double *rho, const double *chain,
                        const double *G, double *work, double *out)
{
    size_t kk = k * k;
    memset(work, 0, sizeof(double) * kk * n);
    memset(out, 0, sizeof(double) * kk * n);
    for (size_t b = (size_t)first; b < (size_t)slots; b++)
        multiply_add(k, n, -1, rho + b * kk * n, chain + (b * (b + 1) / 2 + (size_t)first) * kk * n, work);
    multiply_add(k, n, 1, G, work, out);
}

static VECTOR_CLONES void chain_clones(int k, size_t n, int slots, int first, const double *rho, const double *chain,
                                       const double *G, double *work, double *out)
{
    switch (k) {
    case 1: chain_node(1, n, slots, first, rho, chain, G, work, out); break;
    case 2: chain_node(2, n, slots, first, rho, chain, G, work, out); break;
    case 3: chain_node(3, n, slots, first, rho, chain, G, work, out); break;
    default: chain_node((size_t)k, n, slots, first, rho, chain, G, work, out);
    }
}

INLINED void scatter(size_t kk, size_t n, const int *restrict cell, const double *restrict place,
                     const double *restrict GK, double *restrict rows)
{
    for (size_t p = 0; p < n; p++) {
        double *row = rows + (size_t)cell[p] * 3 * kk;
        for (size_t c = 0; c < kk; c++) {
            double right = place[p] * GK[c * n + p];
            row[RESPONSE_LEFT * kk + c] += GK[c * n + p] - right;
            row[RESPONSE_RIGHT * kk + c] += right;
        }
    }
}

static VECTOR_CLONES void scatter_clones(int k, size_t n, const int *cell, const double *place, const double *GK,
                                         double *rows)
{
    switch (k) {
    case 1: scatter(1, n, cell, place, GK, rows); break;
    case 2: scatter(4, n, cell, place, GK, rows); break;
    default: scatter((size_t)(k * k), n, cell, place, GK, rows);
    }
}

static VECTOR_CLONES void visit_clones(int k, size_t n, size_t count, const int *restrict lane,
                                       const double *restrict place, const double *restrict root,
                                       const double *restrict bridge, const double *restrict r_start,
                                       const double *restrict r_end, double *restrict r)
{
    for (int a = 0; a < k; a++) {
        const double *restrict start = r_start + (size_t)a * n, *restrict end = r_end + (size_t)a * n;
        double *restrict out = r + (size_t)a * count;
        for (size_t v = 0; v < count; v++)
            out[v] = (1 - place[v]) * start[lane[v]] + place[v] * end[lane[v]];
        for (int b = 0; b < k; b++) {
            double factor = root[a * k + b];
            const double *restrict beta = bridge + (size_t)b * count;
            for (size_t v = 0; v < count; v++)
                out[v] -= factor * beta[v];
        }
    }
}

static VECTOR_CLONES void visit_again_clones(int k, size_t n, size_t count, const int *restrict lane,
                                             const double *restrict course, const double *restrict fade,
                                             const double *restrict slope, const double *restrict S,
                                             const double *restrict moment, double *restrict r)
{
    for (int a = 0; a < k; a++) {
        double *restrict out = r + (size_t)a * count;
        for (size_t v = 0; v < count; v++)
            out[v] -= S[(size_t)a * n + (size_t)lane[v]];
        for (int b = 0; b < k; b++) {
            double factor = slope[a * k + b];
            const double *restrict from = S + (size_t)b * n, *restrict first = moment + (size_t)b * n;
            for (size_t v = 0; v < count; v++)
                out[v] -= factor * (course[v] * from[lane[v]] - fade[v] * first[lane[v]]);
        }
    }
}

/* The visits are on different lanes, so vector code may write to several of them at once (ivdep). */
static VECTOR_CLONES void kick_clones(int k, size_t n, size_t count, const int *restrict lane,
                                      const double *restrict weight, const double *restrict step,
                                      const double *restrict g, double *restrict sum, double *restrict moment)
{
    for (int a = 0; a < k; a++) {
        double *restrict S = sum + (size_t)a * n, *restrict B = moment + (size_t)a * n;
        const double *restrict from = g + (size_t)a * count;
#pragma GCC ivdep
        for (size_t v = 0; v < count; v++) {
            double kick = step[v] * from[v];
            S[lane[v]] += kick;
            B[lane[v]] += weight[v] * kick;
        }
    }
}

/* work[a][.] += sum_l x_j[a][l] y_j[l][.] for four blocks j at once. `work` is read and written once for all four. */
INLINED void multiply_four(size_t k, size_t n, const double *restrict x, const double *const y[4],
                           double *restrict work)
{
    size_t kk = k * k;
    for (size_t a = 0; a < k; a++)
        for (size_t l = 0; l < k; l++) {
            const double *restrict y0 = y[0] + l * k * n, *restrict y1 = y[1] + l * k * n;
            const double *restrict y2 = y[2] + l * k * n, *restrict y3 = y[3] + l * k * n;
            double x0 = x[a * k + l], x1 = x[kk + a * k + l], x2 = x[2 * kk + a * k + l], x3 = x[3 * kk + a * k + l];
            double *restrict target = work + a * k * n;
            for (size_t p = 0; p < k * n; p++)
                target[p] += x0 * y0[p] + x1 * y1[p] + x2 * y2[p] + x3 * y3[p];
        }
}

INLINED void multiply_one(size_t k, size_t n, const double *restrict x, const double *restrict y, double *restrict work)
{
    for (size_t a = 0; a < k; a++)
        for (size_t l = 0; l < k; l++)
            for (size_t p = 0; p < k * n; p++)
                work[a * k * n + p] += x[a * k + l] * y[l * k * n + p];
}

INLINED const double *chain_block(size_t k, size_t n, const double *chain, size_t b, size_t c)
{
    return chain + (b * (b + 1) / 2 + c) * k * k * n;
}

INLINED void chain_shared(size_t k, size_t n, size_t count, const double *row, const double *chain, const double *left,
                          double *work, double *out)
{
    size_t kk = k * k;
    memset(out, 0, sizeof(double) * kk * n * count);
    for (size_t c = 0; c < count; c++) {
        size_t b = c;
        memset(work, 0, sizeof(double) * kk * n);
        for (; b + 4 <= count; b += 4) {
            const double *y[4];
            for (size_t j = 0; j < 4; j++)
                y[j] = chain_block(k, n, chain, b + j, c);
            multiply_four(k, n, row + b * kk, y, work);
        }
        for (; b < count; b++)
            multiply_one(k, n, row + b * kk, chain_block(k, n, chain, b, c), work);
        multiply_add(k, n, 1, left, work, out + c * kk * n);
    }
}

static VECTOR_CLONES void chain_shared_clones(int k, size_t n, int count, const double *row, const double *chain,
                                              const double *left, double *work, double *out)
{
    switch (k) {
    case 1: chain_shared(1, n, (size_t)count, row, chain, left, work, out); break;
    case 2: chain_shared(2, n, (size_t)count, row, chain, left, work, out); break;
    default: chain_shared((size_t)k, n, (size_t)count, row, chain, left, work, out);
    }
}

static VECTOR_CLONES void multiply_each_clones(int k, size_t n, int count, const double *x, const double *y,
                                               double *out)
{
    size_t width = (size_t)(k * k) * n;
    memset(out, 0, sizeof(double) * width * (size_t)count);
    for (size_t c = 0; c < (size_t)count; c++)
        multiply_add((size_t)k, n, 1, x, y + c * width, out + c * width);
}

COMBINE_TILE(combine_tile, double)

INLINED void combine_two(size_t n, const double *restrict c, const double *restrict x, double *restrict out)
{
    const double *restrict x0 = x, *restrict x1 = x + n;
    for (size_t p = 0; p < n; p++)
        out[p] += c[0] * x0[p] + c[1] * x1[p];
}

static VECTOR_CLONES void combine_clones(int rows, int columns, size_t stride, size_t n,
                                         const double *restrict coefficient, const double *restrict x,
                                         double *restrict out)
{
    int b = 0;
    for (; b + TILE <= columns; b += TILE)
        for (int a = 0; a < rows; a++)
            combine_tile(n, coefficient + (size_t)a * stride + b, x + (size_t)b * n, out + (size_t)a * n);
    for (; b + 2 <= columns; b += 2)
        for (int a = 0; a < rows; a++)
            combine_two(n, coefficient + (size_t)a * stride + b, x + (size_t)b * n, out + (size_t)a * n);
    for (; b < columns; b++)
        for (int a = 0; a < rows; a++) {
            double c = coefficient[(size_t)a * stride + (size_t)b];
            for (size_t p = 0; p < n; p++)
                out[(size_t)a * n + p] += c * x[(size_t)b * n + p];
        }
}

INLINED double add_parts(size_t n, size_t from, lanes8 part, const double *x, const double *y)
{
    double sum = 0;
    for (size_t p = from; p < n; p++)
        sum += x[p] * y[p];
    for (size_t j = 0; j < PARTS; j++)
        sum += part[j];
    return sum;
}

/* Products with eight rows of y at once, each in eight partial sums. The order of summation then does not depend on the
   vector width, and no addition waits for the one before. */
INLINED void outer_tile(size_t n, const double *x, const double *y, double *out)
{
    lanes8 s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0}, s6 = {0}, s7 = {0};
    size_t p = 0;
    for (; p + PARTS <= n; p += PARTS) {
        lanes8 left = *(const lanes8 *)(x + p);
        const double *right = y + p;
        s0 += left * *(const lanes8 *)right;
        s1 += left * *(const lanes8 *)(right + n);
        s2 += left * *(const lanes8 *)(right + 2 * n);
        s3 += left * *(const lanes8 *)(right + 3 * n);
        s4 += left * *(const lanes8 *)(right + 4 * n);
        s5 += left * *(const lanes8 *)(right + 5 * n);
        s6 += left * *(const lanes8 *)(right + 6 * n);
        s7 += left * *(const lanes8 *)(right + 7 * n);
    }
    lanes8 sum[TILE] = {s0, s1, s2, s3, s4, s5, s6, s7};
    for (size_t b = 0; b < TILE; b++)
        out[b] += add_parts(n, p, sum[b], x, y + b * n);
}

INLINED void outer_one(size_t n, const double *x, const double *y, double *out)
{
    lanes8 sum = {0};
    size_t p = 0;
    for (; p + PARTS <= n; p += PARTS)
        sum += *(const lanes8 *)(x + p) * *(const lanes8 *)(y + p);
    *out += add_parts(n, p, sum, x, y);
}

static VECTOR_CLONES void outer_clones(int rows, int columns, size_t n, const double *x, const double *y, double *out)
{
    int b = 0;
    for (; b + TILE <= columns; b += TILE)
        for (int a = 0; a < rows; a++)
            outer_tile(n, x + (size_t)a * n, y + (size_t)b * n, out + a * columns + b);
    for (; b < columns; b++)
        for (int a = 0; a < rows; a++)
            outer_one(n, x + (size_t)a * n, y + (size_t)b * n, out + a * columns + b);
}

static VECTOR_CLONES void sum_clones(int rows, size_t n, const double *x, double *out)
{
    for (int a = 0; a < rows; a++) {
        const double *row = x + (size_t)a * n;
        lanes8 s0 = {0}, s1 = {0};
        size_t p = 0;
        for (; p + 2 * PARTS <= n; p += 2 * PARTS) {
            s0 += *(const lanes8 *)(row + p);
            s1 += *(const lanes8 *)(row + p + PARTS);
        }
        for (; p < n; p++)
            out[a] += row[p];
        s0 += s1;
        for (size_t j = 0; j < PARTS; j++)
            out[a] += s0[j];
    }
}

static VECTOR_CLONES void take_back_clones(int k, size_t n, const double *restrict of_sum,
                                           const double *restrict of_moment, const double *restrict sum,
                                           const double *restrict moment, double *restrict base)
{
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            double x = of_sum[a * k + b], y = of_moment[a * k + b];
            const double *restrict S = sum + (size_t)b * n, *restrict B = moment + (size_t)b * n;
            double *restrict to = base + (size_t)a * n;
            for (size_t p = 0; p < n; p++)
                to[p] += x * S[p] + y * B[p];
        }
}

static VECTOR_CLONES void insert_clones(int k, size_t n, double eta, const double *restrict response,
                                        const double *restrict g, const double *restrict base, double *restrict kick,
                                        double *restrict r)
{
    for (size_t p = 0; p < (size_t)k * n; p++) {
        kick[p] = eta * g[p];
        r[p] = base[p];
    }
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            double R = response[a * k + b];
            const double *restrict from = kick + (size_t)b * n;
            double *restrict to = r + (size_t)a * n;
            for (size_t p = 0; p < n; p++)
                to[p] -= R * from[p];
        }
}

/* One component of each of the four products. */
INLINED void insertion_one(size_t kk, size_t n, const double *g, const double *r, const double *g_right,
                           const double *kick, const double *later, const double *sum, double *out)
{
    lanes8 gg = {0}, gr = {0}, gk = {0}, ls = {0};
    size_t p = 0;
    for (; p + PARTS <= n; p += PARTS) {
        lanes8 left = *(const lanes8 *)(g + p);
        gg += left * *(const lanes8 *)(g_right + p);
        gr += left * *(const lanes8 *)(r + p);
        gk += left * *(const lanes8 *)(kick + p);
        ls += *(const lanes8 *)(later + p) * *(const lanes8 *)(sum + p);
    }
    out[0] = add_parts(n, p, gg, g, g_right);
    out[kk] = add_parts(n, p, gr, g, r);
    out[2 * kk] = add_parts(n, p, gk, g, kick);
    out[3 * kk] = add_parts(n, p, ls, later, sum);
}

static VECTOR_CLONES void insertion_clones(int k, size_t n, double weight, const double *g, const double *r,
                                           const double *kick, const double *sum, double *restrict later, double *out)
{
    size_t kk = (size_t)(k * k);
    for (size_t x = 0; x < kk; x++) {
        size_t a = x / (size_t)k * n, b = x % (size_t)k * n;
        insertion_one(kk, n, g + a, r + b, g + b, kick + b, later + a, sum + b, out + x);
    }
    for (size_t p = 0; p < (size_t)k * n; p++)
        later[p] += weight * g[p];
}

/* A function with clones would be exported in spite of -fvisibility=hidden, so these are static, and the functions of
   the header wrap them. */

void lanes_response(int k, size_t n, int slots, response_row R, const int *cell, const double *place, double *rho)
{
    response_clones(k, n, slots, R, cell, place, rho);
}

void lanes_chain(int k, size_t n, int slots, int first, const double *rho, const double *chain, const double *G,
                 double *work, double *out)
{
    chain_clones(k, n, slots, first, rho, chain, G, work, out);
}

void lanes_scatter(int k, size_t n, const int *cell, const double *place, const double *GK, double *rows)
{
    scatter_clones(k, n, cell, place, GK, rows);
}

void lanes_visit(int k, size_t n, size_t count, const int *lane, const double *place, const double *root,
                 const double *bridge, const double *r_start, const double *r_end, double *r)
{
    visit_clones(k, n, count, lane, place, root, bridge, r_start, r_end, r);
}

void lanes_visit_again(int k, size_t n, size_t count, const int *lane, const double *course, const double *fade,
                       const double *slope, const double *S, const double *moment, double *r)
{
    visit_again_clones(k, n, count, lane, course, fade, slope, S, moment, r);
}

void lanes_kick(int k, size_t n, size_t count, const int *lane, const double *weight, const double *step,
                const double *g, double *sum, double *moment)
{
    kick_clones(k, n, count, lane, weight, step, g, sum, moment);
}

void lanes_chain_shared(int k, size_t n, int count, const double *row, const double *chain, const double *left,
                        double *work, double *out)
{
    chain_shared_clones(k, n, count, row, chain, left, work, out);
}

static VECTOR_CLONES void multiply_clones(int k, size_t n, const double *x, const double *y, double *out)
{
    multiply_one((size_t)k, n, x, y, out);
}

void lanes_multiply(int k, size_t n, const double *x, const double *y, double *out)
{
    multiply_clones(k, n, x, y, out);
}

void lanes_multiply_each(int k, size_t n, int count, const double *x, const double *y, double *out)
{
    multiply_each_clones(k, n, count, x, y, out);
}

void lanes_combine(int rows, int columns, size_t stride, size_t n, const double *coefficient, const double *x,
                   double *out)
{
    combine_clones(rows, columns, stride, n, coefficient, x, out);
}

void lanes_outer(int rows, int columns, size_t n, const double *x, const double *y, double *out)
{
    outer_clones(rows, columns, n, x, y, out);
}

void lanes_sum(int rows, size_t n, const double *x, double *out)
{
    sum_clones(rows, n, x, out);
}

void lanes_take_back(int k, size_t n, const double *of_sum, const double *of_moment, const double *sum,
                     const double *moment, double *base)
{
    take_back_clones(k, n, of_sum, of_moment, sum, moment, base);
}

void lanes_insert(int k, size_t n, double eta, const double *response, const double *g, const double *base,
                  double *kick, double *r)
{
    insert_clones(k, n, eta, response, g, base, kick, r);
}

void lanes_insertion_products(int k, size_t n, double weight, const double *g, const double *r, const double *kick,
                              const double *sum, double *later, double *out)
{
    insertion_clones(k, n, weight, g, r, kick, sum, later, out);
}

/* rows[a][b][l] = out[b][a][l], so that the factors of one row of `between` are contiguous. */
void lanes_adjoint(int k, size_t n, int count, int steps, const double *node, const double *between,
                   const double *slope, const double *G, double *work, double *rows, double *out)
{
    size_t kk = (size_t)(k * k), width = (size_t)k * n, all = (size_t)count * width;
    double shared[MATRIX_MAX * MATRIX_MAX];
    for (int b = count - 1; b >= 0; b--) {
        for (int c = 0; c < k; c++)
            for (int l = 0; l < k; l++)
                shared[c * k + l] = node[(size_t)b * kk + (size_t)(l * k + c)];
        const double *later = between + ((size_t)(b * k) * (size_t)steps + (size_t)b + 1) * (size_t)k;
        memset(work, 0, sizeof(double) * kk * n);
        for (int a = 0; a < k; a++) {
            double *sum = work + (size_t)a * width;
            lanes_combine(k, k, (size_t)k, n, shared, G + (size_t)a * width, sum);
            lanes_combine(k, (count - 1 - b) * k, (size_t)(steps * k), n, later,
                          rows + (size_t)a * all + (size_t)(b + 1) * width, sum);
        }
        double *x = out + (size_t)b * kk * n;
        lanes_multiply_each(k, n, 1, work, slope + (size_t)b * kk * n, x);
        for (int a = 0; a < k; a++)
            memcpy(rows + (size_t)a * all + (size_t)b * width, x + (size_t)a * width, sizeof(double) * width);
    }
}
