/* Overrides: --set KEY=VALUE. */
#include "support.h"

static sgdmft_problem *with(sgdmft_context *ctx, const char *set)
{
    return accepted(ctx, BASE "observables:\n  first: \"y*r\"\n  second: \"s\"\n", &set, 1);
}

static void numbers_and_words(void **state)
{
    static const char *const sets[] = {"delta=3.75", " numerics.steps = 2e2", "dynamics=sme", "numerics.extrapolate=no",
                                       "numerics.seed=18446744073709551615"};
    sgdmft_context *ctx = new_context();
    sgdmft_problem *p = accepted(ctx, BASE, sets, 5);
    assert_true(p->delta == 3.75);
    assert_int_equal(p->numerics.steps, 200);
    assert_string_equal(p->process->dynamics, "sme");
    assert_int_equal(p->numerics.extrapolate, 0);
    assert_true(p->numerics.seed == UINT64_MAX);
    sgdmft_problem_free(p);
    sgdmft_context_free(ctx);
}

static void texts_with_their_places(void **state)
{
    sgdmft_context *ctx = new_context();
    sgdmft_problem *p = with(ctx, "model.label=\"sign(s)\"");
    assert_string_equal(p->model.label.item[0].text, "sign(s)");
    assert_string_equal(p->model.label.item[0].where.source, "--set");
    assert_string_equal(p->model.label.item[0].where.key, "model.label");
    assert_int_equal(p->model.label.item[0].where.line, 1);
    assert_int_equal(p->model.label.item[0].where.column, 14);
    assert_string_equal(p->model.loss.item[0].where.source, "case.yaml");
    sgdmft_problem_free(p);
    p = with(ctx, "model.predict=[tanh(r1), \"max(r1, 0)\"]");
    assert_int_equal(p->model.predict.n, 2);
    assert_string_equal(p->model.predict.item[1].text, "max(r1, 0)");
    assert_int_equal(p->model.predict.item[0].where.column, 16);
    assert_int_equal(p->model.predict.item[1].where.column, 27);
    sgdmft_problem_free(p);
    p = with(ctx, "model.loss=(r - y)^2/2 + abs(r)");
    assert_string_equal(p->model.loss.item[0].text, "(r - y)^2/2 + abs(r)");
    assert_int_equal(p->model.loss.item[0].where.column, 12);
    sgdmft_problem_free(p);
    sgdmft_context_free(ctx);
}

static void matrices(void **state)
{
    static const char *const sets[] = {"initial.q=[[2, 0.5], [0.5, 1]]", "model.students=2", "initial.m=[[0.25], [0]]"};
    sgdmft_context *ctx = new_context();
    sgdmft_problem *p = accepted(ctx, BASE, sets, 3);
    assert_true(p->initial.q[0] == 2 && p->initial.q[1] == 0.5 && p->initial.q[2] == 0.5 && p->initial.q[3] == 1);
    assert_true(p->initial.m[0] == 0.25 && p->initial.m[1] == 0);
    sgdmft_problem_free(p);
    sgdmft_context_free(ctx);
}

static void observables(void **state)
{
    sgdmft_context *ctx = new_context();
    sgdmft_problem *p = with(ctx, "observables.first=r^2");
    assert_int_equal(p->observables.n, 2);
    assert_string_equal(p->observables.item[0].name, "first");
    assert_string_equal(p->observables.item[0].text, "r^2");
    assert_string_equal(p->observables.item[0].where.source, "--set");
    assert_string_equal(p->observables.item[0].where.key, "observables.first");
    sgdmft_problem_free(p);
    p = with(ctx, "observables.third=eps");
    assert_int_equal(p->observables.n, 3);
    assert_string_equal(p->observables.item[2].name, "third");
    assert_int_equal(p->observables.item[2].where.column, 19);
    sgdmft_problem_free(p);
    p = with(ctx, "observables.first=null");
    assert_int_equal(p->observables.n, 1);
    assert_string_equal(p->observables.item[0].name, "second");
    sgdmft_problem_free(p);
    p = with(ctx, "observables.absent=null");
    assert_int_equal(p->observables.n, 2);
    sgdmft_problem_free(p);
    sgdmft_context_free(ctx);
}

