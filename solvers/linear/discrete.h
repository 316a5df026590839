/* The linear model in discrete time, where a step visits the fraction b of the samples: a recursion for all second
   moments, without sampling and without any error of the step. */
#ifndef SGDMFT_SOLVERS_LINEAR_DISCRETE_H
#define SGDMFT_SOLVERS_LINEAR_DISCRETE_H

#include <stddef.h>

#include "core/context.h"
#include "solvers/linear/model.h"

typedef struct discrete_system {
    const linear_model *model; /* not owned; its eta is not used */
    size_t steps;
    const double *eta; /* [steps] of the quadratic model: a visit in step k moves r by - eta_k (r - z); not owned */
    double b;          /* the time of a step, and the probability of a visit in it */
    size_t epoch;      /* steps of an epoch, in which a sample is visited once; 0: visits are independent */
    int kept;          /* 1: in the same step of every epoch */
    double beta;       /* the part of the velocity that a step keeps */
    double decay;      /* of theta in a step by the ridge, lambda b */
    double limit;      /* of P, above which the dynamics count as diverging */
} discrete_system;

typedef enum discrete_end { DISCRETE_COMPLETE, DISCRETE_DIVERGED, DISCRETE_INTERRUPTED } discrete_end;

/* The moments at the nodes k = 0 .. steps, of which the first `nodes` were reached. theta* is that of the quadratic
   model, slope theta*. */
typedef struct discrete_moments {
    size_t nodes, stride;
    discrete_end end;
    double largest; /* P where the dynamics diverged */
    double *R;      /* [stride][stride] response of theta at node i to a kick that is in it from node j on; j = 0: to
                       theta(0), whose velocity is 0. Zero for j > i */
    double *V;      /* [stride][stride] E (w_i - z)(w_j - z) for a fresh sample; only j <= i */
    double *f;      /* [stride] F - 1, where theta follows theta* with the factor F */
    double *P;      /* [stride] twice the train loss */
} discrete_moments;

/* The largest number of steps. */
enum { DISCRETE_STEPS_MOST = 8192 };

/* Bytes of memory and multiplications, before anything is computed. */
double discrete_bytes(size_t steps);
double discrete_operations(size_t steps);

sgdmft_status discrete_solve(sgdmft_context *ctx, const discrete_system *system, discrete_moments *out);
void discrete_moments_clear(discrete_moments *moments);

/* C of nodes i >= j, and m of node i, of theta with slope theta*. */
double discrete_correlation(const linear_model *model, const discrete_moments *moments, size_t i, size_t j);
double discrete_overlap(const linear_model *model, const discrete_moments *moments, size_t i);

#endif
