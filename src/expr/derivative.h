/* Exact derivatives of nodes. */
#ifndef SGDMFT_EXPR_DERIVATIVE_H
#define SGDMFT_EXPR_DERIVATIVE_H

#include "expr/graph.h"

/* Exact derivative of `node` with respect to the variable `variable`. Conventions at kinks: relu'(0) = 0,
   abs'(0) = 0, sign' = 0, comparisons and the condition of `if` have derivative 0, min and max take the first
   argument on a tie. */
sgdmft_status expr_derivative(sgdmft_context *ctx, expr_graph *graph, expr_node node, expr_node variable,
                              expr_node *out);

#endif