/* The later override wins, a wrong value of the file does not matter once it is replaced, null takes it back. */
static void order(void **state)
{
    static const char *const twice[] = {"delta=3.5", "delta=4.5"};
    static const char *const repaired[] = {"delta=0.625", "lambda=null", "model.plugin=~"};
    sgdmft_context *ctx = new_context();
    sgdmft_problem *p = accepted(ctx, BASE, twice, 2);
    assert_true(p->delta == 4.5);
    sgdmft_problem_free(p);
    p = accepted(ctx, "delta: wrong\nlambda: 0.5\npenalty: \"th1^4\"\nhorizon: 1\n" MODEL "  plugin: ./x.so\n",
                 repaired, 3);
    assert_true(p->delta == 0.625);
    assert_true(p->lambda == 0);
    assert_null(p->model.plugin);
    assert_string_equal(p->penalty.text, "th1^4");
    sgdmft_problem_free(p);
    sgdmft_context_free(ctx);
}

/* The place is in the override unless the file's part is what no longer fits. */
static void refused(void **state)
{
    static const struct {
        const char *set, *source;
        refusal wanted;
    } list[] = {
        {"delta", "--set", {BASE, SGDMFT_ERR_YAML, 1, 1, {"'delta'", "KEY=VALUE", "--set delta=2.0"}}},
        {"=3", "--set", {BASE, SGDMFT_ERR_YAML, 1, 1, {"no key before the '='"}}},
        {" \t=3", "--set", {BASE, SGDMFT_ERR_YAML, 1, 1, {"no key before the '='"}}},
        {"", "--set", {BASE, SGDMFT_ERR_YAML, 1, 1, {"KEY=VALUE"}}},
        {"delta=", "--set", {BASE, SGDMFT_ERR_YAML, 1, 7, {"no value after the '='"}}},
        {"delta= # 3", "--set", {BASE, SGDMFT_ERR_YAML, 1, 7, {"no value"}}},
        {"steps=3", "--set", {BASE, SGDMFT_ERR_UNKNOWN_KEY, 1, 1, {"'steps'", "'numerics.steps'"}}},
        {"numeric.steps=3", "--set", {BASE, SGDMFT_ERR_UNKNOWN_KEY, 1, 1, {"'numeric.steps'", "'numerics.steps'"}}},
        {"numerics.stps=3", "--set", {BASE, SGDMFT_ERR_UNKNOWN_KEY, 1, 1, {"'numerics.stps'", "'numerics.steps'"}}},
        {"detla=3", "--set", {BASE, SGDMFT_ERR_UNKNOWN_KEY, 1, 1, {"'detla'", "'delta'"}}},
        {"zzzz=3", "--set", {BASE, SGDMFT_ERR_UNKNOWN_KEY, 1, 1, {"'zzzz'", "allowed: dynamics"}}},
        {"\xFF=3", "--set", {BASE, SGDMFT_ERR_UNKNOWN_KEY, 1, 1, {"'\\xFF'"}}},
        {"model=3", "--set", {BASE, SGDMFT_ERR_TYPE, 1, 1, {"'model' is a section", "model.students=VALUE"}}},
        {"observables={a: r}",
         "--set",
         {BASE, SGDMFT_ERR_TYPE, 1, 1, {"'observables' is a section", "observables.NAME"}}},
        {"observables.2=r", "--set", {BASE, SGDMFT_ERR_RANGE, 1, 1, {"'2'", "starting with a letter"}}},
        {"observables.=r", "--set", {BASE, SGDMFT_ERR_RANGE, 1, 1, {"''"}}},
        {"observables.loss=r", "--set", {BASE, SGDMFT_ERR_CONFLICT, 1, 1, {"'loss'"}}},
        {"observables.a=*r", "--set", {BASE, SGDMFT_ERR_YAML, 1, 15, {"aliases", "double quotes"}}},
        {"delta=abc", "--set", {BASE, SGDMFT_ERR_TYPE, 1, 7, {"delta: ", "abc is not a number"}}},
        {"delta=a: b", "--set", {BASE, SGDMFT_ERR_TYPE, 1, 7, {"delta: ", "a section"}}},
        {"numerics.steps=2", "--set", {BASE, SGDMFT_ERR_RANGE, 1, 16, {"numerics.steps: ", "4 to 100000"}}},
        {"initial.q=[[1, 0], [0, 1]", "--set", {BASE, SGDMFT_ERR_YAML, 1, 11, {"bracket"}}},
        {"delta=1\n---\n2", "--set", {BASE, SGDMFT_ERR_YAML, 2, 1, {"second YAML document"}}},
        {"delta=\xFF", "--set", {BASE, SGDMFT_ERR_YAML, 1, 7, {"UTF-8", "byte 0xFF"}}},
        {"model.label=[max(s1, 2)]", "--set", {BASE, SGDMFT_ERR_SYNTAX, 1, 14, {"model.label: ", "comma"}}},
        {"delta=null", "case.yaml", {BASE, SGDMFT_ERR_MISSING, 1, 1, {"delta: "}}},
        {"penalty=th1^2",
         "--set",
         {BASE "lambda: 0.5\n", SGDMFT_ERR_CONFLICT, 1, 9, {"penalty: ", "lambda (case.yaml:6:9)"}}},
        {"model.plugin=a.so",
         "--set",
         {BASE, SGDMFT_ERR_CONFLICT, 1, 14, {"model.plugin: ", "model.label (case.yaml:4:11)"}}},
        {"model.students=2",
         "case.yaml",
         {BASE "initial: {q: [[2]]}\n", SGDMFT_ERR_SHAPE, 6, 14, {"initial.q: ", "2 x 2"}}},
    };
    sgdmft_context *ctx = new_context();
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        check_refusal(ctx, &list[i].wanted, list[i].set, list[i].source);
    sgdmft_context_free(ctx);
}

