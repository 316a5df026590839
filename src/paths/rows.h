/* The rows of a block that every pass to a later node reads again: normals, sums of kicks, gradients, of all nodes so far.
   Reading them is most of the work where steps are many, so they can be kept in single precision; products and sums are
   made in double precision. A row is then rounded when its node is accepted, by 6e-8 of itself and of random sign from lane
   to lane: averages over paths change by that over the root of the number of paths, 1e-6 of their noise. */
#ifndef SGDMFT_PATHS_ROWS_H
#define SGDMFT_PATHS_ROWS_H

#include <stddef.h>

/* Groups of k rows with n lanes, one group for each cell or node. One of the pointers is NULL. */
typedef struct path_rows {
    int k, borrowed;
    size_t n;
    float *single; /* [groups][k][n] */
    double *exact;
} path_rows;

/* With no values yet. Non-zero if there is no memory. */
int rows_new(int k, size_t n, int groups, int single, path_rows *out);

/* From data[groups][k][n]: a copy in single precision, or these data, which have to live longer. */
int rows_from(int k, size_t n, int groups, int single, double *data, path_rows *out);
void rows_clear(path_rows *rows);

void rows_set(const path_rows *rows, int group, const double *x);

/* The group in double precision; `room` for k n numbers may be used for it. */
const double *rows_get(const path_rows *rows, int group, double *room);

/* out[a][p] += sum over b of coefficient[a][b] row_b[p], a < k, over all rows b of the first `groups` groups; rows of
   coefficients are `stride` apart. */
void rows_combine(const path_rows *rows, int groups, size_t stride, const double *coefficient, double *out);

/* The same over `groups` groups from group `first` on. */
void rows_combine_part(const path_rows *rows, int first, int groups, size_t stride, const double *coefficient,
                       double *out);

/* out[a][b] += sum_p x[a][p] row_b[p], out[k][k groups] */
void rows_outer(const path_rows *rows, int groups, const double *x, double *out);

/* A cell ends, in which the sum of the kicks was S and that of place * kick B: adds S - B to group `group`, which has values already,
   and sets the next group to B. */
void rows_close_cell(const path_rows *rows, int group, const double *S, const double *B);

#endif
