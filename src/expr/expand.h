/* Expansion of a node into a sum of products of factors, each of which depends on few variables. */
#ifndef SGDMFT_EXPR_EXPAND_H
#define SGDMFT_EXPR_EXPAND_H

#include <stddef.h>

#include "expr/graph.h"

/* Most factors of a term, powers counted as often as they occur. */
enum { EXPR_FACTORS = 16 };

/* coefficient times the product of the factors, in ascending order */
typedef struct expr_term {
    double coefficient;
    int n;
    expr_node factor[EXPR_FACTORS];
} expr_term;

typedef struct expr_sum {
    expr_term *term;
    size_t n;
} expr_sum;

/* Multiplies out the sums, products, quotients and whole powers of `node`. What depends on a single variable is not
   taken apart, except for its constant coefficients and factors, and what is neither sum nor product is a factor as it
   stands. Like terms are collected. *fits = 0, and nothing in *out, if there would be more than `most` terms on the way
   or a term had more than EXPR_FACTORS factors. Adds nodes to the graph (reciprocals). *out is emptied with
   expr_sum_clear. */
sgdmft_status expr_expand(sgdmft_context *ctx, expr_graph *graph, expr_node node, size_t most, expr_sum *out,
                          int *fits);

/* The product of two expansions, with the same bounds. */
sgdmft_status expr_sum_multiply(sgdmft_context *ctx, const expr_sum *a, const expr_sum *b, size_t most, expr_sum *out,
                                int *fits);

void expr_sum_clear(expr_sum *sum);

#endif
