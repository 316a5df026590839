/* The effective problem as YAML, the commented reference, and the table both come from. */
#include <math.h>

#include "support.h"

#include "core/number.h"
#include "problem/options.h"

/* Reading an echo back gives the same echo. */
static void check_round_trip(sgdmft_context *ctx, const char *text)
{
    sgdmft_problem *first = accepted(ctx, text, NULL, 0);
    char *a = echo(ctx, first);
    sgdmft_problem *second = accepted(ctx, a, NULL, 0);
    char *b = echo(ctx, second);
    assert_string_equal(a, b);
    free(a);
    free(b);
    sgdmft_problem_free(first);
    sgdmft_problem_free(second);
}

static void round_trips(void **state)
{
    static const char *const texts[] = {
        BASE,
        TOP "model: {plugin: \"./a \\\"b\\\" \\\\ c.so\"}\n",
        "dynamics: online\nhorizon: 0.1\n" MODEL,
        BASE "dynamics: online\n",
        BASE "penalty: |\n  th1^2\n  + abs(th1)\n",
        BASE "eta: .5\n",
        BASE "eta: 1/(1 + t)\n",
        BASE "eta: 1e-300\nlambda: 5e-324\n",
        BASE "observables: {yes: y, No: r, null: s, n: \"a\\x07\\u2028\\U0001F600\\uFFFE\", zeta: \"\xC3\xA9\"}\n",
        "delta: 0.1\nhorizon: 1e22\nmodel: {students: 2, teachers: 3, label: [s1, \"max(s2, s3)\"], predict: [r1, "
        "r2],\n"
        "  loss: r1}\ninitial: {q: [[1.1, 0.30000000000000004], [0.3, 0.7]], m: [[1e-17, 0.1, 0.2], [0, 0, -0.0]]}\n"
        "numerics: {accuracy: 0.03, steps: 40, seed: 18446744073709551615, tolerance: 1.2345678901234567e-9, "
        "extrapolate: no, grading: 3.3}\n"
        "simulate: {batch: 1e12, entries: rademacher}\n",
    };
    sgdmft_context *ctx = new_context();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        check_round_trip(ctx, texts[i]);
    sgdmft_context_free(ctx);
}

static void values_survive(void **state)
{
    sgdmft_context *ctx = new_context();
    sgdmft_problem *p = accepted(ctx,
                                 "delta: 0.1234567890123456789\nhorizon: 3\n" MODEL
                                 "penalty: \"a \\\"b\\\\ \\n c\"\nobservables: {x: \"y: r # z\"}\n"
                                 "numerics: {seed: 9007199254740993}\n",
                                 NULL, 0);
    char *text = echo(ctx, p);
    sgdmft_problem *again = accepted(ctx, text, NULL, 0);
    assert_true(again->delta == p->delta && again->delta == 0.1234567890123456789);
    assert_string_equal(again->penalty.text, "a \"b\\ \n c");
    assert_string_equal(again->observables.item[0].text, "y: r # z");
    assert_true(again->numerics.seed == 9007199254740993u);
    free(text);
    sgdmft_problem_free(p);
    sgdmft_problem_free(again);
    sgdmft_context_free(ctx);
}

static void echo_is_complete(void **state)
{
    static const char wanted[] =
        "dynamics: sgd\nsampling: replacement\nbatch_fraction: 0.0\ndelta: 1.7\neta: 1.0\nlambda: 0.0\nhorizon: 3.25\nmodel:\n  students: "
        "1\n  teachers: 1\n"
        "  label: \"tanh(s) + 0.3*eps\"\n  loss: \"(r - y)^2/2\"\ninitial:\n  q: [[1.0]]\n  m: [[0.0]]\n  rho: "
        "[[1.0]]\n"
        "observables: {}\nnumerics:\n  accuracy: 0.005\n  # paths: chosen by the solver\n  # replicas: chosen by the "
        "solver\n  # steps: chosen by the solver\n  # tolerance: chosen by the solver\n  seed: 1\n"
        "  method: march\n  response: auto\n  history: auto\n  averages: auto\n  grading: 1.5\n  extrapolate: true\n  passes: "
        "50\noutput:\n  times: 51\n  "
        "bins: 101\nsimulate:\n  d: "
        "2000\n"
        "  batch: 1\n  repetitions: 20\n  entries: gaussian\n  step: 0.02\n";
    sgdmft_context *ctx = new_context();
    sgdmft_problem *p = accepted(ctx, BASE, NULL, 0);
    char *text = echo(ctx, p);
    assert_string_equal(text, wanted);
    free(text);
    assert_int_equal(sgdmft_problem_to_yaml(ctx, NULL, &text), SGDMFT_ERR_ARGUMENT);
    assert_int_equal(sgdmft_problem_to_yaml(ctx, p, NULL), SGDMFT_ERR_ARGUMENT);
    assert_null(text);
    sgdmft_problem_free(p);
    sgdmft_context_free(ctx);
}

