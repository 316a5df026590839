/* Search for jumps and poles of a node as a function of some of its variables. */
#ifndef SGDMFT_EXPR_KINK_H
#define SGDMFT_EXPR_KINK_H

#include <stddef.h>
#include <stdint.h>

#include "expr/graph.h"

/* A point where a node jumps. */
typedef struct expr_jump {
    int found;         /* 1 if a jump was found */
    double size;       /* |jump| there; infinite at a pole */
    char function[32]; /* function that switches there, e.g. "relu", "sign", "if" */
} expr_jump;

/* Searches for jumps of `node` in the variables moving[0 .. n_moving - 1]: on every switching surface (zero set of the
   argument of sign, of a comparison, ...) that `node` depends on, compares the values on both sides along random lines,
   other variables random. Those up to moving[n_normal - 1] have continuous laws, so that what happens for single values
   of them does not count; all others, such as labels, may be small integers. Deterministic for a given seed. *out is
   the largest jump met. Adds nodes to the graph (the switching functions). */
sgdmft_status expr_find_jump(sgdmft_context *ctx, expr_graph *graph, expr_node node, const expr_node *moving,
                             size_t n_moving, size_t n_normal, uint64_t seed, expr_jump *out);

/* A surface where a node is infinite. */
typedef struct expr_pole {
    int found;
    double power;      /* |node| grows like distance^(-power) */
    char function[32]; /* function or operator that is singular there */
} expr_pole;

/* Searches in the same way for surfaces on which `node` grows like distance^(-power) or faster with a power of at least
   1/2, so that the square of the node has no average over variables of positive density. *out is the pole of the
   largest power met. */
sgdmft_status expr_find_pole(sgdmft_context *ctx, expr_graph *graph, expr_node node, const expr_node *moving,
                             size_t n_moving, size_t n_normal, uint64_t seed, expr_pole *out);

#endif
