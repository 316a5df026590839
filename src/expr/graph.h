/* The graph behind expr.h. Nodes are stored in the order of creation, so the arguments of a node always have smaller
   indices than the node: a loop over indices is a topological order, and nothing here recurses.

   Constructors never report: they return EXPR_NONE once the graph is in trouble and accept EXPR_NONE as an argument.
   The public entry points turn the trouble into a status. */
#ifndef SGDMFT_EXPR_GRAPH_H
#define SGDMFT_EXPR_GRAPH_H

#include "expr/expr.h"
#include "expr/names.h"
#include "expr/ops.h"

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

struct expr_graph {
    graph_node *node;
    int n_nodes, node_room;
    expr_node *arg;
    int n_args, arg_room;
    int *table; /* open addressing: node index + 1, or 0 */
    size_t table_size;
    int n_variables;
    expr_names scope;
    graph_trouble trouble;
};

/* The node (op, args), made if it does not exist yet, as it stands: no simplification, no folding. */
expr_node graph_intern(expr_graph *graph, expr_op op, const expr_node *args, int n_args, double constant);

/* SGDMFT_OK, or the status of the graph's trouble with a message; clears it. `doing` completes "while ...". */
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

/* Simplifying constructors (simplify.c). Values change by rounding at most, except where an operand is NaN or
   infinite and drops out (0 * x, x - x). */
expr_node node_constant(expr_graph *graph, double value);
expr_node node_neg(expr_graph *graph, expr_node a);
expr_node node_add(expr_graph *graph, expr_node a, expr_node b);
expr_node node_sub(expr_graph *graph, expr_node a, expr_node b);
expr_node node_mul(expr_graph *graph, expr_node a, expr_node b);
expr_node node_div(expr_graph *graph, expr_node a, expr_node b);
expr_node node_pow(expr_graph *graph, expr_node a, expr_node b);
expr_node node_if(expr_graph *graph, expr_node condition, expr_node a, expr_node b);
/* Comparisons, min, max and logsumexp of two arguments. */
expr_node node_binary(expr_graph *graph, expr_op op, expr_node a, expr_node b);
/* A function of one argument. */
expr_node node_unary(expr_graph *graph, expr_op op, expr_node a);
/* Any callable function of the table in functions.c with its arguments; the number must be permitted. */
expr_node node_call(expr_graph *graph, expr_op op, const expr_node *args, int n_args);

/* Rewrites f(u) into a form that does not overflow or cancel (patterns.c), or returns EXPR_NONE: there is none. */
expr_node pattern_log(expr_graph *graph, expr_node u);
expr_node pattern_log1p(expr_graph *graph, expr_node u);
expr_node pattern_quotient(expr_graph *graph, expr_node a, expr_node b);

#endif
