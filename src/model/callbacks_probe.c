#include "model/callbacks_probe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "model/model.h"
#include "model/plugin.h"

#define LANES 64
#define SEED 20250711u

/* Values of one sample asked for in two ways may differ by rounding (vector and scalar code). */
#define SAME 1e-9

/* Central differences of order 4 with several steps: a loss whose second derivative jumps fails near the jump with the
   large steps and passes with a small one. Truncation, h^4, and rounding, 1e-16/h, stay below the tolerance for a
   loss that varies over distances of order one at one of the steps at least. */
#define STEPS 4
static const double steps[STEPS] = {1e-2, 1e-3, 1e-4, 1e-5};
#define RELATIVE 1e-5
#define ABSOLUTE 1e-9

/* Behind every array; a call-back that writes too far changes it. */
#define GUARDS 16
#define GUARD_VALUE (-7.25e77)

typedef struct probe {
    sgdmft_context *ctx;
    const sgdmft_problem *problem;
    const callbacks *p;
    int k, labels;
    double *s, *eps, *t, *r, *y; /* LANES samples */
    double *loss, *g, *G;        /* of the model, asked for together */
    double *shifted, *other;     /* room for as much again */
    double *quotient;
} probe;

#define FAIL(b, ...) callbacks_fail((b)->ctx, (b)->problem, (b)->p->subject, __VA_ARGS__)

static double *guarded(size_t components)
{
    size_t n = components * LANES;
    double *x = malloc((n + GUARDS) * sizeof *x);
    for (size_t i = 0; x && i < n + GUARDS; i++)
        x[i] = i < n ? NAN : GUARD_VALUE; /* NAN: not written */
    return x;
}

static int is_intact(const double *x, size_t components)
{
    for (size_t i = 0; i < GUARDS; i++)
        if (x[components * LANES + i] != GUARD_VALUE)
            return 0;
    return 1;
}

