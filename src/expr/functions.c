/* The table of operations. A derivative rule reuses the node it derives wherever the function allows it, so that
   value, gradient and Hessian share one evaluation of the function. */
#include "expr/functions.h"

#include <math.h>
#include <string.h>

static double value_neg(const double *x, int n) { return -x[0]; }
static double value_add(const double *x, int n) { return x[0] + x[1]; }
static double value_sub(const double *x, int n) { return x[0] - x[1]; }
static double value_mul(const double *x, int n) { return x[0] * x[1]; }
static double value_div(const double *x, int n) { return x[0] / x[1]; }
static double value_pow(const double *x, int n) { return pow(x[0], x[1]); }
static double value_lt(const double *x, int n) { return x[0] < x[1]; }
static double value_le(const double *x, int n) { return x[0] <= x[1]; }
static double value_eq(const double *x, int n) { return x[0] == x[1]; }
static double value_ne(const double *x, int n) { return x[0] != x[1]; }
static double value_if(const double *x, int n) { return x[0] != 0 ? x[1] : x[2]; }
static double value_min(const double *x, int n) { return x[1] < x[0] || isnan(x[1]) ? x[1] : x[0]; }
static double value_max(const double *x, int n) { return x[1] > x[0] || isnan(x[1]) ? x[1] : x[0]; }
static double value_exp(const double *x, int n) { return exp(x[0]); }
static double value_log(const double *x, int n) { return log(x[0]); }
static double value_log1p(const double *x, int n) { return log1p(x[0]); }
static double value_sqrt(const double *x, int n) { return sqrt(x[0]); }
static double value_abs(const double *x, int n) { return fabs(x[0]); }
static double value_sign(const double *x, int n) { return isnan(x[0]) ? x[0] : (x[0] > 0) - (x[0] < 0); }
static double value_tanh(const double *x, int n) { return tanh(x[0]); }
static double value_sinh(const double *x, int n) { return sinh(x[0]); }
static double value_cosh(const double *x, int n) { return cosh(x[0]); }
static double value_sin(const double *x, int n) { return sin(x[0]); }
static double value_cos(const double *x, int n) { return cos(x[0]); }
static double value_tan(const double *x, int n) { return tan(x[0]); }
static double value_atan(const double *x, int n) { return atan(x[0]); }
static double value_erf(const double *x, int n) { return erf(x[0]); }
static double value_erfc(const double *x, int n) { return erfc(x[0]); }
static double value_relu(const double *x, int n) { return x[0] < 0 ? 0 : x[0]; }
static double value_softplus(const double *x, int n) { return fmax(x[0], 0) + log1p(exp(-fabs(x[0]))); }

static double value_sigmoid(const double *x, int n)
{
    double e = exp(-fabs(x[0]));
    return (x[0] < 0 ? e : 1) / (1 + e);
}

static double value_logsumexp(const double *x, int n)
{
    double largest = x[0], sum = 0;
    for (int i = 1; i < n; i++)
        largest = fmax(largest, x[i]);
    if (isinf(largest))
        largest = 0; /* infinity - infinity would be NaN */
    for (int i = 0; i < n; i++)
        sum += exp(x[i] - largest);
    return largest + log(sum);
}

/* Shorthand of the rules: the first argument, constants, the square. */
static expr_node u(const expr_graph *g, expr_node f) { return graph_arg(g, f, 0); }
static expr_node number(expr_graph *g, double x) { return node_constant(g, x); }
static expr_node square(expr_graph *g, expr_node a) { return node_mul(g, a, a); }

static expr_node derive_neg(expr_graph *g, expr_node f, const expr_node *d) { return node_neg(g, d[0]); }
static expr_node derive_add(expr_graph *g, expr_node f, const expr_node *d) { return node_add(g, d[0], d[1]); }
static expr_node derive_sub(expr_graph *g, expr_node f, const expr_node *d) { return node_sub(g, d[0], d[1]); }

static expr_node derive_mul(expr_graph *g, expr_node f, const expr_node *d)
{
    expr_node a = graph_arg(g, f, 0), b = graph_arg(g, f, 1);
    expr_node left = node_mul(g, d[0], b);
    return node_add(g, left, node_mul(g, a, d[1]));
}

static expr_node derive_div(expr_graph *g, expr_node f, const expr_node *d)
{
    expr_node b = graph_arg(g, f, 1);
    expr_node top = node_sub(g, d[0], node_mul(g, f, d[1]));
    if (g->trouble != TROUBLE_NONE || graph_op(g, b) == OP_CONSTANT)
        return node_div(g, top, b);
    /* one reciprocal serves the derivatives with respect to all variables */
    return node_mul(g, top, node_div(g, number(g, 1), b));
}

