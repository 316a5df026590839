#include "model/model_scope.h"

#include <stdio.h>

/* Longest name: a letter or "eps", and a number. */
#define NAME_ROOM 32

typedef enum name_kind { NAME_R, NAME_S, NAME_EPS, NAME_Y, NAME_T, NAME_F, NAME_KINDS } name_kind;

typedef struct name_rule {
    const char *letter;
    int numbered;    /* r1, r2, ... ; the bare letter means the first if there is only one */
    unsigned uses;   /* bit per model_use */
    const char *why; /* it is refused elsewhere */
} name_rule;

#define IN(use) (1u << (use))

static const name_rule rules[NAME_KINDS] = {
    [NAME_R] = {"r", 1, IN(USE_PREDICT) | IN(USE_LOSS) | IN(USE_OBSERVABLE),
                "labels do not know the student; a label is made from s and eps (r belongs in model.predict, model.loss "
                "and observables)"},
    [NAME_S] = {"s", 1, IN(USE_LABEL) | IN(USE_OBSERVABLE),
                "predictions and losses see the teacher through the label only; s belongs in model.label and observables "
                "(model.label may be a list, giving y1, y2, ...)"},
    [NAME_EPS] = {"eps", 1, IN(USE_LABEL) | IN(USE_OBSERVABLE),
                  "predictions and losses see the noise through the label only; eps belongs in model.label and observables "
                  "(model.label may be a list, giving y1, y2, ...)"},
    [NAME_Y] = {"y", 1, IN(USE_LOSS) | IN(USE_OBSERVABLE),
                "y is the label itself; it belongs in model.loss and observables"},
    [NAME_T] = {"t", 0, IN(USE_PREDICT) | IN(USE_LOSS) | IN(USE_OBSERVABLE),
                "labels are drawn once and do not change in time; t belongs in model.predict, model.loss and "
                "observables"},
    [NAME_F] = {"f", 1, IN(USE_LOSS) | IN(USE_OBSERVABLE),
                "f is the prediction; it belongs in model.loss and observables"},
};

static const char no_predict[] =
    "f is the prediction and there is no model.predict; give one, or write the expression in r";

static int first_of(name_kind kind)
{
    switch (kind) {
    case NAME_R: return model_r();
    case NAME_S: return model_s();
    case NAME_EPS: return model_eps();
    case NAME_Y: return model_y();
    default: return model_t();
    }
}

/* How many r, s, ... a model has. */
static int count_of(const model *m, size_t n_predict, name_kind kind)
{
    switch (kind) {
    case NAME_R: return m->shape.k;
    case NAME_S: return m->shape.kstar;
    case NAME_EPS: return MODEL_MOST;
    case NAME_Y: return m->shape.labels;
    case NAME_T: return 1;
    default: return (int)n_predict;
    }
}

static void write_name(char name[NAME_ROOM], const name_rule *rule, int i)
{
    if (rule->numbered)
        snprintf(name, NAME_ROOM, "%s%d", rule->letter, i + 1);
    else
        snprintf(name, NAME_ROOM, "%s", rule->letter);
}

/* The bare letter stands for the only one; eps always for eps1, because there is no saying how many there are. */
static int has_bare_name(name_kind kind, int count)
{
    return rules[kind].numbered && (count == 1 || kind == NAME_EPS || (kind == NAME_F && count == 0));
}

static sgdmft_status bind(sgdmft_context *ctx, expr_graph *graph, name_kind kind, int i, int count, expr_node node)
{
    char name[NAME_ROOM];
    sgdmft_status status = SGDMFT_OK;
    if (i == 0 && has_bare_name(kind, count))
        status = expr_bind(ctx, graph, rules[kind].letter, node);
    write_name(name, &rules[kind], i);
    return status == SGDMFT_OK ? expr_bind(ctx, graph, name, node) : status;
}

/* Variables get provisional names that no text can spell, so that their numbers do not depend on the model. */
static sgdmft_status declare_all(sgdmft_context *ctx, expr_graph *graph, expr_node variable[MODEL_VARIABLES])
{
    for (int v = 0; v < MODEL_VARIABLES; v++) {
        sgdmft_status status = expr_variable(ctx, graph, "#", &variable[v]);
        if (status != SGDMFT_OK)
            return status;
    }
    expr_unbind(graph, "#");
    return SGDMFT_OK;
}

sgdmft_status model_scope_declare(sgdmft_context *ctx, expr_graph *graph, const model *m, size_t n_predict,
                                  expr_node variable[MODEL_VARIABLES])
{
    sgdmft_status status = declare_all(ctx, graph, variable);
    for (int kind = 0; kind < NAME_KINDS; kind++) {
        int count = count_of(m, n_predict, (name_kind)kind);
        for (int i = 0; status == SGDMFT_OK && i < count; i++) {
            int number = kind == NAME_F ? 0 : first_of((name_kind)kind) + i;
            status = bind(ctx, graph, (name_kind)kind, i, count, variable[number]);
        }
    }
    if (status == SGDMFT_OK && n_predict == 0)
        status = expr_bind(ctx, graph, rules[NAME_F].letter, variable[0]);
    return status;
}

sgdmft_status model_scope_predict(sgdmft_context *ctx, expr_graph *graph, size_t i, size_t n, expr_node value)
{
    return bind(ctx, graph, NAME_F, (int)i, (int)n, value);
}

static sgdmft_status forbid(sgdmft_context *ctx, expr_graph *graph, name_kind kind, int count, const char *why)
{
    sgdmft_status status = SGDMFT_OK;
    if (has_bare_name(kind, count))
        status = expr_forbid(ctx, graph, rules[kind].letter, why);
    for (int i = 0; status == SGDMFT_OK && i < count; i++) {
        char name[NAME_ROOM];
        write_name(name, &rules[kind], i);
        status = expr_forbid(ctx, graph, name, why);
    }
    return status;
}

sgdmft_status model_scope_enter(sgdmft_context *ctx, expr_graph *graph, const model *m, size_t n_predict,
                                model_use use)
{
    sgdmft_status status = SGDMFT_OK;
    for (int kind = 0; status == SGDMFT_OK && kind < NAME_KINDS; kind++) {
        const char *why = rules[kind].uses & IN(use) ? NULL : rules[kind].why;
        if (kind == NAME_F && n_predict == 0)
            why = m->external ? "a plug-in has no predictions f; use r, s, eps, y and t" : no_predict;
        status = forbid(ctx, graph, (name_kind)kind, count_of(m, n_predict, (name_kind)kind), why);
    }
    return status;
}
