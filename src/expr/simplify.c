/* Simplification keeps derivatives short, and rewrites formulas that overflow as users write them.

   Canonical forms: commutative operations have a constant first, otherwise the older node first; a constant factor
   stands outside of a product and a sign outside of everything; a - c is (-c) + a. */
#include "expr/simplify.h"

#include <math.h>

#include "expr/functions.h"

/* Highest power written as multiplications. */
#define LARGEST_POWER 32

static int is_constant(const expr_graph *g, expr_node a)
{
    return graph_op(g, a) == OP_CONSTANT;
}

static double value_of(const expr_graph *g, expr_node a)
{
    return g->node[a].constant;
}

static int is_op(const expr_graph *g, expr_node a, expr_op op)
{
    return graph_op(g, a) == op;
}

/* c * x, c + x or c / x with a constant c. */
static int leads(const expr_graph *g, expr_node a, expr_op op)
{
    return is_op(g, a, op) && is_constant(g, graph_arg(g, a, 0));
}

static double leading(const expr_graph *g, expr_node a)
{
    return value_of(g, graph_arg(g, a, 0));
}

static int is_comparison(const expr_graph *g, expr_node a)
{
    expr_op op = graph_op(g, a);
    return op == OP_LT || op == OP_LE || op == OP_EQ || op == OP_NE;
}

/* Constants are merged only if the result neither overflows nor underflows. */
static int harmless(double x)
{
    return isnormal(x);
}

static expr_node pair(expr_graph *g, expr_op op, expr_node a, expr_node b)
{
    return graph_intern(g, op, (expr_node[]){a, b}, 2, 0);
}

static expr_node commutative(expr_graph *g, expr_op op, expr_node a, expr_node b)
{
    int swap = is_constant(g, a) == is_constant(g, b) ? b < a : is_constant(g, b);
    return swap ? pair(g, op, b, a) : pair(g, op, a, b);
}

expr_node node_constant(expr_graph *g, double value)
{
    return graph_intern(g, OP_CONSTANT, NULL, 0, value);
}

/* The constant f(args), or EXPR_NONE if an argument is not constant. */
static expr_node fold(expr_graph *g, expr_op op, const expr_node *args, int n)
{
    double x[EXPR_MAX_ARGS];
    for (int i = 0; i < n; i++) {
        if (!is_constant(g, args[i]))
            return EXPR_NONE;
        x[i] = value_of(g, args[i]);
    }
    return node_constant(g, function_of(op)->value(x, n));
}

static expr_node fold_pair(expr_graph *g, expr_op op, expr_node a, expr_node b)
{
    return fold(g, op, (expr_node[]){a, b}, 2);
}

expr_node node_neg(expr_graph *g, expr_node a)
{
    if (a == EXPR_NONE)
        return EXPR_NONE;
    if (is_constant(g, a))
        return node_constant(g, -value_of(g, a));
    if (is_op(g, a, OP_NEG))
        return graph_arg(g, a, 0);
    if (is_op(g, a, OP_SUB))
        return node_sub(g, graph_arg(g, a, 1), graph_arg(g, a, 0));
    if (leads(g, a, OP_MUL))
        return node_mul(g, node_constant(g, -leading(g, a)), graph_arg(g, a, 1));
    if (leads(g, a, OP_DIV))
        return node_div(g, node_constant(g, -leading(g, a)), graph_arg(g, a, 1));
    return graph_intern(g, OP_NEG, &a, 1, 0);
}

/* a = factor * base */
static expr_node split_factor(const expr_graph *g, expr_node a, double *factor)
{
    if (is_op(g, a, OP_NEG)) {
        *factor = -1;
        return graph_arg(g, a, 0);
    }
    int led = leads(g, a, OP_MUL);
    *factor = led ? leading(g, a) : 1;
    return led ? graph_arg(g, a, 1) : a;
}

/* x + c*x and the like, or EXPR_NONE. */
static expr_node like_terms(expr_graph *g, expr_node a, expr_node b, double sign)
{
    double p, q;
    expr_node base = split_factor(g, a, &p);
    if (base != split_factor(g, b, &q))
        return EXPR_NONE;
    return node_mul(g, node_constant(g, p + sign * q), base);
}

