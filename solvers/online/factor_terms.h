/* Which kind of average a term of an expansion is, and the group that it belongs to (solvers/online/factors.h). */
#ifndef SGDMFT_SOLVERS_ONLINE_FACTOR_TERMS_H
#define SGDMFT_SOLVERS_ONLINE_FACTOR_TERMS_H

#include "expr/expand.h"
#include "solvers/online/factors.h"

typedef struct term_sorter {
    expr_graph *graph;
    const expr_node *field; /* [n_variables] nodes of the variables of a sample, not owned */
    int n_variables, noises;
    expr_node *function; /* nodes of the functions met */
    int n_functions;
} term_sorter;

void term_sorter_init(term_sorter *sorter, expr_graph *graph, const expr_node *field, int n_variables, int noises);
void term_sorter_clear(term_sorter *sorter);

/* Adds a term to the groups of `set`. *fits = 0 if it has too many variables, or depends on something other than the
   variables of a sample. Variables in preferred[2] become core variables before others do. */
sgdmft_status term_sorter_add(sgdmft_context *ctx, term_sorter *sorter, factor_set *set, const expr_term *term,
                              int target, const int preferred[2], int *fits);

/* Compiles the functions met into those of `out`. */
sgdmft_status term_sorter_compile(sgdmft_context *ctx, const term_sorter *sorter, online_factors *out);

#endif
