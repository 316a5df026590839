/* A node with other nodes in the place of variables. */
#ifndef SGDMFT_EXPR_SUBSTITUTE_H
#define SGDMFT_EXPR_SUBSTITUTE_H

#include "expr/graph.h"

/* *out = `node` with value[i] in the place of variable[i], i < n, all at once: the values may contain the variables.
   Nodes are made as they stand, without simplification. */
sgdmft_status expr_substitute(sgdmft_context *ctx, expr_graph *graph, expr_node node, const expr_node *variable,
                              const expr_node *value, size_t n, expr_node *out);

#endif
