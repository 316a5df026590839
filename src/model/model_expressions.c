/* Builds the programs of a model from the expressions of a problem. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/origin.h"
#include "model/model_parts.h"
#include "model/model_scope.h"

typedef struct builder {
    sgdmft_context *ctx;
    const sgdmft_problem *problem;
    model *m;
    expr_graph *graph;
    expr_node variable[MODEL_VARIABLES];
    expr_node label[MODEL_MOST];
    expr_node loss;
    expr_node derivative[MODEL_MOST * (MODEL_MOST + 1)]; /* g, then G */
    expr_node *observable;
} builder;

static sgdmft_status enter(builder *b, model_use use)
{
    return model_scope_enter(b->ctx, b->graph, b->m, b->problem->model.predict.n, use);
}

static sgdmft_status parse(builder *b, const problem_text *text, expr_node *out)
{
    return expr_parse(b->ctx, b->graph, text->text, &text->where, out);
}

static sgdmft_status parse_predict(builder *b)
{
    const problem_texts *predict = &b->problem->model.predict;
    sgdmft_status status = enter(b, USE_PREDICT);
    expr_node *f = calloc(predict->n + 1, sizeof *f);
    if (!f)
        return context_out_of_memory(b->ctx, "the predictions", (double)(predict->n * sizeof *f));
    for (size_t i = 0; status == SGDMFT_OK && i < predict->n; i++)
        status = parse(b, &predict->item[i], &f[i]);
    for (size_t i = 0; status == SGDMFT_OK && i < predict->n; i++)
        status = model_scope_predict(b->ctx, b->graph, i, predict->n, f[i]);
    free(f);
    return status;
}

static sgdmft_status parse_labels(builder *b)
{
    const problem_texts *label = &b->problem->model.label;
    if (label->n < 1 || label->n > MODEL_MOST)
        return context_fail(b->ctx, SGDMFT_ERR_SHAPE, "%s: model.label: found %zu expressions; allowed: 1 to %d",
                            b->problem->source, label->n, MODEL_MOST);
    sgdmft_status status = enter(b, USE_LABEL);
    for (size_t i = 0; status == SGDMFT_OK && i < label->n; i++)
        status = parse(b, &label->item[i], &b->label[i]);
    return status;
}

static sgdmft_status parse_observables(builder *b)
{
    const problem_texts *texts = &b->problem->observables;
    b->observable = calloc(texts->n + 1, sizeof *b->observable);
    if (!b->observable)
        return context_out_of_memory(b->ctx, "the observables", (double)(texts->n * sizeof *b->observable));
    sgdmft_status status = enter(b, USE_OBSERVABLE);
    for (size_t i = 0; status == SGDMFT_OK && i < texts->n; i++)
        status = parse(b, &texts->item[i], &b->observable[i]);
    return status;
}

static sgdmft_status derive(builder *b, expr_node node, int a, expr_node *out)
{
    return expr_derivative(b->ctx, b->graph, node, b->variable[model_r() + a], out);
}

/* The message of a failed derivative does not know which expression it came from. */
static sgdmft_status add_place(builder *b, sgdmft_status status)
{
    if (status != SGDMFT_ERR_UNSUPPORTED)
        return status;
    const problem_text *loss = &b->problem->model.loss.item[0];
    return origin_fail_at(b->ctx, status, &loss->where, loss->text, 0,
                        "its gradient and Hessian in r have too many terms; write it with fewer operations, or use a "
                        "plug-in (model.plugin)");
}

static sgdmft_status differentiate(builder *b)
{
    int k = b->m->shape.k;
    sgdmft_status status = SGDMFT_OK;
    for (int a = 0; status == SGDMFT_OK && a < k; a++)
        status = derive(b, b->loss, a, &b->derivative[a]);
    for (int a = 0; a < k; a++)
        for (int c = 0; status == SGDMFT_OK && c <= a; c++) {
            expr_node *upper = &b->derivative[k + c * k + a], *lower = &b->derivative[k + a * k + c];
            status = derive(b, b->derivative[a], c, lower);
            *upper = *lower;
        }
    return add_place(b, status);
}