static void release(probe *b)
{
    double *all[] = {b->s, b->eps, b->t, b->r, b->y, b->loss, b->g, b->G, b->shifted, b->other, b->quotient};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static sgdmft_status allocate(probe *b)
{
    size_t k = (size_t)b->k;
    b->s = guarded((size_t)b->p->table.teachers);
    b->eps = guarded((size_t)b->p->table.noises);
    b->t = guarded(1);
    b->r = guarded(k);
    b->y = guarded((size_t)b->labels);
    b->loss = guarded(1);
    b->g = guarded(k);
    b->G = guarded(k * k);
    b->shifted = guarded(k);
    b->other = guarded(MODEL_MOST * MODEL_MOST);
    b->quotient = guarded(k);
    int complete =
        b->s && b->eps && b->t && b->r && b->y && b->loss && b->g && b->G && b->shifted && b->other && b->quotient;
    return complete ? SGDMFT_OK : context_out_of_memory(b->ctx, "the check of the model", 8.0 * LANES * 256);
}

static void draw_samples(probe *b)
{
    random_key key = {.seed = SEED};
    random_normals(key, 0, 0, (size_t)b->p->table.teachers * LANES, b->s);
    random_normals(key, 1, 0, (size_t)b->p->table.noises * LANES, b->eps);
    random_normals(key, 2, 0, (size_t)b->k * LANES, b->r);
    random_uniforms(key, 3, 0, LANES, b->t);
    for (int i = 0; i < LANES; i++)
        b->t[i] *= b->problem->horizon;
}

/* Where a sample is, for messages; the caller frees it. */
static char *describe(const probe *b, int lane)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    if (!stream)
        return NULL;
    for (int a = 0; a < b->k; a++)
        fprintf(stream, "r%d = %.6g, ", a + 1, b->r[a * LANES + lane]);
    for (int a = 0; a < b->labels; a++)
        fprintf(stream, "y%d = %.6g, ", a + 1, b->y[a * LANES + lane]);
    fprintf(stream, "t = %.6g", b->t[lane]);
    if (fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}

/* "g1", "G12" or "loss" */
static void name_component(const probe *b, const char *what, int component, char name[32])
{
    if (what[0] == 'G')
        snprintf(name, 32, "G%d%d", component / b->k + 1, component % b->k + 1);
    else if (what[0] == 'l')
        snprintf(name, 32, "loss");
    else
        snprintf(name, 32, "%s%d", what, component + 1);
}

static sgdmft_status disagree(probe *b, const char *what, int component, int lane, double value, double other,
                              const char *who)
{
    char name[32], *where = describe(b, lane);
    name_component(b, what, component, name);
    sgdmft_status status = FAIL(b, "%s is %.9g, but %s is %.9g (at %s)", name, value, who, other, where ? where : "?");
    free(where);
    return status;
}

static sgdmft_status check_values(probe *b, const char *what, const double *x, int components)
{
    if (!is_intact(x, (size_t)components))
        return FAIL(b, "%s has %d components of n numbers, but the call-back writes beyond them", what, components);
    for (int i = 0; i < components * LANES; i++) {
        if (isfinite(x[i]))
            continue;
        char name[32], *where = describe(b, i % LANES);
        name_component(b, what, i / LANES, name);
        sgdmft_status status = FAIL(b, "%s is %g: not finite, or not written (at %s)", name, x[i], where ? where : "?");
        free(where);
        return status;
    }
    return SGDMFT_OK;
}

static double largest(const double *x, int n)
{
    double most = 0;
    for (int i = 0; i < n; i++)
        most = fmax(most, fabs(x[i]));
    return most;
}

static int differ(double a, double b, double relative, double absolute)
{
    return !(fabs(a - b) <= relative * (fabs(a) + fabs(b)) + absolute);
}

static sgdmft_status check_label(probe *b)
{
    const sgdmft_model *table = &b->p->table;
    int code = table->label(table->user, LANES, b->s, b->eps, b->y);
    if (code)
        return FAIL(b, "the call-back label returned %d on random samples; it must return 0", code);
    return check_values(b, "y", b->y, b->labels);
}

static sgdmft_status check_loss(probe *b)
{
    int code = b->p->table.loss(b->p->table.user, LANES, b->t, b->r, b->y, b->loss, b->g, b->G);
    if (code)
        return FAIL(b, "the call-back loss returned %d on random samples; it must return 0", code);
    sgdmft_status status = check_values(b, "loss", b->loss, 1);
    if (status == SGDMFT_OK)
        status = check_values(b, "g", b->g, b->k);
    if (status == SGDMFT_OK)
        status = check_values(b, "G", b->G, b->k * b->k);
    return status;
}

/* Lane `lane` of a block as a block of one. */
static const double *single(const double *x, int components, int lane, double *out)
{
    for (int c = 0; c < components; c++)
        out[c] = x[c * LANES + lane];
    return out;
}

static sgdmft_status compare_single(probe *b, const char *what, const double *block, const double *alone,
                                    int components, int lane)
{
    double scale = largest(block, components * LANES);
    for (int c = 0; c < components; c++)
        if (differ(block[c * LANES + lane], alone[c], SAME, SAME * scale))
            return disagree(b, what, c, lane, block[c * LANES + lane], alone[c],
                            "for the same sample in a block of its own it");
    return SGDMFT_OK;
}

/* A sample in a block of its own must give the same: finds call-backs that mix up the layout of blocks. */
static sgdmft_status check_layout(probe *b, int lane)
{
    const sgdmft_model *table = &b->p->table;
    double s[MODEL_MOST], eps[MODEL_MOST], r[MODEL_MOST], y[MODEL_MOST], y_in[MODEL_MOST];
    double loss, g[MODEL_MOST], G[MODEL_MOST * MODEL_MOST];
    single(b->s, table->teachers, lane, s);
    single(b->eps, table->noises, lane, eps);
    int code = table->label(table->user, 1, s, eps, y);
    code = code ? code
                : table->loss(table->user, 1, &b->t[lane], single(b->r, b->k, lane, r),
                              single(b->y, b->labels, lane, y_in), &loss, g, G);
    if (code)
        return FAIL(b, "a call-back returned %d for a block of one sample; it must return 0", code);
    sgdmft_status status = compare_single(b, "y", b->y, y, b->labels, lane);
    if (status == SGDMFT_OK)
        status = compare_single(b, "loss", b->loss, &loss, 1, lane);
    if (status == SGDMFT_OK)
        status = compare_single(b, "g", b->g, g, b->k, lane);
    if (status == SGDMFT_OK)
        status = compare_single(b, "G", b->G, G, b->k * b->k, lane);
    return status;
}

/* One of loss, g and G asked for without the others must be the same as with them. */
static sgdmft_status check_alone(probe *b, const char *what, const double *together, int components)
{
    double *loss = what[0] == 'l' ? b->other : NULL, *g = what[0] == 'g' ? b->other : NULL,
           *G = what[0] == 'G' ? b->other : NULL;
    for (int i = 0; i < components * LANES; i++)
        b->other[i] = NAN;
    int code = b->p->table.loss(b->p->table.user, LANES, b->t, b->r, b->y, loss, g, G);
    if (code)
        return FAIL(b, "the call-back loss returned %d when only %s is asked for; it must return 0", code, what);
    double scale = largest(together, components * LANES);
    for (int i = 0; i < components * LANES; i++)
        if (differ(together[i], b->other[i], SAME, SAME * scale))
            return disagree(b, what, i / LANES, i % LANES, together[i], b->other[i],
                            "asked for without the others (NULL) it");
    return SGDMFT_OK;
}

static sgdmft_status check_symmetry(probe *b)
{
    double scale = largest(b->G, b->k * b->k * LANES);
    for (int a = 0; a < b->k; a++)
        for (int c = 0; c < a; c++)
            for (int i = 0; i < LANES; i++) {
                double lower = b->G[(a * b->k + c) * LANES + i], upper = b->G[(c * b->k + a) * LANES + i];
                if (differ(lower, upper, SAME, SAME * scale))
                    return disagree(b, "G", a * b->k + c, i, lower, upper, "its mirror image");
            }
    return SGDMFT_OK;
}

/* Loss (order 1) or gradient (order 2) at r shifted in component c goes to `other`; returns its components. */
static int evaluate_shifted(probe *b, int order, int c, double shift)
{
    memcpy(b->shifted, b->r, (size_t)(b->k * LANES) * sizeof *b->r);
    for (int i = 0; i < LANES; i++)
        b->shifted[c * LANES + i] += shift;
    double *loss = order == 1 ? b->other : NULL, *g = order == 2 ? b->other : NULL;
    return b->p->table.loss(b->p->table.user, LANES, b->t, b->shifted, b->y, loss, g, NULL);
}

/* quotient[] = derivative by central differences with respect to r_c. */
static int difference_quotient(probe *b, int order, int c, double h)
{
    static const double shift[] = {-2, -1, 1, 2}, weight[] = {1, -8, 8, -1};
    int n = (order == 1 ? 1 : b->k) * LANES, code = 0;
    memset(b->quotient, 0, (size_t)n * sizeof *b->quotient);
    for (int j = 0; j < 4 && !code; j++) {
        code = evaluate_shifted(b, order, c, shift[j] * h);
        for (int i = 0; i < n; i++)
            b->quotient[i] += weight[j] * b->other[i] / (12 * h);
    }
    return code;
}

/* `claimed` = what the model gives for the derivative of `below` with respect to r_c, for `components` components.
   A sample passes if it agrees at one of the steps. */
static sgdmft_status check_derivative(probe *b, int order, int c, const double *below, const double *claimed,
                                      int components)
{
    char passed[MODEL_MOST * LANES] = {0};
    int n = components * LANES;
    double best[MODEL_MOST * LANES];
    for (int h = 0; h < STEPS; h++) {
        int code = difference_quotient(b, order, c, steps[h]);
        if (code)
            return FAIL(b, "the call-back loss returned %d on random samples; it must return 0", code);
        double scale = ABSOLUTE * (largest(below, n) + largest(b->quotient, n));
        for (int i = 0; i < n; i++) {
            passed[i] |= !differ(claimed[i], b->quotient[i], RELATIVE, scale);
            if (h == 0 || fabs(b->quotient[i] - claimed[i]) < fabs(best[i] - claimed[i]))
                best[i] = b->quotient[i];
        }
    }
    for (int i = 0; i < n; i++)
        if (!passed[i])
            return disagree(b, order == 1 ? "g" : "G", order == 1 ? c : i / LANES * b->k + c, i % LANES, claimed[i],
                            best[i],
                            order == 1 ? "the difference quotient of the loss" : "the difference quotient of g");
    return SGDMFT_OK;
}

/* G is component a * k + c; those with the same c, a = 0 .. k - 1, are gathered for check_derivative. */
static sgdmft_status check_hessian_column(probe *b, int c)
{
    double column[MODEL_MOST * LANES];
    for (int a = 0; a < b->k; a++)
        memcpy(column + a * LANES, b->G + (a * b->k + c) * LANES, LANES * sizeof *column);
    return check_derivative(b, 2, c, b->g, column, b->k);
}

static sgdmft_status check_derivatives(probe *b)
{
    sgdmft_status status = SGDMFT_OK;
    for (int c = 0; status == SGDMFT_OK && c < b->k; c++)
        status = check_derivative(b, 1, c, b->loss, b->g + c * LANES, 1);
    for (int c = 0; status == SGDMFT_OK && c < b->k; c++)
        status = check_hessian_column(b, c);
    return status;
}

static sgdmft_status check_all(probe *b)
{
    draw_samples(b);
    sgdmft_status status = check_label(b);
    if (status == SGDMFT_OK)
        status = check_loss(b);
    for (int lane = 0; status == SGDMFT_OK && lane < LANES; lane += 9)
        status = check_layout(b, lane);
    if (status == SGDMFT_OK)
        status = check_alone(b, "loss", b->loss, 1);
    if (status == SGDMFT_OK)
        status = check_alone(b, "g", b->g, b->k);
    if (status == SGDMFT_OK)
        status = check_alone(b, "G", b->G, b->k * b->k);
    if (status == SGDMFT_OK)
        status = check_symmetry(b);
    return status == SGDMFT_OK ? check_derivatives(b) : status;
}

sgdmft_status callbacks_probe(sgdmft_context *ctx, const sgdmft_problem *problem, const callbacks *c)
{
    probe b = {.ctx = ctx, .problem = problem, .p = c, .k = c->table.students, .labels = c->table.labels};
    sgdmft_status status = allocate(&b);
    if (status == SGDMFT_OK)
        status = check_all(&b);
    release(&b);
    return status;
}
