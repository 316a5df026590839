/* Search for jumps of a node as a function of some of its variables. */
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

/* Searches for jumps of `node` in the variables `moving`: on every switching surface (zero set of the argument of sign,
   of a comparison, ...) that `node` depends on, compares the values on both sides along random lines, other variables
   random. Deterministic for a given seed. *out is the largest jump met. Adds nodes to the graph (the switching
   functions). */
sgdmft_status expr_find_jump(sgdmft_context *ctx, expr_graph *graph, expr_node node, const expr_node *moving,
                             size_t n_moving, uint64_t seed, expr_jump *out);

#endif
