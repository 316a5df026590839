/* How far apart are two sets of curves, and how does a distance fall? Pure functions of curves and numbers. */
#ifndef SGDMFT_VALIDATION_CLAIMS_MEASURE_H
#define SGDMFT_VALIDATION_CLAIMS_MEASURE_H

#include <stddef.h>

#include "sgdmft/solution.h"

typedef struct gap_options {
    double time_a, time_b; /* times are multiplied by these before they are matched; 0 means 1 */
    double allowance;      /* a difference of this part of the value in b counts as none: a documented bias of b */
    /* a is replaced by a + weight (a - coarse): extrapolation along a parameter in which coarse is further from its
       limit than a; same columns and times as a. NULL: no extrapolation. */
    const sgdmft_solution *coarse;
    double weight;
} gap_options;

/* Two sets of curves, compared at their common times in all their common columns. A column's scale is its largest
   |value| in b; the standard error of a difference combines both sides, taken as independent. */
typedef struct gap {
    size_t columns, times;
    /* Largest z, and where. |a - b| / standard error is Student's t, with the degrees of freedom that the numbers of
       replicas or repetitions give (Welch); z is the number of standard deviations that a Gaussian exceeds as rarely.
       Where both are exact, differences within single precision (1e-6 of the scale) count as none and larger ones as
       infinite. NaN values count as infinite. */
    double z;
    char column[64];
    double t;
    double resolution; /* rms over columns and times of standard errors and allowances over the scale */
    double largest;    /* largest |a - b| / scale */
    /* Root mean square of (a - b) / scale over columns and times, less what the standard errors contribute (not below
       0), and its standard error if the errors of one column at different times, and those of columns, go together,
       which is the worst case. */
    double distance, distance_se;
} gap;

/* 0, or non-zero if there is no common column or time. */
int gap_between(const sgdmft_solution *a, const sgdmft_solution *b, const gap_options *options, gap *out);

/* Standard deviations that a Gaussian exceeds as rarely as Student's t with that many degrees of freedom exceeds t; t
   itself if freedom is not positive and finite. Both non-negative. */
double gaussian_equivalent(double t, double freedom);

/* One curve: (a - b) / scale and its standard error at the common times, at most `room` of them. Returns how many. */
size_t difference_of(const sgdmft_solution *a, const sgdmft_solution *b, const char *curve, size_t room, double *t,
                     double *difference, double *se);

/* Root mean square over columns and times of the spread of single repetitions (standard error of the mean times the
   root of their number) over the scale of the column. `error`: of one such number. */
double spread_of(const sgdmft_solution *s, double *error);

/* The power law y ~ x^slope through positive points by least squares, weighted by the relative errors y_se / y; its
   standard error comes from these. If all y_se are 0, points weigh the same and their scatter gives the error. A y
   below twice its error is not a point. Fewer than two points (three without errors): slope and error are NaN. */
typedef struct power_law {
    double slope, se;
    size_t points;
} power_law;

power_law power_law_fit(size_t n, const double *x, const double *y, const double *y_se);

/* Smallest eigenvalue of C (symmetric, size n), or NaN if it cannot be found. */
double smallest_eigenvalue(size_t n, const double *C);

#endif
