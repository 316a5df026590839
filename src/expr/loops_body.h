/* The loops, written once for vectors of VEC_LANES doubles. A file that includes this defines before

       VEC_LANES                     lanes of a vector
       LOOPS                         name of the table of loops to define
       vec_fma(a, b, c)              a*b + c, rounded once where instructions of the set do so
       vec_sqrt(v)                   the root of a vector
       SLEEF(function, accuracy)     name of a function of the SLEEF library; without it, vec_log(v) and all other
                                     elementary functions that loops_elementary.h would take from there
       vec_min, vec_max, vec_scale   optional: instructions for what loops_elementary.h defines otherwise

   Every lane goes through the same instructions wherever it stands: blocks are padded to whole vectors by the caller,
   and no function branches on what other lanes hold. */

typedef double vec __attribute__((vector_size(8 * VEC_LANES)));
typedef long long vec_mask __attribute__((vector_size(8 * VEC_LANES)));
/* as vec, but at any address */
typedef double vec_loose __attribute__((vector_size(8 * VEC_LANES), aligned(8), may_alias));

static inline vec load(const double *p)
{
    return *(const vec_loose *)p;
}

static inline void store(double *p, vec x)
{
    *(vec_loose *)p = x;
}

static inline vec all(double x)
{
    return x - (vec){0};
}

static inline vec choose(vec_mask mask, vec a, vec b)
{
    return (vec)((mask & (vec_mask)a) | (~mask & (vec_mask)b));
}

static inline vec one_where(vec_mask mask)
{
    return (vec)(mask & (vec_mask)all(1));
}

static inline vec absolute(vec x)
{
    return (vec)((vec_mask)x & ~(vec_mask)all(-0.0));
}

#include "expr/loops_elementary.h"

/* clang-format off */
static inline vec op_neg(vec x) { return -x; }
static inline vec op_add(vec a, vec b) { return a + b; }
static inline vec op_sub(vec a, vec b) { return a - b; }
static inline vec op_mul(vec a, vec b) { return a * b; }
static inline vec op_div(vec a, vec b) { return a / b; }
static inline vec op_lt(vec a, vec b) { return one_where(a < b); }
static inline vec op_le(vec a, vec b) { return one_where(a <= b); }
static inline vec op_eq(vec a, vec b) { return one_where(a == b); }
static inline vec op_ne(vec a, vec b) { return one_where(a != b); }
static inline vec op_min(vec a, vec b) { return choose((b < a) | (b != b), b, a); }
static inline vec op_max(vec a, vec b) { return choose((b > a) | (b != b), b, a); }
static inline vec op_relu(vec x) { return choose(x < 0, all(0), x); }
static inline vec op_sign(vec x) { return choose(x != x, x, one_where(x > 0) - one_where(x < 0)); }
/* clang-format on */

/* One exponential and one division; the powers are halved so that nothing overflows before the result does. */
static inline vec op_cosh(vec x)
{
    vec root = vec_exp(0.5 * absolute(x));
    return (0.5 * root) * root + 0.5 / (root * root);
}

static inline vec op_sinh(vec x)
{
    vec root = vec_exp(0.5 * absolute(x));
    vec far = (0.5 * root) * root - 0.5 / (root * root);
    return choose(absolute(x) < 1, vec_sinh_small(x), with_sign_of(x, far));
}

/* The library's log1p is infinite above 1e307. */
static inline vec op_log1p(vec x)
{
    vec_mask large = x > 1e300;
    vec y = vec_log1p(choose(large, x * 0x1p-100, x));
    return choose(large, y + 100 * 0.693147180559945309417232121458, y);
}

static inline vec op_softplus(vec x)
{
    return op_relu(x) + log1p_unit(vec_exp(-absolute(x)));
}

static inline vec op_sigmoid(vec x)
{
    vec e = vec_exp(-absolute(x));
    return choose(x < 0, e, all(1)) / (1 + e);
}

#define UNARY(name, f)                                                                                                 \
    static void name(size_t n, double *out, const loop_operand *in, int n_in)                                          \
    {                                                                                                                  \
        const double *a = in[0].p;                                                                                     \
        for (size_t i = 0; i < n; i += VEC_LANES)                                                                      \
            store(out + i, f(load(a + i)));                                                                            \
    }

