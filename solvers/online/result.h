/* What marches of the online equations leave, and the solution that is made of them: means and standard errors over
   replicas, errors of quadrature and integration from a second march, and the two-time arrays. With a ridge these are
   products of the responses over single cells (moments.h),

     R(t_{i+1}, s) = R_i R(t_i, s),   F(t_{i+1}, s) = R_i F(t_i, s) + F_i,   C(t, s) = R(t,s) q(s) + F(t,s) m(s)^T,

   otherwise averages over sampled coordinates. */
#ifndef SGDMFT_SOLVERS_ONLINE_RESULT_H
#define SGDMFT_SOLVERS_ONLINE_RESULT_H

#include "sgdmft/solution.h"
#include "solvers/online/plan.h"

/* One march: by quadrature, or that of a replica. */
typedef struct online_result {
    size_t columns; /* of a row of curves, as in solution_columns */
    size_t rows;    /* output times reached */
    double *curves; /* [output times][columns] */

    size_t nodes;  /* grid nodes reached */
    double *m, *q; /* [nodes][k][k*], [nodes][k][k] */
    double *R, *F; /* [cells] R(t_{i+1}, t_i) [k][k] and F(t_{i+1}, t_i) [k][k*] */

    /* Where coordinates are sampled; otherwise NULL. */
    double *step_error;      /* [output times][columns] of the curves */
    double *pair_C, *pair_R; /* C and R as in online_coordinates_pairs, in place of q, R and F */
    double *residual;        /* [nodes] change of the moments in the last pass of a step */
    size_t passes_max;       /* of a step */

    double *stein, *stein_scale; /* [k][k] at the end, see online_law_stein_defect */
    double t;                    /* time reached */
    size_t steps, passes;        /* steps tried, and passes or evaluations of the vector field */
    sgdmft_status status;        /* why it stopped early */
    char *message;
} online_result;

/* Everything zero. With the arrays of sampled coordinates, except pair_C and pair_R, if the plan has a penalty. */
sgdmft_status online_result_new(sgdmft_context *ctx, const online_plan *plan, online_result **out);
void online_result_free(online_result *result);
double online_result_bytes(const online_plan *plan);

/* Records why the march ends early. */
void online_result_stop(online_result *result, sgdmft_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* m[k][k*] and q[k][k] at output time `row`. */
void online_result_moments(const online_plan *plan, const online_result *result, size_t row, double *m, double *q);

/* All marches of a solve. */
typedef struct online_results {
    online_result **result; /* one by quadrature, or one for each replica */
    size_t count;
    online_result *check; /* the march by quadrature again, less accurate; NULL if there is none */
    size_t points;        /* of an average */
    online_result **half; /* [count] of each replica with half of its points; NULL if averages are not sampled */

    /* Losses and observables that are sampled along a march by quadrature. */
    char *sampled;     /* [columns] 1 if the curve is; NULL if none is */
    double **observed; /* [n_observed][output times][columns], one for each replica */
    size_t n_observed;
} online_results;

void online_results_clear(online_results *all);

/* *out is owned by the caller (sgdmft_solution_free). */
sgdmft_status online_solution(sgdmft_context *ctx, const online_plan *plan, const online_results *all,
                              sgdmft_solution **out);

#endif
