#include "model/model_programs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/origin.h"
#include "expr/functions.h"

typedef struct builder {
    sgdmft_context *ctx;
    const sgdmft_problem *problem;
    int external;
    model_shape *shape;
    model_programs *out;
    expr_graph *graph;
    expr_node variable[MODEL_VARIABLES];
    expr_node label[MODEL_MOST];
    expr_node loss;
    expr_node derivative[MODEL_MOST * (MODEL_MOST + 1)]; /* g, then G */
    expr_node *observable;
} builder;

/* Names, and which expression may use which. */

/* The expressions of a problem file. */
typedef enum model_use { USE_PREDICT, USE_LABEL, USE_LOSS, USE_OBSERVABLE } model_use;

/* Longest name: a letter or "eps", and a number. */
#define NAME_ROOM 32

typedef enum name_kind { NAME_R, NAME_S, NAME_EPS, NAME_Y, NAME_T, NAME_F, NAME_KINDS } name_kind;

typedef struct name_rule {
    const char *letter;
    int numbered;    /* r1, r2, ... ; the bare letter means the first if there is only one */
    unsigned uses;   /* bit USE_...: expressions that may use it */
    const char *why; /* reason in the message for any other use */
} name_rule;

#define IN(use) (1u << (use))

static const name_rule rules[NAME_KINDS] = {
    [NAME_R] = {"r", 1, IN(USE_PREDICT) | IN(USE_LOSS) | IN(USE_OBSERVABLE),
                "labels do not depend on the student, only on s and eps (r belongs in model.predict, model.loss "
                "and observables)"},
    [NAME_S] = {"s", 1, IN(USE_LABEL) | IN(USE_OBSERVABLE),
                "predictions and losses depend on the teacher through the label only; s belongs in model.label and "
                "observables (model.label may be a list, giving y1, y2, ...)"},
    [NAME_EPS] = {"eps", 1, IN(USE_LABEL) | IN(USE_OBSERVABLE),
                  "predictions and losses depend on the noise through the label only; eps belongs in model.label and "
                  "observables (model.label may be a list, giving y1, y2, ...)"},
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

static const char no_prediction_by_plugin[] = "a plug-in has no predictions f; use r, s, eps, y and t";

static int first_of(name_kind kind)
{
    switch (kind) {
    case NAME_R: return MODEL_R;
    case NAME_S: return MODEL_S;
    case NAME_EPS: return MODEL_EPS;
    case NAME_Y: return MODEL_Y;
    default: return MODEL_T;
    }
}

/* The number of r, s, ... that the model has. */
static int count_of(const builder *b, name_kind kind)
{
    switch (kind) {
    case NAME_R: return b->shape->k;
    case NAME_S: return b->shape->kstar;
    case NAME_EPS: return MODEL_MOST;
    case NAME_Y: return b->shape->labels;
    case NAME_T: return 1;
    default: return (int)b->problem->model.predict.n;
    }
}

static void write_name(char name[NAME_ROOM], const name_rule *rule, int i)
{
    if (rule->numbered)
        snprintf(name, NAME_ROOM, "%s%d", rule->letter, i + 1);
    else
        snprintf(name, NAME_ROOM, "%s", rule->letter);
}

/* The bare letter stands for the only one of its kind. eps always stands for eps1: the number of noises is not known
   before all expressions are parsed. */
static int has_bare_name(name_kind kind, int count)
{
    return rules[kind].numbered && (count == 1 || kind == NAME_EPS || (kind == NAME_F && count == 0));
}

static sgdmft_status bind(builder *b, name_kind kind, int i, int count, expr_node node)
{
    char name[NAME_ROOM];
    sgdmft_status status = SGDMFT_OK;
    if (i == 0 && has_bare_name(kind, count))
        status = expr_bind(b->ctx, b->graph, rules[kind].letter, node);
    write_name(name, &rules[kind], i);
    return status == SGDMFT_OK ? expr_bind(b->ctx, b->graph, name, node) : status;
}

/* Variables get provisional names that no text can spell, so that their numbers do not depend on the model. */
static sgdmft_status declare_variables(builder *b)
{
    for (int v = 0; v < MODEL_VARIABLES; v++) {
        sgdmft_status status = expr_variable(b->ctx, b->graph, "#", &b->variable[v]);
        if (status != SGDMFT_OK)
            return status;
    }
    expr_unbind(b->graph, "#");
    return SGDMFT_OK;
}

/* Declares all variables and binds the names that the model has. f, f1, ... stand for nothing until predictions are
   parsed. */
static sgdmft_status declare_scope(builder *b)
{
    sgdmft_status status = declare_variables(b);
    for (name_kind kind = 0; kind < NAME_KINDS; kind++) {
        int count = count_of(b, kind);
        for (int i = 0; status == SGDMFT_OK && i < count; i++)
            status = bind(b, kind, i, count, b->variable[kind == NAME_F ? 0 : first_of(kind) + i]);
    }
    if (status == SGDMFT_OK && count_of(b, NAME_F) == 0)
        status = expr_bind(b->ctx, b->graph, rules[NAME_F].letter, b->variable[0]);
    return status;
}

static sgdmft_status forbid(builder *b, name_kind kind, int count, const char *why)
{
    sgdmft_status status = SGDMFT_OK;
    if (has_bare_name(kind, count))
        status = expr_forbid(b->ctx, b->graph, rules[kind].letter, why);
    for (int i = 0; status == SGDMFT_OK && i < count; i++) {
        char name[NAME_ROOM];
        write_name(name, &rules[kind], i);
        status = expr_forbid(b->ctx, b->graph, name, why);
    }
    return status;
}

/* Forbids the names that expressions for `use` may not have, with a reason that says where they belong. */
static sgdmft_status enter(builder *b, model_use use)
{
    sgdmft_status status = SGDMFT_OK;
    for (name_kind kind = 0; status == SGDMFT_OK && kind < NAME_KINDS; kind++) {
        const char *why = rules[kind].uses & IN(use) ? NULL : rules[kind].why;
        if (kind == NAME_F && count_of(b, NAME_F) == 0)
            why = b->external ? no_prediction_by_plugin : no_predict;
        status = forbid(b, kind, count_of(b, kind), why);
    }
    return status;
}

/* Jumps and poles. */

/* A fixed number, so that the search finds the same jumps every time. */
#define JUMP_SEED UINT64_C(20250711)

typedef struct remedy {
    const char *function, *instead;
} remedy;

static const remedy remedies[] = {
    {"relu", "softplus(10*x)/10 for relu(x)"},
    {"abs", "sqrt(x^2 + 0.01) for abs(x)"},
    {"sign", "tanh(10*x) for sign(x)"},
    {"max", "softplus(10*(a - b))/10 + b for max(a, b)"},
    {"min", "a - softplus(10*(a - b))/10 for min(a, b)"},
    {"if", "b + (a - b)*sigmoid(10*x) for if(x > 0, a, b)"},
    {"<", "sigmoid(10*(b - a)) for a < b"},
    {"<=", "sigmoid(10*(b - a)) for a <= b"},
};

static const char *remedy_for(const char *function)
{
    for (size_t i = 0; i < sizeof remedies / sizeof *remedies; i++)
        if (strcmp(remedies[i].function, function) == 0)
            return remedies[i].instead;
    return "tanh(10*x) for sign(x), softplus(10*x)/10 for relu(x)";
}

/* b > a is stored as a < b */
static const char *written_as(const char *function)
{
    if (strcmp(function, "<") == 0)
        return "a comparison (< or >)";
    if (strcmp(function, "<=") == 0)
        return "a comparison (<= or >=)";
    return function;
}

static const char *name_of(int in_loss)
{
    return in_loss ? "the loss itself" : "the gradient of the loss";
}

static sgdmft_status refuse_pole(sgdmft_context *ctx, const sgdmft_problem *problem, const model_kink *kink)
{
    const problem_text *loss = &problem->model.loss.item[0];
    return origin_fail_at(
        ctx, SGDMFT_ERR_KINK, &loss->where, loss->text, 0,
        "%s has a pole in r (from the function or operator %s): it grows without bound at a point that "
        "samples come arbitrarily close to, so averages over them do not exist; keep it bounded, e.g. "
        "r/(r^2 + 0.01) for 1/r",
        name_of(kink->in_loss), kink->jump.function);
}

sgdmft_status model_kink_refuse(sgdmft_context *ctx, const sgdmft_problem *problem, const model_kink *kink)
{
    const problem_text *loss = &problem->model.loss.item[0];
    return origin_fail_at(
        ctx, SGDMFT_ERR_KINK, &loss->where, loss->text, 0,
        "%s jumps in r where %s switches (by %.3g at a random point): the Hessian of the loss then has a "
        "delta function, which averages over sampled paths do not see, and the curves would be wrong; "
        "use a smooth form, e.g. %s",
        name_of(kink->in_loss), written_as(kink->jump.function), kink->jump.size, remedy_for(kink->jump.function));
}

/* The node as a function of r, s, eps and a free variable in place of the time, which stays in [0, horizon]: a label
   has the values that it takes, and no others. */
static sgdmft_status with_labels(builder *b, expr_node node, expr_node *out)
{
    expr_node value[MODEL_MOST + 1], time = b->variable[MODEL_T];
    int labels = b->shape->labels;
    memcpy(value, b->label, sizeof *value * (size_t)labels);
    expr_node share = graph_intern(b->graph, OP_SIGMOID, &time, 1, 0);
    expr_node horizon = graph_intern(b->graph, OP_CONSTANT, NULL, 0, b->problem->horizon);
    sgdmft_status status = graph_report(b->ctx, b->graph, "in the search for jumps");
    if (status != SGDMFT_OK)
        return status;
    expr_node variable[MODEL_MOST + 1];
    memcpy(variable, b->variable + MODEL_Y, sizeof *variable * (size_t)labels);
    variable[labels] = time;
    value[labels] = graph_intern(b->graph, OP_MUL, (expr_node[]){horizon, share}, 2, 0);
    status = graph_report(b->ctx, b->graph, "in the search for jumps");
    return status == SGDMFT_OK ? expr_substitute(b->ctx, b->graph, node, variable, value, (size_t)labels + 1, out)
                               : status;
}

/* r, s and eps, in this order; returns their number. */
static size_t continuous_variables(const builder *b, expr_node *out)
{
    size_t n = 0;
    for (int a = 0; a < b->shape->k; a++)
        out[n++] = b->variable[MODEL_R + a];
    for (int a = 0; a < b->shape->kstar; a++)
        out[n++] = b->variable[MODEL_S + a];
    for (int e = 0; e < b->shape->noises; e++)
        out[n++] = b->variable[MODEL_EPS + e];
    return n;
}

/* Looks at one node: a pole in r is refused. The first jump and, for the gradient, the first pole in s and eps stay in
   the programs. */
static sgdmft_status look_for_jump(builder *b, int in_loss, expr_node node)
{
    model_kink kink = {.in_loss = in_loss}, *known = &b->out->kink;
    expr_node moving[3 * MODEL_MOST];
    size_t n = continuous_variables(b, moving), k = (size_t)b->shape->k;
    expr_pole pole = {0};
    sgdmft_status status = with_labels(b, node, &node);
    if (status == SGDMFT_OK)
        status = expr_find_jump(b->ctx, b->graph, node, moving, k, n, JUMP_SEED, &kink.jump);
    if (status == SGDMFT_OK && !in_loss)
        status = expr_find_pole(b->ctx, b->graph, node, moving, k, n, JUMP_SEED, &pole);
    if (status != SGDMFT_OK)
        return status;
    if (pole.found)
        memcpy(kink.jump.function, pole.function, sizeof pole.function);
    if (pole.found || isinf(kink.jump.size))
        return refuse_pole(b->ctx, b->problem, &kink);
    if (kink.jump.found && !known->jump.found)
        *known = kink;
    return in_loss || b->out->pole.found
               ? SGDMFT_OK
               : expr_find_pole(b->ctx, b->graph, node, moving, n, n, JUMP_SEED, &b->out->pole);
}

static sgdmft_status find_kink(builder *b)
{
    sgdmft_status status = look_for_jump(b, 1, b->loss);
    for (int a = 0; status == SGDMFT_OK && a < b->shape->k; a++)
        status = look_for_jump(b, 0, b->derivative[a]);
    b->shape->jumps = b->out->kink.jump.found;
    return status;
}

/* Parsing, differentiation and compilation. */

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
        status = bind(b, NAME_F, (int)i, (int)predict->n, f[i]);
    free(f);
    return status;
}

