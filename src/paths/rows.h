/* Rows of a block that every pass to a later node reads again: normals, sums of kicks and gradients of all cells or
   nodes so far. With many steps, reading them is most of the work, so they may be kept in single precision; products
   and sums are computed in double precision. A row is rounded once, when its node is accepted, with a relative error of
   6e-8 whose sign is random from lane to lane. An average over paths changes by that divided by the root of the number
   of paths, which is 1e-6 of its noise. */
#ifndef SGDMFT_PATHS_ROWS_H
#define SGDMFT_PATHS_ROWS_H

#include <stddef.h>

/* Groups of k rows with n lanes, one group for each cell or node. One of the two pointers is NULL. */
typedef struct path_rows {
    int k, borrowed;
    size_t n;
    float *single; /* [groups][k][n] */
    double *exact; /* [groups][k][n], owned unless `borrowed` */
} path_rows;

/* Rows without values. Non-zero if memory runs out. */
int rows_new(int k, size_t n, int groups, int single, path_rows *out);

/* Rows with the values data[groups][k][n]: copied in single precision, borrowed in double precision, where `data` must
   outlive the rows. Non-zero if memory runs out. */
int rows_from(int k, size_t n, int groups, int single, double *data, path_rows *out);
void rows_clear(path_rows *rows);

void rows_set(const path_rows *rows, int group, const double *x);

/* The group in double precision: in place, or converted into `room` for k n doubles. */
const double *rows_get(const path_rows *rows, int group, double *room);

/* out[a][p] += sum_b coefficient[a][b] row_b[p], a < k, over the rows b of the first `groups` groups; rows of
   coefficients are `stride` apart. */
void rows_combine(const path_rows *rows, int groups, size_t stride, const double *coefficient, double *out);

/* The same over `groups` groups from group `first` on. */
void rows_combine_part(const path_rows *rows, int first, int groups, size_t stride, const double *coefficient,
                       double *out);

/* out[a][b] += sum_p x[a][p] row_b[p], out[k][k groups] */
void rows_outer(const path_rows *rows, int groups, const double *x, double *out);

/* Merges four groups, the moments X_0, X_1 of two neighbouring cells (merged/moments.h), into two, from group `first`
   on: X_0 + X_0' and onto_mean X_0 + onto_slope X_1 + the same of the second cell. `groups` is the number of groups in
   use; those after the four move down. Single precision only. */
void rows_merge(const path_rows *rows, int first, int groups, const double onto_mean[2], const double onto_slope[2]);

/* Closes a cell whose kicks have the sum S and the moment B: adds S - B to group `group`, which already has values, and
   sets the group after it to B. */
void rows_close_cell(const path_rows *rows, int group, const double *S, const double *B);

#endif
