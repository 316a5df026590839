#include "solvers/online/factors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "expr/expand.h"
#include "expr/simplify.h"
#include "model/model_programs.h"
#include "solvers/online/factor_terms.h"

/* Most terms of one average, and of all. */
enum { TERMS = 4000, ALL_TERMS = 200000 };

typedef struct builder {
    sgdmft_context *ctx;
    online_factors *out;
    model_expressions e;
    term_sorter sorter;
    expr_sum gradient[MODEL_MOST];
    expr_node field[FACTOR_VARIABLES]; /* nodes of the variables of a sample */
    size_t terms;                      /* so far */
    int fits;                          /* 0 once something did not */
} builder;

static void set_why(builder *b, const char *what, const char *why)
{
    b->fits = 0;
    snprintf(b->out->why, sizeof b->out->why, "%s %s", what, why);
}

/* Adds a sum as a target; *fits = 0 if a term has too many variables. `first` and `second`, -1 for none, are the
   variables that most terms of the sum share. */
static sgdmft_status add_sum(builder *b, factor_set *set, const expr_sum *sum, int first, int second, int *fits)
{
    int target = set->n_targets++;
    sgdmft_status status = SGDMFT_OK;
    b->terms += sum->n;
    *fits = b->terms <= ALL_TERMS;
    for (size_t i = 0; i < sum->n && *fits && !status; i++)
        status = term_sorter_add(b->ctx, &b->sorter, set, &sum->term[i], target, (int[2]){first, second}, fits);
    return status;
}

static sgdmft_status add_node(builder *b, factor_set *set, expr_node node, int first, int second, int *fits)
{
    expr_sum sum;
    sgdmft_status status = expr_expand(b->ctx, b->e.graph, node, TERMS, &sum, fits);
    if (!status && *fits)
        status = add_sum(b, set, &sum, first, second, fits);
    else
        set->n_targets++;
    expr_sum_clear(&sum);
    return status;
}

static sgdmft_status add_product(builder *b, const expr_sum *x, const expr_sum *y, int first, int second)
{
    expr_sum sum;
    int fits;
    sgdmft_status status = expr_sum_multiply(b->ctx, x, y, TERMS, &sum, &fits);
    if (!status && fits)
        status = add_sum(b, &b->out->motion, &sum, first, second, &fits);
    expr_sum_clear(&sum);
    if (!fits)
        set_why(b, "the gradient of the loss", "is no sum of products of functions of few variables");
    return status;
}

static sgdmft_status expand_gradient(builder *b)
{
    sgdmft_status status = SGDMFT_OK;
    int fits = 1;
    for (int a = 0; a < b->out->shape.k && !status && fits; a++)
        status = expr_expand(b->ctx, b->e.graph, b->e.gradient[a], TERMS, &b->gradient[a], &fits);
    if (!fits)
        set_why(b, "the gradient of the loss", "has too many terms when it is multiplied out");
    return status;
}

/* E[g_a x_c] for the variables from `from` on. */
static sgdmft_status add_fields(builder *b, int from, int count)
{
    sgdmft_status status = SGDMFT_OK;
    for (int a = 0; a < b->out->shape.k; a++)
        for (int c = 0; c < count && !status && b->fits; c++) {
            expr_term field = {.coefficient = 1, .n = 1, .factor = {b->field[from + c]}};
            expr_sum single = {.term = &field, .n = 1};
            status = add_product(b, &b->gradient[a], &single, a, from + c);
        }
    return status;
}

/* Targets of the lower triangle of a square array; those above it stay empty. */
static sgdmft_status add_triangles(builder *b)
{
    int k = b->out->shape.k, fits = 1;
    sgdmft_status status = SGDMFT_OK;
    for (int c = 0; c < k * k && !status && b->fits; c++)
        if (c % k > c / k)
            b->out->motion.n_targets++;
        else
            status = add_product(b, &b->gradient[c / k], &b->gradient[c % k], c / k, c % k);
    for (int c = 0; c < k * k && !status && b->fits && fits; c++)
        if (c % k > c / k)
            b->out->motion.n_targets++;
        else
            status = add_node(b, &b->out->motion, b->e.hessian[c], c / k, c % k, &fits);
    if (!fits)
        set_why(b, "the Hessian of the loss", "is no sum of products of functions of few variables");
    return status;
}