static expr_node derive_pow(expr_graph *g, expr_node f, const expr_node *d)
{
    expr_node a = graph_arg(g, f, 0), b = graph_arg(g, f, 1), less = node_sub(g, b, number(g, 1));
    expr_node base = node_mul(g, node_mul(g, b, node_pow(g, a, less)), d[0]);
    if (g->trouble != TROUBLE_NONE || graph_is(g, d[1], 0))
        return base;
    expr_node exponent = node_mul(g, node_mul(g, f, node_unary(g, OP_LOG, a)), d[1]);
    return node_add(g, base, exponent);
}

static expr_node derive_step(expr_graph *g, expr_node f, const expr_node *d) { return number(g, 0); }

static expr_node derive_if(expr_graph *g, expr_node f, const expr_node *d) { return node_if(g, u(g, f), d[1], d[2]); }

static expr_node derive_min(expr_graph *g, expr_node f, const expr_node *d)
{
    expr_node first = node_binary(g, OP_LE, graph_arg(g, f, 0), graph_arg(g, f, 1));
    return node_if(g, first, d[0], d[1]);
}

static expr_node derive_max(expr_graph *g, expr_node f, const expr_node *d)
{
    expr_node first = node_binary(g, OP_LE, graph_arg(g, f, 1), graph_arg(g, f, 0));
    return node_if(g, first, d[0], d[1]);
}

static expr_node derive_logsumexp(expr_graph *g, expr_node f, const expr_node *d)
{
    expr_node sum = number(g, 0);
    int n = g->node[f].n_args;
    for (int i = 0; i < n && g->trouble == TROUBLE_NONE; i++) {
        if (graph_is(g, d[i], 0))
            continue;
        expr_node softmax = node_unary(g, OP_EXP, node_sub(g, graph_arg(g, f, i), f));
        sum = node_add(g, sum, node_mul(g, softmax, d[i]));
    }
    return sum;
}

static expr_node derive_exp(expr_graph *g, expr_node f, const expr_node *d) { return node_mul(g, f, d[0]); }

static expr_node derive_log(expr_graph *g, expr_node f, const expr_node *d) { return node_div(g, d[0], u(g, f)); }

static expr_node derive_log1p(expr_graph *g, expr_node f, const expr_node *d)
{
    return node_div(g, d[0], node_add(g, number(g, 1), u(g, f)));
}

static expr_node derive_sqrt(expr_graph *g, expr_node f, const expr_node *d)
{
    return node_div(g, node_mul(g, number(g, 0.5), d[0]), f);
}

static expr_node derive_abs(expr_graph *g, expr_node f, const expr_node *d)
{
    return node_mul(g, node_unary(g, OP_SIGN, u(g, f)), d[0]);
}

static expr_node derive_tanh(expr_graph *g, expr_node f, const expr_node *d)
{
    return node_mul(g, node_sub(g, number(g, 1), square(g, f)), d[0]);
}

static expr_node derive_sinh(expr_graph *g, expr_node f, const expr_node *d)
{
    return node_mul(g, node_unary(g, OP_COSH, u(g, f)), d[0]);
}

static expr_node derive_cosh(expr_graph *g, expr_node f, const expr_node *d)
{
    return node_mul(g, node_unary(g, OP_SINH, u(g, f)), d[0]);
}

static expr_node derive_sin(expr_graph *g, expr_node f, const expr_node *d)
{
    return node_mul(g, node_unary(g, OP_COS, u(g, f)), d[0]);
}

static expr_node derive_cos(expr_graph *g, expr_node f, const expr_node *d)
{
    return node_neg(g, node_mul(g, node_unary(g, OP_SIN, u(g, f)), d[0]));
}

static expr_node derive_tan(expr_graph *g, expr_node f, const expr_node *d)
{
    return node_mul(g, node_add(g, number(g, 1), square(g, f)), d[0]);
}

static expr_node derive_atan(expr_graph *g, expr_node f, const expr_node *d)
{
    return node_div(g, d[0], node_add(g, number(g, 1), square(g, u(g, f))));
}

static expr_node bell(expr_graph *g, expr_node f, double factor, expr_node d)
{
    expr_node gauss = node_unary(g, OP_EXP, node_neg(g, square(g, u(g, f))));
    return node_mul(g, node_mul(g, number(g, factor), gauss), d);
}