/* Raises shape.noises to the highest eps that `node` depends on. */
static void count_noises(builder *b, expr_node node)
{
    for (int e = b->shape->noises; e < MODEL_MOST; e++)
        if (expr_depends(b->graph, node, b->variable[MODEL_EPS + e]))
            b->shape->noises = e + 1;
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
    for (size_t i = 0; status == SGDMFT_OK && i < label->n; i++)
        count_noises(b, b->label[i]);
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
    return expr_derivative(b->ctx, b->graph, node, b->variable[MODEL_R + a], out);
}

/* The message of a failed derivative lacks the expression that it came from. */
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
    int k = b->shape->k;
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
        status = find_kink(b);
    return status;
}

static int depends_on_r(const builder *b, expr_node node)
{
    for (int a = 0; a < b->shape->k; a++)
        if (expr_depends(b->graph, node, b->variable[MODEL_R + a]))
            return 1;
    return 0;
}

static int is_linear(const builder *b)
{
    int k = b->shape->k;
    for (int i = 0; i < k * k; i++)
        if (depends_on_r(b, b->derivative[k + i]))
            return 0;
    return 1;
}

static sgdmft_status compile(builder *b, const expr_node *nodes, int n, expr_program **out)
{
    return expr_compile(b->ctx, b->graph, nodes, (size_t)n, out);
}