static void arguments(void **state)
{
    static const char *const holes[] = {"delta=2", NULL};
    sgdmft_context *ctx = new_context();
    sgdmft_problem *p = NULL;
    assert_int_equal(sgdmft_problem_parse(ctx, "x", BASE, NULL, 1, &p), SGDMFT_ERR_ARGUMENT);
    assert_int_equal(sgdmft_problem_parse(ctx, "x", BASE, holes, 2, &p), SGDMFT_ERR_ARGUMENT);
    assert_int_equal(sgdmft_problem_parse(ctx, "x", NULL, NULL, 0, &p), SGDMFT_ERR_ARGUMENT);
    assert_int_equal(sgdmft_problem_parse(ctx, NULL, BASE, NULL, 0, &p), SGDMFT_ERR_ARGUMENT);
    assert_int_equal(sgdmft_problem_read(ctx, NULL, NULL, 0, &p), SGDMFT_ERR_ARGUMENT);
    assert_int_equal(sgdmft_problem_parse(ctx, "x", BASE, NULL, 0, NULL), SGDMFT_ERR_ARGUMENT);
    assert_int_equal(sgdmft_problem_parse(NULL, "x", BASE, NULL, 0, &p), SGDMFT_ERR_ARGUMENT);
    assert_null(p);
    sgdmft_problem_free(NULL);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_words),
        cmocka_unit_test(texts_with_their_places),
        cmocka_unit_test(matrices),
        cmocka_unit_test(observables),
        cmocka_unit_test(order),
        cmocka_unit_test(refused),
        cmocka_unit_test(arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
