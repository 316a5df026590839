/* The table of operations: name, arity, value. Derivatives are in derivative.c, loops over lanes in loops.h. */
#ifndef SGDMFT_EXPR_FUNCTIONS_H
#define SGDMFT_EXPR_FUNCTIONS_H

#include <stddef.h>

#include "expr/ops.h"

typedef struct function_row {
    const char *name;
    int callable;                            /* 1: a user may write name(...) */
    int least, most;                         /* arguments */
    double (*value)(const double *x, int n); /* NULL for constants and variables */
} function_row;

const function_row *function_of(expr_op op);

/* The callable function of that name, or OP_COUNT. */
expr_op function_find(const char *name, size_t length);

#endif
