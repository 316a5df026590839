/* Asymptotic expansions as x goes to +infinity: finite sums

     sum_i c_i E_i(x) + O(bound),     E(x) = exp(sum_j rate_j x^power_j) x^p (log x)^q,

   largest first, or the statement that nothing is known. An expansion with terms has a leading term that is exact, so
   it tells growth from both sides; one without terms is an upper bound, or zero. Whatever cannot be represented becomes
   a bound, or unknown, and never a term. */
#ifndef SGDMFT_EXPR_ASYMPTOTIC_H
#define SGDMFT_EXPR_ASYMPTOTIC_H

#include <stddef.h>

#include "expr/ops.h"

enum { ASYMPTOTIC_TERMS = 6, ASYMPTOTIC_RATES = 3 };

/* The powers of the exponent descend, and 0 ends them. An infinite power stands for growth (rate 1) or decay (rate -1)
   beyond all exp(x^power), such as exp(exp(x)); all such orders count as one. */
typedef struct growth_order {
    double rate[ASYMPTOTIC_RATES], power[ASYMPTOTIC_RATES];
    double p, q;
} growth_order;

typedef struct asymptotic {
    int unknown; /* 1: nothing is known, and the rest is meaningless */
    int n;       /* terms */
    double c[ASYMPTOTIC_TERMS];
    growth_order order[ASYMPTOTIC_TERMS];
    int rest; /* 1: O(bound) is to be added; bound is smaller than all terms */
    growth_order bound;
} asymptotic;

/* The order of x^p. */
growth_order order_of_power(double p);
/* Negative, zero, positive: a grows slower than, like, faster than b. */
int order_compare(const growth_order *a, const growth_order *b);
/* 1 if the order is exp(c x^power + ...) with c, power > 0. */
int order_is_exponential(const growth_order *a);
/* Writes an order of growth as text in terms of `x`, e.g. "|r|^3", "exp(2 |r|)". */
void order_text(const growth_order *a, const char *x, char *out, size_t room);

asymptotic asymptotic_unknown(void);
asymptotic asymptotic_constant(double c);
/* c x */
asymptotic asymptotic_ray(double c);
/* O(1), without a limit. */
asymptotic asymptotic_bounded(void);

/* -1, 1: the sign for large x; 0: zero for large x; 2: cannot be told. */
int asymptotic_sign(const asymptotic *a);
/* An upper bound of the growth; 0 if there is none (zero, or unknown). */
int asymptotic_growth(const asymptotic *a, growth_order *out);

asymptotic asymptotic_add(const asymptotic *a, const asymptotic *b);
asymptotic asymptotic_times(double factor, const asymptotic *a);
asymptotic asymptotic_mul(const asymptotic *a, const asymptotic *b);
/* a^power; unknown if the sign of `a` does not allow it. */
asymptotic asymptotic_power(const asymptotic *a, double power);
asymptotic asymptotic_exp(const asymptotic *a);
asymptotic asymptotic_log(const asymptotic *a);
/* A bound of both, for a choice that cannot be told. */
asymptotic asymptotic_either(const asymptotic *a, const asymptotic *b);

/* 1 and the limit if `a` tends to a finite limit; *rest is the difference. */
int asymptotic_limit(const asymptotic *a, double *limit, asymptotic *rest);

#endif
