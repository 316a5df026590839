/* The nodes are visited in the order of the graph, each with the expansions of its arguments. Functions that saturate
   are written through exp, log and powers, whose expansions keep what remains beside the limit: 1 - tanh(x)^2 is then
   4 exp(-2 x), not an unknown difference of equals. */
#include "expr/growth.h"

#include <math.h>
#include <stdlib.h>

#include "expr/functions.h"

typedef asymptotic series;

/* The expansion of a node from those of its arguments. */
typedef series (*growth_rule)(const series *u, int n);

static series plus(double c, series a)
{
    series constant = asymptotic_constant(c);
    return asymptotic_add(&constant, &a);
}

static series minus(const series *a)
{
    return asymptotic_times(-1, a);
}

static series difference(const series *a, const series *b)
{
    series negative = minus(b);
    return asymptotic_add(a, &negative);
}

/* 1 if the sign is certain and `a` does not tend to zero or to a finite limit. */
static int is_large(const series *a)
{
    growth_order order, constant = order_of_power(0);
    return !a->unknown && a->n > 0 && asymptotic_growth(a, &order) && order_compare(&order, &constant) > 0;
}

static series rule_neg(const series *u, int n)
{
    (void)n;
    return minus(&u[0]);
}

static series rule_add(const series *u, int n)
{
    (void)n;
    return asymptotic_add(&u[0], &u[1]);
}

static series rule_sub(const series *u, int n)
{
    (void)n;
    return difference(&u[0], &u[1]);
}

static series rule_mul(const series *u, int n)
{
    (void)n;
    return asymptotic_mul(&u[0], &u[1]);
}

static series rule_div(const series *u, int n)
{
    (void)n;
    series inverse = asymptotic_power(&u[1], -1);
    return asymptotic_mul(&u[0], &inverse);
}

/* a^b = exp(b log a) unless b is a constant. */
static series rule_pow(const series *u, int n)
{
    (void)n;
    double power;
    series rest;
    if (asymptotic_limit(&u[1], &power, &rest) && rest.n == 0 && !rest.rest)
        return asymptotic_power(&u[0], power);
    series exponent = asymptotic_log(&u[0]);
    exponent = asymptotic_mul(&u[1], &exponent);
    return asymptotic_exp(&exponent);
}

/* Comparisons: 1, 0, or a bounded value that cannot be told. `when` has the values for a - b < 0, = 0, > 0. */
static series compare(const series *u, const double when[3])
{
    series gap = difference(&u[0], &u[1]);
    int sign = asymptotic_sign(&gap);
    return sign == 2 ? asymptotic_bounded() : asymptotic_constant(when[sign + 1]);
}

static series rule_lt(const series *u, int n)
{
    (void)n;
    return compare(u, (const double[]){1, 0, 0});
}

static series rule_le(const series *u, int n)
{
    (void)n;
    return compare(u, (const double[]){1, 1, 0});
}

static series rule_eq(const series *u, int n)
{
    (void)n;
    return compare(u, (const double[]){0, 1, 0});
}

static series rule_ne(const series *u, int n)
{
    (void)n;
    return compare(u, (const double[]){1, 0, 1});
}

static series rule_if(const series *u, int n)
{
    (void)n;
    int sign = asymptotic_sign(&u[0]);
    if (sign == 2)
        return asymptotic_either(&u[1], &u[2]);
    return sign ? u[1] : u[2];
}

static series choose(const series *u, int larger)
{
    series gap = difference(&u[0], &u[1]);
    int sign = asymptotic_sign(&gap);
    if (sign == 2)
        return asymptotic_either(&u[0], &u[1]);
    return (sign > 0) == larger ? u[0] : u[1];
}

static series rule_min(const series *u, int n)
{
    (void)n;
    return choose(u, 0);
}

static series rule_max(const series *u, int n)
{
    (void)n;
    return choose(u, 1);
}

