/* Problems that are built key by key: setting, taking back, getting, and when what is checked. */
#include <math.h>

#include "support.h"

static sgdmft_context *ctx;

static void ok(sgdmft_status status)
{
    if (status != SGDMFT_OK)
        fail_msg("%d %s", (int)status, sgdmft_context_message(ctx));
}

static void set(sgdmft_problem *p, const char *key, const char *value)
{
    ok(sgdmft_problem_set(ctx, p, key, value));
}

static void refuse(sgdmft_problem *p, const char *key, const char *value, sgdmft_status want, const char *start,
                   const char *part)
{
    sgdmft_status status = sgdmft_problem_set(ctx, p, key, value);
    const char *message = sgdmft_context_message(ctx);
    if (status != want || strncmp(message, start, strlen(start)) != 0 || !strstr(message, part))
        fail_msg("%s = %s: status %d, wanted %d: %s", key, value, (int)status, (int)want, message);
}

static sgdmft_problem *base(void)
{
    sgdmft_problem *p = NULL;
    ok(sgdmft_problem_new(ctx, &p));
    set(p, "delta", "1.7");
    set(p, "horizon", "3.25");
    set(p, "model.label", "tanh(s) + 0.3*eps");
    set(p, "model.loss", "\"(r - y)^2/2\"");
    return p;
}

/* The effective value of the key is `want`; NULL: it has none. */
static void says(sgdmft_problem *p, const char *key, const char *want)
{
    char *value = NULL;
    ok(sgdmft_problem_get(ctx, p, key, &value));
    if (want)
        assert_string_equal(value, want);
    else
        assert_null(value);
    free(value);
}

static void as_a_file(void **state)
{
    sgdmft_problem *built = base(), *read = NULL;
    ok(sgdmft_problem_parse(ctx, "case.yaml", BASE, NULL, 0, &read));
    char *a = echo(ctx, built), *b = echo(ctx, read);
    assert_string_equal(a, b);
    free(a);
    free(b);
    sgdmft_problem_free(built);
    sgdmft_problem_free(read);
}

static void getting(void **state)
{
    sgdmft_problem *p = base();
    set(p, "numerics.paths", "2000");
    set(p, "observables.margin", "y*r");
    says(p, "numerics.paths", "2000");
    says(p, "numerics.grading", "1.5"); /* a default */
    says(p, "numerics.accuracy", "0.005");
    says(p, "numerics.steps", NULL); /* the solver chooses */
    says(p, "numerics.tolerance", NULL);
    says(p, "dynamics", "sgd");
    says(p, "initial.rho", "[[1.0]]");
    says(p, "model.loss", "\"(r - y)^2/2\"");
    says(p, "model.plugin", NULL);
    says(p, "observables.margin", "y*r");
    says(p, "observables.other", NULL);
    char *value = NULL;
    assert_int_equal(sgdmft_problem_get(ctx, p, "numerics.path", &value), SGDMFT_ERR_UNKNOWN_KEY);
    assert_non_null(strstr(sgdmft_context_message(ctx), "problem: unknown key 'numerics.path'; did you mean"));
    sgdmft_problem_free(p);
}

/* A value that is wrong by itself is refused at once, and what was there stays. */
static void wrong_values(void **state)
{
    sgdmft_problem *p = base();
    set(p, "numerics.steps", "50");
    refuse(p, "numerics.steps", "2", SGDMFT_ERR_RANGE, "problem:1:1: numerics.steps: ", "4 to 100000");
    refuse(p, "numerics.steps", "many", SGDMFT_ERR_TYPE, "problem:1:1: numerics.steps: ", "many");
    refuse(p, "numerics.stps", "4", SGDMFT_ERR_UNKNOWN_KEY, "problem:1:1: ", "'numerics.steps'");
    refuse(p, "model", "4", SGDMFT_ERR_TYPE, "problem:1:1: 'model' is a section", "keys: model.students=VALUE");
    refuse(p, "model.label", "[s, max(s, 1)]", SGDMFT_ERR_SYNTAX, "problem:1:5: model.label: ", "comma");
    refuse(p, "dynamics", "sgdd", SGDMFT_ERR_RANGE, "problem:1:1: dynamics: ", "did you mean 'sgd'");
    refuse(p, "initial.q", "[[1, 0], [0, 1]", SGDMFT_ERR_YAML, "problem:1:1", "bracket");
    refuse(p, "eta", "", SGDMFT_ERR_YAML, "problem:1:1: ", "the value of eta is empty");
    refuse(p, "observables.loss", "r", SGDMFT_ERR_CONFLICT, "problem:1:1: ", "'loss'");
    says(p, "numerics.steps", "50");
    says(p, "dynamics", "sgd");
    sgdmft_problem_free(p);
}

