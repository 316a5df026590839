/* Which problems the exact method covers, and the few numbers that determine their solution. */
#ifndef SGDMFT_SOLVERS_LINEAR_MODEL_H
#define SGDMFT_SOLVERS_LINEAR_MODEL_H

#include "core/context.h"
#include "sgdmft/problem.h"

/* How a problem is solved: by the spectral law, where visits are independent and batches are small; step by step, where
   a batch is a fraction of the data; by ever more steps, whose limit are small batches in epochs or with momentum. */
typedef enum linear_route { ROUTE_SPECTRUM, ROUTE_BATCHES, ROUTE_SMALL_BATCHES } linear_route;

/* A loss that is quadratic in r and y and a label that is affine in s and eps are, for one student and one teacher,

     loss = curvature/2 (r - z)^2 + a part without r,     z = slope s + noise,

   where the noise has the second moment `noise`. A constant in the label counts as noise: as the mean of x is 0, only
   its square matters. Up to the constants curvature, slope and offset this is the problem of docs/theory.md, section 7,
   with a step eta that is the curvature times the step of the problem file. */
typedef struct linear_model {
    linear_route route;
    double delta, lambda;
    double eta;       /* curvature times step; for a schedule the curvature, and in ROUTE_SPECTRUM time is int step */
    int visits;       /* 1: SGD and SME, whose steps have a variance; 0: gradient flow */
    int scheduled;    /* 1: the step depends on t; on ROUTE_SPECTRUM only for a gradient flow without ridge */
    double q, m, rho; /* second moments at the start of theta and slope theta* */
    double noise;
    double curvature, slope;
    double m_start, rho_start; /* m and rho of the problem file, without the slope */
    double offset;             /* mean of the part of the loss without r, minus curvature/2 E z^2 */
} linear_model;

/* Fails with SGDMFT_ERR_UNSUPPORTED, naming what is not linear, or as model_new and schedule_new do. */
sgdmft_status linear_model_init(sgdmft_context *ctx, const sgdmft_problem *problem, linear_model *out);

#endif
