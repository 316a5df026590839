#include "expr/sign.h"

#include <math.h>
#include <stdlib.h>

#include "expr/functions.h"

static int even_power(const expr_graph *graph, expr_node exponent)
{
    double p;
    return expr_constant(graph, exponent, &p) && fmod(p, 2) == 0;
}

static int all_of(const expr_graph *graph, expr_node node, const char *known, int first)
{
    for (int i = first; i < graph->node[node].n_args; i++)
        if (!known[graph_arg(graph, node, i)])
            return 0;
    return 1;
}

static int any_of(const expr_graph *graph, expr_node node, const char *known)
{
    for (int i = 0; i < graph->node[node].n_args; i++)
        if (known[graph_arg(graph, node, i)])
            return 1;
    return 0;
}

/* The same for one node, given the answers for those before it. */
static int is_nonnegative(const expr_graph *graph, expr_node node, const char *known)
{
    switch (graph_op(graph, node)) {
    case OP_CONSTANT: return graph->node[node].constant >= 0;
    case OP_ABS:
    case OP_EXP:
    case OP_SQRT:
    case OP_COSH:
    case OP_RELU:
    case OP_SOFTPLUS:
    case OP_SIGMOID:
    case OP_ERFC:
    case OP_LT:
    case OP_LE:
    case OP_EQ:
    case OP_NE: return 1;
    case OP_MUL: return graph_arg(graph, node, 0) == graph_arg(graph, node, 1) || all_of(graph, node, known, 0);
    case OP_POW: return even_power(graph, graph_arg(graph, node, 1)) || known[graph_arg(graph, node, 0)];
    case OP_ADD:
    case OP_DIV:
    case OP_MIN:
    case OP_LOG1P:
    case OP_SIGN:
    case OP_TANH:
    case OP_SINH:
    case OP_ATAN:
    case OP_ERF: return all_of(graph, node, known, 0);
    case OP_IF: return all_of(graph, node, known, 1);
    case OP_MAX:
    case OP_LOGSUMEXP: return any_of(graph, node, known);
    default: return 0;
    }
}

int expr_nonnegative(const expr_graph *graph, expr_node node)
{
    char *known = calloc((size_t)node + 1, 1);
    for (expr_node i = 0; known && i <= node; i++)
        known[i] = (char)is_nonnegative(graph, i, known);
    int answer = known ? known[node] : -1;
    free(known);
    return answer;
}

static double value_of(const expr_graph *graph, expr_node node, const double *variables, const double *value)
{
    const graph_node *x = &graph->node[node];
    double arg[EXPR_MAX_ARGS];
    if (x->op == OP_CONSTANT)
        return x->constant;
    if (x->op == OP_VARIABLE)
        return variables[(size_t)x->constant];
    for (int i = 0; i < x->n_args; i++)
        arg[i] = value[graph_arg(graph, node, i)];
    return function_of(x->op)->value(arg, x->n_args);
}

/* An argument of a node that is not finite and that its value depends on, or EXPR_NONE. */
static expr_node guilty_argument(const expr_graph *graph, expr_node node, const double *value)
{
    for (int i = 0; i < graph->node[node].n_args; i++) {
        int taken = graph_op(graph, node) != OP_IF || i == 0 || i == (value[graph_arg(graph, node, 0)] != 0 ? 1 : 2);
        if (taken && !isfinite(value[graph_arg(graph, node, i)]))
            return graph_arg(graph, node, i);
    }
    return EXPR_NONE;
}

int expr_find_fault(const expr_graph *graph, expr_node node, const double *variables, expr_fault *out)
{
    double *value = calloc((size_t)node + 1, sizeof *value);
    for (expr_node i = 0; value && i <= node; i++)
        value[i] = value_of(graph, i, variables, value);
    int found = value && !isfinite(value[node]);
    if (found) {
        expr_node next;
        while ((next = guilty_argument(graph, node, value)) != EXPR_NONE)
            node = next;
        *out = (expr_fault){.op = graph_op(graph, node), .n_args = graph->node[node].n_args, .value = value[node]};
        for (int i = 0; i < 3 && i < out->n_args; i++)
            out->arg[i] = value[graph_arg(graph, node, i)];
    }
    free(value);
    return found;
}
