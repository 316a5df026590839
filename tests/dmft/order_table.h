/* Tables of time-step errors over replicas, each solved on grids of N, N/2, N/4, N/8 steps with the same paths. Coupled
   differences show the order where they are larger than their own noise; the value extrapolated from the two finest
   grids is compared with known values. */
#ifndef SGDMFT_TESTS_DMFT_ORDER_TABLE_H
#define SGDMFT_TESTS_DMFT_ORDER_TABLE_H

#include "support/nested_grids.h"
#include "support/sample.h"

enum { GRID_COUNT = 4 };

/* Over replicas, for one quantity. */
typedef struct table_row {
    sample difference[GRID_COUNT - 1];   /* X_2h - X_h, from the finest pair on */
    sample extrapolated[GRID_COUNT - 1]; /* X_h + (X_h - X_2h) / 3 */
    sample correction[GRID_COUNT - 2];   /* differences of extrapolated values */
} table_row;

/* Solves replicas 0 .. replicas - 1. */
void order_collect(const test_plan *t, uint32_t replicas, table_row rows[QUANTITIES]);
void order_print(const test_plan *t, const table_row rows[QUANTITIES]);

/* The ratio of successive differences is near 4 wherever the finer one is resolved to 7 standard errors; the noise of
   the ratio itself is allowed for twice. At least `resolved` of the ratios show it. */
void order_check(const table_row rows[QUANTITIES], int resolved);

/* X_h - want on the grids but the coarsest; their ratios are near 4 (3.5 to 4.5 on the finest pair). For values without
   noise. */
void order_check_errors(const table_row *row, double want, const char *name);

/* At least second order: wherever the difference between the second pair of grids is resolved to 7 standard errors,
   that between the finest pair is smaller by 3, the noise of the ratio being allowed for twice. At least `resolved` of
   the quantities show it. For schemes whose errors of higher order are not yet small. */
void order_check_falls(const table_row rows[QUANTITIES], int resolved);

/* Within 4 standard errors of `want`, and the part of the error that extrapolation leaves: it falls at least 8 times
   from one pair of grids to the next, so a seventh of the last change. */
void order_check_extrapolated(const table_row *row, double want, const char *name);

/* Extrapolation from the second pair of grids agrees with that from the finest pair, within the noise of their coupled
   difference and a share of the time-step error that it removes. */
void order_check_against_finest(const table_row *row, const char *name);

#endif
