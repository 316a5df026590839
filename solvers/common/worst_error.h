/* The largest standard error of the curves of a solution, relative to natural scales, against the accuracy that is
   asked for. */
#ifndef SGDMFT_SOLVERS_COMMON_WORST_ERROR_H
#define SGDMFT_SOLVERS_COMMON_WORST_ERROR_H

#include "columns/solution.h"

typedef struct worst_error {
    double relative;    /* 0 if no curve has an error */
    size_t curve, time; /* where it is */
} worst_error;

/* `rho` are the second moments of the teachers, on which natural scales depend. */
sgdmft_status worst_error_find(sgdmft_context *ctx, const sgdmft_solution *solution, const double *rho,
                               worst_error *out);

/* The message of a run that did not reach the accuracy `asked`. `limit`, what stood in the way, may be NULL; `cause`
   says what the error is made of, with a hint. The caller frees it; NULL if out of memory. */
char *worst_error_message(const sgdmft_solution *solution, const worst_error *worst, double asked, const char *limit,
                          const char *cause);

#endif