static expr_node constant_plus(expr_graph *g, expr_node c, expr_node x)
{
    double shift = value_of(g, c);
    if (shift == 0)
        return x;
    if (leads(g, x, OP_ADD))
        return node_add(g, node_constant(g, shift + leading(g, x)), graph_arg(g, x, 1));
    if (leads(g, x, OP_SUB))
        return node_sub(g, node_constant(g, shift + leading(g, x)), graph_arg(g, x, 1));
    if (is_op(g, x, OP_NEG))
        return node_sub(g, c, graph_arg(g, x, 0));
    return commutative(g, OP_ADD, c, x);
}

expr_node node_add(expr_graph *g, expr_node a, expr_node b)
{
    if (a == EXPR_NONE || b == EXPR_NONE)
        return EXPR_NONE;
    expr_node folded = fold_pair(g, OP_ADD, a, b);
    if (folded != EXPR_NONE)
        return folded;
    if (is_constant(g, a))
        return constant_plus(g, a, b);
    if (is_constant(g, b))
        return constant_plus(g, b, a);
    expr_node like = like_terms(g, a, b, 1);
    if (like != EXPR_NONE)
        return like;
    if (is_op(g, b, OP_NEG))
        return node_sub(g, a, graph_arg(g, b, 0));
    if (is_op(g, a, OP_NEG))
        return node_sub(g, b, graph_arg(g, a, 0));
    return commutative(g, OP_ADD, a, b);
}

static expr_node constant_minus(expr_graph *g, expr_node c, expr_node x)
{
    double shift = value_of(g, c);
    if (shift == 0)
        return node_neg(g, x);
    if (leads(g, x, OP_ADD))
        return node_sub(g, node_constant(g, shift - leading(g, x)), graph_arg(g, x, 1));
    if (leads(g, x, OP_SUB))
        return node_add(g, node_constant(g, shift - leading(g, x)), graph_arg(g, x, 1));
    if (is_op(g, x, OP_NEG))
        return node_add(g, c, graph_arg(g, x, 0));
    return pair(g, OP_SUB, c, x);
}

expr_node node_sub(expr_graph *g, expr_node a, expr_node b)
{
    if (a == EXPR_NONE || b == EXPR_NONE)
        return EXPR_NONE;
    expr_node folded = fold_pair(g, OP_SUB, a, b);
    if (folded != EXPR_NONE)
        return folded;
    if (is_constant(g, b))
        return node_add(g, node_constant(g, -value_of(g, b)), a);
    if (is_constant(g, a))
        return constant_minus(g, a, b);
    expr_node like = like_terms(g, a, b, -1);
    if (like != EXPR_NONE)
        return like;
    if (is_op(g, b, OP_NEG))
        return node_add(g, a, graph_arg(g, b, 0));
    if (is_op(g, a, OP_NEG))
        return node_neg(g, node_add(g, graph_arg(g, a, 0), b));
    return pair(g, OP_SUB, a, b);
}

static expr_node constant_times(expr_graph *g, expr_node c, expr_node x)
{
    double factor = value_of(g, c);
    if (factor == 0)
        return c;
    if (factor == 1)
        return x;
    if (factor == -1)
        return node_neg(g, x);
    if (is_op(g, x, OP_NEG))
        return node_mul(g, node_constant(g, -factor), graph_arg(g, x, 0));
    if (leads(g, x, OP_MUL) && harmless(factor * leading(g, x)))
        return node_mul(g, node_constant(g, factor * leading(g, x)), graph_arg(g, x, 1));
    if (leads(g, x, OP_DIV) && harmless(factor * leading(g, x)))
        return node_div(g, node_constant(g, factor * leading(g, x)), graph_arg(g, x, 1));
    if (is_op(g, x, OP_DIV) && is_constant(g, graph_arg(g, x, 1)) && harmless(factor / value_of(g, graph_arg(g, x, 1))))
        return node_mul(g, node_constant(g, factor / value_of(g, graph_arg(g, x, 1))), graph_arg(g, x, 0));
    return commutative(g, OP_MUL, c, x);
}

