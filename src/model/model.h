/* The model of a problem behind one block interface, whether it comes from expressions or from call-backs: label
   y(s, eps), loss(r, y, t) with gradient and Hessian in r, and observables of (r, s, eps, y, f, t).

   Block layout: component c of lane p of a block of n lanes is at x[c * n + p], written x[components][n] below;
   matrices are [k][k][n] with component a * k + b. A model is immutable and shared by threads; each thread has its own
   model_work. */
#ifndef SGDMFT_MODEL_MODEL_H
#define SGDMFT_MODEL_MODEL_H

#include <stddef.h>

#include "core/context.h"
#include "sgdmft/problem.h"

/* Students, teachers, noises of a label, components of y: at most this many of each. */
enum { MODEL_MOST = 8 };

typedef struct model model;
typedef struct model_work model_work;

typedef struct model_shape {
    int k, kstar;    /* students, teachers: 1..8 */
    int noises;      /* eps of a label: highest index used, 0..8 */
    int labels;      /* components of y: 1..8 */
    int observables; /* user observables */
    int linear;      /* 1 if g is affine in r (G constant in r), for all y */
    int nonnegative; /* 1 if the expression of the loss shows that it is never negative */
    int jumps;       /* 1 if g jumps in r (G lacks a delta function); 0 for call-backs, whose author vouches for them */
} model_shape;

/* Builds the model: parses and differentiates the expressions, or takes the call-backs and probes them once.
   A loss or gradient with a pole in r gives SGDMFT_ERR_KINK. */
sgdmft_status model_new(sgdmft_context *ctx, const sgdmft_problem *problem, model **out);
/* For solvers that average the Hessian: SGDMFT_ERR_KINK if the gradient of the loss jumps in r. `problem` is the one
   that the model was built from. */
sgdmft_status model_check_smooth(sgdmft_context *ctx, const model *m, const sgdmft_problem *problem);
/* For solvers: SGDMFT_ERR_NO_LIMIT if it is certain that the gradient of the loss has no second moment under the
   process of the problem, so that there are no curves to compute. Nothing is known of call-backs, and nothing refused.
   */
sgdmft_status model_check_limit(sgdmft_context *ctx, const model *m, const sgdmft_problem *problem);
/* For the simulator, which runs all the same: the same as a warning. */
void model_warn_of_limit(sgdmft_context *ctx, const model *m, const sgdmft_problem *problem);
void model_free(model *m);
model_shape model_get_shape(const model *m);

/* Work space of one thread for blocks of at most max_lanes lanes. */
sgdmft_status model_work_new(sgdmft_context *ctx, const model *m, size_t max_lanes, model_work **out);
void model_work_free(model_work *work); /* NULL is allowed */

/* Arrays of the functions below, for n <= max_lanes lanes; all of them overlap with no other:

     t [n]            time of each lane, in visits per sample (online: tau)
     r [k][n]         preactivations of the student, or fields
     s [k*][n]        signals
     eps [noises][n]  standard normal noise of the label
     y [labels][n]    labels

   They return 0, or the non-zero code by which a call-back asked to stop. */

/* y from s and eps. */
int model_label(const model *m, model_work *work, size_t n, const double *s, const double *eps, double *y);

/* g[k][n] = d loss / d r_a and, unless G is NULL, G[k][k][n] = d^2 loss / d r_a d r_b, which is symmetric. */
int model_gradient(const model *m, model_work *work, size_t n, const double *t, const double *r, const double *y,
                   double *g, double *G);

/* loss[n] */
int model_loss(const model *m, model_work *work, size_t n, const double *t, const double *r, const double *y,
               double *loss);

/* loss[n] and g[k][n] at once, which costs less than one after the other. */
int model_loss_gradient(const model *m, model_work *work, size_t n, const double *t, const double *r, const double *y,
                        double *loss, double *g);

/* out[observables][n], in the order of the problem. */
int model_observables(const model *m, model_work *work, size_t n, const double *t, const double *r, const double *s,
                      const double *eps, const double *y, double *out);

/* One sample: t, r[k], s[k*], eps[noises], y[labels]. */
typedef struct model_sample {
    double t;
    const double *r, *s, *eps, *y;
} model_sample;

/* Says why an observable is not finite for a sample, e.g. "log(-0.53) is nan, at r = -0.53", in *out, which the caller
   frees; NULL if it is finite. */
sgdmft_status model_explain_observable(sgdmft_context *ctx, const model *m, const sgdmft_problem *problem, size_t index,
                                       const model_sample *sample, char **out);

#endif
