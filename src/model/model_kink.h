/* Jumps of the loss gradient in r. The Hessian has a delta function there that no average over sampled paths can see, so
   solvers that need the Hessian refuse such losses; others need not. Poles are refused by all. */
#ifndef SGDMFT_MODEL_MODEL_KINK_H
#define SGDMFT_MODEL_MODEL_KINK_H

#include "expr/expr.h"
#include "problem/problem.h"

typedef struct model_kink {
    int in_loss;    /* 1 if the loss itself jumps, 0 if only its gradient does */
    expr_jump jump; /* jump.found: 0 if there is none */
} model_kink;

/* Looks for jumps of `loss` and of its k derivatives `gradient` as functions of the k variables r. A pole gives
   SGDMFT_ERR_KINK. */
sgdmft_status model_find_kink(sgdmft_context *ctx, const problem_text *text, expr_graph *graph, expr_node loss,
                              const expr_node *gradient, const expr_node *r, int k, model_kink *out);

/* SGDMFT_ERR_KINK with the jump found in the loss `text`, what it would spoil and a smooth form to use instead. */
sgdmft_status model_refuse_kink(sgdmft_context *ctx, const problem_text *text, const model_kink *kink);

#endif
