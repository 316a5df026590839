/* One row per operation: name, arity, value, derivative. */
#ifndef SGDMFT_EXPR_FUNCTIONS_H
#define SGDMFT_EXPR_FUNCTIONS_H

#include <stddef.h>

#include "expr/graph.h"

typedef struct function_row {
    const char *name;
    int callable;    /* 1: a user may write name(...) */
    int least, most; /* arguments */
    double (*value)(const double *x, int n);
    /* Derivative of node f given those of its arguments, d[i]. */
    expr_node (*derive)(expr_graph *graph, expr_node f, const expr_node *d);
} function_row;

const function_row *function_of(expr_op op);

/* The callable function of that name, or OP_COUNT. */
expr_op function_find(const char *name, size_t length);

#endif
