/* Two sets of curves side by side: do they agree within their standard errors?

   Curves are matched by name. Times are matched to 1e-9; if one side's times are all among the other's, the common
   times are compared. Otherwise the side with more times is interpolated, by a cubic through the four times around,
   at those times of the other that lie strictly inside its range; the error of the interpolation is not accounted
   for.

   At one time, A and B agree if |A - B| <= limit sqrt(se_A^2 + se_B^2), or |A - B| <= rtol scale, where scale is
   that of the curve of B, its largest |value|. rtol counts if it was asked for, or if both values are exact (both se
   0). Anything that is not a number disagrees.

   The limit is sigma for errors that are known. Where they come from the spread of a few replicas or repetitions,
   (A - B)/se follows Student's t, and the limit is exceeded by it as often as sigma by a normal number. The degrees of
   freedom are those of Welch and Satterthwaite; a solution without info.replicas has known errors.

   A run that is not complete, because it diverged, did not converge or was interrupted, or because its last output
   times are missing, agrees with nothing. */
#ifndef SGDMFT_COMPARE_H
#define SGDMFT_COMPARE_H

#include <stddef.h>

#include "context.h"
#include "solution.h"

SGDMFT_BEGIN_DECLS

typedef struct sgdmft_comparison sgdmft_comparison;

#define SGDMFT_COMPARE_SIGMA 4.0       /* usual limit in standard errors */
#define SGDMFT_COMPARE_RTOL_EXACT 1e-6 /* of the scale, for exact values if no rtol is asked for */

/* sigma > 0; rtol >= 0, or negative: not asked for. *out is owned by the caller and does not need the solutions any
   more. Errors: SGDMFT_ERR_MISSING if nothing is in common or a common curve has no standard errors,
   SGDMFT_ERR_RANGE for a negative standard error, SGDMFT_ERR_ARGUMENT, SGDMFT_ERR_MEMORY. Curves that differ are not an
   error. */
SGDMFT_API sgdmft_status sgdmft_compare(sgdmft_context *ctx, const sgdmft_solution *a, const sgdmft_solution *b,
                                        double sigma, double rtol, sgdmft_comparison **out);

/* The same for two files, CSV or HDF5. Errors also as sgdmft_solution_read. */
SGDMFT_API sgdmft_status sgdmft_compare_files(sgdmft_context *ctx, const char *a, const char *b, double sigma,
                                              double rtol, sgdmft_comparison **out);

SGDMFT_API void sgdmft_comparison_free(sgdmft_comparison *comparison); /* NULL is allowed */

/* 1 if both sides are complete and all common curves agree at all compared times. */
SGDMFT_API int sgdmft_comparison_agrees(const sgdmft_comparison *comparison);

/* Which times were compared. Later versions may add fields. */
typedef struct sgdmft_compared_times {
    size_t n;              /* times compared */
    size_t n_interpolated; /* of these, interpolated on one side */
    size_t n_outside;      /* times left out because the other side does not reach them */
    char interpolated;     /* 'A' or 'B': the side that was interpolated, if n_interpolated > 0 */
    double first, last;
} sgdmft_compared_times;

SGDMFT_API const sgdmft_compared_times *sgdmft_comparison_times(const sgdmft_comparison *comparison);

/* The result for one curve. Later versions may add fields. */
typedef struct sgdmft_compared_curve {
    const char *name;
    int agrees;
    size_t n_disagree; /* times that disagree */
    double t, a, b;    /* the worst time and the values there */
    double z;          /* |A - B| / se there; infinite or 0 where both are exact */
    double relative;   /* |A - B| / scale there */
    double rms_z;      /* root mean square of z over the times that have an error bar; NaN if none has */
    double limit;      /* the largest z that is allowed at the worst time */
} sgdmft_compared_curve;

/* The common curves, in the order of A; NULL beyond the last. */
SGDMFT_API size_t sgdmft_comparison_n_curves(const sgdmft_comparison *comparison);
SGDMFT_API const sgdmft_compared_curve *sgdmft_comparison_curve(const sgdmft_comparison *comparison, size_t index);

/* Curves that only one side has, 'A' or 'B': name number `index`, or NULL beyond the last. */
SGDMFT_API const char *sgdmft_comparison_only_in(const sgdmft_comparison *comparison, char side, size_t index);

/* File of one side ('A' or 'B' if it was no file), and one line about it, e.g. "program: solve". */
SGDMFT_API const char *sgdmft_comparison_source(const sgdmft_comparison *comparison, char side);
SGDMFT_API const char *sgdmft_comparison_title(const sgdmft_comparison *comparison, char side);

/* How an incomplete run ends, e.g. "diverged: ends at t = 3.1, and its problem at 5"; NULL if side 'A' or 'B' is
   complete. */
SGDMFT_API const char *sgdmft_comparison_ending(const sgdmft_comparison *comparison, char side);

SGDMFT_END_DECLS

#endif