expr_node node_mul(expr_graph *g, expr_node a, expr_node b)
{
    if (a == EXPR_NONE || b == EXPR_NONE)
        return EXPR_NONE;
    expr_node folded = fold_pair(g, OP_MUL, a, b);
    if (folded != EXPR_NONE)
        return folded;
    if (is_constant(g, a))
        return constant_times(g, a, b);
    if (is_constant(g, b))
        return constant_times(g, b, a);
    if (a == b && is_comparison(g, a))
        return a;
    if (is_op(g, a, OP_NEG))
        return node_neg(g, node_mul(g, graph_arg(g, a, 0), b));
    if (is_op(g, b, OP_NEG))
        return node_neg(g, node_mul(g, a, graph_arg(g, b, 0)));
    if (leads(g, a, OP_MUL))
        return node_mul(g, graph_arg(g, a, 0), node_mul(g, graph_arg(g, a, 1), b));
    if (leads(g, b, OP_MUL))
        return node_mul(g, graph_arg(g, b, 0), node_mul(g, a, graph_arg(g, b, 1)));
    return commutative(g, OP_MUL, a, b);
}

/* Stable forms. exp(u), a sum of exponentials and positive constants, and the logistic function 1/(1 + exp(u)), in any
   order, overflow inside log and quotients; there they become softplus, logsumexp and sigmoid. Each of the following
   functions returns the stable form, or EXPR_NONE if the formula is another one. */

/* The exponent of a node exp(x), or of a positive constant; otherwise EXPR_NONE. */
static expr_node exponent_of(expr_graph *g, expr_node a)
{
    if (graph_op(g, a) == OP_EXP)
        return graph_arg(g, a, 0);
    if (graph_op(g, a) == OP_CONSTANT && g->node[a].constant > 0)
        return node_constant(g, log(g->node[a].constant));
    return EXPR_NONE;
}

/* Collects the exponents of a sum of exponentials; returns how many, or 0 if it is not one. */
static int exponents_of_sum(expr_graph *g, expr_node sum, expr_node *exponents)
{
    expr_node pending[EXPR_MAX_ARGS];
    int n = 0, n_pending = 0;
    pending[n_pending++] = sum;
    while (n_pending > 0) {
        expr_node term = pending[--n_pending];
        if (graph_op(g, term) == OP_ADD) {
            if (n_pending + 2 > EXPR_MAX_ARGS)
                return 0;
            pending[n_pending++] = graph_arg(g, term, 1);
            pending[n_pending++] = graph_arg(g, term, 0);
            continue;
        }
        expr_node exponent = exponent_of(g, term);
        if (exponent == EXPR_NONE || n == EXPR_MAX_ARGS)
            return 0;
        exponents[n++] = exponent;
    }
    return n;
}

/* x if a is c + x with the constant c = 1, otherwise EXPR_NONE. */
static expr_node one_plus(const expr_graph *g, expr_node a)
{
    int found = graph_op(g, a) == OP_ADD && graph_is(g, graph_arg(g, a, 0), 1);
    return found ? graph_arg(g, a, 1) : EXPR_NONE;
}

static expr_node log_of_quotient(expr_graph *g, expr_node top, expr_node bottom)
{
    expr_node exponent = exponent_of(g, top);
    if (exponent == EXPR_NONE)
        return EXPR_NONE;
    return node_sub(g, exponent, node_unary(g, OP_LOG, bottom));
}

static expr_node stable_log(expr_graph *g, expr_node u)
{
    if (graph_op(g, u) == OP_EXP)
        return graph_arg(g, u, 0);
    if (graph_op(g, u) == OP_SIGMOID)
        return node_neg(g, node_unary(g, OP_SOFTPLUS, node_neg(g, graph_arg(g, u, 0))));
    if (graph_op(g, u) == OP_DIV)
        return log_of_quotient(g, graph_arg(g, u, 0), graph_arg(g, u, 1));
    expr_node exponents[EXPR_MAX_ARGS];
    int n = exponents_of_sum(g, u, exponents);
    if (n >= 2)
        return node_call(g, OP_LOGSUMEXP, exponents, n);
    expr_node rest = one_plus(g, u);
    return rest == EXPR_NONE ? EXPR_NONE : node_unary(g, OP_LOG1P, rest);
}

static expr_node stable_log1p(expr_graph *g, expr_node u)
{
    return graph_op(g, u) == OP_EXP ? node_unary(g, OP_SOFTPLUS, graph_arg(g, u, 0)) : EXPR_NONE;
}

static expr_node stable_quotient(expr_graph *g, expr_node a, expr_node b)
{
    expr_node grown = one_plus(g, b);
    if (grown == EXPR_NONE || graph_op(g, grown) != OP_EXP)
        return EXPR_NONE;
    expr_node x = graph_arg(g, grown, 0);
    if (graph_op(g, a) == OP_CONSTANT) /* c / (1 + exp(x)) */
        return node_mul(g, a, node_unary(g, OP_SIGMOID, node_neg(g, x)));
    return a == grown ? node_unary(g, OP_SIGMOID, x) : EXPR_NONE; /* exp(x) / (1 + exp(x)) */
}