/* The largest argument plus the logarithm of a sum that neither grows nor vanishes. */
static series rule_logsumexp(const series *u, int n)
{
    series largest = u[0], sum = asymptotic_constant(0);
    for (int i = 1; i < n; i++) {
        series pair[2] = {largest, u[i]};
        largest = choose(pair, 1);
    }
    for (int i = 0; i < n; i++) {
        series gap = difference(&u[i], &largest), term = asymptotic_exp(&gap);
        sum = asymptotic_add(&sum, &term);
    }
    sum = asymptotic_log(&sum);
    series total = asymptotic_add(&largest, &sum);
    if (!total.unknown)
        return total;
    /* which is largest cannot be told: it is below the bound of all, plus log n */
    series bound = asymptotic_constant(log((double)n));
    for (int i = 0; i < n; i++)
        bound = asymptotic_either(&bound, &u[i]);
    return bound;
}

static series rule_exp(const series *u, int n)
{
    (void)n;
    return asymptotic_exp(&u[0]);
}

static series rule_log(const series *u, int n)
{
    (void)n;
    return asymptotic_log(&u[0]);
}

static series rule_log1p(const series *u, int n)
{
    (void)n;
    series sum = plus(1, u[0]);
    return asymptotic_log(&sum);
}

static series rule_sqrt(const series *u, int n)
{
    (void)n;
    return asymptotic_power(&u[0], 0.5);
}

static series rule_abs(const series *u, int n)
{
    (void)n;
    int sign = asymptotic_sign(&u[0]);
    if (sign == 2)
        return asymptotic_either(&u[0], &u[0]);
    return sign < 0 ? minus(&u[0]) : u[0];
}

static series rule_sign(const series *u, int n)
{
    (void)n;
    int sign = asymptotic_sign(&u[0]);
    return sign == 2 ? asymptotic_bounded() : asymptotic_constant(sign);
}

static series rule_relu(const series *u, int n)
{
    (void)n;
    int sign = asymptotic_sign(&u[0]);
    if (sign == 2)
        return asymptotic_either(&u[0], &u[0]);
    return sign > 0 ? u[0] : asymptotic_constant(0);
}

/* f at a finite limit: its value there up to the distance from the limit, or `slope` times that distance where the
   value is zero. */
static int at_limit(expr_op op, const series *u, double slope, series *out)
{
    double limit;
    series small;
    growth_order order;
    if (!asymptotic_limit(u, &limit, &small))
        return 0;
    double value = function_of(op)->value(&limit, 1);
    if (value == 0)
        *out = asymptotic_times(slope, &small);
    else
        *out = asymptotic_constant(value);
    if (asymptotic_growth(&small, &order)) {
        series square = asymptotic_mul(&small, &small);
        series error = value == 0 ? square : small;
        error = asymptotic_either(&error, &error);
        *out = asymptotic_add(out, &error);
    }
    return 1;
}

/* 1/(1 + exp(-u)) for |u| -> infinity. */
static series logistic(const series *u)
{
    series e = minus(u);
    e = asymptotic_exp(&e);
    e = plus(1, e);
    return asymptotic_power(&e, -1);
}

/* A bounded function: `far` has its expansion for |u| -> infinity, and `slope` is its derivative at a zero. */
static series saturating(expr_op op, const series *u, double slope, growth_rule far)
{
    series out;
    if (at_limit(op, u, slope, &out))
        return out;
    out = is_large(u) ? far(u, 1) : asymptotic_bounded();
    return out.unknown ? asymptotic_bounded() : out;
}

static series far_sigmoid(const series *u, int n)
{
    (void)n;
    return logistic(u);
}

static series far_tanh(const series *u, int n)
{
    (void)n;
    series twice = asymptotic_times(2, u), s = logistic(&twice);
    s = asymptotic_times(2, &s);
    return plus(-1, s);
}

static series far_atan(const series *u, int n)
{
    (void)n;
    series inverse = asymptotic_power(u, -1), cube = asymptotic_power(&inverse, 3);
    inverse = minus(&inverse);
    cube = asymptotic_either(&cube, &cube);
    inverse = asymptotic_add(&inverse, &cube);
    return plus(asymptotic_sign(u) * M_PI_2, inverse);
}

