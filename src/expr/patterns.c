/* Formulas that users write and that overflow as they stand, e.g. log(1 + exp(u)), recognised in any order.

   exp(u), a sum of exponentials and positive constants, and the logistic function 1/(1 + exp(u)) appear inside log
   and quotients; their stable forms are softplus, logsumexp and sigmoid. */
#include <math.h>

#include "expr/graph.h"

/* The exponent of a node exp(x), or of a positive constant; otherwise EXPR_NONE. */
static expr_node exponent_of(expr_graph *g, expr_node a)
{
    if (graph_op(g, a) == OP_EXP)
        return graph_arg(g, a, 0);
    if (graph_op(g, a) == OP_CONSTANT && g->node[a].constant > 0)
        return node_constant(g, log(g->node[a].constant));
    return EXPR_NONE;
}

/* Collects the exponents of a sum of exponentials; returns how many, or 0 if it is not one. */
static int exponents_of_sum(expr_graph *g, expr_node sum, expr_node *exponents)
{
    expr_node pending[EXPR_MAX_ARGS];
    int n = 0, n_pending = 0;
    pending[n_pending++] = sum;
    while (n_pending > 0) {
        expr_node term = pending[--n_pending];
        if (graph_op(g, term) == OP_ADD) {
            if (n_pending + 2 > EXPR_MAX_ARGS)
                return 0;
            pending[n_pending++] = graph_arg(g, term, 1);
            pending[n_pending++] = graph_arg(g, term, 0);
            continue;
        }
        expr_node exponent = exponent_of(g, term);
        if (exponent == EXPR_NONE || n == EXPR_MAX_ARGS)
            return 0;
        exponents[n++] = exponent;
    }
    return n;
}

/* x if a is c + x with the constant c = 1, otherwise EXPR_NONE. */
static expr_node one_plus(const expr_graph *g, expr_node a)
{
    int found = graph_op(g, a) == OP_ADD && graph_is(g, graph_arg(g, a, 0), 1);
    return found ? graph_arg(g, a, 1) : EXPR_NONE;
}

static expr_node log_of_quotient(expr_graph *g, expr_node top, expr_node bottom)
{
    expr_node exponent = exponent_of(g, top);
    if (exponent == EXPR_NONE)
        return EXPR_NONE;
    return node_sub(g, exponent, node_unary(g, OP_LOG, bottom));
}

expr_node pattern_log(expr_graph *g, expr_node u)
{
    if (graph_op(g, u) == OP_EXP)
        return graph_arg(g, u, 0);
    if (graph_op(g, u) == OP_SIGMOID)
        return node_neg(g, node_unary(g, OP_SOFTPLUS, node_neg(g, graph_arg(g, u, 0))));
    if (graph_op(g, u) == OP_DIV)
        return log_of_quotient(g, graph_arg(g, u, 0), graph_arg(g, u, 1));
    expr_node exponents[EXPR_MAX_ARGS];
    int n = exponents_of_sum(g, u, exponents);
    if (n >= 2)
        return node_call(g, OP_LOGSUMEXP, exponents, n);
    expr_node rest = one_plus(g, u);
    return rest == EXPR_NONE ? EXPR_NONE : node_unary(g, OP_LOG1P, rest);
}

expr_node pattern_log1p(expr_graph *g, expr_node u)
{
    return graph_op(g, u) == OP_EXP ? node_unary(g, OP_SOFTPLUS, graph_arg(g, u, 0)) : EXPR_NONE;
}

expr_node pattern_quotient(expr_graph *g, expr_node a, expr_node b)
{
    expr_node grown = one_plus(g, b);
    if (grown == EXPR_NONE || graph_op(g, grown) != OP_EXP)
        return EXPR_NONE;
    expr_node x = graph_arg(g, grown, 0);
    if (graph_op(g, a) == OP_CONSTANT) /* c / (1 + exp(x)) */
        return node_mul(g, a, node_unary(g, OP_SIGMOID, node_neg(g, x)));
    return a == grown ? node_unary(g, OP_SIGMOID, x) : EXPR_NONE; /* exp(x) / (1 + exp(x)) */
}
