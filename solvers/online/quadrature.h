/* Gauss-Hermite rules for the averages over a fresh sample. All teacher directions share one order and all student
   directions another, so that symmetries between them are kept; each noise of the label has an order of its own.

   Where the averages are sums of products (solvers/online/factors.h), one order serves all of their rules, which have few
   dimensions each.

   An order is high enough if the next higher one changes no average by more than a tolerance, at every state along the
   curve (m, q) that is looked at. Integrands with jumps or kinks never get there: then averages are sampled instead. */
#ifndef SGDMFT_SOLVERS_ONLINE_QUADRATURE_H
#define SGDMFT_SOLVERS_ONLINE_QUADRATURE_H

#include "solvers/online/law.h"

/* Groups of directions: teachers, students, up to 8 noises; and the most points of a rule. */
enum { ONLINE_ORDER_GROUPS = 10, ONLINE_RULE_POINTS = 1 << 20 };

typedef struct online_orders {
    int index[ONLINE_ORDER_GROUPS]; /* of each group, into a list of orders */
    int by_factors;                 /* 1 for sums of products, whose order is index[0] of another list */
} online_orders;

typedef enum online_refinement { ORDERS_KEPT, ORDERS_RAISED, ORDERS_NOT_FOUND } online_refinement;

online_orders online_orders_first(int by_factors);

/* 1 if averages of the plan are sums of products in fewer dimensions than all of its variables have. */
int online_factors_help(const online_plan *plan);

/* Every order replaced by the next higher one. */
online_orders online_orders_next(const online_orders *orders);

/* Raises orders until they are high enough at the states[n]. ORDERS_NOT_FOUND if that, and the check by the next higher
   ones, would take more than ONLINE_RULE_POINTS points, or as much work. Fails with SGDMFT_ERR_PLUGIN if a plug-in asks
   to stop. */
sgdmft_status online_orders_refine(sgdmft_context *ctx, const online_plan *plan, const online_state *states, size_t n,
                                   double tolerance, int threads, online_orders *orders, online_refinement *out);

/* The law with the points of the tensor product of the rules, or that of factors. */
sgdmft_status online_law_of_orders(sgdmft_context *ctx, const online_plan *plan, const online_orders *orders,
                                   int threads, online_law **out);

#endif