/* erfc(u) = exp(-u^2)/(u sqrt(pi)) (1 + O(u^-2)), and 2 - erfc(-u) for u < 0. */
static series far_erfc(const series *u, int n)
{
    (void)n;
    series v = *u, bell, error, inverse;
    int negative = asymptotic_sign(u) < 0;
    if (negative)
        v = minus(u);
    bell = asymptotic_mul(&v, &v);
    bell = minus(&bell);
    bell = asymptotic_exp(&bell);
    inverse = asymptotic_power(&v, -1);
    bell = asymptotic_mul(&bell, &inverse);
    bell = asymptotic_times(0.5 * M_2_SQRTPI, &bell);
    error = asymptotic_power(&v, -2);
    error = asymptotic_either(&error, &error);
    error = plus(1, error);
    bell = asymptotic_mul(&bell, &error);
    if (!negative)
        return bell;
    bell = minus(&bell);
    return plus(2, bell);
}

static series far_erf(const series *u, int n)
{
    series c = far_erfc(u, n);
    c = minus(&c);
    return plus(1, c);
}

static series far_oscillating(const series *u, int n)
{
    (void)u;
    (void)n;
    return asymptotic_bounded();
}

static series rule_sigmoid(const series *u, int n)
{
    (void)n;
    return saturating(OP_SIGMOID, &u[0], 0, far_sigmoid);
}

static series rule_tanh(const series *u, int n)
{
    (void)n;
    return saturating(OP_TANH, &u[0], 1, far_tanh);
}

static series rule_atan(const series *u, int n)
{
    (void)n;
    return saturating(OP_ATAN, &u[0], 1, far_atan);
}

static series rule_erf(const series *u, int n)
{
    (void)n;
    return saturating(OP_ERF, &u[0], M_2_SQRTPI, far_erf);
}

static series rule_erfc(const series *u, int n)
{
    (void)n;
    return saturating(OP_ERFC, &u[0], 0, far_erfc);
}

static series rule_sin(const series *u, int n)
{
    (void)n;
    return saturating(OP_SIN, &u[0], 1, far_oscillating);
}

static series rule_cos(const series *u, int n)
{
    (void)n;
    return saturating(OP_COS, &u[0], 0, far_oscillating);
}

static series rule_tan(const series *u, int n)
{
    (void)n;
    series out;
    return at_limit(OP_TAN, &u[0], 1, &out) ? out : asymptotic_unknown();
}

static series hyperbolic(expr_op op, const series *u, double sign)
{
    series out;
    if (at_limit(op, u, 1, &out))
        return out;
    series negative = minus(u), up = asymptotic_exp(u), down = asymptotic_exp(&negative);
    down = asymptotic_times(sign, &down);
    out = asymptotic_add(&up, &down);
    return asymptotic_times(0.5, &out);
}

static series rule_sinh(const series *u, int n)
{
    (void)n;
    return hyperbolic(OP_SINH, &u[0], -1);
}

static series rule_cosh(const series *u, int n)
{
    (void)n;
    return hyperbolic(OP_COSH, &u[0], 1);
}

/* max(u, 0) + log1p(exp(-|u|)) */
static series rule_softplus(const series *u, int n)
{
    (void)n;
    series out;
    if (at_limit(OP_SOFTPLUS, &u[0], 0, &out))
        return out;
    int sign = asymptotic_sign(&u[0]);
    if (sign == 2)
        return asymptotic_either(&u[0], &u[0]);
    series tail = sign > 0 ? minus(&u[0]) : u[0];
    tail = asymptotic_exp(&tail);
    tail = plus(1, tail);
    tail = asymptotic_log(&tail);
    return sign > 0 ? asymptotic_add(&u[0], &tail) : tail;
}

static const growth_rule rules[OP_COUNT] = {
    [OP_NEG] = rule_neg,
    [OP_ADD] = rule_add,
    [OP_SUB] = rule_sub,
    [OP_MUL] = rule_mul,
    [OP_DIV] = rule_div,
    [OP_POW] = rule_pow,
    [OP_LT] = rule_lt,
    [OP_LE] = rule_le,
    [OP_EQ] = rule_eq,
    [OP_NE] = rule_ne,
    [OP_IF] = rule_if,
    [OP_MIN] = rule_min,
    [OP_MAX] = rule_max,
    [OP_LOGSUMEXP] = rule_logsumexp,
    [OP_EXP] = rule_exp,
    [OP_LOG] = rule_log,
    [OP_LOG1P] = rule_log1p,
    [OP_SQRT] = rule_sqrt,
    [OP_ABS] = rule_abs,
    [OP_SIGN] = rule_sign,
    [OP_TANH] = rule_tanh,
    [OP_SINH] = rule_sinh,
    [OP_COSH] = rule_cosh,
    [OP_SIN] = rule_sin,
    [OP_COS] = rule_cos,
    [OP_TAN] = rule_tan,
    [OP_ATAN] = rule_atan,
    [OP_ERF] = rule_erf,
    [OP_ERFC] = rule_erfc,
    [OP_RELU] = rule_relu,
    [OP_SOFTPLUS] = rule_softplus,
    [OP_SIGMOID] = rule_sigmoid,
};