#define BINARY(name, f)                                                                                                \
    static void name(size_t n, double *out, const loop_operand *in, int n_in)                                          \
    {                                                                                                                  \
        const double *a = in[0].p, *b = in[1].p;                                                                       \
        size_t sa = in[0].step, sb = in[1].step;                                                                       \
        for (size_t i = 0; i < n; i += VEC_LANES)                                                                      \
            store(out + i, f(load(a + i * sa), load(b + i * sb)));                                                     \
    }

static void run_copy(size_t n, double *out, const loop_operand *in, int n_in)
{
    const double *a = in[0].p;
    size_t sa = in[0].step;
    for (size_t i = 0; i < n; i += VEC_LANES)
        store(out + i, load(a + i * sa));
}

static void run_if(size_t n, double *out, const loop_operand *in, int n_in)
{
    const double *c = in[0].p, *a = in[1].p, *b = in[2].p;
    size_t sc = in[0].step, sa = in[1].step, sb = in[2].step;
    for (size_t i = 0; i < n; i += VEC_LANES)
        store(out + i, choose(load(c + i * sc) != 0, load(a + i * sa), load(b + i * sb)));
}

static inline vec logsumexp_at(size_t i, const loop_operand *in, int n_in)
{
    vec largest = load(in[0].p + i * in[0].step), sum = all(0);
    for (int k = 1; k < n_in; k++)
        largest = op_max(largest, load(in[k].p + i * in[k].step));
    /* infinity - infinity would be NaN */
    largest = choose(absolute(largest) > 1.7976931348623157e308, all(0), largest);
    for (int k = 0; k < n_in; k++)
        sum += vec_exp(load(in[k].p + i * in[k].step) - largest);
    return largest + vec_log(sum);
}

static void run_logsumexp(size_t n, double *out, const loop_operand *in, int n_in)
{
    for (size_t i = 0; i < n; i += VEC_LANES)
        store(out + i, logsumexp_at(i, in, n_in));
}

UNARY(run_neg, op_neg)
BINARY(run_add, op_add)
BINARY(run_sub, op_sub)
BINARY(run_mul, op_mul)
BINARY(run_div, op_div)
BINARY(run_pow, vec_pow)
BINARY(run_lt, op_lt)
BINARY(run_le, op_le)
BINARY(run_eq, op_eq)
BINARY(run_ne, op_ne)
BINARY(run_min, op_min)
BINARY(run_max, op_max)
UNARY(run_exp, vec_exp)
UNARY(run_log, vec_log)
UNARY(run_log1p, op_log1p)
UNARY(run_sqrt, vec_sqrt)
UNARY(run_abs, absolute)
UNARY(run_sign, op_sign)
UNARY(run_tanh, vec_tanh)
UNARY(run_sinh, op_sinh)
UNARY(run_cosh, op_cosh)
UNARY(run_sin, vec_sin)
UNARY(run_cos, vec_cos)
UNARY(run_tan, vec_tan)
UNARY(run_atan, vec_atan)
UNARY(run_erf, vec_erf)
UNARY(run_erfc, vec_erfc)
UNARY(run_relu, op_relu)
UNARY(run_softplus, op_softplus)
UNARY(run_sigmoid, op_sigmoid)

const expr_loops LOOPS = {
    .copy = run_copy,
    .of =
        {
            [OP_NEG] = run_neg,
            [OP_ADD] = run_add,
            [OP_SUB] = run_sub,
            [OP_MUL] = run_mul,
            [OP_DIV] = run_div,
            [OP_POW] = run_pow,
            [OP_LT] = run_lt,
            [OP_LE] = run_le,
            [OP_EQ] = run_eq,
            [OP_NE] = run_ne,
            [OP_IF] = run_if,
            [OP_MIN] = run_min,
            [OP_MAX] = run_max,
            [OP_LOGSUMEXP] = run_logsumexp,
            [OP_EXP] = run_exp,
            [OP_LOG] = run_log,
            [OP_LOG1P] = run_log1p,
            [OP_SQRT] = run_sqrt,
            [OP_ABS] = run_abs,
            [OP_SIGN] = run_sign,
            [OP_TANH] = run_tanh,
            [OP_SINH] = run_sinh,
            [OP_COSH] = run_cosh,
            [OP_SIN] = run_sin,
            [OP_COS] = run_cos,
            [OP_TAN] = run_tan,
            [OP_ATAN] = run_atan,
            [OP_ERF] = run_erf,
            [OP_ERFC] = run_erfc,
            [OP_RELU] = run_relu,
            [OP_SOFTPLUS] = run_softplus,
            [OP_SIGMOID] = run_sigmoid,
        },
};
