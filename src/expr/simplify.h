/* Constructors of nodes that fold constants and simplify. Values change by rounding at most, except where an
   operand is NaN or infinite and drops out (0 * x, x - x). All of them return EXPR_NONE if the graph is in
   trouble, see graph.h. */
#ifndef SGDMFT_EXPR_SIMPLIFY_H
#define SGDMFT_EXPR_SIMPLIFY_H

#include "expr/graph.h"

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

#endif
