/* The graph of an expression. Nodes are stored in the order of creation, so the arguments of a node always have smaller
   indices than the node: a loop over indices is a topological order, and nothing here recurses.

   graph_intern and the constructors of simplify.h do not fail one by one: they return EXPR_NONE once the graph is in
   trouble and accept EXPR_NONE as an argument, and graph_report turns the trouble into a status at the end. */
#ifndef SGDMFT_EXPR_GRAPH_H
#define SGDMFT_EXPR_GRAPH_H

#include <stddef.h>
#include <stdint.h>

#include "core/context.h"
#include "expr/ops.h"

typedef int expr_node; /* index into the graph */

#define EXPR_NONE (-1)

/* Bounds: nodes of one graph (some 10 MB), and variables (one bit each in graph_node.depends). */
#define EXPR_MAX_NODES 200000
#define EXPR_MAX_VARIABLES 64

typedef struct graph_node {
    expr_op op;
    int n_args, first; /* arguments are arg[first .. first + n_args - 1] */
    double constant;   /* of OP_CONSTANT; the number of an OP_VARIABLE */
    uint64_t depends;  /* bit v: depends on variable v */
} graph_node;

typedef enum graph_trouble { TROUBLE_NONE, TROUBLE_MEMORY, TROUBLE_SIZE } graph_trouble;

/* A name that expressions may use. */
typedef struct graph_name {
    char *name;
    expr_node node;
    char *forbidden; /* why the name may not be used at present, or NULL */
} graph_name;

typedef struct expr_graph {
    graph_node *node;
    int n_nodes, node_room;
    expr_node *arg;
    int n_args, arg_room;
    int *table; /* open addressing: node index + 1, or 0 */
    size_t table_size;
    int n_variables;
    graph_name *name;
    size_t n_names, name_room;
    graph_trouble trouble;
} expr_graph;

sgdmft_status expr_graph_new(sgdmft_context *ctx, expr_graph **out);
void expr_graph_free(expr_graph *graph);

/* Declares the next input variable. Several names may be bound to one node afterwards (r and r1). */
sgdmft_status expr_variable(sgdmft_context *ctx, expr_graph *graph, const char *name, expr_node *out);
sgdmft_status expr_bind(sgdmft_context *ctx, expr_graph *graph, const char *name, expr_node node);
/* Removes a name (e.g. r while a label is parsed); its node stays valid. Unknown names are ignored. */
void expr_unbind(expr_graph *graph, const char *name);
/* Keeps a name but refuses expressions that use it, with `why` in the message ("labels depend on s and eps alone"). NULL
   allows it again. Unknown names are ignored. */
sgdmft_status expr_forbid(sgdmft_context *ctx, expr_graph *graph, const char *name, const char *why);

/* The entry of a name, or NULL. */
const graph_name *graph_find_name(const expr_graph *graph, const char *name, size_t length);

/* 1 if `node` depends on `variable`. */
int expr_depends(const expr_graph *graph, expr_node node, expr_node variable);
/* 1 and the value if `node` is a constant. */
int expr_constant(const expr_graph *graph, expr_node node, double *value);

/* The node (op, args), made if it does not exist yet, as it stands: no simplification, no folding. */
expr_node graph_intern(expr_graph *graph, expr_op op, const expr_node *args, int n_args, double constant);

/* SGDMFT_OK, or the status of the graph's trouble with a message; clears it. `doing` ends the message, e.g. "while
   parsing". */
sgdmft_status graph_report(sgdmft_context *ctx, expr_graph *graph, const char *doing);

static inline expr_op graph_op(const expr_graph *graph, expr_node node)
{
    return graph->node[node].op;
}

static inline expr_node graph_arg(const expr_graph *graph, expr_node node, int which)
{
    return graph->arg[graph->node[node].first + which];
}

static inline int graph_is(const expr_graph *graph, expr_node node, double value)
{
    return graph->node[node].op == OP_CONSTANT && graph->node[node].constant == value;
}

#endif
