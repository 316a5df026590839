/* The choice of Gauss-Hermite orders for the averages of the online equations. Teacher directions share one order,
   student directions another, so that symmetries between them are kept; each noise of the label has its own.

   An order is high enough if the next higher one changes no average by more than the tolerance, at every point of the
   curve (m, q) that is asked for. Integrands with jumps or kinks never get there: then no rule is found, and the caller
   samples instead. */
#ifndef SGDMFT_SOLVERS_ONLINE_RULE_H
#define SGDMFT_SOLVERS_ONLINE_RULE_H

#include "solvers/online/law.h"

enum { ONLINE_RULE_GROUPS = 10, ONLINE_RULE_POINTS = 1 << 20 };

typedef struct online_rule {
    int level[ONLINE_RULE_GROUPS]; /* of teachers, students, then noises: indices into a list of orders */
} online_rule;

typedef enum online_rule_outcome { RULE_UNCHANGED, RULE_REFINED, RULE_NOT_FOUND } online_rule_outcome;

online_rule online_rule_first(void);

/* Every order raised once. */
online_rule online_rule_raised(const online_rule *rule);

/* Raises orders until they are high enough at the n states; the raised rule must not need more than ONLINE_RULE_POINTS
   points. */
sgdmft_status online_rule_refine(sgdmft_context *ctx, const online_setting *s, const online_state *states, size_t n,
                                 double tolerance, int threads, online_rule *rule, online_rule_outcome *out);

sgdmft_status online_rule_law(sgdmft_context *ctx, const online_setting *s, const online_rule *rule, int threads,
                              online_law **out);

#endif