/* Conditions on several settings are checked later; a problem that fails can be corrected. */
static void checked_together(void **state)
{
    sgdmft_problem *p = base();
    set(p, "initial.q", "[[1, 0], [0, 1]]");
    assert_int_equal(sgdmft_problem_check(ctx, p), SGDMFT_ERR_SHAPE);
    set(p, "model.students", "2");
    ok(sgdmft_problem_check(ctx, p));
    set(p, "penalty", "th1^4");
    set(p, "lambda", "0.5");
    assert_int_equal(sgdmft_problem_check(ctx, p), SGDMFT_ERR_CONFLICT);
    assert_int_equal(sgdmft_problem_check(ctx, p), SGDMFT_ERR_CONFLICT);
    set(p, "lambda", "null");
    ok(sgdmft_problem_check(ctx, p));
    says(p, "penalty", "\"th1^4\"");
    set(p, "penalty", "null");
    says(p, "penalty", NULL);
    says(p, "lambda", "0.0");
    set(p, "model.loss", "null");
    assert_int_equal(sgdmft_problem_check(ctx, p), SGDMFT_ERR_MISSING);
    assert_non_null(strstr(sgdmft_context_message(ctx), "model.loss"));
    sgdmft_problem_free(p);
}

/* A problem of a file can be changed as well. */
static void changing_a_file(void **state)
{
    static const char *const overrides[] = {"numerics.seed=7"};
    sgdmft_problem *p = NULL;
    ok(sgdmft_problem_parse(ctx, "case.yaml", BASE "observables: {a: y, b: r}\n", overrides, 1, &p));
    set(p, "observables.a", "null");
    set(p, "observables.c", "y^2");
    set(p, "delta", "2.5");
    ok(sgdmft_problem_check(ctx, p));
    assert_int_equal(p->observables.n, 2);
    assert_string_equal(p->observables.item[0].name, "b");
    assert_string_equal(p->observables.item[1].text, "y^2");
    assert_true(p->delta == 2.5 && p->numerics.seed == 7 && p->horizon == 3.25);
    assert_string_equal(p->source, "case.yaml");
    refuse(p, "delta", "-1", SGDMFT_ERR_RANGE, "case.yaml:1:1: delta: ", "> 0");
    assert_true(p->checked && p->delta == 2.5);
    sgdmft_problem_free(p);
}

static void wrong_arguments(void **state)
{
    sgdmft_problem *p = NULL;
    char *text = NULL;
    assert_int_equal(sgdmft_problem_new(NULL, &p), SGDMFT_ERR_ARGUMENT);
    p = base();
    assert_int_equal(sgdmft_problem_set(ctx, NULL, "delta", "1"), SGDMFT_ERR_ARGUMENT);
    assert_int_equal(sgdmft_problem_set(ctx, p, NULL, "1"), SGDMFT_ERR_ARGUMENT);
    assert_int_equal(sgdmft_problem_set(ctx, p, "delta", NULL), SGDMFT_ERR_ARGUMENT);
    assert_int_equal(sgdmft_problem_set(NULL, p, "delta", "1"), SGDMFT_ERR_ARGUMENT);
    assert_int_equal(sgdmft_problem_get(ctx, NULL, "delta", &text), SGDMFT_ERR_ARGUMENT);
    assert_int_equal(sgdmft_problem_set_model(ctx, NULL, NULL), SGDMFT_ERR_ARGUMENT);
    sgdmft_problem_free(p);
}

int main(void)
{
    ctx = new_context();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_a_file),        cmocka_unit_test(getting),         cmocka_unit_test(wrong_values),
        cmocka_unit_test(checked_together), cmocka_unit_test(changing_a_file), cmocka_unit_test(wrong_arguments),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sgdmft_context_free(ctx);
    return failed;
}
