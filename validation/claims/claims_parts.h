/* Pieces that several claims draw or compute. */
#ifndef SGDMFT_VALIDATION_CLAIMS_CLAIMS_PARTS_H
#define SGDMFT_VALIDATION_CLAIMS_CLAIMS_PARTS_H

#include "validation/claims/claim.h"

/* A panel with train and test loss and the first overlaps of both runs, lines and points, on a logarithmic axis or
   not. */
void part_draw_curves(claim *c, const char *title, const run *limit, const run *finite, int log_y);

/* The same curves: finite - limit in per cent of the scale, with combined errors. */
void part_draw_differences(claim *c, const char *title, const run *limit, const run *finite);

/* A dashed line of that slope on logarithmic axes, through the first positive point. */
void part_draw_power(claim *c, size_t panel, double slope, size_t n, const double *x, const double *y);

/* A table of distances d_i between runs a_i and b_i, where a parameter x_i goes to its limit. */
enum { RATES_MAX = 8 };
typedef struct rate_table {
    size_t n;
    double x[RATES_MAX], distance[RATES_MAX], se[RATES_MAX];
} rate_table;

/* Appends the distance of two runs that have solutions; `exact`: of solutions without sampling, whose standard errors
   are 0. */
void part_rate(rate_table *table, double x, const run *a, const run *b, const gap_options *options);

/* The row "distance ~ x^p" with low <= p <= high, and the table in a panel. */
void part_rate_row(claim *c, size_t panel, const char *problem, const char *statistic, const rate_table *table,
                   double low, double high, int colour);

#endif
