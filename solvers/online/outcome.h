/* What the trajectories of an online solve gave, and the two ways to get there. */
#ifndef SGDMFT_SOLVERS_ONLINE_OUTCOME_H
#define SGDMFT_SOLVERS_ONLINE_OUTCOME_H

#include "solvers/online/progress.h"
#include "solvers/online/run.h"

typedef struct online_outcome {
    online_run **run; /* trajectories: one by quadrature, or one for each replica */
    size_t n_runs;
    online_run *check; /* the trajectory by quadrature again, less accurate; NULL if there is none */
    size_t points;     /* of an average */

    /* Losses and observables that are sampled along a trajectory by quadrature. */
    char *sampled; /* [columns] 1 if the curve is; NULL if none is */
    double **seen; /* [n_seen][output times][columns] one for each replica */
    size_t n_seen;
} online_outcome;

void online_outcome_clear(online_outcome *o);

/* Gauss-Hermite quadrature: one trajectory with a verified rule. *found = 0 and nothing in *out if there is no rule that
   is accurate enough, e.g. for labels with jumps. */
sgdmft_status online_by_quadrature(sgdmft_context *ctx, const online_setting *s, online_progress *progress, int *found,
                                   online_outcome *out);

/* Randomised quasi-Monte Carlo: one trajectory for each replica, with the same points all along it. */
sgdmft_status online_by_sampling(sgdmft_context *ctx, const online_setting *s, online_progress *progress,
                                 online_outcome *out);

/* Fills out->seen for the states of out->run[0]. */
sgdmft_status online_sample_observables(sgdmft_context *ctx, const online_setting *s, online_outcome *out);

/* Tolerance of an integration by quadrature. */
double online_rtol(const online_setting *s);

/* Means, errors and two-time arrays. */
sgdmft_status online_solution(sgdmft_context *ctx, const online_setting *s, const online_outcome *o,
                              sgdmft_solution **out);

#endif
