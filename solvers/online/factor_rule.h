/* Averages that are sums of products (factors.h), by Gauss-Hermite rules over as many variables as a term has.

   Given its core variables, at the points of a tensor rule in at most three dimensions, a term has at most two outer
   functions left, f(x) and h(y), of Gaussian variables with conditional means mu, nu, standard deviations s, t and
   correlation kappa. With the normalised Hermite polynomials h_n and a_n = E f(mu + s u) h_n(u), b_n likewise,

     E[f(x) h(y) | core] = sum_n kappa^n a_n b_n        (Mehler)

   so that every outer function costs one rule in one dimension, and every pair of them a short sum: the coefficients of
   analytic functions decay, and those of a rule with N nodes make the sum with n < N exactly a rule of N nodes where
   kappa = 1. Conditioning does not mind correlations near one: the conditional s goes to zero, and x to its mean. */
#ifndef SGDMFT_SOLVERS_ONLINE_FACTOR_RULE_H
#define SGDMFT_SOLVERS_ONLINE_FACTOR_RULE_H

#include "core/context.h"
#include "solvers/online/factors.h"

typedef struct factor_rule factor_rule;

/* Rules with `order` nodes in each direction. `threads` share the work; results do not depend on their number. */
sgdmft_status factor_rule_new(sgdmft_context *ctx, const online_factors *factors, int order, int threads,
                              factor_rule **out);
void factor_rule_free(factor_rule *rule);

/* Most points of a core, times the nodes of the outer rules: 1 if all averages are closed. */
size_t factor_rule_points(const factor_rule *rule);

/* Multiplications that the averages of a set with rules of this order take, roughly. */
double factor_rule_work(const factor_set *set, int order);

/* out[set->n_targets], given the covariance cov[n][n] of the variables of a sample. */
void factor_rule_average(factor_rule *rule, const factor_set *set, const double *cov, double *out);

#endif
