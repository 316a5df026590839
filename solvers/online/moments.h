/* One march of the online equations with a ridge, where the moments of theta close: differential equations for m and q,
   integrated with error control. */
#ifndef SGDMFT_SOLVERS_ONLINE_MOMENTS_H
#define SGDMFT_SOLVERS_ONLINE_MOMENTS_H

#include "solvers/common/replica_pool.h"
#include "solvers/online/law.h"
#include "solvers/online/result.h"

typedef struct online_accuracy {
    double rtol;          /* of m and q, relative, per step */
    double response_rtol; /* of R and F: larger where Gamma is not smooth */
    int implicit;         /* 1: may change to the implicit method, for averages without sampling noise */
    int observe;          /* 1: with losses and observables */
} online_accuracy;

/* On success *out is owned by the caller (online_result_free). An early stop (divergence, a plug-in, the caller) is a
   success with (*out)->status set. Progress is reported to the stage after every step. */
sgdmft_status online_moments_solve(sgdmft_context *ctx, const online_plan *plan, online_law *law,
                                   const online_accuracy *accuracy, solve_stage *stage, online_result **out);

#endif
