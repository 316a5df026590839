#include "expr/substitute.h"

#include <stdlib.h>

/* The copy of a node with the copies of its arguments. */
static expr_node copy(expr_graph *graph, expr_node node, const expr_node *copied)
{
    expr_node args[EXPR_MAX_ARGS];
    int n = graph->node[node].n_args;
    for (int a = 0; a < n; a++) {
        args[a] = copied[graph_arg(graph, node, a)];
        if (args[a] == EXPR_NONE)
            return EXPR_NONE;
    }
    return graph_intern(graph, graph->node[node].op, args, n, graph->node[node].constant);
}

static void mark_below(const expr_graph *graph, expr_node node, char *below)
{
    below[node] = 1;
    for (expr_node i = node; i >= 0; i--)
        for (int a = 0; below[i] && a < graph->node[i].n_args; a++)
            below[graph_arg(graph, i, a)] = 1;
}

sgdmft_status expr_substitute(sgdmft_context *ctx, expr_graph *graph, expr_node node, const expr_node *variable,
                              const expr_node *value, size_t n, expr_node *out)
{
    size_t room = (size_t)node + 1;
    expr_node *copied = malloc(room * sizeof *copied);
    char *below = calloc(room, sizeof *below);
    sgdmft_status status = SGDMFT_OK;
    uint64_t replaced = 0;
    for (size_t i = 0; i < n; i++)
        replaced |= graph->node[variable[i]].depends;
    if (!copied || !below) {
        status = context_out_of_memory(ctx, "a substitution", (double)room * (sizeof *copied + sizeof *below));
    } else {
        mark_below(graph, node, below);
        for (expr_node i = 0; i <= node; i++) {
            copied[i] = i;
            if (below[i] && (graph->node[i].depends & replaced) && graph->node[i].op != OP_VARIABLE)
                copied[i] = copy(graph, i, copied);
            for (size_t v = 0; v < n; v++)
                if (i == variable[v])
                    copied[i] = value[v];
        }
        *out = copied[node];
        status = graph_report(ctx, graph, "with labels in place");
    }
    free(copied);
    free(below);
    return status;
}