static sgdmft_status compile_label_and_loss(builder *b)
{
    model_programs *p = b->out;
    int k = b->shape->k;
    sgdmft_status status = compile(b, b->label, b->shape->labels, &p->label);
    if (status == SGDMFT_OK)
        status = compile(b, &b->loss, 1, &p->loss);
    if (status == SGDMFT_OK)
        status = compile(b, b->derivative, k, &p->gradient);
    expr_node both[1 + MODEL_MOST] = {b->loss};
    memcpy(both + 1, b->derivative, sizeof *both * (size_t)k);
    if (status == SGDMFT_OK)
        status = compile(b, both, 1 + k, &p->loss_gradient);
    if (status == SGDMFT_OK)
        status = compile(b, b->derivative, k + k * k, &p->curvature);
    return status;
}

static sgdmft_status find_growth(builder *b)
{
    growth_question question = {.graph = b->graph,
                                .k = b->shape->k,
                                .kstar = b->shape->kstar,
                                .noises = b->shape->noises,
                                .labels = b->shape->labels,
                                .gradient = b->derivative,
                                .label = b->label,
                                .gradient_of = b->out->gradient,
                                .label_of = b->out->label,
                                .horizon = b->problem->horizon,
                                .q = b->problem->initial.q,
                                .m = b->problem->initial.m,
                                .rho = b->problem->initial.rho};
    return model_growth_find(b->ctx, &question, &b->out->growth);
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
    b->shape->linear = is_linear(b);
    b->shape->nonnegative = expr_nonnegative(b->graph, b->loss);
    if (b->shape->nonnegative < 0)
        return context_out_of_memory(b->ctx, "the model", (double)b->loss);
    status = compile_label_and_loss(b);
    return status == SGDMFT_OK ? find_growth(b) : status;
}