static sgdmft_status parse_loss(builder *b)
{
    if (b->problem->model.loss.n != 1)
        return context_fail(b->ctx, SGDMFT_ERR_SHAPE, "%s: model.loss: found %zu expressions; allowed: exactly one",
                            b->problem->source, b->problem->model.loss.n);
    sgdmft_status status = enter(b, USE_LOSS);
    if (status == SGDMFT_OK)
        status = parse(b, &b->problem->model.loss.item[0], &b->loss);
    if (status == SGDMFT_OK)
        status = differentiate(b);
    if (status == SGDMFT_OK)
        status = model_find_kink(b->ctx, &b->problem->model.loss.item[0], b->graph, b->loss, b->derivative,
                                 b->variable + model_r(), b->m->shape.k, &b->m->kink);
    b->m->shape.jumps = b->m->kink.jump.found;
    return status;
}

static int depends_on_r(const builder *b, expr_node node)
{
    for (int a = 0; a < b->m->shape.k; a++)
        if (expr_depends(b->graph, node, b->variable[model_r() + a]))
            return 1;
    return 0;
}

static int is_linear(const builder *b)
{
    int k = b->m->shape.k;
    for (int i = 0; i < k * k; i++)
        if (depends_on_r(b, b->derivative[k + i]))
            return 0;
    return 1;
}

/* Raises shape.noises to the highest eps that `node` depends on. */
static void count_noises(builder *b, expr_node node)
{
    for (int e = b->m->shape.noises; e < MODEL_MOST; e++)
        if (expr_depends(b->graph, node, b->variable[model_eps() + e]))
            b->m->shape.noises = e + 1;
}

static sgdmft_status compile(builder *b, const expr_node *nodes, int n, expr_program **out)
{
    return expr_compile(b->ctx, b->graph, nodes, (size_t)n, out);
}

static sgdmft_status compile_label_and_loss(builder *b)
{
    model *m = b->m;
    int k = m->shape.k;
    sgdmft_status status = compile(b, b->label, m->shape.labels, &m->label);
    if (status == SGDMFT_OK)
        status = compile(b, &b->loss, 1, &m->loss);
    if (status == SGDMFT_OK)
        status = compile(b, b->derivative, k, &m->gradient);
    expr_node both[1 + MODEL_MOST] = {b->loss};
    memcpy(both + 1, b->derivative, sizeof *both * (size_t)k);
    if (status == SGDMFT_OK)
        status = compile(b, both, 1 + k, &m->loss_gradient);
    if (status == SGDMFT_OK)
        status = compile(b, b->derivative, k + k * k, &m->curvature);
    return status;
}

static sgdmft_status build_label_and_loss(builder *b)
{
    sgdmft_status status = parse_predict(b);
    if (status == SGDMFT_OK)
        status = parse_labels(b);
    if (status == SGDMFT_OK)
        status = parse_loss(b);
    if (status != SGDMFT_OK)
        return status;
    for (int i = 0; i < b->m->shape.labels; i++)
        count_noises(b, b->label[i]);
    b->m->shape.linear = is_linear(b);
    return compile_label_and_loss(b);
}

static sgdmft_status build_observables(builder *b)
{
    sgdmft_status status = parse_observables(b);
    int n = b->m->shape.observables;
    if (status != SGDMFT_OK || n == 0)
        return status;
    for (int i = 0; i < n; i++)
        count_noises(b, b->observable[i]);
    return compile(b, b->observable, n, &b->m->observables);
}

sgdmft_status model_build_programs(sgdmft_context *ctx, const sgdmft_problem *problem, model *m)
{
    builder b = {.ctx = ctx, .problem = problem, .m = m};
    sgdmft_status status = expr_graph_new(ctx, &b.graph);
    if (status == SGDMFT_OK)
        status = model_scope_declare(ctx, b.graph, m, problem->model.predict.n, b.variable);
    if (status == SGDMFT_OK && !m->external)
        status = build_label_and_loss(&b);
    if (status == SGDMFT_OK)
        status = build_observables(&b);
    free(b.observable);
    expr_graph_free(b.graph);
    return status;
}
