/* Forward differentiation over the graph: every node below `node` that depends on the variable gets its derivative,
   oldest first. Nothing recurses, and equal derivatives are one node because the graph says so. */
#include <stdlib.h>

#include "expr/functions.h"
#include "expr/graph.h"

/* needed[i] = 1 if i is below `node` (or is it) and depends on the variable. */
static void mark_needed(const expr_graph *graph, expr_node node, uint64_t variable, char *needed)
{
    needed[node] = (graph->node[node].depends & variable) != 0;
    for (expr_node i = node; i >= 0; i--)
        for (int a = 0; needed[i] && a < graph->node[i].n_args; a++) {
            expr_node arg = graph_arg(graph, i, a);
            needed[arg] |= (graph->node[arg].depends & variable) != 0;
        }
}

static expr_node derive_node(expr_graph *graph, expr_node node, const expr_node *derived, expr_node zero)
{
    expr_node d[EXPR_MAX_ARGS];
    for (int a = 0; a < graph->node[node].n_args; a++) {
        expr_node known = derived[graph_arg(graph, node, a)];
        d[a] = known == EXPR_NONE ? zero : known;
    }
    return function_of(graph_op(graph, node))->derive(graph, node, d);
}

static expr_node derive_all(expr_graph *graph, expr_node node, expr_node variable, const char *needed,
                            expr_node *derived)
{
    expr_node zero = node_constant(graph, 0);
    for (expr_node i = 0; i <= node; i++) {
        derived[i] = EXPR_NONE;
        if (needed[i])
            derived[i] = i == variable ? node_constant(graph, 1) : derive_node(graph, i, derived, zero);
        if (graph->trouble != TROUBLE_NONE)
            return EXPR_NONE;
    }
    return derived[node] == EXPR_NONE ? zero : derived[node];
}

sgdmft_status expr_derivative(sgdmft_context *ctx, expr_graph *graph, expr_node node, expr_node variable,
                              expr_node *out)
{
    size_t n = (size_t)node + 1;
    char *needed = calloc(n, sizeof *needed);
    expr_node *derived = malloc(n * sizeof *derived);
    sgdmft_status status = SGDMFT_OK;
    if (!needed || !derived) {
        status = context_out_of_memory(ctx, "a derivative", (double)n * sizeof *derived);
    } else {
        mark_needed(graph, node, graph->node[variable].depends, needed);
        *out = derive_all(graph, node, variable, needed, derived);
        status = graph_report(ctx, graph, "in its derivatives");
    }
    free(needed);
    free(derived);
    return status;
}
