/* Losses whose gradient jumps in r are refused: the Hessian has a delta function there that no average over sampled
   paths can see. */
#ifndef SGDMFT_PROBLEM_MODEL_KINK_H
#define SGDMFT_PROBLEM_MODEL_KINK_H

#include "expr/expr.h"
#include "problem/problem.h"

/* SGDMFT_ERR_KINK if `loss` or one of its k derivatives `gradient` jumps as a function of the k variables r. */
sgdmft_status model_refuse_kinks(sgdmft_context *ctx, const problem_text *text, expr_graph *graph, expr_node loss,
                                 const expr_node *gradient, const expr_node *r, int k);

#endif
