/* The model behind its block interface: expressions against formulas written out here, plug-ins good and broken.
   argv[1] is the folder of the plug-ins that plugin_case.c is built into, argv[2] the example plug-in. */
#include "model/model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "problem/problem.h"

enum { MOST = 9, LANES = 37 };

/* A problem on the stack; texts are string literals. */
typedef struct setting {
    sgdmft_problem problem;
    problem_text label[MOST], predict[MOST], loss[2], observable[MOST];
} setting;

static const char *plugin_folder, *example_plugin;

static problem_texts list(problem_text *items, const char *const *texts, const char *key, int line)
{
    size_t n = 0;
    for (; texts && texts[n]; n++) {
        items[n] = (problem_text){0};
        items[n].text = (char *)(uintptr_t)texts[n];
        items[n].where = (origin){"model.yaml", line, 11, key};
    }
    return (problem_texts){n, items};
}

static setting *setting_new(int k, int kstar, const char *const *label, const char *const *predict, const char *loss,
                            const char *const *observables)
{
    setting *s = calloc(1, sizeof *s);
    assert_non_null(s);
    const char *losses[] = {loss, NULL};
    s->problem.source = (char *)(uintptr_t)"model.yaml";
    s->problem.horizon = 3;
    s->problem.model.students = k;
    s->problem.model.teachers = kstar;
    s->problem.model.label = list(s->label, label, "model.label", 4);
    s->problem.model.predict = list(s->predict, predict, "model.predict", 5);
    s->problem.model.loss = list(s->loss, loss ? losses : NULL, "model.loss", 6);
    s->problem.observables = list(s->observable, observables, "observables.a", 8);
    return s;
}

/* A smooth model from the setting, which goes away. */
static sgdmft_status build(setting *s, sgdmft_context *ctx, model **out)
{
    *out = NULL;
    sgdmft_status status = model_new(ctx, &s->problem, out);
    if (status == SGDMFT_OK) {
        status = model_check_smooth(ctx, *out, &s->problem);
        assert_int_equal(model_get_shape(*out).jumps, status != SGDMFT_OK);
        if (status != SGDMFT_OK) {
            model_free(*out);
            *out = NULL;
        }
    }
    free(s);
    return status;
}

static void expect_failure(setting *s, sgdmft_status expected, const char *const *says)
{
    sgdmft_context *ctx = NULL;
    assert_int_equal(sgdmft_context_new(&ctx), SGDMFT_OK);
    model *m;
    sgdmft_status status = build(s, ctx, &m);
    const char *message = sgdmft_context_message(ctx);
    if (status != expected)
        fail_msg("status %d, expected %d (%s): %s", status, expected, says[0], message);
    assert_null(m);
    for (int i = 0; says[i]; i++)
        if (!strstr(message, says[i]))
            fail_msg("\"%s\" does not say \"%s\"", message, says[i]);
    sgdmft_context_free(ctx);
}

#define SAYS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* A block of random samples with everything a model computes from it. */
typedef struct block {
    double r[8 * LANES], s[8 * LANES], eps[8 * LANES], y[8 * LANES], t[LANES];
    double loss[LANES], g[8 * LANES], g_alone[8 * LANES], G[64 * LANES], observable[MOST * LANES];
} block;

