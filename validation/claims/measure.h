/* Statistics of validations: how far two sets of curves are apart, and by which power a distance falls. */
#ifndef SGDMFT_VALIDATION_CLAIMS_MEASURE_H
#define SGDMFT_VALIDATION_CLAIMS_MEASURE_H

#include <stddef.h>

#include "sgdmft/solution.h"

typedef struct gap_options {
    double time_a, time_b; /* times are multiplied by these before they are matched; 0 means 1 */
    double allowance;      /* documented bias of b, relative to its value: differences up to it count as none */
    const char *without;   /* columns whose names begin with this are left out; NULL: all are compared */
    /* Extrapolation of a to the limit of a parameter: a is replaced by a + weight (a - coarse), where coarse has the
       columns and times of a and is further from the limit. NULL: no extrapolation. */
    const sgdmft_solution *coarse;
    double weight;
} gap_options;

/* Two sets of curves, compared at their common times in all their common columns. The scale of a column is its largest
   |value| in b. Standard errors of a and b are combined as those of independent numbers. */
typedef struct gap {
    size_t columns, times;
    /* The largest z, with its column and time. |a - b| / standard error follows Student's t, with degrees of freedom
       from the numbers of replicas or repetitions (Welch); z is the number of standard deviations that a Gaussian
       exceeds with the same probability. If both values are exact, differences within single precision (1e-6 of the
       scale) count as none and larger ones as infinite. NaN counts as infinite. */
    double z;
    char column[64];
    double t;
    double resolution; /* root mean square over columns and times of (standard errors and allowances) / scale */
    double largest;    /* largest |a - b| / scale */
    /* Root mean square of (a - b) / scale over columns and times after subtracting the contribution of the standard
       errors, at least 0. Its standard error is that of the worst case, that the errors of all columns and times are
       fully correlated. */
    double distance, distance_se;
} gap;

/* 0, or non-zero if there is no common column or time; the numbers of *out are then NaN. */
int gap_between(const sgdmft_solution *a, const sgdmft_solution *b, const gap_options *options, gap *out);

/* The number of standard deviations that a Gaussian exceeds with the probability that Student's t with `freedom`
   degrees of freedom exceeds t >= 0; t itself if `freedom` is not positive and finite. */
double gaussian_equivalent(double t, double freedom);

/* (a - b) / scale of one curve and its standard error at the first `room` common times. Returns their number. */
size_t difference_of(const sgdmft_solution *a, const sgdmft_solution *b, const char *curve, size_t room, double *t,
                     double *difference, double *se);

/* Root mean square over columns and times of the standard deviation of single repetitions over the scale of the column.
   *error is the standard error of one such number. */
double spread_of(const sgdmft_solution *s, double *error);

/* The power law y ~ x^slope through points with positive x and y, by least squares weighted by the relative errors
   y_se / y, which also give the standard error of the slope. If all y_se are 0, points have equal weights and the
   standard error comes from their scatter. Points with y below twice its error are left out. Slope and error are NaN if
   fewer than two points are left (three if all y_se are 0). */
typedef struct power_law {
    double slope, se;
    size_t points;
} power_law;

power_law power_law_fit(size_t n, const double *x, const double *y, const double *y_se);

/* Smallest eigenvalue of C (symmetric, size n), or NaN if it cannot be found. */
double smallest_eigenvalue(size_t n, const double *C);

#endif
