#include "expr/functions.h"

#include <math.h>
#include <string.h>

/* clang-format off */
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
/* clang-format on */

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

/* clang-format off */
static const function_row table[OP_COUNT] = {
    [OP_CONSTANT] = {"number", 0, 0, 0, NULL},
    [OP_VARIABLE] = {"variable", 0, 0, 0, NULL},
    [OP_NEG] = {"-", 0, 1, 1, value_neg},
    [OP_ADD] = {"+", 0, 2, 2, value_add},
    [OP_SUB] = {"-", 0, 2, 2, value_sub},
    [OP_MUL] = {"*", 0, 2, 2, value_mul},
    [OP_DIV] = {"/", 0, 2, 2, value_div},
    [OP_POW] = {"^", 0, 2, 2, value_pow},
    [OP_LT] = {"<", 0, 2, 2, value_lt},
    [OP_LE] = {"<=", 0, 2, 2, value_le},
    [OP_EQ] = {"==", 0, 2, 2, value_eq},
    [OP_NE] = {"!=", 0, 2, 2, value_ne},
    [OP_IF] = {"if", 1, 3, 3, value_if},
    [OP_MIN] = {"min", 1, 2, EXPR_MAX_ARGS, value_min},
    [OP_MAX] = {"max", 1, 2, EXPR_MAX_ARGS, value_max},
    [OP_LOGSUMEXP] = {"logsumexp", 1, 2, EXPR_MAX_ARGS, value_logsumexp},
    [OP_EXP] = {"exp", 1, 1, 1, value_exp},
    [OP_LOG] = {"log", 1, 1, 1, value_log},
    [OP_LOG1P] = {"log1p", 1, 1, 1, value_log1p},
    [OP_SQRT] = {"sqrt", 1, 1, 1, value_sqrt},
    [OP_ABS] = {"abs", 1, 1, 1, value_abs},
    [OP_SIGN] = {"sign", 1, 1, 1, value_sign},
    [OP_TANH] = {"tanh", 1, 1, 1, value_tanh},
    [OP_SINH] = {"sinh", 1, 1, 1, value_sinh},
    [OP_COSH] = {"cosh", 1, 1, 1, value_cosh},
    [OP_SIN] = {"sin", 1, 1, 1, value_sin},
    [OP_COS] = {"cos", 1, 1, 1, value_cos},
    [OP_TAN] = {"tan", 1, 1, 1, value_tan},
    [OP_ATAN] = {"atan", 1, 1, 1, value_atan},
    [OP_ERF] = {"erf", 1, 1, 1, value_erf},
    [OP_ERFC] = {"erfc", 1, 1, 1, value_erfc},
    [OP_RELU] = {"relu", 1, 1, 1, value_relu},
    [OP_SOFTPLUS] = {"softplus", 1, 1, 1, value_softplus},
    [OP_SIGMOID] = {"sigmoid", 1, 1, 1, value_sigmoid},
};
/* clang-format on */

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
