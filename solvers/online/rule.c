#include "solvers/online/rule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

/* Fine enough for the error to fall by a good factor from one to the next. */
static const int orders[] = {2,  3,  4,  6,  8,   10,  12,  16,  20,  24,  32, 40,
                             48, 64, 80, 96, 128, 160, 200, 256, 320, 400, 512};
enum { ORDERS = sizeof orders / sizeof *orders };

/* Noises often enter a label as a polynomial, which few nodes integrate exactly. */
enum { FIRST_LEVEL = 4, FIRST_NOISE_LEVEL = 1 };

enum { TEACHERS = 0, STUDENTS = 1, NOISES = 2 };

online_rule online_rule_first(void)
{
    online_rule rule;
    for (int group = 0; group < ONLINE_RULE_GROUPS; group++)
        rule.level[group] = group < NOISES ? FIRST_LEVEL : FIRST_NOISE_LEVEL;
    return rule;
}

online_rule online_rule_raised(const online_rule *rule)
{
    online_rule raised = *rule;
    for (int group = 0; group < ONLINE_RULE_GROUPS; group++)
        raised.level[group]++;
    return raised;
}

/* Coordinates in the order of online_law.h: z*, eps, z. Returns their number. */
static int orders_of(model_shape shape, const online_rule *rule, int *order)
{
    int dims = 0;
    for (int i = 0; i < shape.kstar; i++)
        order[dims++] = orders[rule->level[TEACHERS]];
    for (int i = 0; i < shape.noises; i++)
        order[dims++] = orders[rule->level[NOISES + i]];
    for (int i = 0; i < shape.k; i++)
        order[dims++] = orders[rule->level[STUDENTS]];
    return dims;
}

/* *fits = 1 if the rule exists and is not too large. */
static sgdmft_status check_size(sgdmft_context *ctx, model_shape shape, const online_rule *rule, int *fits)
{
    int order[GAUSS_DIMS_MAX];
    size_t n;
    *fits = 0;
    for (int group = 0; group < NOISES + shape.noises; group++)
        if (rule->level[group] >= ORDERS)
            return SGDMFT_OK;
    int dims = orders_of(shape, rule, order);
    sgdmft_status status = gauss_tensor_count(ctx, dims, order, ONLINE_RULE_POINTS, &n);
    *fits = n <= ONLINE_RULE_POINTS;
    return status;
}

sgdmft_status online_rule_law(sgdmft_context *ctx, const online_setting *s, const online_rule *rule, int threads,
                              online_law **out)
{
    int order[GAUSS_DIMS_MAX], dims = orders_of(s->shape, rule, order);
    gauss_points points;
    sgdmft_status status = gauss_tensor_new(ctx, dims, order, &points);
    return status ? status : online_law_new(ctx, s, &points, threads, out);
}

/* What a refinement works with. */
typedef struct search {
    sgdmft_context *ctx;
    const online_setting *s;
    const online_state *states;
    size_t n;
    int threads;
    online_moments *base, *other; /* [n] averages by the present rule, and by one with a higher order */
} search;

static sgdmft_status evaluate(const search *f, const online_rule *rule, online_moments *out)
{
    online_law *law = NULL;
    sgdmft_status status = online_rule_law(f->ctx, f->s, rule, f->threads, &law);
    int code = 0;
    for (size_t i = 0; i < f->n && !status && !code; i++)
        code = online_law_moments(law, &f->states[i], 1, &out[i]);
    online_law_free(law);
    return code
               ? context_fail(f->ctx, SGDMFT_ERR_PLUGIN, "%s: model.plugin: the loss call-back asked to stop (code %d)",
                              f->s->problem->source, code)
               : status;
}

static double largest(const double *x)
{
    double most = 0;
    for (int i = 0; i < MATRIX_MAX * MATRIX_MAX; i++)
        most = fmax(most, fabs(x[i]));
    return most;
}

static double largest_change(const double *x, const double *y)
{
    double most = 0;
    for (int i = 0; i < MATRIX_MAX * MATRIX_MAX; i++)
        most = isfinite(x[i] - y[i]) ? fmax(most, fabs(x[i] - y[i])) : INFINITY;
    return most;
}

/* Largest change of an average relative to its size along the curve: E|g|^2 sets the scale of g. */
static double difference(const search *f)
{
    double change[4] = {0}, square = 0, hessian = 0, rho = 0;
    for (size_t i = 0; i < f->n; i++) {
        const online_moments *x = &f->base[i], *y = &f->other[i];
        change[0] = fmax(change[0], largest_change(x->gz, y->gz));
        change[1] = fmax(change[1], largest_change(x->gs, y->gs));
        change[2] = fmax(change[2], largest_change(x->gg, y->gg));
        change[3] = fmax(change[3], largest_change(x->G, y->G));
        square = fmax(square, largest(x->gg));
        hessian = fmax(hessian, largest(x->G));
    }
    for (int a = 0; a < f->s->shape.kstar; a++)
        rho = fmax(rho, f->s->problem->initial.rho[a * (f->s->shape.kstar + 1)]);
    double scale[4] = {sqrt(square), sqrt(square * rho), square, hessian}, worst = 0;
    for (int i = 0; i < 4; i++)
        if (change[i] > 0)
            worst = fmax(worst, change[i] / scale[i]);
    return worst;
}

/* Difference made by raising each group alone. */
static sgdmft_status differences(const search *f, const online_rule *rule, double change[ONLINE_RULE_GROUPS])
{
    sgdmft_status status = evaluate(f, rule, f->base);
    for (int group = 0; group < NOISES + f->s->shape.noises && !status; group++) {
        online_rule raised = *rule;
        raised.level[group]++;
        status = evaluate(f, &raised, f->other);
        change[group] = difference(f);
    }
    return status;
}

static sgdmft_status refine(const search *f, double tolerance, online_rule *rule, online_rule_outcome *out)
{
    for (*out = RULE_UNCHANGED;; *out = RULE_REFINED) {
        online_rule raised = online_rule_raised(rule);
        double change[ONLINE_RULE_GROUPS] = {0}, worst = 0;
        int fits;
        sgdmft_status status = check_size(f->ctx, f->s->shape, &raised, &fits);
        if (!status && fits)
            status = differences(f, rule, change);
        for (int group = 0; group < ONLINE_RULE_GROUPS; group++)
            worst = fmax(worst, change[group]);
        if (status || !fits || !isfinite(worst)) {
            *out = RULE_NOT_FOUND;
            return status;
        }
        if (worst <= tolerance)
            return SGDMFT_OK;
        for (int group = 0; group < ONLINE_RULE_GROUPS; group++)
            rule->level[group] += change[group] > tolerance;
    }
}

sgdmft_status online_rule_refine(sgdmft_context *ctx, const online_setting *s, const online_state *states, size_t n,
                                 double tolerance, int threads, online_rule *rule, online_rule_outcome *out)
{
    search f = {.ctx = ctx, .s = s, .states = states, .n = n, .threads = threads};
    f.base = memory_zeroed(2 * n, sizeof *f.base);
    if (!f.base)
        return context_out_of_memory(ctx, "Gaussian averages", 2.0 * (double)n * sizeof *f.base);
    f.other = f.base + n;
    sgdmft_status status = refine(&f, tolerance, rule, out);
    free(f.base);
    return status;
}