struct growth_walk {
    const expr_graph *graph;
    expr_node *node; /* [marked] all nodes at or below the wanted ones, ascending */
    int *place;      /* [nodes of the graph] where each of them is in this list */
    int *wanted;     /* [n] where the wanted ones are */
    series *known;   /* [marked] */
    int marked;      /* 0: there are too many */
    size_t n;
};

static series expand(const growth_walk *walk, expr_node node, const asymptotic *variable)
{
    const graph_node *here = &walk->graph->node[node];
    if (here->op == OP_CONSTANT)
        return asymptotic_constant(here->constant);
    if (here->op == OP_VARIABLE)
        return variable[(int)here->constant];
    series u[EXPR_MAX_ARGS];
    for (int a = 0; a < here->n_args; a++)
        u[a] = walk->known[walk->place[graph_arg(walk->graph, node, a)]];
    return rules[here->op](u, here->n_args);
}

void growth_walk_expand(growth_walk *walk, const asymptotic *variable, asymptotic *out)
{
    for (int i = 0; i < walk->marked; i++)
        walk->known[i] = expand(walk, walk->node[i], variable);
    for (size_t i = 0; i < walk->n; i++)
        out[i] = walk->marked > 0 ? walk->known[walk->wanted[i]] : asymptotic_unknown();
}

/* Lists what is at or below the wanted nodes; `below` has a zero for each node up to the last of them. */
static void list_nodes(growth_walk *walk, const expr_node *wanted, expr_node last, char *below)
{
    for (size_t i = 0; i < walk->n; i++)
        below[wanted[i]] = 1;
    for (expr_node i = last; i >= 0; i--)
        for (int a = 0; below[i] && a < walk->graph->node[i].n_args; a++)
            below[graph_arg(walk->graph, i, a)] = 1;
    for (expr_node i = 0; i <= last; i++)
        if (below[i]) {
            walk->place[i] = walk->marked;
            walk->node[walk->marked++] = i;
        }
    for (size_t i = 0; i < walk->n; i++)
        walk->wanted[i] = walk->place[wanted[i]];
    if (walk->marked > GROWTH_MOST_NODES)
        walk->marked = 0;
}

sgdmft_status growth_walk_new(sgdmft_context *ctx, const expr_graph *graph, const expr_node *nodes, size_t n,
                              growth_walk **out)
{
    expr_node last = 0;
    for (size_t i = 0; i < n; i++)
        last = nodes[i] > last ? nodes[i] : last;
    size_t room = (size_t)last + 1;
    growth_walk *walk = calloc(1, sizeof *walk);
    char *below = calloc(room, sizeof *below);
    int ok = walk && below;
    if (ok) {
        *walk = (growth_walk){.graph = graph, .n = n};
        walk->node = calloc(room, sizeof *walk->node);
        walk->place = calloc(room, sizeof *walk->place);
        walk->wanted = calloc(n + 1, sizeof *walk->wanted);
        ok = walk->node && walk->place && walk->wanted;
    }
    if (ok) {
        list_nodes(walk, nodes, last, below);
        walk->known = calloc((size_t)walk->marked + 1, sizeof *walk->known);
        ok = walk->known != NULL;
    }
    free(below);
    if (ok) {
        *out = walk;
        return SGDMFT_OK;
    }
    growth_walk_free(walk);
    return context_out_of_memory(ctx, "the growth of an expression", 9.0 * (double)room);
}

void growth_walk_free(growth_walk *walk)
{
    if (!walk)
        return;
    free(walk->node);
    free(walk->place);
    free(walk->wanted);
    free(walk->known);
    free(walk);
}
