/* The linear model at every point of its spectral law, and the two quantities that tie the points together: the
   training risk P(t) and its echoes Y_x(t). */
#ifndef SGDMFT_SOLVERS_LINEAR_MODES_H
#define SGDMFT_SOLVERS_LINEAR_MODES_H

#include <stddef.h>

#include "core/context.h"
#include "numerics/marchenko.h"
#include "solvers/linear/model.h"

/* With a_x = eta x + lambda, E = exp(-a_x t), f = (1 - E) eta x / a_x = 1 - share_x - (1 - share_x) E. */
typedef struct linear_modes {
    linear_model model;
    spectral_law law;
    double horizon;  /* end of the time that E runs in */
    double *decay;   /* a_x */
    double *share;   /* lambda / a_x, 1 where a_x = 0 */
    double rate;     /* nothing changes faster than exp(+-rate t) */
    double tilt;     /* P decays like exp(-tilt t) or slower */
    double constant; /* what is left of the source of P at late times */
} linear_modes;

sgdmft_status linear_modes_init(sgdmft_context *ctx, const linear_model *model, double horizon, linear_modes *out);
void linear_modes_clear(linear_modes *modes);

/* Number of points, known before anything is computed. */
double linear_modes_points(const linear_model *model, double horizon);

/* Coefficients of what the start and the labels alone contribute to P: sum over points of square E^2 + single E. */
void linear_modes_source(const linear_modes *modes, double *square, double *single);

/* That contribution at time t. */
double linear_modes_free_risk(const linear_modes *modes, const double *square, const double *single, double t);

/* exp(tilt t) P(t) at steps + 1 nodes. */
typedef struct risk_curve {
    size_t steps;
    double h, tilt;
    double *value;
} risk_curve;

double risk_curve_at(const risk_curve *risk, double t);

/* P on two grids, the finer with twice the steps. */
typedef struct linear_risk {
    risk_curve fine, coarse;
    double change;   /* largest relative difference between them, up to `end` */
    double end;      /* time up to which P stays below the limit: the horizon, or earlier if the dynamics diverge */
    double largest;  /* P at `end` */
    double required; /* change that was asked for */
    int interrupted; /* the caller asked to stop */
} linear_risk;

/* Refines from at least `steps` steps on until the curve no longer changes. P above `limit` counts as divergence. The
   caller may stop it after every refinement. */
sgdmft_status linear_risk_solve(sgdmft_context *ctx, const linear_modes *modes, size_t steps, double limit,
                                linear_risk *out);
void linear_risk_clear(linear_risk *risk);

/* Steps of the first grid, known before anything is computed; fails if there are too many. */
double linear_risk_steps(const linear_model *model, double horizon, size_t steps);
sgdmft_status linear_risk_check(sgdmft_context *ctx, const linear_model *model, double horizon, size_t steps);

/* Y_x(t) = int_0^t exp(-2 a_x (t - u)) P(u) du at ascending times: out[i * n + x]. */
sgdmft_status linear_filtered_risk(sgdmft_context *ctx, const linear_modes *modes, const risk_curve *risk, size_t count,
                                   const double *t, double *out);

#endif
