/* Forward differentiation over the graph: every node below `node` that depends on the variable gets its derivative,
   oldest first. Nothing recurses, and equal derivatives are one node because the graph interns them. A rule reuses the
   node that it derives wherever the function allows it, so that value, gradient and Hessian share one evaluation of the
   function. */
#include "expr/derivative.h"

#include <math.h>
#include <stdlib.h>

#include "expr/simplify.h"

/* The derivative of node f given those of its arguments, d[i]. */
typedef expr_node (*derive_rule)(expr_graph *graph, expr_node f, const expr_node *d);

/* clang-format off */

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

static const derive_rule rules[OP_COUNT] = {
    [OP_NEG] = derive_neg,
    [OP_ADD] = derive_add,
    [OP_SUB] = derive_sub,
    [OP_MUL] = derive_mul,
    [OP_DIV] = derive_div,
    [OP_POW] = derive_pow,
    [OP_LT] = derive_step,
    [OP_LE] = derive_step,
    [OP_EQ] = derive_step,
    [OP_NE] = derive_step,
    [OP_IF] = derive_if,
    [OP_MIN] = derive_min,
    [OP_MAX] = derive_max,
    [OP_LOGSUMEXP] = derive_logsumexp,
    [OP_EXP] = derive_exp,
    [OP_LOG] = derive_log,
    [OP_LOG1P] = derive_log1p,
    [OP_SQRT] = derive_sqrt,
    [OP_ABS] = derive_abs,
    [OP_SIGN] = derive_step,
    [OP_TANH] = derive_tanh,
    [OP_SINH] = derive_sinh,
    [OP_COSH] = derive_cosh,
    [OP_SIN] = derive_sin,
    [OP_COS] = derive_cos,
    [OP_TAN] = derive_tan,
    [OP_ATAN] = derive_atan,
    [OP_ERF] = derive_erf,
    [OP_ERFC] = derive_erfc,
    [OP_RELU] = derive_relu,
    [OP_SOFTPLUS] = derive_softplus,
    [OP_SIGMOID] = derive_sigmoid,
};

/* clang-format on */

/* needed[i] = 1 if i is below `node` (or is it) and depends on the variable. */
static void mark_needed(const expr_graph *graph, expr_node node, uint64_t variable, char *needed)
{
    needed[node] = (graph->node[node].depends & variable) != 0;
    for (expr_node i = node; i >= 0; i--)
        for (int a = 0; needed[i] && a < graph->node[i].n_args; a++) {
            expr_node arg = graph_arg(graph, i, a);
            needed[arg] |= (graph->node[arg].depends & variable) != 0;
        }
}

static expr_node derive_node(expr_graph *graph, expr_node node, const expr_node *derived, expr_node zero)
{
    expr_node d[EXPR_MAX_ARGS];
    for (int a = 0; a < graph->node[node].n_args; a++) {
        expr_node known = derived[graph_arg(graph, node, a)];
        d[a] = known == EXPR_NONE ? zero : known;
    }
    return rules[graph_op(graph, node)](graph, node, d);
}

static expr_node derive_all(expr_graph *graph, expr_node node, expr_node variable, const char *needed,
                            expr_node *derived)
{
    expr_node zero = node_constant(graph, 0);
    for (expr_node i = 0; i <= node; i++) {
        derived[i] = EXPR_NONE;
        if (needed[i])
            derived[i] = i == variable ? node_constant(graph, 1) : derive_node(graph, i, derived, zero);
        if (graph->trouble != TROUBLE_NONE)
            return EXPR_NONE;
    }
    return derived[node] == EXPR_NONE ? zero : derived[node];
}

sgdmft_status expr_derivative(sgdmft_context *ctx, expr_graph *graph, expr_node node, expr_node variable,
                              expr_node *out)
{
    size_t n = (size_t)node + 1;
    char *needed = calloc(n, sizeof *needed);
    expr_node *derived = malloc(n * sizeof *derived);
    sgdmft_status status = SGDMFT_OK;
    if (!needed || !derived) {
        status = context_out_of_memory(ctx, "a derivative", (double)n * sizeof *derived);
    } else {
        mark_needed(graph, node, graph->node[variable].depends, needed);
        *out = derive_all(graph, node, variable, needed, derived);
        status = graph_report(ctx, graph, "in its derivatives");
    }
    free(needed);
    free(derived);
    return status;
}