static void check_accuracy_line(sgdmft_context *ctx, const char *numerics, const char *line)
{
    char *text = NULL;
    assert_true(asprintf(&text, BASE "numerics: {%s}\n", numerics) > 0);
    sgdmft_problem *p = accepted(ctx, text, NULL, 0);
    int asks = problem_asks_accuracy(p);
    char *shown = echo(ctx, p);
    assert_non_null(strstr(shown, line));
    sgdmft_problem_free(p);
    p = accepted(ctx, shown, NULL, 0);
    assert_int_equal(problem_asks_accuracy(p), asks);
    sgdmft_problem_free(p);
    free(shown);
    free(text);
}

/* Whether an accuracy is asked for, so that a solve that misses it has failed, survives an echo. */
static void accuracy_is_asked(void **state)
{
    sgdmft_context *ctx = new_context();
    check_accuracy_line(ctx, "seed: 2", "\n  accuracy: 0.005\n");
    check_accuracy_line(ctx, "accuracy: 0.02", "\n  accuracy: 0.02\n");
    check_accuracy_line(ctx, "paths: 1000, accuracy: 0.02", "\n  accuracy: 0.02\n");
    check_accuracy_line(ctx, "paths: 1000, replicas: 2, steps: 8, accuracy: 0.02", "\n  accuracy: 0.02\n");
    check_accuracy_line(ctx, "steps: 20", "\n  # accuracy: 0.005, not asked for");
    check_accuracy_line(ctx, "paths: 1000, replicas: 2, steps: 8", "\n  # accuracy: 0.005, not asked for");
    sgdmft_context_free(ctx);
}

/* The reference parses, states the defaults that hold without it, and mentions every key. */
static void reference_holds(void **state)
{
    sgdmft_context *ctx = new_context();
    char *reference = NULL;
    assert_int_equal(sgdmft_problem_reference(ctx, &reference), SGDMFT_OK);
    sgdmft_problem *full = accepted(ctx, reference, NULL, 0);
    sgdmft_problem *bare = accepted(ctx,
                                    "delta: 2.0\nhorizon: 5.0\nmodel:\n  label: \"tanh(s) + 0.3*eps\"\n"
                                    "  predict: \"tanh(r)\"\n  loss: \"(f - y)^2/2\"\n",
                                    NULL, 0);
    char *a = echo(ctx, full), *b = echo(ctx, bare);
    assert_string_equal(a, b);
    for (option_id id = 0; id < OPTION_COUNT; id++) {
        char *line = NULL;
        assert_true(asprintf(&line, "%s: ", option_leaf(id)) > 0);
        assert_true(id == OPT_OBSERVABLES || strstr(reference, line) != NULL);
        free(line);
    }
    free(a);
    free(b);
    free(reference);
    sgdmft_problem_free(full);
    sgdmft_problem_free(bare);
    assert_int_equal(sgdmft_problem_reference(ctx, NULL), SGDMFT_ERR_ARGUMENT);
    sgdmft_context_free(ctx);
}

/* With its comment signs before keys removed, what the reference offers as examples is accepted too. */
static void reference_examples_hold(void **state)
{
    static const char *const keys[] = {"# penalty:", "  # margin:", "  # control:"};
    sgdmft_context *ctx = new_context();
    char *reference = NULL;
    assert_int_equal(sgdmft_problem_reference(ctx, &reference), SGDMFT_OK);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char *at = strstr(reference, keys[i]);
        assert_non_null(at);
        at = strchr(at, '#');
        memmove(at, at + 2, strlen(at + 2) + 1);
    }
    sgdmft_problem *p = accepted(ctx, reference, NULL, 0);
    assert_non_null(p->penalty.text);
    assert_int_equal(p->observables.n, 1);
    assert_string_equal(p->numerics.control.item[0].text, "R11"); /* a name, not a list in quotes */
    sgdmft_problem_free(p);
    free(reference);
    sgdmft_context_free(ctx);
}

