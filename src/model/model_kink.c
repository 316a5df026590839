#include "model/model_kink.h"

#include <math.h>
#include <string.h>

#include "core/origin.h"

/* Any number: the search gives the same answer every time. */
#define SEED UINT64_C(20250711)

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

/* a < b is how b > a is stored */
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

static sgdmft_status refuse_pole(sgdmft_context *ctx, const problem_text *text, const model_kink *kink)
{
    return origin_fail_at(ctx, SGDMFT_ERR_KINK, &text->where, text->text, 0,
                        "%s has a pole in r (from the function or operator %s): it grows without bound at a point that "
                        "samples come arbitrarily close to, so averages over them do not exist; keep it bounded, e.g. "
                        "r/(r^2 + 0.01) for 1/r",
                        name_of(kink->in_loss), kink->jump.function);
}

sgdmft_status model_refuse_kink(sgdmft_context *ctx, const problem_text *text, const model_kink *kink)
{
    return origin_fail_at(ctx, SGDMFT_ERR_KINK, &text->where, text->text, 0,
                        "%s jumps in r where %s switches (by %.3g at a random point): the Hessian of the loss then has a "
                        "delta function, which averages over sampled paths do not see, and the curves would be wrong; "
                        "use a smooth form, e.g. %s",
                        name_of(kink->in_loss), written_as(kink->jump.function), kink->jump.size,
                        remedy_for(kink->jump.function));
}

/* The first jump found stays in *out. */
static sgdmft_status look_at(sgdmft_context *ctx, const problem_text *text, expr_graph *graph, int in_loss,
                             expr_node node, const expr_node *r, int k, model_kink *out)
{
    model_kink kink = {.in_loss = in_loss};
    sgdmft_status status = expr_find_jump(ctx, graph, node, r, (size_t)k, SEED, &kink.jump);
    if (status != SGDMFT_OK || !kink.jump.found)
        return status;
    if (isinf(kink.jump.size))
        return refuse_pole(ctx, text, &kink);
    if (!out->jump.found)
        *out = kink;
    return SGDMFT_OK;
}

sgdmft_status model_find_kink(sgdmft_context *ctx, const problem_text *text, expr_graph *graph, expr_node loss,
                              const expr_node *gradient, const expr_node *r, int k, model_kink *out)
{
    *out = (model_kink){.in_loss = 0};
    sgdmft_status status = look_at(ctx, text, graph, 1, loss, r, k, out);
    for (int a = 0; status == SGDMFT_OK && a < k; a++)
        status = look_at(ctx, text, graph, 0, gradient[a], r, k, out);
    return status;
}