static sgdmft_status build_observables(builder *b)
{
    sgdmft_status status = parse_observables(b);
    int n = b->shape->observables;
    if (status != SGDMFT_OK || n == 0)
        return status;
    for (int i = 0; i < n; i++)
        count_noises(b, b->observable[i]);
    return compile(b, b->observable, n, &b->out->observables);
}

sgdmft_status model_programs_build(sgdmft_context *ctx, const sgdmft_problem *problem, int external, model_shape *shape,
                                   model_programs *out)
{
    builder b = {.ctx = ctx, .problem = problem, .external = external, .shape = shape, .out = out};
    *out = (model_programs){.label = NULL};
    sgdmft_status status = expr_graph_new(ctx, &b.graph);
    if (status == SGDMFT_OK)
        status = declare_scope(&b);
    if (status == SGDMFT_OK && !external)
        status = build_label_and_loss(&b);
    if (status == SGDMFT_OK)
        status = build_observables(&b);
    free(b.observable);
    expr_graph_free(b.graph);
    return status;
}

/* The operation with its arguments, as it would be written. */
static void print_fault(const expr_fault *fault, FILE *to)
{
    const function_row *row = function_of(fault->op);
    if (fault->op == OP_CONSTANT)
        fprintf(to, "a part of it that is constant");
    else if (fault->n_args == 2 && !row->callable)
        fprintf(to, "%.4g %s %.4g", fault->arg[0], row->name, fault->arg[1]);
    else if (fault->n_args == 1)
        fprintf(to, "%s(%.4g)", row->name, fault->arg[0]);
    else
        fprintf(to, "%s(...)", row->name);
    fprintf(to, " is %s", isnan(fault->value) ? "not a number" : "infinite");
}