/* Rows of the table are in order and complete enough to be shown. */
static void table(void **state)
{
    int section = 0;
    for (option_id id = 0; id < OPTION_COUNT; id++) {
        const option *o = option_get(id);
        assert_non_null(o->key);
        assert_non_null(o->doc);
        assert_true(option_section_of(id) >= section); /* sections do not interleave */
        section = option_section_of(id);
        assert_true(o->preset || o->example);
        assert_true(!(o->preset && o->required));
        char *allowed = option_allowed(o, 1);
        assert_true(allowed && allowed[0]);
        free(allowed);
        if (id != OPT_OBSERVABLES)
            assert_int_equal(option_find(section, option_leaf(id)), id);
    }
    assert_int_equal(option_find(0, "nothing"), OPTION_COUNT);
    assert_int_equal(option_find_section(""), -1);
}

/* Fields of a problem do not overlap each other: every option but its own keeps its echo. */
static void options_are_independent(void **state)
{
    /* repetitions are given, as an accuracy leaves them open otherwise */
    static const char text[] = BASE "simulate: {repetitions: 20}\n";
    static const char *const sets[] = {
        "dynamics=sme",
        "delta=3.5",
        "eta=0.25",
        "lambda=0.125",
        "horizon=9.5",
        "model.students=1",
        "model.predict=r",
        "initial.q=2",
        "initial.m=0.5",
        "initial.rho=3",
        "numerics.accuracy=0.125",
        "numerics.paths=777",
        "numerics.replicas=9",
        "numerics.steps=11",
        "numerics.tolerance=0.001",
        "numerics.seed=99",
        "numerics.method=picard",
        "numerics.response=stein",
        "numerics.averages=sampled",
        "numerics.grading=2",
        "numerics.extrapolate=no",
        "numerics.passes=3",
        "output.times=13",
        "output.bins=7",
        "simulate.d=17",
        "simulate.batch=19",
        "simulate.repetitions=23",
        "simulate.entries=uniform",
    };
    sgdmft_context *ctx = new_context();
    sgdmft_problem *plain = accepted(ctx, text, NULL, 0);
    char *before = echo(ctx, plain);
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        sgdmft_problem *p = accepted(ctx, text, &sets[i], 1);
        char *after = echo(ctx, p), *save_a = NULL, *save_b = NULL;
        char *copy = strdup(before);
        int changed = 0;
        char *a = strtok_r(copy, "\n", &save_a), *b = strtok_r(after, "\n", &save_b);
        while (a && b) {
            if (i == 0 && (strncmp(a, "sampling:", 9) == 0 || strncmp(a, "batch_fraction:", 15) == 0)) {
                /* choices that sme does not leave */
                a = strtok_r(NULL, "\n", &save_a);
                continue;
            }
            if (strcmp(a, b) != 0) {
                changed++;
                if (i == 6) { /* an added line */
                    b = strtok_r(NULL, "\n", &save_b);
                    continue;
                }
            }
            a = strtok_r(NULL, "\n", &save_a);
            b = strtok_r(NULL, "\n", &save_b);
        }
        assert_true(!a && !b);
        /* numbers of a solve are given instead of the accuracy */
        int pins = strstr(sets[i], ".paths=") || strstr(sets[i], ".replicas=") || strstr(sets[i], ".steps=");
        assert_int_equal(changed, i == 5 ? 0 : pins ? 2 : 1);
        free(copy);
        free(after);
        sgdmft_problem_free(p);
    }
    free(before);
    sgdmft_problem_free(plain);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(values_survive),
        cmocka_unit_test(echo_is_complete),
        cmocka_unit_test(accuracy_is_asked),
        cmocka_unit_test(reference_holds),
        cmocka_unit_test(reference_examples_hold),
        cmocka_unit_test(table),
        cmocka_unit_test(options_are_independent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