/* 1/c is exact for powers of two only; other divisions are kept. */
static int exact_reciprocal(double c)
{
    int exponent;
    return isnormal(c) && isnormal(1 / c) && fabs(frexp(c, &exponent)) == 0.5;
}

static expr_node over_constant(expr_graph *g, expr_node a, expr_node c)
{
    double divisor = value_of(g, c);
    if (exact_reciprocal(divisor))
        return node_mul(g, node_constant(g, 1 / divisor), a);
    if (is_op(g, a, OP_NEG))
        return node_neg(g, node_div(g, graph_arg(g, a, 0), c));
    if (leads(g, a, OP_MUL) && harmless(leading(g, a) / divisor))
        return node_mul(g, node_constant(g, leading(g, a) / divisor), graph_arg(g, a, 1));
    if (is_op(g, a, OP_DIV) && is_constant(g, graph_arg(g, a, 1))) {
        double product = divisor * value_of(g, graph_arg(g, a, 1));
        if (harmless(product))
            return node_div(g, graph_arg(g, a, 0), node_constant(g, product));
    }
    return pair(g, OP_DIV, a, c);
}

expr_node node_div(expr_graph *g, expr_node a, expr_node b)
{
    if (a == EXPR_NONE || b == EXPR_NONE)
        return EXPR_NONE;
    expr_node folded = fold_pair(g, OP_DIV, a, b);
    if (folded != EXPR_NONE)
        return folded;
    if (is_constant(g, b))
        return over_constant(g, a, b);
    if (graph_is(g, a, 0))
        return a;
    expr_node stable = stable_quotient(g, a, b);
    if (stable != EXPR_NONE)
        return stable;
    if (is_op(g, b, OP_NEG))
        return node_neg(g, node_div(g, a, graph_arg(g, b, 0)));
    if (is_op(g, a, OP_NEG))
        return node_neg(g, node_div(g, graph_arg(g, a, 0), b));
    if (leads(g, a, OP_MUL) && !is_constant(g, graph_arg(g, a, 1)))
        return node_mul(g, graph_arg(g, a, 0), node_div(g, graph_arg(g, a, 1), b));
    return pair(g, OP_DIV, a, b);
}

static expr_node whole_power(expr_graph *g, expr_node a, int n)
{
    expr_node result = EXPR_NONE, square = a;
    for (; n; n >>= 1) {
        if (n & 1)
            result = result == EXPR_NONE ? square : node_mul(g, result, square);
        if (n > 1)
            square = node_mul(g, square, square);
    }
    return result;
}

/* a^p for p = 1/2, 1, 3/2, ... */
static expr_node positive_power(expr_graph *g, expr_node a, double p)
{
    int whole = (int)p;
    expr_node root = p > whole ? node_unary(g, OP_SQRT, a) : EXPR_NONE;
    if (whole == 0)
        return root;
    expr_node power = whole_power(g, a, whole);
    return p > whole ? node_mul(g, power, root) : power;
}

expr_node node_pow(expr_graph *g, expr_node a, expr_node b)
{
    if (a == EXPR_NONE || b == EXPR_NONE)
        return EXPR_NONE;
    expr_node folded = fold_pair(g, OP_POW, a, b);
    if (folded != EXPR_NONE)
        return folded;
    if (graph_is(g, a, 1) || graph_is(g, b, 0))
        return node_constant(g, 1);
    if (is_constant(g, b)) {
        double p = value_of(g, b);
        if (fabs(p) <= LARGEST_POWER && 2 * p == rint(2 * p))
            return p > 0 ? positive_power(g, a, p) : node_div(g, node_constant(g, 1), positive_power(g, a, -p));
    }
    return pair(g, OP_POW, a, b);
}

expr_node node_if(expr_graph *g, expr_node condition, expr_node a, expr_node b)
{
    if (condition == EXPR_NONE || a == EXPR_NONE || b == EXPR_NONE)
        return EXPR_NONE;
    if (is_constant(g, condition))
        return value_of(g, condition) != 0 ? a : b;
    if (a == b)
        return a;
    if (is_comparison(g, condition) && graph_is(g, a, 1) && graph_is(g, b, 0))
        return condition;
    return graph_intern(g, OP_IF, (expr_node[]){condition, a, b}, 3, 0);
}

