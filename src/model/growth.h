/* What of the growth of a gradient decides whether there is a limit (docs/theory.md, section 9). The process of the
   visits decides which of it matters, see model/limit.h. */
#ifndef SGDMFT_MODEL_GROWTH_H
#define SGDMFT_MODEL_GROWTH_H

#include "expr/expr.h"

/* A growth that was found. */
typedef struct found_growth {
    int found;
    growth_order order;
    int side; /* k = 1: the sign of r; otherwise 0 */
} found_growth;

enum { GROWTH_MOST_VISITS = 3 };

typedef struct model_growth {
    /* g grows faster than linearly along r, and the kick -g lands where it does so again, and so on: of these the
       slowest growth. */
    found_growth repeated;
    found_growth one_side; /* k = 1: g grows faster than linearly on one side of r at least */
    found_growth outward;  /* k = 1: the same like a larger power of r than the first, and -g points away from 0 */

    /* The gradient at the n-th visit of a path grows so fast in the Gaussian variables that the fewest visits n leave
       it no second moment; n = 0 if there is no such n up to GROWTH_MOST_VISITS. */
    int visits_in_r, visits_in_s; /* along rays of the field, and of the signal and the noise of the label */
    growth_order order_in_r, order_in_s;
} model_growth;

/* The expressions in question. Variables of the graph are those of model_programs.h. */
typedef struct growth_question {
    const expr_graph *graph;
    int k, kstar, noises, labels;
    const expr_node *gradient, *label;          /* [k], [labels] */
    const expr_program *gradient_of, *label_of; /* the same as programs */
    double horizon;
    const double *q, *m, *rho; /* second moments at the start [k][k], [k][kstar], [kstar][kstar]; or NULL, not known */
} growth_question;

/* What is found is certain: the expansion of the expressions says so, and numbers agree. Growth that cannot be told is
   not found. */
sgdmft_status model_growth_find(sgdmft_context *ctx, const growth_question *q, model_growth *out);

#endif