static uint64_t next_bits(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void fill(double *x, int n, uint64_t *state)
{
    for (int i = 0; i < n; i++)
        x[i] = 4 * ((double)(next_bits(state) >> 11) * 0x1p-53) - 2;
}

static block *evaluate(const model *m, sgdmft_context *ctx)
{
    block *b = calloc(1, sizeof *b);
    model_work *work = NULL;
    uint64_t state = 17;
    assert_non_null(b);
    assert_int_equal(model_work_new(ctx, m, LANES, &work), SGDMFT_OK);
    fill(b->r, 8 * LANES, &state);
    fill(b->s, 8 * LANES, &state);
    fill(b->eps, 8 * LANES, &state);
    fill(b->t, LANES, &state);
    assert_int_equal(model_label(m, work, LANES, b->s, b->eps, b->y), 0);
    assert_int_equal(model_loss(m, work, LANES, b->t, b->r, b->y, b->loss), 0);
    assert_int_equal(model_gradient(m, work, LANES, b->t, b->r, b->y, b->g, b->G), 0);
    assert_int_equal(model_gradient(m, work, LANES, b->t, b->r, b->y, b->g_alone, NULL), 0);
    assert_int_equal(model_observables(m, work, LANES, b->t, b->r, b->s, b->eps, b->y, b->observable), 0);
    model_work_free(work);
    for (int i = 0; i < model_get_shape(m).k * LANES; i++)
        assert_true(fabs(b->g[i] - b->g_alone[i]) <= 1e-14 * (1 + fabs(b->g[i])));
    return b;
}

static block *evaluate_setting(setting *s, model_shape *shape)
{
    sgdmft_context *ctx = NULL;
    model *m;
    assert_int_equal(sgdmft_context_new(&ctx), SGDMFT_OK);
    if (build(s, ctx, &m) != SGDMFT_OK)
        fail_msg("%s", sgdmft_context_message(ctx));
    *shape = model_get_shape(m);
    block *b = evaluate(m, ctx);
    model_free(m);
    sgdmft_context_free(ctx);
    return b;
}

static void close_to(double found, double expected, const char *what, int lane)
{
    if (!(fabs(found - expected) <= 1e-13 * (1 + fabs(expected))))
        fail_msg("%s at lane %d: %.17g, expected %.17g", what, lane, found, expected);
}

static void tanh_regression(void **state)
{
    model_shape shape;
    block *b = evaluate_setting(setting_new(1, 1, TEXTS("tanh(s) + 0.3*eps"), TEXTS("tanh(r)"), "(f - y)^2/2",
                                            TEXTS("y*r", "f - t", "eps1*s1 + r1*y1 + f1")),
                                &shape);
    assert_true(shape.k == 1 && shape.kstar == 1 && shape.noises == 1 && shape.labels == 1);
    assert_true(shape.observables == 3 && shape.linear == 0);
    for (int p = 0; p < LANES; p++) {
        double r = b->r[p], f = tanh(r), y = tanh(b->s[p]) + 0.3 * b->eps[p], slope = 1 - f * f;
        close_to(b->y[p], y, "label", p);
        close_to(b->loss[p], (f - y) * (f - y) / 2, "loss", p);
        close_to(b->g[p], (f - y) * slope, "g", p);
        close_to(b->G[p], slope * slope - 2 * (f - y) * f * slope, "G", p);
        close_to(b->observable[p], y * r, "y*r", p);
        close_to(b->observable[LANES + p], f - b->t[p], "f - t", p);
        close_to(b->observable[2 * LANES + p], b->eps[p] * b->s[p] + r * y + f, "mixture", p);
    }
    free(b);
}

static void committee_of_two(void **state)
{
    model_shape shape;
    block *b = evaluate_setting(setting_new(2, 3, TEXTS("erf(s1) + erf(s2)*s3 + 0.1*eps2"),
                                            TEXTS("erf(r1) + erf(r2)"), "(f - y)^2/2", NULL),
                                &shape);
    assert_true(shape.k == 2 && shape.kstar == 3 && shape.noises == 2 && shape.labels == 1);
    assert_true(shape.observables == 0 && shape.linear == 0);
    for (int p = 0; p < LANES; p++) {
        double r1 = b->r[p], r2 = b->r[LANES + p];
        double y = erf(b->s[p]) + erf(b->s[LANES + p]) * b->s[2 * LANES + p] + 0.1 * b->eps[LANES + p];
        double u = erf(r1) + erf(r2) - y, d1 = M_2_SQRTPI * exp(-r1 * r1), d2 = M_2_SQRTPI * exp(-r2 * r2);
        close_to(b->y[p], y, "label", p);
        close_to(b->g[p], u * d1, "g1", p);
        close_to(b->g[LANES + p], u * d2, "g2", p);
        close_to(b->G[p], d1 * d1 - 2 * u * r1 * d1, "G11", p);
        close_to(b->G[LANES + p], d1 * d2, "G12", p);
        close_to(b->G[2 * LANES + p], d1 * d2, "G21", p);
        close_to(b->G[3 * LANES + p], d2 * d2 - 2 * u * r2 * d2, "G22", p);
    }
    free(b);
}

/* Three classes; y1 and y2 say which of the first two the teacher's is, from the largest of three pre-activations. */
static void softmax_of_three(void **state)
{
    model_shape shape;
    block *b = evaluate_setting(
        setting_new(3, 3, TEXTS("(s1 >= s2)*(s1 >= s3)", "(s2 > s1)*(s2 >= s3)"), NULL,
                    "logsumexp(r1, r2, r3) - y1*r1 - y2*r2 - (1 - y1 - y2)*r3",
                    TEXTS("(r1 >= max(r2, r3))*y1 + (r2 >= max(r1, r3))*y2")),
        &shape);
    assert_true(shape.k == 3 && shape.labels == 2 && shape.noises == 0);
    for (int p = 0; p < LANES; p++) {
        double r[3], e[3], sum = 0, y[3] = {b->y[p], b->y[LANES + p], 1 - b->y[p] - b->y[LANES + p]};
        assert_true((y[0] == 0 || y[0] == 1) && (y[1] == 0 || y[1] == 1) && y[2] >= 0);
        for (int a = 0; a < 3; a++) {
            r[a] = b->r[a * LANES + p];
            sum += e[a] = exp(r[a]);
        }
        double loss = log(sum) - y[0] * r[0] - y[1] * r[1] - y[2] * r[2];
        close_to(b->loss[p], loss, "loss", p);
        for (int a = 0; a < 3; a++) {
            close_to(b->g[a * LANES + p], e[a] / sum - y[a], "g", p);
            for (int c = 0; c < 3; c++)
                close_to(b->G[(3 * a + c) * LANES + p], (a == c) * e[a] / sum - e[a] * e[c] / (sum * sum), "G", p);
        }
    }
    free(b);
}

static void linear_gradients_are_recognised(void **state)
{
    static const struct {
        const char *loss;
        int k, linear;
    } cases[] = {
        {"(r - y)^2/2", 1, 1},
        {"(r - y)^2*exp(-t)/2 + 3*y*r", 1, 1},
        {"(2*r - y)*(r + y)*(1 + y^2)", 1, 1},
        {"(r1 - r2 - y)^2 + r1*r2", 2, 1},
        {"(r - y)^4", 1, 0},
        {"log(1 + exp(-y*r))", 1, 0},
        {"if(y > 0, (r - y)^2, 2*(r - y)^2)", 1, 1},
        {"relu(r - y)^2", 1, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        model_shape shape;
        const char *const label[] = {"s + eps3*0.5 + 0*eps7", NULL};
        free(evaluate_setting(setting_new(cases[i].k, 1, label, NULL, cases[i].loss, NULL), &shape));
        if (shape.linear != cases[i].linear || shape.noises != 3)
            fail_msg("%s: linear %d, noises %d", cases[i].loss, shape.linear, shape.noises);
    }
}

/* Noise that only an observable looks at is drawn too. */
static void observables_count_noises(void **state)
{
    model_shape shape;
    block *b = evaluate_setting(setting_new(1, 1, TEXTS("s + eps"), NULL, "(r - y)^2/2", TEXTS("eps4*r")), &shape);
    assert_int_equal(shape.noises, 4);
    for (int p = 0; p < LANES; p++)
        close_to(b->observable[p], b->eps[3 * LANES + p] * b->r[p], "eps4*r", p);
    free(b);
}

static void accepted_losses(void **state)
{
    static const char *const losses[] = {"relu(r)^2/2 - y*r", "log(1+exp(-y*r))", "max(0, 1 - y*r)^2",
                                         "(softplus(10*r)/10 - y)^2/2", "sqrt(1 + (r - y)^2)", "-log(sigmoid(y*r))",
                                         "if(abs(r - y) < 1, (r - y)^2/2, abs(r - y) - 0.5)", "(r^2 - y)^2/4",
                                         "(y > 0)*softplus(-r) + (y <= 0)*softplus(r)"};
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        model_shape shape;
        free(evaluate_setting(setting_new(1, 1, TEXTS("sign(s)"), NULL, losses[i], NULL), &shape));
    }
}

static void kinks_are_refused(void **state)
{
    const char *const y[] = {"sign(s)", NULL}, *const relu[] = {"relu(r)", NULL};
    const char *const committee[] = {"relu(r1) + relu(r2)", NULL};
    const sgdmft_status kink = SGDMFT_ERR_KINK;
    expect_failure(setting_new(1, 1, y, relu, "(f - y)^2/2", NULL), kink,
                   SAYS("model.yaml:6:11: model.loss: the gradient of the loss jumps in r where relu switches",
                        "the Hessian of the loss then has a delta function", "the curves would be wrong",
                        "softplus(10*x)/10"));
    expect_failure(setting_new(1, 1, y, NULL, "max(0, 1-y*r)", NULL), kink, SAYS("where max switches"));
    expect_failure(setting_new(1, 1, y, NULL, "abs(r-y)", NULL), kink,
                   SAYS("where abs switches (by 2 at", "sqrt(x^2 + 0.01) for abs(x)"));
    expect_failure(setting_new(1, 1, y, NULL, "if(r > y, 1, 2)*r", NULL), kink, SAYS("the loss itself jumps", "if"));
    expect_failure(setting_new(1, 1, y, TEXTS("sign(r)"), "(f - y)^2", NULL), kink,
                   SAYS("the loss itself jumps in r where sign switches", "tanh(10*x) for sign(x)"));
    expect_failure(setting_new(2, 1, y, committee, "(f - y)^2/2", NULL), kink, SAYS("relu"));
    expect_failure(setting_new(1, 1, y, NULL, "(r > y)*(r - y)^1", NULL), kink, SAYS("a comparison (< or >)"));
    expect_failure(setting_new(1, 1, y, NULL, "y/(r - 3)", NULL), kink, SAYS("has a pole in r"));
}

static void variables_out_of_place_are_refused(void **state)
{
    const char *const y[] = {"s", NULL};
    const sgdmft_status name = SGDMFT_ERR_UNKNOWN_NAME;
    expect_failure(setting_new(1, 1, TEXTS("s + r"), NULL, "(r - y)^2", NULL), name,
                   SAYS("model.yaml:4:15: model.label: \"r\" may not be used here", "only on s and eps", "model.loss"));
    expect_failure(setting_new(1, 1, TEXTS("t*s"), NULL, "(r - y)^2", NULL), name, SAYS("model.label: \"t\" may not"));
    expect_failure(setting_new(1, 1, TEXTS("s", "y1"), NULL, "(r - y1)^2", NULL), name, SAYS("\"y1\" may not be used"));
    expect_failure(setting_new(1, 1, TEXTS("f"), TEXTS("r"), "(r - y)^2", NULL), name, SAYS("\"f\" may not be used"));
    expect_failure(setting_new(1, 1, y, TEXTS("r*y"), "(f - y)^2", NULL), name,
                   SAYS("model.yaml:5:13: model.predict: \"y\" may not be used here"));
    expect_failure(setting_new(1, 1, y, TEXTS("r*eps"), "(f - y)^2", NULL), name, SAYS("model.predict: \"eps\""));
    expect_failure(setting_new(1, 1, y, TEXTS("r", "f1^2"), "(f1 - y)^2", NULL), name, SAYS("model.predict: \"f1\""));
    expect_failure(setting_new(1, 1, y, NULL, "(r - s)^2", NULL), name,
                   SAYS("model.yaml:6:16: model.loss: \"s\" may not be used here", "through the label only",
                        "model.label may be a list"));
    expect_failure(setting_new(1, 1, y, NULL, "(f - y)^2", NULL), name, SAYS("there is no model.predict"));
    expect_failure(setting_new(2, 1, y, NULL, "(r - y)^2", NULL), name,
                   SAYS("unknown variable \"r\"; did you mean \"r1\"? Allowed here: r1, r2, y, y1, t, pi"));
    expect_failure(setting_new(1, 1, y, NULL, "(r2 - y)^2", NULL), name, SAYS("unknown variable \"r2\""));
    expect_failure(setting_new(1, 2, TEXTS("s3"), NULL, "(r - y)^2", NULL), name,
                   SAYS("unknown variable \"s3\"; did you mean \"s1\"? Allowed here: s1, s2, eps, eps1"));
    expect_failure(setting_new(1, 1, TEXTS("eps9"), NULL, "(r - y)^2", NULL), name, SAYS("unknown variable \"eps9\""));
    expect_failure(setting_new(1, 1, y, NULL, "(r - y)^2", TEXTS("r*s", "r*q")), name,
                   SAYS("model.yaml:8:13: observables.a: unknown variable \"q\""));
}

static void other_refusals(void **state)
{
    const char *const y[] = {"s", NULL};
    expect_failure(setting_new(1, 1, NULL, NULL, "(r - y)^2", NULL), SGDMFT_ERR_SHAPE, SAYS("model.label: found 0"));
    expect_failure(setting_new(1, 1, TEXTS("s", "s", "s", "s", "s", "s", "s", "s", "s"), NULL, "r^2", NULL),
                   SGDMFT_ERR_SHAPE, SAYS("model.label: found 9 expressions; allowed: 1 to 8"));
    expect_failure(setting_new(1, 1, y, NULL, NULL, NULL), SGDMFT_ERR_SHAPE, SAYS("model.loss: found 0"));
    expect_failure(setting_new(9, 1, y, NULL, "r1^2", NULL), SGDMFT_ERR_RANGE, SAYS("model.students: value 9"));
    expect_failure(setting_new(1, 0, y, NULL, "r^2", NULL), SGDMFT_ERR_RANGE, SAYS("model.teachers: value 0"));
    expect_failure(setting_new(1, 1, y, NULL, "tanh(r, y)", NULL), SGDMFT_ERR_ARITY, SAYS("model.yaml:6:11: "));
    expect_failure(setting_new(1, 1, y, NULL, "(r - y", NULL), SGDMFT_ERR_SYNTAX, SAYS("model.yaml:6:17: "));
}

static setting *plugin_setting(const char *path, const char *source, int k, int kstar, const char *const *observables)
{
    setting *s = setting_new(k, kstar, NULL, NULL, NULL, observables);
    s->problem.source = (char *)(uintptr_t)source;
    s->problem.model.plugin = (char *)(uintptr_t)path;
    s->problem.model.plugin_where = (origin){"model.yaml", 3, 11, "model.plugin"};
    return s;
}

/* "FOLDER/case_NAME.so"; the caller frees it. */
static char *case_path(const char *name)
{
    char *path = NULL;
    assert_true(asprintf(&path, "%s/case_%s.so", plugin_folder, name) > 0);
    return path;
}

static void good_plugin(void **state)
{
    model_shape shape;
    char *path = case_path("good");
    block *b = evaluate_setting(plugin_setting(path, "model.yaml", 2, 2, TEXTS("y1*y2 + r1*s2 - t", "eps3")), &shape);
    assert_true(shape.k == 2 && shape.kstar == 2 && shape.labels == 2 && shape.noises == 3);
    assert_true(shape.observables == 2 && shape.linear == 0);
    for (int p = 0; p < LANES; p++) {
        double r1 = b->r[p], r2 = b->r[LANES + p], s1 = b->s[p], s2 = b->s[LANES + p];
        double y1 = s1 * s2 + 0.1 * b->eps[p], y2 = s1 > 0 ? 1 : -1, u = r1 * r2 - y1;
        double s = 1 / (1 + exp(y2 * (r1 + 2 * r2)));
        close_to(b->y[p], y1, "y1", p);
        close_to(b->y[LANES + p], y2, "y2", p);
        close_to(b->g[LANES + p], u * r1 - 2 * y2 * s, "g2", p);
        close_to(b->G[2 * LANES + p], u + r1 * r2 + 2 * s * (1 - s), "G21", p);
        close_to(b->loss[p], u * u / 2 - log(1 - s) + 0.25 * b->t[p] * r1 * r1, "loss", p);
        close_to(b->observable[p], y1 * y2 + r1 * s2 - b->t[p], "observable", p);
        close_to(b->observable[LANES + p], b->eps[2 * LANES + p], "eps3", p);
    }
    free(b);
    free(path);
}

/* A relative path starts at the folder of the problem file. */
static void plugin_paths(void **state)
{
    char *source = NULL;
    model_shape shape;
    assert_true(asprintf(&source, "%s/some.yaml", plugin_folder) > 0);
    free(evaluate_setting(plugin_setting("case_good.so", source, 2, 2, NULL), &shape));
    free(evaluate_setting(plugin_setting("./case_good.so", source, 2, 2, NULL), &shape));
    expect_failure(plugin_setting("case_good.so", "model.yaml", 2, 2, NULL), SGDMFT_ERR_PLUGIN,
                   SAYS("model.yaml:3:11: model.plugin: plug-in ./case_good.so: no such file"));
    expect_failure(plugin_setting("missing.so", source, 2, 2, NULL), SGDMFT_ERR_PLUGIN, SAYS("missing.so: no such file"));
    free(source);
}

static void example_of_the_documentation(void **state)
{
    model_shape shape;
    block *b = evaluate_setting(plugin_setting(example_plugin, "model.yaml", 1, 1, NULL), &shape);
    int positive = 0;
    for (int p = 0; p < LANES; p++) {
        assert_true(b->y[p] == floor(b->y[p]) && b->y[p] >= 0 && b->loss[p] >= 0);
        positive += b->y[p] > 0;
    }
    assert_true(positive > LANES / 3 && positive < LANES);
    free(b);
}

static void broken_plugins_are_refused(void **state)
{
    static const struct {
        const char *name, *says;
    } cases[] = {
        {"wrong_abi", "field abi is 42, but this program has version 1"},
        {"too_many_labels", "field labels is 9; allowed: 1 to 8"},
        {"label_fails", "the call-back label returned 23"},
        {"label_nan", "y2 is nan: not finite, or not written"},
        {"label_overrun", "y has 2 components of n numbers, but the call-back writes beyond them"},
        {"loss_fails", "the call-back loss returned -4"},
        {"null_fails", "the call-back loss returned 5 when only g is asked for"},
        {"layout", "g"},
        {"wrong_gradient", "g2 is "},
        {"alone_differs", "asked for without the others (NULL) it is"},
        {"wrong_hessian", "G22 is "},
        {"asymmetric", "G21 is "},
        {"half_written", "G21 is nan: not finite, or not written"},
        {"no_entry", "has no function sgdmft_plugin_entry"},
        {"no_loss", "call-back loss is NULL"},
        {"null_table", "sgdmft_plugin_entry() returned NULL"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = case_path(cases[i].name);
        expect_failure(plugin_setting(path, "model.yaml", 2, 2, NULL), SGDMFT_ERR_PLUGIN,
                       SAYS("model.yaml:3:11: model.plugin: plug-in ", path, cases[i].says));
        free(path);
    }
    char *path = case_path("good");
    expect_failure(plugin_setting(path, "model.yaml", 1, 2, NULL), SGDMFT_ERR_PLUGIN,
                   SAYS("made for 2 students, but model.students is 1; set model.students: 2"));
    expect_failure(plugin_setting(path, "model.yaml", 2, 3, NULL), SGDMFT_ERR_PLUGIN, SAYS("made for 2 teachers"));
    expect_failure(plugin_setting(path, "model.yaml", 2, 2, TEXTS("f*r1")), SGDMFT_ERR_UNKNOWN_NAME,
                   SAYS("a plug-in has no predictions f"));
    free(path);
    expect_failure(plugin_setting("/", "model.yaml", 2, 2, NULL), SGDMFT_ERR_PLUGIN, SAYS("cannot be loaded"));
}

/* The difference quotient that a wrong derivative is held against is shown next to it. */
static void wrong_derivatives_show_both_values(void **state)
{
    char *path = case_path("wrong_gradient");
    expect_failure(plugin_setting(path, "model.yaml", 2, 2, NULL), SGDMFT_ERR_PLUGIN,
                   SAYS("but the difference quotient of the loss is ", "(at r1 = ", "y2 = ", "t = "));
    free(path);
    path = case_path("wrong_hessian");
    expect_failure(plugin_setting(path, "model.yaml", 2, 2, NULL), SGDMFT_ERR_PLUGIN,
                   SAYS("but the difference quotient of g is "));
    free(path);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    plugin_folder = argv[1];
    example_plugin = argv[2];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tanh_regression),
        cmocka_unit_test(committee_of_two),
        cmocka_unit_test(softmax_of_three),
        cmocka_unit_test(linear_gradients_are_recognised),
        cmocka_unit_test(observables_count_noises),
        cmocka_unit_test(accepted_losses),
        cmocka_unit_test(kinks_are_refused),
        cmocka_unit_test(variables_out_of_place_are_refused),
        cmocka_unit_test(other_refusals),
        cmocka_unit_test(good_plugin),
        cmocka_unit_test(plugin_paths),
        cmocka_unit_test(example_of_the_documentation),
        cmocka_unit_test(broken_plugins_are_refused),
        cmocka_unit_test(wrong_derivatives_show_both_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