static expr_node equal_operands(expr_graph *g, expr_op op, expr_node a)
{
    if (op == OP_MIN || op == OP_MAX)
        return a;
    return node_constant(g, op == OP_LE || op == OP_EQ);
}

expr_node node_binary(expr_graph *g, expr_op op, expr_node a, expr_node b)
{
    if (a == EXPR_NONE || b == EXPR_NONE)
        return EXPR_NONE;
    expr_node folded = fold_pair(g, op, a, b);
    if (folded != EXPR_NONE)
        return folded;
    if (a == b)
        return equal_operands(g, op, a);
    return op == OP_EQ || op == OP_NE ? commutative(g, op, a, b) : pair(g, op, a, b);
}

static expr_node fold_left(expr_graph *g, expr_op op, const expr_node *args, int n)
{
    expr_node result = args[0];
    for (int i = 1; i < n; i++)
        result = node_binary(g, op, result, args[i]);
    return result;
}

static expr_node logsumexp(expr_graph *g, const expr_node *args, int n)
{
    expr_node folded = fold(g, OP_LOGSUMEXP, args, n);
    if (folded != EXPR_NONE)
        return folded;
    if (n == 2 && graph_is(g, args[0], 0))
        return node_unary(g, OP_SOFTPLUS, args[1]);
    if (n == 2 && graph_is(g, args[1], 0))
        return node_unary(g, OP_SOFTPLUS, args[0]);
    return graph_intern(g, OP_LOGSUMEXP, args, n, 0);
}

/* -1 for odd functions, 1 for even ones, 0 otherwise */
static int parity(expr_op op)
{
    switch (op) {
    case OP_TANH:
    case OP_SINH:
    case OP_SIN:
    case OP_TAN:
    case OP_ATAN:
    case OP_ERF:
    case OP_SIGN: return -1;
    case OP_COSH:
    case OP_COS:
    case OP_ABS: return 1;
    default: return 0;
    }
}

/* Smooth functions, for which one more rounding error in the argument does not matter. */
static int is_smooth(expr_op op)
{
    switch (op) {
    case OP_EXP:
    case OP_TANH:
    case OP_ERF:
    case OP_SOFTPLUS:
    case OP_SIGMOID: return 1;
    default: return 0;
    }
}

/* a / c as a product, which is several times faster than a division. */
static expr_node without_division(expr_graph *g, expr_node a)
{
    if (!is_op(g, a, OP_DIV) || !is_constant(g, graph_arg(g, a, 1)))
        return a;
    double factor = 1 / value_of(g, graph_arg(g, a, 1));
    return harmless(factor) ? node_mul(g, node_constant(g, factor), graph_arg(g, a, 0)) : a;
}

expr_node node_unary(expr_graph *g, expr_op op, expr_node a)
{
    if (a == EXPR_NONE)
        return EXPR_NONE;
    if (is_smooth(op))
        a = without_division(g, a);
    expr_node folded = fold(g, op, &a, 1);
    if (folded != EXPR_NONE)
        return folded;
    int symmetry = is_op(g, a, OP_NEG) ? parity(op) : 0;
    if (symmetry) {
        expr_node positive = node_unary(g, op, graph_arg(g, a, 0));
        return symmetry > 0 ? positive : node_neg(g, positive);
    }
    if ((op == OP_ABS || op == OP_RELU) && (is_op(g, a, OP_ABS) || is_op(g, a, OP_RELU)))
        return a;
    expr_node stable = op == OP_LOG ? stable_log(g, a) : op == OP_LOG1P ? stable_log1p(g, a) : EXPR_NONE;
    return stable != EXPR_NONE ? stable : graph_intern(g, op, &a, 1, 0);
}

expr_node node_call(expr_graph *g, expr_op op, const expr_node *args, int n)
{
    for (int i = 0; i < n; i++)
        if (args[i] == EXPR_NONE)
            return EXPR_NONE;
    switch (op) {
    case OP_IF: return node_if(g, args[0], args[1], args[2]);
    case OP_MIN:
    case OP_MAX: return fold_left(g, op, args, n);
    case OP_LOGSUMEXP: return logsumexp(g, args, n);
    default: return node_unary(g, op, args[0]);
    }
}
