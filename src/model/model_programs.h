/* The programs behind a model: label, loss with derivatives, and observables, compiled from the expressions of a
   problem. */
#ifndef SGDMFT_MODEL_MODEL_PROGRAMS_H
#define SGDMFT_MODEL_MODEL_PROGRAMS_H

#include "expr/expr.h"
#include "model/growth.h"
#include "model/model.h"
#include "problem/problem.h"

/* Variables of all programs, in this order: r, s, eps, y, t. The enumerators are the numbers of the first of each
   kind. */
enum {
    MODEL_R = 0,
    MODEL_S = MODEL_R + MODEL_MOST,
    MODEL_EPS = MODEL_S + MODEL_MOST,
    MODEL_Y = MODEL_EPS + MODEL_MOST,
    MODEL_T = MODEL_Y + MODEL_MOST,
    MODEL_VARIABLES
};

/* A jump of the loss or of its gradient in r. The Hessian has a delta function there that no average over sampled paths
   can see, so solvers that need the Hessian refuse such losses; others need not. Poles are refused by all. */
typedef struct model_kink {
    int in_loss;    /* 1 if the loss itself jumps, 0 if only its gradient does */
    expr_jump jump; /* jump.found: 0 if there is none */
} model_kink;

/* Outputs of each program in brackets. All but `observables` are NULL if label and loss are not expressions. */
typedef struct model_programs {
    expr_program *label;         /* [labels] */
    expr_program *loss;          /* [1] */
    expr_program *gradient;      /* [k] */
    expr_program *loss_gradient; /* [1 + k] */
    expr_program *curvature;     /* [k + k k] gradient and Hessian */
    expr_program *observables;   /* [observables]; NULL if there are none */
    model_kink kink;             /* of the loss */
    model_growth growth;         /* of the gradient */
    expr_pole pole;              /* of the gradient in s and eps, through the label */
} model_programs;

/* Parses and differentiates the expressions of the problem, looks for kinks and compiles. `external`: label and loss
   are call-backs, so only the observables are expressions. shape->k, kstar and labels are given, with call-backs also
   noises; the rest of the shape is filled in. On failure, too, *out is to be cleared. A loss with a pole in r gives
   SGDMFT_ERR_KINK. */
sgdmft_status model_programs_build(sgdmft_context *ctx, const sgdmft_problem *problem, int external, model_shape *shape,
                                   model_programs *out);
/* model_explain_observable, given the values of all variables. */
sgdmft_status model_programs_explain(sgdmft_context *ctx, const sgdmft_problem *problem, int external,
                                     const model_shape *shape, size_t index, const double values[MODEL_VARIABLES],
                                     char **out);

void model_programs_clear(model_programs *p);

/* Work space, in doubles, of the program that needs most. */
size_t model_programs_work(const model_programs *p);

/* Loss, derivatives and observables as functions of (r, s, eps, t), the label put in place of y. */
typedef struct model_expressions {
    expr_graph *graph;                          /* its variables are those of the programs */
    expr_node variable[MODEL_VARIABLES];        /* their nodes */
    expr_node loss;                             /* the loss */
    expr_node gradient[MODEL_MOST];             /* [k] */
    expr_node hessian[MODEL_MOST * MODEL_MOST]; /* [k][k] */
    expr_node *observable;                      /* [observables] */
} model_expressions;

/* The expressions of a problem from which a model was built, on a graph of their own, for who looks at their structure.
   On failure, too, *out is to be cleared. */
sgdmft_status model_expressions_build(sgdmft_context *ctx, const sgdmft_problem *problem, model_shape shape,
                                      model_expressions *out);
void model_expressions_clear(model_expressions *e);

/* SGDMFT_ERR_KINK with the jump found in the loss, the harm that it would do and a smooth form to use instead. */
sgdmft_status model_kink_refuse(sgdmft_context *ctx, const sgdmft_problem *problem, const model_kink *kink);

#endif
