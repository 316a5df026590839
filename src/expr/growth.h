/* How nodes of an expression grow when variables go to infinity along a ray. */
#ifndef SGDMFT_EXPR_GROWTH_H
#define SGDMFT_EXPR_GROWTH_H

#include "expr/asymptotic.h"
#include "expr/graph.h"

/* Graphs with more nodes than this below the wanted ones are not looked at: all is unknown. */
enum { GROWTH_MOST_NODES = 4000 };

/* out[i] = the expansion of nodes[i] as x -> infinity, where variable number v is variable[v](x), for all variables of
   the graph. A statement of the result is certain; where nothing is certain, the result is unknown. */
sgdmft_status expr_growth(sgdmft_context *ctx, const expr_graph *graph, const expr_node *nodes, size_t n,
                          const asymptotic *variable, asymptotic *out);

#endif
