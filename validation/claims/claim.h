/* A claim: what is said about the limiting equations, checked row by row, with curves to look at.

   A row is a number and the interval it must lie in; NaN lies in none. A comparison of noisy curves must also be able
   to see: its error bars have a bound of their own. Claims add rows and series in any order; none of it can fail in a
   way that the caller must ask about, the first failure is kept in `status` and everything after it does nothing. */
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
    double low, high; /* it holds if low <= value <= high; -INFINITY, INFINITY: no such bound */
    verdict verdict;
    char *detail; /* where the worst is, how accurate it is; or why it was not run */
} claim_row;

/* Axes of the figure; scales are logarithmic or not. */
typedef struct claim_panel {
    char *title, *x, *y;
    int log_x, log_y;
} claim_panel;

typedef enum series_style { SERIES_LINE, SERIES_POINTS, SERIES_DASHES } series_style;

typedef struct claim_series {
    size_t panel;
    char *label; /* empty: not in the legend */
    series_style style;
    int colour; /* 0, 1, 2, ...: equal numbers look alike */
    size_t n;
    double *x, *y, *se; /* [n] */
} claim_series;

struct claim;

typedef struct claim_spec {
    const char *name;  /* on the command line and of files */
    const char *title; /* one line */
    const char *text;  /* what is claimed and how it is checked: a paragraph */
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

/* All claims, in the order of the report; ended by NULL. */
extern const claim_spec *const claims_all[];

/* Checks one claim. *out is released by claim_clear in any case. Failures are those that say nothing about a claim:
   SGDMFT_ERR_MEMORY, SGDMFT_ERR_IO, SGDMFT_ERR_INTERRUPTED. */
sgdmft_status claim_check(const claim_spec *spec, runs *all, claim *out);
void claim_clear(claim *c);

/* Number of rows with that verdict. */
size_t claim_count(const claim *c, verdict v);

/* ---- rows ---- */

/* Bounds on z and on error bars that most rows share; docs/validation.md tells why. */
#define CLAIM_SIGMA 4.0
#define CLAIM_RESOLUTION 0.02

/* The verdict of `value` within [low, high]. */
verdict verdict_of(double value, double low, double high);

void claim_row_value(claim *c, const char *problem, const char *statistic, double value, double low, double high,
                     const char *detail, ...) __attribute__((format(printf, 7, 8)));

/* `a` and `b` agree within `sigma` combined standard errors in every column at every time; the error bars, as
   gap.resolution, are at most CLAIM_RESOLUTION. */
void claim_row_agree(claim *c, const char *problem, const char *statistic, const run *a, const run *b,
                     const gap_options *options, double sigma);

/* 1 if all runs (ended by NULL) have a solution. Otherwise adds a row that says why: not run if this version cannot do
   it, and that it fails if the solve came to nothing. */
int claim_have(claim *c, const char *problem, const char *statistic, const run *const *needed);

/* ---- figure ---- */

size_t claim_add_panel(claim *c, const char *title, const char *x, const char *y, int log_x, int log_y);
void claim_add_series(claim *c, size_t panel, const char *label, series_style style, int colour, size_t n,
                      const double *x, const double *y, const double *se);

/* A curve of a run, times multiplied by `unit`; nothing if there is no such curve. Simulations are points. */
void claim_add_curve(claim *c, size_t panel, const char *label, int colour, const run *r, const char *curve,
                     double unit);

#endif
