/* How nodes of an expression grow when variables go to infinity along a ray. */
#ifndef SGDMFT_EXPR_GROWTH_H
#define SGDMFT_EXPR_GROWTH_H

#include "expr/asymptotic.h"
#include "expr/graph.h"

/* Graphs with more nodes than this below the wanted ones are not looked at: all is unknown. */
enum { GROWTH_MOST_NODES = 4000 };

typedef struct growth_walk growth_walk;

/* Prepares the nodes of a graph, which must not change before the walk is freed. */
sgdmft_status growth_walk_new(sgdmft_context *ctx, const expr_graph *graph, const expr_node *nodes, size_t n,
                              growth_walk **out);
void growth_walk_free(growth_walk *walk); /* NULL is allowed */

/* out[i] = the expansion of nodes[i] as x -> infinity, where variable number v is variable[v](x), for all variables of
   the graph. A statement of the result is certain; where nothing is certain, the result is unknown. */
void growth_walk_expand(growth_walk *walk, const asymptotic *variable, asymptotic *out);

#endif