static expr_node derive_erf(expr_graph *g, expr_node f, const expr_node *d) { return bell(g, f, M_2_SQRTPI, d[0]); }
static expr_node derive_erfc(expr_graph *g, expr_node f, const expr_node *d) { return bell(g, f, -M_2_SQRTPI, d[0]); }

static expr_node derive_relu(expr_graph *g, expr_node f, const expr_node *d)
{
    return node_mul(g, node_binary(g, OP_LT, number(g, 0), u(g, f)), d[0]);
}

static expr_node derive_softplus(expr_graph *g, expr_node f, const expr_node *d)
{
    return node_mul(g, node_unary(g, OP_SIGMOID, u(g, f)), d[0]);
}

static expr_node derive_sigmoid(expr_graph *g, expr_node f, const expr_node *d)
{
    return node_mul(g, node_mul(g, f, node_sub(g, number(g, 1), f)), d[0]);
}

static const function_row table[OP_COUNT] = {
    [OP_CONSTANT] = {"number", 0, 0, 0, NULL, NULL},
    [OP_VARIABLE] = {"variable", 0, 0, 0, NULL, NULL},
    [OP_NEG] = {"-", 0, 1, 1, value_neg, derive_neg},
    [OP_ADD] = {"+", 0, 2, 2, value_add, derive_add},
    [OP_SUB] = {"-", 0, 2, 2, value_sub, derive_sub},
    [OP_MUL] = {"*", 0, 2, 2, value_mul, derive_mul},
    [OP_DIV] = {"/", 0, 2, 2, value_div, derive_div},
    [OP_POW] = {"^", 0, 2, 2, value_pow, derive_pow},
    [OP_LT] = {"<", 0, 2, 2, value_lt, derive_step},
    [OP_LE] = {"<=", 0, 2, 2, value_le, derive_step},
    [OP_EQ] = {"==", 0, 2, 2, value_eq, derive_step},
    [OP_NE] = {"!=", 0, 2, 2, value_ne, derive_step},
    [OP_IF] = {"if", 1, 3, 3, value_if, derive_if},
    [OP_MIN] = {"min", 1, 2, EXPR_MAX_ARGS, value_min, derive_min},
    [OP_MAX] = {"max", 1, 2, EXPR_MAX_ARGS, value_max, derive_max},
    [OP_LOGSUMEXP] = {"logsumexp", 1, 2, EXPR_MAX_ARGS, value_logsumexp, derive_logsumexp},
    [OP_EXP] = {"exp", 1, 1, 1, value_exp, derive_exp},
    [OP_LOG] = {"log", 1, 1, 1, value_log, derive_log},
    [OP_LOG1P] = {"log1p", 1, 1, 1, value_log1p, derive_log1p},
    [OP_SQRT] = {"sqrt", 1, 1, 1, value_sqrt, derive_sqrt},
    [OP_ABS] = {"abs", 1, 1, 1, value_abs, derive_abs},
    [OP_SIGN] = {"sign", 1, 1, 1, value_sign, derive_step},
    [OP_TANH] = {"tanh", 1, 1, 1, value_tanh, derive_tanh},
    [OP_SINH] = {"sinh", 1, 1, 1, value_sinh, derive_sinh},
    [OP_COSH] = {"cosh", 1, 1, 1, value_cosh, derive_cosh},
    [OP_SIN] = {"sin", 1, 1, 1, value_sin, derive_sin},
    [OP_COS] = {"cos", 1, 1, 1, value_cos, derive_cos},
    [OP_TAN] = {"tan", 1, 1, 1, value_tan, derive_tan},
    [OP_ATAN] = {"atan", 1, 1, 1, value_atan, derive_atan},
    [OP_ERF] = {"erf", 1, 1, 1, value_erf, derive_erf},
    [OP_ERFC] = {"erfc", 1, 1, 1, value_erfc, derive_erfc},
    [OP_RELU] = {"relu", 1, 1, 1, value_relu, derive_relu},
    [OP_SOFTPLUS] = {"softplus", 1, 1, 1, value_softplus, derive_softplus},
    [OP_SIGMOID] = {"sigmoid", 1, 1, 1, value_sigmoid, derive_sigmoid},
};

const function_row *function_of(expr_op op)
{
    return &table[op];
}

expr_op function_find(const char *name, size_t length)
{
    for (int op = 0; op < OP_COUNT; op++)
        if (table[op].callable && strlen(table[op].name) == length && memcmp(table[op].name, name, length) == 0)
            return (expr_op)op;
    return OP_COUNT;
}
