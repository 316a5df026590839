/* The accuracy that is asked for, numerics.accuracy, against the errors of curves: which columns are to meet it, by how
   much they miss it, and what limits them. */
#ifndef SGDMFT_SOLVERS_DMFT_ACCURACY_H
#define SGDMFT_SOLVERS_DMFT_ACCURACY_H

#include "solvers/dmft/curve_errors.h"

/* What a solve showed. All errors are relative to natural scales, and the largest over times and over the columns that
   are to meet the accuracy. */
typedef struct accuracy_view {
    double worst; /* of noise and step error together */
    double noise; /* standard error of the noise, root mean square over times, without the widening for few replicas */
    double step;  /* bar of the step error */
    double step_rms; /* the same, root mean square over times */
    double missing; /* the factor by which the variance of the noise is too large, given the step errors; infinite where
                        a step error alone is too large */
    size_t curve, time;  /* where the worst is */
    int by_step;         /* 1: there the step error is larger than the noise */
    double identity;     /* relative defect of the identity for C(t,t) */
    double stiffness;    /* the longest step in units of the fastest relaxation of theta; 0 if no bound is needed */
    sgdmft_status ended; /* how the solve ended; SGDMFT_OK if it reached the horizon */
    double reached;      /* the last output time */
} accuracy_view;

/* wanted[columns] becomes 1 for the columns that are to meet the accuracy. SGDMFT_ERR_RANGE for a name in
   numerics.control that is no column. */
sgdmft_status accuracy_columns(sgdmft_context *ctx, const sgdmft_problem *problem, const model_shape *of,
                               char **wanted);

accuracy_view accuracy_look(const curve_errors *errors, const char *wanted, double accuracy, const replica_set *set,
                            const dmft_plan *plan, const sgdmft_solution *solution);

/* Beyond this relative defect of the identity for C(t,t) curves are not to be trusted. */
extern const double IDENTITY_TRUSTED;

/* What it means if the accuracy is missed: nothing, where the user gave all numbers of the solve and no accuracy; a
   warning, where some; a failure, where the accuracy was asked for. */
typedef enum accuracy_call { ACCURACY_UNASKED, ACCURACY_WANTED, ACCURACY_ASKED } accuracy_call;

/* Records in the solution the accuracy that was wanted and reached. If it was not reached, the status becomes
   SGDMFT_ERR_ACCURACY, with a message that says which column, at which time, and what limits it, or there is a warning
   with it, or neither. Where the identity for C(t,t) fails, the status
   says so in any case. `limit` names a limit that stood in the way, or is NULL. */
sgdmft_status accuracy_record(sgdmft_context *ctx, const sgdmft_problem *problem, const accuracy_view *view,
                              accuracy_call call, const char *limit, sgdmft_solution *solution);

#endif
