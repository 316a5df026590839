/* Inner loops over the lanes of a block. There are n lanes, k students and, for pathwise responses, `slots` visits per
   lane. Unless a comment says otherwise, every array has the lane p as its last index. */
#ifndef SGDMFT_PATHS_LANES_H
#define SGDMFT_PATHS_LANES_H

#include <stddef.h>

static inline void lanes_fill(size_t n, double value, double *x)
{
    for (size_t p = 0; p < n; p++)
        x[p] = value;
}

/* A row of a kernel: component c of its value at node j is row[c * plane + j]. */
typedef struct response_row {
    const double *row;
    size_t plane;
} response_row;

/* rho[b][c][p] = component c of R(t_i, T_b), linear between nodes, for the visits b of lane p in cell[b][p] at
   place[b][p]. */
void lanes_response(int k, size_t n, int slots, response_row R, const int *cell, const double *place, double *rho);

/* The derivative of g at the node with respect to w at visit `first`, in every lane:

     out[a c][p] = (G K_first)_ac,   K_first = - sum_{b >= first} rho_b chain(b, first).

   chain(b, c) is block b (b + 1) / 2 + c of [k k][n]. `work` has k k n doubles. */
void lanes_chain(int k, size_t n, int slots, int first, const double *rho, const double *chain, const double *G,
                 double *work, double *out);

/* A run backwards over `count` events,

     out[b] = (G node[b] + sum_{a > b} out[a] between(a, b)) slope[b].

   out and slope are [count][k][k][n]. node[count][k][k] and between(a, b)_lc, at between[((b k + c) steps + a) k + l],
   are the same for all lanes. `work` has k k n doubles, `rows` count k k n. */
void lanes_adjoint(int k, size_t n, int count, int steps, const double *node, const double *between,
                   const double *slope, const double *G, double *work, double *rows, double *out);

/* out[c] = left sum_{c <= b < count} row[b] chain(b, c) for all c < count. row[b] is a k x k block for all lanes,
   `left` one for each lane. `work` has k k n doubles. */
void lanes_chain_shared(int k, size_t n, int count, const double *row, const double *chain, const double *left,
                        double *work, double *out);

/* Adds the pathwise rows of one slot to those of the averages (kernels/averages.h): rows[cell][3][k][k] with the kinds
   VISITS, RESPONSE_LEFT and RESPONSE_RIGHT. */
void lanes_scatter(int k, size_t n, const int *cell, const double *place, const double *GK, double *rows);

/* Positions at `count` visits in the same cell on different lanes: on lane[v], with x = place[v],

     r[a][v] = (1 - x) r_start[a] + x r_end[a] - (root bridge)[a].

   r and `bridge` are [k][count], r_start and r_end [k][n], root [k][k]. */
void lanes_visit(int k, size_t n, size_t count, const int *lane, const double *place, const double *root,
                 const double *bridge, const double *r_start, const double *r_end, double *r);

/* For visits that are not the first of their lane in the cell, subtracts the effect of the earlier ones: on lane[v],

     r[a][v] -= S[a] + (slope (course[v] S - fade[v] moment))[a],   slope[k][k]. */
void lanes_visit_again(int k, size_t n, size_t count, const int *lane, const double *course, const double *fade,
                       const double *slope, const double *S, const double *moment, double *r);

/* Adds the kicks step g of such visits to their lanes: sum[a][p] += kick_a, moment[a][p] += weight[v] kick_a. */
void lanes_kick(int k, size_t n, size_t count, const int *lane, const double *weight, const double *step,
                const double *g, double *sum, double *moment);

/* out[a b][p] += sum_l x[a][l] y[l b][p] with one matrix x for all lanes. */
void lanes_multiply(int k, size_t n, const double *x, const double *y, double *out);

/* out[c][a b][p] = sum_l x[a l][p] y[c][l b][p] with a matrix x for each lane. */
void lanes_multiply_each(int k, size_t n, int count, const double *x, const double *y, double *out);

/* out[a][p] += sum_b coefficient[a][b] x[b][p], b < columns; rows of coefficients are `stride` apart. */
void lanes_combine(int rows, int columns, size_t stride, size_t n, const double *coefficient, const double *x,
                   double *out);

/* out[a][b] += sum_p x[a][p] y[b][p] */
void lanes_outer(int rows, int columns, size_t n, const double *x, const double *y, double *out);

/* out[a] += sum_p x[a][p] */
void lanes_sum(int rows, size_t n, const double *x, double *out);

/* The three loops of last_visit.c. */

/* base += of_sum sum + of_moment moment: arrays [k][n], matrices [k][k] the same for all lanes. */
void lanes_take_back(int k, size_t n, const double *of_sum, const double *of_moment, const double *sum,
                     const double *moment, double *base);

/* kick = eta g, r = base - response kick. */
void lanes_insert(int k, size_t n, double eta, const double *response, const double *g, const double *base,
                  double *kick, double *r);

/* out[4][k][k] = the sums over lanes of g g^T, g r^T, g kick^T and later sum^T; then later += weight g. */
void lanes_insertion_products(int k, size_t n, double weight, const double *g, const double *r, const double *kick,
                              const double *sum, double *later, double *out);

#endif
