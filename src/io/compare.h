/* Two sets of curves side by side: do they agree within their standard errors?

   Columns are matched by name. Times are matched to 1e-9; if one file's times are all among the other's, the common
   times are compared. Otherwise the file with more rows is interpolated, by a cubic through the four rows around, at
   those times of the other that lie strictly inside its range; the error of the interpolation is not accounted for.

   At one time, A and B agree if |A - B| <= sigma sqrt(se_A^2 + se_B^2), or |A - B| <= rtol scale, where scale is the
   largest |B| of the column. rtol counts if it was asked for, or if both values are exact (both se 0). Anything that
   is not a number disagrees. */
#ifndef SGDMFT_IO_COMPARE_H
#define SGDMFT_IO_COMPARE_H

#include <stddef.h>

#include "core/context.h"
#include "io/csv_read.h"

#define COMPARE_SIGMA 4.0
#define COMPARE_RTOL_EXACT 1e-6

typedef struct compare_limits {
    double sigma; /* > 0 */
    double rtol;  /* >= 0; negative: not asked for, COMPARE_RTOL_EXACT where both values are exact */
} compare_limits;

typedef struct compare_column {
    const char *name; /* belongs to table A */
    int agrees;
    size_t n_disagree; /* times that disagree */
    double t, a, b;    /* the worst time and the values there */
    double z;          /* |A - B| / se there; infinite or 0 where both are exact */
    double relative;   /* |A - B| / scale there */
    double rms_z;      /* over the times that have an error bar; NaN if none has */
} compare_column;

typedef struct comparison {
    int agrees;
    size_t n_times;        /* times compared */
    size_t n_interpolated; /* of these, interpolated in one file */
    size_t n_outside;      /* times left out because the other file does not reach them */
    int interpolated_a;    /* 1: it is A that was interpolated */
    double t_first, t_last;
    size_t n_columns;
    compare_column *columns; /* in the order of A */
} comparison;

/* The tables must outlive the comparison. Errors: SGDMFT_ERR_MISSING if nothing is in common or a column has
   no partner X_se; SGDMFT_ERR_RANGE for a negative standard error. */
sgdmft_status compare_tables(sgdmft_context *ctx, const csv_table *a, const csv_table *b, compare_limits limits,
                             comparison **out);
void comparison_free(comparison *c);

/* 1 if the column holds a quantity, neither t nor a standard error. */
int compare_is_quantity(const char *name);

#endif
