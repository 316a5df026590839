/* What a model consists of; shared by model.c (evaluation), model_expressions.c and callbacks.c (building). */
#ifndef SGDMFT_MODEL_MODEL_PARTS_H
#define SGDMFT_MODEL_MODEL_PARTS_H

#include "expr/expr.h"
#include "model/callbacks.h"
#include "model/model.h"
#include "model/model_kink.h"
#include "problem/problem.h"

enum { MODEL_MOST = 8 }; /* students, teachers, noises, components of y */

/* Variables of all programs of a model, in this order: r, s, eps, y, t. */
enum { MODEL_VARIABLES = 4 * MODEL_MOST + 1 };

struct model {
    model_shape shape;
    model_kink kink;  /* of a loss given as an expression */
    callbacks *external; /* label and loss, or NULL: then these five are programs */
    expr_program *label;
    expr_program *loss;
    expr_program *gradient;
    expr_program *loss_gradient;
    expr_program *curvature; /* gradient and Hessian */
    expr_program *observables; /* NULL if there are none */
};

/* Numbers of the first variables of each kind. */
static inline int model_r(void) { return 0; }
static inline int model_s(void) { return MODEL_MOST; }
static inline int model_eps(void) { return 2 * MODEL_MOST; }
static inline int model_y(void) { return 3 * MODEL_MOST; }
static inline int model_t(void) { return 4 * MODEL_MOST; }

/* Parses what the problem has of label, predict, loss and observables, differentiates, looks for kinks and compiles.
   m->shape holds k, kstar and labels (with a plug-in also noises); the rest of it is filled in. */
sgdmft_status model_build_programs(sgdmft_context *ctx, const sgdmft_problem *problem, model *m);

#endif
