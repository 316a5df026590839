/* Nodes that are taken apart are marked from the top, and their expansions are made from the bottom, oldest node
   first, so that nothing recurses and a node that occurs twice is expanded once. */
#include "expr/expand.h"

#include <stdlib.h>
#include <string.h>

#include "expr/simplify.h"

void expr_sum_clear(expr_sum *sum)
{
    free(sum->term);
    *sum = (expr_sum){.term = NULL};
}

static sgdmft_status allocate(sgdmft_context *ctx, size_t n, expr_sum *out)
{
    *out = (expr_sum){.term = malloc((n + 1) * sizeof *out->term), .n = n};
    return out->term ? SGDMFT_OK : context_out_of_memory(ctx, "an expansion", (double)n * sizeof *out->term);
}

static int compare_factors(const void *a, const void *b)
{
    const expr_term *x = a, *y = b;
    if (x->n != y->n)
        return (x->n > y->n) - (x->n < y->n);
    for (int i = 0; i < x->n; i++)
        if (x->factor[i] != y->factor[i])
            return (x->factor[i] > y->factor[i]) - (x->factor[i] < y->factor[i]);
    return 0;
}

/* Terms that differ in their coefficient only become one, and vanishing ones are dropped. */
static void collect(expr_sum *sum)
{
    size_t n = 0;
    if (sum->n > 1)
        qsort(sum->term, sum->n, sizeof *sum->term, compare_factors);
    for (size_t i = 0; i < sum->n;) {
        expr_term term = sum->term[i++];
        while (i < sum->n && compare_factors(&term, &sum->term[i]) == 0)
            term.coefficient += sum->term[i++].coefficient;
        if (term.coefficient != 0)
            sum->term[n++] = term;
    }
    sum->n = n;
}

static sgdmft_status single(sgdmft_context *ctx, double coefficient, expr_node factor, expr_sum *out)
{
    sgdmft_status status = allocate(ctx, 1, out);
    if (!status) {
        out->term[0] = (expr_term){.coefficient = coefficient, .n = factor != EXPR_NONE};
        out->term[0].factor[0] = factor;
    }
    return status;
}

/* a + scale b */
static sgdmft_status add(sgdmft_context *ctx, const expr_sum *a, double scale, const expr_sum *b, size_t most,
                         expr_sum *out, int *fits)
{
    sgdmft_status status = allocate(ctx, a->n + b->n, out);
    if (status)
        return status;
    memcpy(out->term, a->term, a->n * sizeof *a->term);
    memcpy(out->term + a->n, b->term, b->n * sizeof *b->term);
    for (size_t i = a->n; i < out->n; i++)
        out->term[i].coefficient *= scale;
    collect(out);
    *fits = out->n <= most;
    return status;
}

static sgdmft_status scale(sgdmft_context *ctx, double factor, const expr_sum *a, expr_sum *out)
{
    sgdmft_status status = allocate(ctx, a->n, out);
    for (size_t i = 0; i < a->n && !status; i++) {
        out->term[i] = a->term[i];
        out->term[i].coefficient *= factor;
    }
    return status;
}

/* Merges two ascending lists; 0 if the product has too many factors. */
static int multiply_terms(const expr_term *a, const expr_term *b, expr_term *out)
{
    *out = (expr_term){.coefficient = a->coefficient * b->coefficient};
    if (a->n + b->n > EXPR_FACTORS)
        return 0;
    for (int i = 0, j = 0; i < a->n || j < b->n;)
        out->factor[out->n++] =
            j == b->n || (i < a->n && a->factor[i] <= b->factor[j]) ? a->factor[i++] : b->factor[j++];
    return 1;
}

sgdmft_status expr_sum_multiply(sgdmft_context *ctx, const expr_sum *a, const expr_sum *b, size_t most, expr_sum *out,
                                int *fits)
{
    *out = (expr_sum){.term = NULL};
    *fits = a->n * b->n <= 4 * most; /* like terms will be collected */
    sgdmft_status status = *fits ? allocate(ctx, a->n * b->n, out) : SGDMFT_OK;
    if (status || !*fits)
        return status;
    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0; j < b->n; j++)
            *fits &= multiply_terms(&a->term[i], &b->term[j], &out->term[i * b->n + j]);
    if (*fits)
        collect(out);
    *fits &= out->n <= most;
    if (!*fits)
        expr_sum_clear(out);
    return status;
}

