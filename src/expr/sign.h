/* What can be told about the value of an expression without computing it. */
#ifndef SGDMFT_EXPR_SIGN_H
#define SGDMFT_EXPR_SIGN_H

#include "expr/graph.h"

/* 1 if the value of a node is >= 0 wherever it is a number, as its operations show: squares, exponentials, sums and
   products of such. 0 if they do not show it, which does not mean that it can be negative. -1 if memory runs out. */
int expr_nonnegative(const expr_graph *graph, expr_node node);

/* Where the value of an expression ceases to be finite. */
typedef struct expr_fault {
    expr_op op;
    int n_args;
    double arg[3], value; /* the first arguments */
} expr_fault;

/* Evaluates a node at the given values of the variables. If it is not finite, finds the first operation within it whose
   arguments are finite and whose value is not, and returns 1. Branches of if(...) that are not taken do not count. 0 if
   the node is finite, or if memory runs out. */
int expr_find_fault(const expr_graph *graph, expr_node node, const double *variables, expr_fault *out);

#endif