static sgdmft_status add_motion(builder *b)
{
    int k = b->out->shape.k, ks = b->out->shape.kstar;
    motion_targets at = {.gs = 0, .gw = k * ks, .gg = k * ks + k * k, .G = k * ks + 2 * k * k};
    at.count = at.G + k * k;
    b->out->at = at;
    sgdmft_status status = expand_gradient(b);
    if (!status && b->fits)
        status = add_fields(b, k, ks);
    if (!status && b->fits)
        status = add_fields(b, 0, k);
    if (!status && b->fits)
        status = add_triangles(b);
    return status;
}

static sgdmft_status add_seen(builder *b)
{
    sgdmft_status status = SGDMFT_OK;
    for (int i = 0; i <= b->out->shape.observables && !status; i++) {
        int fits;
        expr_node node = i ? b->e.observable[i - 1] : b->e.loss;
        status = add_node(b, &b->out->seen, node, -1, -1, &fits);
        b->out->seen_fits[i] = (char)fits;
    }
    return status;
}

int factor_input(model_shape shape, int v)
{
    if (v < shape.k)
        return MODEL_R + v;
    v -= shape.k;
    return v < shape.kstar ? MODEL_S + v : MODEL_EPS + v - shape.kstar;
}

static void set_fields(builder *b)
{
    model_shape shape = b->out->shape;
    b->out->n_variables = shape.k + shape.kstar + shape.noises;
    for (int v = 0; v < b->out->n_variables; v++)
        b->field[v] = b->e.variable[factor_input(shape, v)];
}

static sgdmft_status build(builder *b, const sgdmft_problem *problem)
{
    sgdmft_status status = model_expressions_build(b->ctx, problem, b->out->shape, &b->e);
    if (status)
        return status;
    set_fields(b);
    if (expr_depends(b->e.graph, b->e.loss, b->e.variable[MODEL_T])) {
        set_why(b, "the loss", "depends on time");
        return SGDMFT_OK;
    }
    term_sorter_init(&b->sorter, b->e.graph, b->field, b->out->n_variables, b->out->shape.noises);
    status = add_motion(b);
    if (!status && b->fits)
        status = add_seen(b);
    if (!status && b->fits)
        status = term_sorter_compile(b->ctx, &b->sorter, b->out);
    b->out->usable = b->fits;
    return status;
}

static sgdmft_status look(sgdmft_context *ctx, const sgdmft_problem *problem, online_factors *out)
{
    builder b = {.ctx = ctx, .out = out, .fits = 1};
    out->seen_fits = memory_zeroed((size_t)out->shape.observables + 1, 1);
    sgdmft_status status = out->seen_fits ? build(&b, problem)
                                          : context_out_of_memory(ctx, "Gaussian averages", out->shape.observables + 1);
    for (int a = 0; a < MODEL_MOST; a++)
        expr_sum_clear(&b.gradient[a]);
    term_sorter_clear(&b.sorter);
    model_expressions_clear(&b.e);
    return status;
}

sgdmft_status online_factors_new(sgdmft_context *ctx, const sgdmft_problem *problem, model_shape shape, int callbacks,
                                 online_factors **out)
{
    online_factors *factors = calloc(1, sizeof *factors);
    if (!factors)
        return context_out_of_memory(ctx, "Gaussian averages", sizeof *factors);
    factors->shape = shape;
    sgdmft_status status = SGDMFT_OK;
    if (callbacks)
        snprintf(factors->why, sizeof factors->why, "the model is one of call-backs");
    else if (shape.jumps)
        snprintf(factors->why, sizeof factors->why, "the gradient of the loss jumps");
    else
        status = look(ctx, problem, factors);
    if (status)
        online_factors_free(factors);
    else
        *out = factors;
    return status;
}

static void clear_set(factor_set *set)
{
    for (size_t i = 0; i < set->n_closed; i++)
        free(set->closed[i].term);
    for (size_t i = 0; i < set->n_general; i++) {
        free(set->general[i].core);
        free(set->general[i].outer);
        free(set->general[i].term);
    }
    free(set->closed);
    free(set->general);
}

void online_factors_free(online_factors *factors)
{
    if (!factors)
        return;
    clear_set(&factors->motion);
    clear_set(&factors->seen);
    for (int i = 0; factors->function && i < factors->n_functions; i++)
        expr_program_free(factors->function[i]);
    free(factors->function);
    free(factors->seen_fits);
    free(factors);
}