static int depends_on_several(const expr_graph *g, expr_node node)
{
    uint64_t depends = g->node[node].depends;
    return (depends & (depends - 1)) != 0;
}

/* 1 if the node is taken apart. */
static int comes_apart(const expr_graph *g, expr_node node)
{
    switch (graph_op(g, node)) {
    case OP_NEG:
    case OP_MUL: return 1;
    case OP_ADD:
    case OP_SUB: return depends_on_several(g, node);
    case OP_DIV: return depends_on_several(g, node) || graph_op(g, graph_arg(g, node, 1)) == OP_CONSTANT;
    default: return 0;
    }
}

typedef struct expansion {
    sgdmft_context *ctx;
    expr_graph *graph;
    size_t most;
    char *wanted;  /* [nodes] */
    expr_sum *sum; /* [nodes] of the wanted ones */
} expansion;

static void mark(expansion *f, expr_node node)
{
    f->wanted[node] = 1;
    for (expr_node i = node; i >= 0; i--) {
        if (!f->wanted[i] || !comes_apart(f->graph, i))
            continue;
        int parts = graph_op(f->graph, i) == OP_DIV ? 1 : f->graph->node[i].n_args;
        for (int a = 0; a < parts; a++)
            f->wanted[graph_arg(f->graph, i, a)] = 1;
    }
}

static sgdmft_status divide(expansion *f, const expr_sum *top, expr_node bottom, expr_sum *out, int *fits)
{
    double divisor;
    if (expr_constant(f->graph, bottom, &divisor))
        return scale(f->ctx, 1 / divisor, top, out);
    expr_sum reciprocal;
    expr_node one_over = node_div(f->graph, node_constant(f->graph, 1), bottom);
    sgdmft_status status = single(f->ctx, 1, one_over, &reciprocal);
    if (!status)
        status = expr_sum_multiply(f->ctx, top, &reciprocal, f->most, out, fits);
    expr_sum_clear(&reciprocal);
    return status;
}

static sgdmft_status expand_node(expansion *f, expr_node i, int *fits)
{
    expr_sum *out = &f->sum[i];
    double value;
    if (expr_constant(f->graph, i, &value)) {
        sgdmft_status status = single(f->ctx, value, EXPR_NONE, out);
        out->n = value != 0;
        return status;
    }
    if (!comes_apart(f->graph, i))
        return single(f->ctx, 1, i, out);
    const expr_sum *a = &f->sum[graph_arg(f->graph, i, 0)];
    expr_node second = f->graph->node[i].n_args > 1 ? graph_arg(f->graph, i, 1) : EXPR_NONE;
    switch (graph_op(f->graph, i)) {
    case OP_NEG: return scale(f->ctx, -1, a, out);
    case OP_ADD: return add(f->ctx, a, 1, &f->sum[second], f->most, out, fits);
    case OP_SUB: return add(f->ctx, a, -1, &f->sum[second], f->most, out, fits);
    case OP_MUL: return expr_sum_multiply(f->ctx, a, &f->sum[second], f->most, out, fits);
    default: return divide(f, a, second, out, fits);
    }
}

sgdmft_status expr_expand(sgdmft_context *ctx, expr_graph *graph, expr_node node, size_t most, expr_sum *out, int *fits)
{
    size_t n = (size_t)node + 1;
    expansion f = {.ctx = ctx,
                   .graph = graph,
                   .most = most,
                   .wanted = calloc(n, sizeof *f.wanted),
                   .sum = calloc(n, sizeof *f.sum)};
    sgdmft_status status = SGDMFT_OK;
    *out = (expr_sum){.term = NULL};
    *fits = 1;
    if (!f.wanted || !f.sum)
        status = context_out_of_memory(ctx, "an expansion", (double)n * sizeof *f.sum);
    else
        mark(&f, node);
    for (expr_node i = 0; i <= node && !status && *fits; i++)
        if (f.wanted[i])
            status = expand_node(&f, i, fits);
    if (!status)
        status = graph_report(ctx, graph, "in an expansion");
    if (!status && *fits) {
        *out = f.sum[node];
        f.sum[node] = (expr_sum){.term = NULL};
    }
    for (size_t i = 0; f.sum && i < n; i++)
        expr_sum_clear(&f.sum[i]);
    free(f.wanted);
    free(f.sum);
    return status;
}
