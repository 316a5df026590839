/* Inner loops over the lanes of a block at one grid node. n lanes, `slots` visits per lane, k students. */
#ifndef SGDMFT_LANES_H
#define SGDMFT_LANES_H

#include <stddef.h>

/* A row of R: component c at row[c * plane + j]. */
typedef struct response_row {
    const double *row;
    size_t plane;
} response_row;

/* rho[b][c][p] = component c of R(t_i, T_b) by linear interpolation in the visit time. */
void lanes_response(int k, size_t n, int slots, response_row R, const int *cell, const double *place, double *rho);

/* r[a][p] -= sum_b sum_c rho_b[a c] kick_b[c] */
void lanes_react(int k, size_t n, int slots, const double *rho, const double *kick, double *r);

/* out[a c][p] = G K_first, K_first = - sum_{b >= first} rho_b chain(b, first): the change of g at the node per change
   of w at visit `first`. chain(b, c) is block b (b + 1) / 2 + c of [k k][n]. `work` has k k n doubles. */
void lanes_chain(int k, size_t n, int slots, int first, const double *rho, const double *chain, const double *G,
                 double *work, double *out);

/* out[c] = left (lane by lane) times sum over c <= b < count of row[b] chain(b, c), for all c < count; row[b] is a k x k
   block for all lanes, `work` has k k n doubles. */
void lanes_chain_shared(int k, size_t n, int count, const double *row, const double *chain, const double *left,
                        double *work, double *out);

/* Adds the averages of one slot to the rows of the estimates (see twotime/estimates.h): rows[cell][kinds][k][k], with
   pathwise responses (3 kinds), and the visit sums alone. */
void lanes_scatter(int k, size_t n, const int *cell, const double *place, const double *GK, const double *g,
                   const double *kick, double *rows);

void lanes_scatter_visits(int k, size_t n, size_t kinds, const int *cell, const double *g, const double *kick,
                          double *rows);

/* out[c][a b][p] = sum_l x[a l][p] y[c][l b][p], a matrix of each lane. */
void lanes_multiply_each(int k, size_t n, int count, const double *x, const double *y, double *out);

/* out[a][p] += sum_b coefficient[a][b] x[b][p], b < columns; rows of coefficients are `stride` apart */
void lanes_combine(int rows, int columns, size_t stride, size_t n, const double *coefficient, const double *x,
                   double *out);

/* out[a][b] += sum_p x[a][p] y[b][p] */
void lanes_outer(int rows, int columns, size_t n, const double *x, const double *y, double *out);

#endif
