/* A claim about the limiting equations: numbers that are checked, one in each row of a table, and curves for a figure.

   A number is checked against an interval; NaN lies in none. A comparison of noisy curves can only fail if its error
   bars are small enough, so they are checked, too. Rows and series are added in any order. The first failure (memory)
   is kept in `status`; functions that add something do nothing after it. */
#ifndef SGDMFT_VALIDATION_CLAIMS_CLAIM_H
#define SGDMFT_VALIDATION_CLAIMS_CLAIM_H

#include <stddef.h>

#include "validation/claims/measure.h"
#include "validation/claims/runs.h"

typedef enum verdict { VERDICT_HOLDS, VERDICT_FAILS, VERDICT_NOT_RUN } verdict;

typedef struct claim_row {
    char *problem;   /* what was solved or simulated */
    char *statistic; /* what `value` is */
    double value;
    double low, high; /* the row holds if low <= value <= high; -INFINITY, INFINITY: no bound */
    verdict verdict;
    char *detail; /* where the largest difference is, how accurate the value is; or why the row was not run */
} claim_row;

typedef struct claim_panel {
    char *title, *x, *y; /* labels of the axes */
    int log_x, log_y;    /* 1: logarithmic */
} claim_panel;

typedef enum series_style { SERIES_LINE, SERIES_POINTS, SERIES_DASHES } series_style;

typedef struct claim_series {
    size_t panel;
    char *label; /* empty: not in the legend */
    series_style style;
    int colour; /* 0, 1, 2, ... */
    size_t n;
    double *x, *y, *se; /* [n] */
} claim_series;

struct claim;

typedef struct claim_spec {
    const char *name;  /* on the command line and in file names */
    const char *title; /* one line */
    const char *text;  /* a paragraph: what is claimed and how it is checked */
    void (*check)(struct claim *c);
} claim_spec;

typedef struct claim {
    const claim_spec *spec;
    runs *runs;
    sgdmft_status status;
    size_t n_rows, n_panels, n_series;
    claim_row *rows;
    claim_panel *panels;
    claim_series *series;
} claim;

/* Checks one claim. *out is released by claim_clear in any case. The only failures are those that are no evidence for
   or against a claim: SGDMFT_ERR_MEMORY, SGDMFT_ERR_IO, SGDMFT_ERR_INTERRUPTED. */
sgdmft_status claim_check(const claim_spec *spec, runs *all, claim *out);
void claim_clear(claim *c);

/* Number of rows with that verdict. */
size_t claim_count(const claim *c, verdict v);

/* ---- rows ---- */

/* Bounds on z and on error bars that most rows share; docs/validation.md explains the choice. */
#define CLAIM_SIGMA 4.0
#define CLAIM_RESOLUTION 0.02
#define CLAIM_DIFFERENCE 10.0

/* The verdict on `value` in [low, high]. */
verdict verdict_of(double value, double low, double high);

void claim_row_value(claim *c, const char *problem, const char *statistic, double value, double low, double high,
                     const char *detail, ...) __attribute__((format(printf, 7, 8)));

/* Checks that `a` and `b` agree within `sigma` combined standard errors in every column at every time, with error bars
   (gap.resolution) of at most CLAIM_RESOLUTION. */
void claim_row_agree(claim *c, const char *problem, const char *statistic, const run *a, const run *b,
                     const gap_options *options, double sigma);

/* Checks that any two of the `n` runs differ by at least CLAIM_DIFFERENCE combined standard errors in some column at some
   time. `names` are those of the runs, and `what` says what kind of curves they are. */
void claim_rows_differ(claim *c, const char *problem, const char *what, const char *const *names, const run *const *r,
                       int n);

/* 1 if all runs (ended by NULL) have a solution. Otherwise adds a row with the reason: it was not run if this version
   cannot solve the problem, and it fails if the solve failed. */
int claim_have(claim *c, const char *problem, const char *statistic, const run *const *needed);

/* ---- powers ---- */

enum { CLAIM_POINTS_MAX = 8 };

/* Distances of curves as a parameter x goes to its limit. */
typedef struct distance_table {
    size_t n;
    double x[CLAIM_POINTS_MAX], distance[CLAIM_POINTS_MAX], se[CLAIM_POINTS_MAX];
} distance_table;

/* Appends the distance of two runs that have solutions, unless the table is full. */
void distance_table_add(distance_table *table, double x, const run *a, const run *b, const gap_options *options);

/* The row "distance ~ x^p" with low <= p <= high, and the distances in a panel. */
void claim_row_power(claim *c, size_t panel, const char *problem, const char *statistic, const distance_table *table,
                     double low, double high, int colour);

/* ---- figure ---- */

size_t claim_add_panel(claim *c, const char *title, const char *x, const char *y, int log_x, int log_y);
void claim_add_series(claim *c, size_t panel, const char *label, series_style style, int colour, size_t n,
                      const double *x, const double *y, const double *se);

/* A curve of a run, with times multiplied by `unit`; nothing if the run has no such curve. Simulations are drawn as
   points. */
void claim_add_curve(claim *c, size_t panel, const char *label, int colour, const run *r, const char *curve,
                     double unit);

/* A dashed line for the power x^p on logarithmic axes, through the first point if that is positive. */
void claim_add_power(claim *c, size_t panel, double p, size_t n, const double *x, const double *y);

/* A panel with the losses and the first overlaps of both runs. */
void claim_draw_curves(claim *c, const char *title, const run *limit, const run *finite, int log_y);

/* A panel with the same curves of finite - limit in per cent of their scale, with combined standard errors. */
void claim_draw_differences(claim *c, const char *title, const run *limit, const run *finite);

#endif