/* The values of the variables that a node depends on. */
static void print_variables(const builder *b, expr_node node, const double *values, FILE *to)
{
    const char *before = ", at ";
    for (name_kind kind = 0; kind < NAME_KINDS; kind++) {
        int count = count_of(b, kind);
        for (int i = 0; i < count && kind != NAME_F; i++) {
            char name[NAME_ROOM];
            int number = first_of(kind) + i;
            if (!expr_depends(b->graph, node, b->variable[number]))
                continue;
            write_name(name, &rules[kind], i);
            fprintf(to, "%s%s = %.4g", before, count == 1 ? rules[kind].letter : name, values[number]);
            before = ", ";
        }
    }
}

static sgdmft_status explain(const builder *b, expr_node node, const double *values, char **out)
{
    expr_fault fault;
    size_t size;
    if (!expr_find_fault(b->graph, node, values, &fault))
        return SGDMFT_OK;
    FILE *to = open_memstream(out, &size);
    if (!to)
        return context_out_of_memory(b->ctx, "a message", 200);
    print_fault(&fault, to);
    print_variables(b, node, values, to);
    return fclose(to) ? context_out_of_memory(b->ctx, "a message", 200) : SGDMFT_OK;
}

sgdmft_status model_programs_explain(sgdmft_context *ctx, const sgdmft_problem *problem, int external,
                                     const model_shape *shape, size_t index, const double values[MODEL_VARIABLES],
                                     char **out)
{
    model_shape own = *shape;
    model_programs unused = {.label = NULL};
    builder b = {.ctx = ctx, .problem = problem, .external = external, .shape = &own, .out = &unused};
    *out = NULL;
    sgdmft_status status = expr_graph_new(ctx, &b.graph);
    if (!status)
        status = declare_scope(&b);
    if (!status && !external)
        status = parse_predict(&b);
    if (!status)
        status = parse_observables(&b);
    if (!status)
        status = explain(&b, b.observable[index], values, out);
    free(b.observable);
    expr_graph_free(b.graph);
    return status;
}

/* Whatever is parsed from here on has the label in place of y. */
static sgdmft_status replace_labels(builder *b)
{
    sgdmft_status status = SGDMFT_OK;
    for (int i = 0; status == SGDMFT_OK && i < b->shape->labels; i++)
        status = bind(b, NAME_Y, i, b->shape->labels, b->label[i]);
    return status;
}

static sgdmft_status build_expressions(builder *b)
{
    sgdmft_status status = declare_scope(b);
    if (status == SGDMFT_OK)
        status = parse_predict(b);
    if (status == SGDMFT_OK)
        status = parse_labels(b);
    if (status == SGDMFT_OK)
        status = replace_labels(b);
    if (status == SGDMFT_OK)
        status = enter(b, USE_LOSS);
    if (status == SGDMFT_OK)
        status = parse(b, &b->problem->model.loss.item[0], &b->loss);
    if (status == SGDMFT_OK)
        status = differentiate(b);
    return status == SGDMFT_OK ? parse_observables(b) : status;
}

sgdmft_status model_expressions_build(sgdmft_context *ctx, const sgdmft_problem *problem, model_shape shape,
                                      model_expressions *out)
{
    builder b = {.ctx = ctx, .problem = problem, .shape = &shape};
    *out = (model_expressions){.graph = NULL};
    sgdmft_status status = expr_graph_new(ctx, &b.graph);
    if (status == SGDMFT_OK)
        status = build_expressions(&b);
    out->graph = b.graph;
    out->loss = b.loss;
    out->observable = b.observable;
    memcpy(out->variable, b.variable, sizeof out->variable);
    memcpy(out->gradient, b.derivative, sizeof *b.derivative * (size_t)shape.k);
    memcpy(out->hessian, b.derivative + shape.k, sizeof *b.derivative * (size_t)(shape.k * shape.k));
    return status;
}

void model_expressions_clear(model_expressions *e)
{
    free(e->observable);
    expr_graph_free(e->graph);
    *e = (model_expressions){.graph = NULL};
}

void model_programs_clear(model_programs *p)
{
    expr_program_free(p->label);
    expr_program_free(p->loss);
    expr_program_free(p->gradient);
    expr_program_free(p->loss_gradient);
    expr_program_free(p->curvature);
    expr_program_free(p->observables);
    *p = (model_programs){.label = NULL};
}

size_t model_programs_work(const model_programs *p)
{
    const expr_program *const all[] = {p->label, p->loss, p->gradient, p->loss_gradient, p->curvature, p->observables};
    size_t most = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        size_t work = all[i] ? expr_program_work(all[i]) : 0;
        most = work > most ? work : most;
    }
    return most;
}
