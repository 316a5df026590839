/* Averages over a fresh sample that are sums of products of few functions of one variable each, as those of committees
   with the square loss,

     g_a = (sum_b f(r_b) - sum_c f*(s_c) - sigma eps) f'(r_a).

   The expressions of the gradient g, its products with w, w* and g, the Hessian, the loss and the observables are
   multiplied out (expr/expand.h). Each term is a product of functions of the centred Gaussian variables x = (w, w*,
   eps), and an average over as many variables as the term has, however many there are in all. Terms are of two kinds:

     closed    exponentials exp(- c x^2), which tilt the Gaussian law into another one, times 1, erf erf, x erf or x x,
               whose averages are elementary (solvers/online/tilted.h); products that are odd in x average to zero;
     general   a function of up to three variables, the *core* of the term, times functions of at most two further
               variables, one each, the *outer* ones (solvers/online/factor_rule.h).

   A factor of one noise alone is averaged beforehand. Terms with the same core share its rule and the outer functions
   that they have in common. */
#ifndef SGDMFT_SOLVERS_ONLINE_FACTORS_H
#define SGDMFT_SOLVERS_ONLINE_FACTORS_H

#include "expr/program.h"
#include "model/model.h"
#include "problem/problem.h"

/* Variables of a core and of an exponential, and of a sample: w [k], w* [k*], eps [noises]. */
enum { FACTOR_CORE = 3, FACTOR_TILT = 4, FACTOR_VARIABLES = 3 * MODEL_MOST };

typedef enum closed_kind { CLOSED_ONE, CLOSED_ERF_ERF, CLOSED_X_ERF, CLOSED_X_X } closed_kind;

/* A product of functions of x[variable[0]] and x[variable[1]]: erf(rate x), or x itself. */
typedef struct closed_term {
    double coefficient;
    int target;
    closed_kind kind;
    int variable[2];
    double rate[2]; /* of erf */
} closed_term;

/* Closed terms with the same exponential exp(- sum_i rate_i x[variable_i]^2). */
typedef struct closed_group {
    int n, variable[FACTOR_TILT]; /* ascending */
    double rate[FACTOR_TILT];
    closed_term *term;
    size_t n_terms;
} closed_group;

typedef struct outer_function {
    int variable, function;
} outer_function;

typedef struct general_term {
    double coefficient;
    int target;
    int core;     /* index among the core functions of the group, -1 for 1 */
    int outer[2]; /* indices among the outer functions of the group, -1 for none; outer[1] is set only if outer[0] is */
} general_term;

/* General terms with the same core variables. */
typedef struct general_group {
    int n, variable[FACTOR_CORE]; /* ascending */
    int *core;                    /* functions of the core */
    int n_core;
    outer_function *outer;
    int n_outer;
    general_term *term;
    size_t n_terms;
} general_group;

/* Some averages: out[target] = sum of terms. */
typedef struct factor_set {
    int n_targets;
    closed_group *closed;
    size_t n_closed;
    general_group *general;
    size_t n_general;
    int most_variables; /* of a term */
} factor_set;

/* Where the averages of the motion begin among the targets: E[g w*^T] [k][k*], E[g w^T] [k][k], and the lower triangles
   (of square arrays) of E[g g^T] and E[G]. */
typedef struct motion_targets {
    int gs, gw, gg, G, count;
} motion_targets;

typedef struct online_factors {
    model_shape shape;
    int n_variables;
    motion_targets at;
    factor_set motion;
    factor_set seen; /* loss and observables, in this order */
    char *seen_fits; /* [1 + observables] 1 if the average is in `seen` */

    /* Functions of core or outer variables: programs whose inputs are the variables of a sample. */
    expr_program **function;
    int n_functions;

    int usable;    /* 1 if every average of the motion is such a sum */
    char why[160]; /* otherwise, why not: a phrase */
} online_factors;

/* The input of the programs that variable v of a sample is. */
int factor_input(model_shape shape, int v);

/* Looks at the expressions of the problem from which the model of this shape was made. Call-backs are not usable, nor
   gradients that jump. */
sgdmft_status online_factors_new(sgdmft_context *ctx, const sgdmft_problem *problem, model_shape shape, int callbacks,
                                 online_factors **out);
void online_factors_free(online_factors *factors); /* NULL is allowed */

#endif
