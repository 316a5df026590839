/* Problem files that are YAML but no problems: one text for every message. */
#include "support.h"

static void unknown_keys(void **state)
{
    static const refusal list[] = {
        {"detla: 3\n", SGDMFT_ERR_UNKNOWN_KEY, 1, 1, {"'detla'", "'delta'"}},
        {"Delta: 3\n", SGDMFT_ERR_UNKNOWN_KEY, 1, 1, {"'Delta'", "'delta'"}},
        {"observabels:\n  a: b\n", SGDMFT_ERR_UNKNOWN_KEY, 1, 1, {"'observabels'", "'observables'"}},
        {"delta: 1\nsteps: 3\n", SGDMFT_ERR_UNKNOWN_KEY, 2, 1, {"'steps'", "'numerics.steps'", "under 'numerics:'"}},
        {"setps: 3\n", SGDMFT_ERR_UNKNOWN_KEY, 1, 1, {"'numerics.steps'"}},
        {"numerics.steps: 4\n", SGDMFT_ERR_UNKNOWN_KEY, 1, 1, {"'numerics.steps'", "under 'numerics:'"}},
        {"numerics:\n  stpes: 4\n", SGDMFT_ERR_UNKNOWN_KEY, 2, 3, {"'numerics.stpes'", "'numerics.steps'"}},
        {"numerics:\n  delta: 4\n", SGDMFT_ERR_UNKNOWN_KEY, 2, 3, {"'numerics.delta'", "'delta' at the top level"}},
        {"numerics:\n  times: 4\n", SGDMFT_ERR_UNKNOWN_KEY, 2, 3, {"'numerics.times'", "'output.times'"}},
        {"output:\n  model:\n    label: s\n", SGDMFT_ERR_UNKNOWN_KEY, 2, 3, {"'model' at the top level"}},
        {"zzzzzzz: 1\n", SGDMFT_ERR_UNKNOWN_KEY, 1, 1, {"at the top level", "dynamics", "horizon", "simulate"}},
        {"model:\n  zzzzzzz: 1\n", SGDMFT_ERR_UNKNOWN_KEY, 2, 3, {"'model.zzzzzzz'", "students", "plugin"}},
        {"<<: 1\n", SGDMFT_ERR_UNKNOWN_KEY, 1, 1, {"'<<'"}},
        {"\"\": 1\n", SGDMFT_ERR_UNKNOWN_KEY, 1, 2, {"''"}},
        {"\"a\\x07\\e\": 1\n", SGDMFT_ERR_UNKNOWN_KEY, 1, 2, {"'a\\x07\\x1B'"}},
        {"q: 1\n", SGDMFT_ERR_UNKNOWN_KEY, 1, 1, {"'initial.q'"}},
        {"k: 1\n", SGDMFT_ERR_UNKNOWN_KEY, 1, 1, {"allowed: dynamics, sampling, batch_fraction, delta"}},
    };
    CHECK_REFUSALS(list);
}

static void repeated_keys(void **state)
{
    static const refusal list[] = {
        {BASE "delta: 3\n", SGDMFT_ERR_DUPLICATE_KEY, 6, 1, {"'delta'", "line 1, column 1"}},
        {BASE "  loss: s\n", SGDMFT_ERR_DUPLICATE_KEY, 6, 3, {"model: ", "'loss'", "line 5, column 3"}},
        {BASE "model:\n  students: 2\n", SGDMFT_ERR_DUPLICATE_KEY, 6, 1, {"'model'", "line 3"}},
        {"observables: {a: y, b: y, a: r}\n", SGDMFT_ERR_DUPLICATE_KEY, 1, 27, {"'a'", "line 1, column 15"}},
    };
    CHECK_REFUSALS(list);
}

static void wrong_kinds(void **state)
{
    static const refusal list[] = {
        {"model: 3\n", SGDMFT_ERR_TYPE, 1, 8, {"model: ", "section", "a single value"}},
        {"model: [a]\n", SGDMFT_ERR_TYPE, 1, 8, {"model: ", "a list"}},
        {"numerics: \"\"\n", SGDMFT_ERR_TYPE, 1, 12, {"numerics: ", "text between quotes"}},
        {"observables: [y*r]\n", SGDMFT_ERR_TYPE, 1, 14, {"observables: ", "a list"}},
        {"delta: [1]\n", SGDMFT_ERR_TYPE, 1, 8, {"delta: ", "number", "a list"}},
        {"delta: {a: 1}\n", SGDMFT_ERR_TYPE, 1, 8, {"delta: ", "a section"}},
        {"delta:\nhorizon: 2\n", SGDMFT_ERR_TYPE, 1, 7, {"delta: ", "nothing"}},
        {"delta: ~\n", SGDMFT_ERR_TYPE, 1, 8, {"nothing"}},
        {"delta: \"2\"\n", SGDMFT_ERR_TYPE, 1, 9, {"remove the quotes", "\"2\""}},
        {"dynamics: [sgd]\n", SGDMFT_ERR_TYPE, 1, 11, {"choice", "a list"}},
        {"eta: [1]\n", SGDMFT_ERR_TYPE, 1, 6, {"a number or an expression", "a list"}},
        {"eta:\n", SGDMFT_ERR_TYPE, 1, 5, {"eta: ", "nothing"}},
        {"penalty: [a, b]\n", SGDMFT_ERR_TYPE, 1, 10, {"penalty: ", "an expression", "a list"}},
        {"penalty: \" \"\n", SGDMFT_ERR_TYPE, 1, 11, {"penalty: ", "nothing"}},
        {"model: {loss: \"\"}\n", SGDMFT_ERR_TYPE, 1, 16, {"model.loss: ", "nothing"}},
        {"model: {loss: {a: b}}\n", SGDMFT_ERR_TYPE, 1, 15, {"model.loss: ", "a section", "double quotes"}},
        {"model: {label: [a, [b]]}\n", SGDMFT_ERR_TYPE, 1, 20, {"model.label: ", "a list"}},
        {"model: {label: [a, ~]}\n", SGDMFT_ERR_TYPE, 1, 20, {"model.label: ", "nothing"}},
        {"model: {plugin: [a]}\n", SGDMFT_ERR_TYPE, 1, 17, {"model.plugin: ", "a file name", "a list"}},
        {"observables: {a: }\n", SGDMFT_ERR_TYPE, 1, 18, {"observables.a: ", "nothing"}},
        {"observables: {a: [b]}\n", SGDMFT_ERR_TYPE, 1, 18, {"observables.a: ", "a list"}},
    };
    CHECK_REFUSALS(list);
}

static void wrong_numbers(void **state)
{
    static const refusal list[] = {
        {"delta: two\n", SGDMFT_ERR_TYPE, 1, 8, {"delta: ", "two is not a number", "number > 0"}},
        {"delta: 0x10\n", SGDMFT_ERR_TYPE, 1, 8, {"0x10 is not a number"}},
        {"delta: 2.0.0\n", SGDMFT_ERR_TYPE, 1, 8, {"2.0.0"}},
        {"delta: 1,5\n", SGDMFT_ERR_TYPE, 1, 8, {"1,5"}},
        {"delta: 1_000\n", SGDMFT_ERR_TYPE, 1, 8, {"1_000"}},
        {"delta: 1e\n", SGDMFT_ERR_TYPE, 1, 8, {"1e"}},
        {"delta: .nan\n", SGDMFT_ERR_RANGE, 1, 8, {"not a finite number"}},
        {"delta: -Infinity\n", SGDMFT_ERR_RANGE, 1, 8, {"not a finite number"}},
        {"delta: 1e999\n", SGDMFT_ERR_RANGE, 1, 8, {"1e999", "finite"}},
        {"delta: 0\n", SGDMFT_ERR_RANGE, 1, 8, {"value 0 is out of range", "> 0"}},
        {"delta: -1.5\n", SGDMFT_ERR_RANGE, 1, 8, {"-1.5"}},
        {"horizon: 0.0\n", SGDMFT_ERR_RANGE, 1, 10, {"horizon: ", "> 0"}},
        {"eta: -1\n", SGDMFT_ERR_RANGE, 1, 6, {"eta: ", "-1 is out of range", "expression in t"}},
        {"eta: \"0.0\"\n", SGDMFT_ERR_RANGE, 1, 7, {"eta: ", "> 0"}},
        {"eta: inf\n", SGDMFT_ERR_RANGE, 1, 6, {"eta: ", "finite"}},
        {"lambda: -1e-3\n", SGDMFT_ERR_RANGE, 1, 9, {"lambda: ", ">= 0"}},
        {"numerics: {tolerance: 0.02}\n", SGDMFT_ERR_RANGE, 1, 23, {"numerics.tolerance: ", "> 0 and <= 0.01"}},
        {"numerics: {tolerance: 0}\n", SGDMFT_ERR_RANGE, 1, 23, {"> 0 and <= 0.01"}},
        {"numerics: {grading: 0.99}\n", SGDMFT_ERR_RANGE, 1, 21, {"numerics.grading: ", ">= 1 and <= 16"}},
        {"numerics: {grading: 16.01}\n", SGDMFT_ERR_RANGE, 1, 21, {">= 1 and <= 16"}},
        {"model: {students: 1.5}\n", SGDMFT_ERR_TYPE, 1, 19, {"model.students: ", "fraction", "1 to 8"}},
        {"model: {students: two}\n", SGDMFT_ERR_TYPE, 1, 19, {"two is not an integer"}},
        {"model: {students: 0}\n", SGDMFT_ERR_RANGE, 1, 19, {"1 to 8"}},
        {"model: {students: -2}\n", SGDMFT_ERR_RANGE, 1, 19, {"-2 is out of range"}},
        {"model: {teachers: 9}\n", SGDMFT_ERR_RANGE, 1, 19, {"model.teachers: ", "1 to 8"}},
        {"numerics: {paths: 1e12}\n", SGDMFT_ERR_RANGE, 1, 19, {"numerics.paths: ", "64 to 1000000000"}},
        {"numerics: {paths: 63}\n", SGDMFT_ERR_RANGE, 1, 19, {"64 to 1000000000"}},
        {"numerics: {paths: inf}\n", SGDMFT_ERR_RANGE, 1, 19, {"finite"}},
        {"numerics: {replicas: 1}\n", SGDMFT_ERR_RANGE, 1, 22, {"numerics.replicas: ", "2 to 1024"}},
        {"numerics: {steps: 3}\n", SGDMFT_ERR_RANGE, 1, 19, {"numerics.steps: ", "4 to 100000"}},
        {"numerics: {passes: 0}\n", SGDMFT_ERR_RANGE, 1, 20, {"numerics.passes: ", "1 to 10000"}},
        {"numerics: {seed: 18446744073709551616}\n", SGDMFT_ERR_RANGE, 1, 18, {"too large", "18446744073709551615"}},
        {"numerics: {seed: 1e17}\n", SGDMFT_ERR_RANGE, 1, 18, {"exponent"}},
        {"output: {times: 1}\n", SGDMFT_ERR_RANGE, 1, 17, {"output.times: ", "2 to 100001"}},
        {"simulate: {d: 1}\n", SGDMFT_ERR_RANGE, 1, 15, {"simulate.d: ", "2 to"}},
        {"simulate: {batch: 0}\n", SGDMFT_ERR_RANGE, 1, 19, {"simulate.batch: ", "1 to"}},
        {"simulate: {repetitions: 1}\n", SGDMFT_ERR_RANGE, 1, 25, {"simulate.repetitions: ", "2 to"}},
    };
    CHECK_REFUSALS(list);
}

static void wrong_words(void **state)
{
    static const refusal list[] = {
        {"dynamics: sgdd\n",
         SGDMFT_ERR_RANGE,
         1,
         11,
         {"dynamics: ", "sgdd", "sgd, sme, gradient-flow, online", "did you mean 'sgd'?"}},
        {"dynamics: gradient_flow\n", SGDMFT_ERR_RANGE, 1, 11, {"did you mean 'gradient-flow'?"}},
        {"dynamics: adam\n", SGDMFT_ERR_RANGE, 1, 11, {"adam", "sgd, sme, gradient-flow, online"}},
        {"numerics: {method: marsh}\n", SGDMFT_ERR_RANGE, 1, 20, {"numerics.method: ", "march, picard", "'march'"}},
        {"simulate: {entries: normal}\n", SGDMFT_ERR_RANGE, 1, 21, {"gaussian, rademacher, uniform"}},
        {"numerics: {extrapolate: 2}\n", SGDMFT_ERR_TYPE, 1, 25, {"numerics.extrapolate: ", "true, false"}},
        {"numerics: {extrapolate: \"true\"}\n", SGDMFT_ERR_TYPE, 1, 26, {"remove the quotes"}},
    };
    CHECK_REFUSALS(list);
}

static void wrong_lists(void **state)
{
    static const refusal list[] = {
        {"model: {label: []}\n", SGDMFT_ERR_SHAPE, 1, 16, {"model.label: ", "0 expressions", "1 to 8"}},
        {"model: {label: [a,b,c,d,e,f,g,h,i]}\n", SGDMFT_ERR_SHAPE, 1, 16, {"9 expressions"}},
        {"model: {loss: [a, b]}\n", SGDMFT_ERR_SHAPE, 1, 15, {"model.loss: ", "one expression", "a list of 2"}},
        {"model: {loss: []}\n", SGDMFT_ERR_SHAPE, 1, 15, {"a list of 0"}},
        {"model: {label: [max(s1, 2)]}\n", SGDMFT_ERR_SYNTAX, 1, 17, {"model.label: ", "max(s1", "comma", "quotes"}},
        {"model: {loss: a)(}\n", SGDMFT_ERR_SYNTAX, 1, 15, {"parentheses"}},
    };
    CHECK_REFUSALS(list);
}

static void wrong_observables(void **state)
{
    static const refusal list[] = {
        {"observables: {1a: b}\n", SGDMFT_ERR_RANGE, 1, 15, {"'1a'", "starting with a letter"}},
        {"observables: {a-b: b}\n", SGDMFT_ERR_RANGE, 1, 15, {"'a-b'"}},
        {"observables: {\"\": b}\n", SGDMFT_ERR_RANGE, 1, 16, {"''"}},
        {"observables: {\"a,b\": b}\n", SGDMFT_ERR_RANGE, 1, 16, {"'a,b'"}},
        {"observables: {\xC3\xA9: b}\n", SGDMFT_ERR_RANGE, 1, 15, {"letters"}},
        {"observables: {loss: b}\n", SGDMFT_ERR_CONFLICT, 1, 15, {"'loss'", "train_loss"}},
        {"observables: {a_se: b}\n", SGDMFT_ERR_CONFLICT, 1, 15, {"'a_se'", "standard errors"}},
        {"observables:\n"
         "  a123456789012345678901234567890123456789012345678901234567890123456789: r\n",
         SGDMFT_ERR_RANGE,
         2,
         3,
         {"at most 64"}},
        {"observables:\n  a: (r\n  b: [r\n", SGDMFT_ERR_YAML, 3, 6, {"bracket"}},
    };
    CHECK_REFUSALS(list);
}

static void too_many_observables(void **state)
{
    sgdmft_context *ctx = new_context();
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    fputs(BASE "observables:\n", out);
    for (int i = 0; i < 257; i++)
        fprintf(out, "  name%d: y\n", i);
    fclose(out);
    const refusal one = {text, SGDMFT_ERR_RANGE, 263, 3, {"more than 256"}};
    check_refusal(ctx, &one, NULL, "case.yaml");
    free(text);
    sgdmft_context_free(ctx);
}

#define TWO TOP "model: {students: 2, teachers: 3, label: s1, loss: r1^2}\n"

static void wrong_matrices(void **state)
{
    static const refusal list[] = {
        {"initial: {q: [1]}\n", SGDMFT_ERR_SHAPE, 1, 15, {"initial.q: ", "in place of a row", "1 x 1", "[[a]]"}},
        {"initial: {q: [[1, 2]]}\n", SGDMFT_ERR_SHAPE, 1, 15, {"a row of 2 numbers", "1 x 1"}},
        {"initial: {q: [[1], [2]]}\n", SGDMFT_ERR_SHAPE, 1, 14, {"a list of 2 items"}},
        {"initial: {q: []}\n", SGDMFT_ERR_SHAPE, 1, 14, {"a list of 0 items"}},
        {"initial: {q: }\n", SGDMFT_ERR_TYPE, 1, 14, {"initial.q: ", "nothing"}},
        {"initial: {q: {a: 1}}\n", SGDMFT_ERR_SHAPE, 1, 14, {"a section"}},
        {"initial: {q: \"1\"}\n", SGDMFT_ERR_TYPE, 1, 15, {"a number", "text between quotes"}},
        {"initial: {q: [[a]]}\n", SGDMFT_ERR_TYPE, 1, 16, {"'a' is not a number"}},
        {"initial: {q: [[nan]]}\n", SGDMFT_ERR_RANGE, 1, 16, {"nan", "finite"}},
        {"initial: {q: [[1e200]]}\n", SGDMFT_ERR_RANGE, 1, 16, {"1e200", "1e100"}},
        {"initial: {q: [[[1]]]}\n", SGDMFT_ERR_TYPE, 1, 16, {"a number", "a list"}},
        {TWO "initial: {q: 1}\n",
         SGDMFT_ERR_SHAPE,
         4,
         14,
         {"a single value", "2 x 2", "model.students x model.students"}},
        {TWO "initial: {q: }\n", SGDMFT_ERR_SHAPE, 4, 14, {"nothing", "2 x 2"}},
        {TWO "initial: {m: [[1, 2, 3]]}\n", SGDMFT_ERR_SHAPE, 4, 14, {"initial.m: ", "a list of 1 item;", "2 x 3"}},
        {TWO "initial: {m: [[1, 2, 3], [1, 2]]}\n", SGDMFT_ERR_SHAPE, 4, 26, {"a row of 2 numbers", "2 x 3"}},
        {TWO "initial: {q: [[1, 0.3], [0.2, 1]]}\n",
         SGDMFT_ERR_RANGE,
         4,
         26,
         {"initial.q: ", "not symmetric", "(2,1) is 0.2", "(1,2) is 0.3"}},
        {TWO "initial: {rho: [[1, 0, 0], [0, 1, 0.5], [0, 0.5, 0.25]]}\n",
         SGDMFT_ERR_RANGE,
         4,
         16,
         {"initial.rho: ", "positive definite", "smallest eigenvalue", "dependent"}},
        {TWO "initial: {rho: [[1, 2, 0], [2, 1, 0], [0, 0, 1]]}\n", SGDMFT_ERR_RANGE, 4, 16, {"eigenvalue is -1;"}},
        {BASE "initial: {rho: 0}\n", SGDMFT_ERR_RANGE, 6, 16, {"initial.rho: ", "eigenvalue is 0;"}},
        {BASE "initial: {q: -1}\n", SGDMFT_ERR_RANGE, 6, 14, {"initial.q: ", "semi-definite", "eigenvalue is -1;"}},
        {BASE "initial: {q: 1, m: 1.5}\n",
         SGDMFT_ERR_RANGE,
         6,
         20,
         {"initial.m: ", "eigenvalue is -0.5;", "m^2 <= q rho"}},
        {TWO "initial: {m: [[1, 0, 0], [0, 0.8, 0.8]]}\n", SGDMFT_ERR_RANGE, 4, 14, {"eigenvalue is -0.131371"}},
    };
    CHECK_REFUSALS(list);
}

static void missing_keys(void **state)
{
    static const refusal list[] = {
        {"horizon: 3\n", SGDMFT_ERR_MISSING, 1, 1, {"delta: ", "required unless dynamics is online", "'delta: 2.0'"}},
        {"# x\n\ndelta: 3\n", SGDMFT_ERR_MISSING, 3, 1, {"horizon: ", "required", "'horizon: 5.0'"}},
        {TOP, SGDMFT_ERR_MISSING, 1, 1, {"model.label: ", "section 'model:'", "unless model.plugin"}},
        {TOP "model:\n  loss: r\n", SGDMFT_ERR_MISSING, 4, 3, {"model.label: ", "'label: \""}},
        {TOP "model:\n  label: s\n", SGDMFT_ERR_MISSING, 4, 3, {"model.loss: ", "'loss: \""}},
        {"dynamics: online\n" MODEL, SGDMFT_ERR_MISSING, 1, 1, {"horizon: "}},
    };
    CHECK_REFUSALS(list);
}

static void conflicts(void **state)
{
    static const refusal list[] = {
        {BASE "penalty: \"th1^4\"\nlambda: 0.25\n",
         SGDMFT_ERR_CONFLICT,
         6,
         11,
         {"penalty: ", "lambda (case.yaml:7:9)"}},
        {TOP "model:\n  plugin: ./a.so\n  label: s\n",
         SGDMFT_ERR_CONFLICT,
         4,
         11,
         {"model.plugin: ", "model.label (case.yaml:5:10)"}},
        {TOP "model:\n  plugin: ./a.so\n  predict: \"r\"\n",
         SGDMFT_ERR_CONFLICT,
         4,
         11,
         {"model.predict (case.yaml:5:13)"}},
        {TOP "model:\n  plugin: ./a.so\n  loss: r\n", SGDMFT_ERR_CONFLICT, 4, 11, {"model.loss (case.yaml:5:9)"}},
    };
    CHECK_REFUSALS(list);
}

/* Batches and momentum that do not go with the rest; BASE ends in line 5. */
static void batches_and_momentum(void **state)
{
    static const refusal list[] = {
        {BASE "sampling: cyclic\nbatch_fraction: 0.3\n",
         SGDMFT_ERR_CONFLICT,
         7,
         17,
         {"batch_fraction: ", "0.25", "0.333"}},
        {BASE "sampling: reshuffle\nbatch_fraction: 0.8\n",
         SGDMFT_ERR_CONFLICT,
         7,
         17,
         {"whole batches", "are 0.5 and 1"}},
        {BASE "dynamics: sme\nbatch_fraction: 0.5\n",
         SGDMFT_ERR_CONFLICT,
         7,
         17,
         {"dynamics: sme", "batch_fraction: 0"}},
        {BASE "sampling: cyclic\ndynamics: sme\n", SGDMFT_ERR_CONFLICT, 6, 11, {"cyclic", "no choice"}},
        {BASE "batch_fraction: 1.5\n", SGDMFT_ERR_RANGE, 6, 17, {"1.5", "<= 1"}},
        {"delta: 1\nhorizon: 0.4\n" MODEL "batch_fraction: 0.5\n",
         SGDMFT_ERR_CONFLICT,
         6,
         17,
         {"beyond horizon", "0.5 or more"}},
        {"delta: 1\nhorizon: 1e5\n" MODEL "batch_fraction: 0.01\n",
         SGDMFT_ERR_CONFLICT,
         6,
         17,
         {"1e+07 steps", "100000 or fewer"}},
        {BASE "momentum: {beta: 0.9}\n",
         SGDMFT_ERR_CONFLICT,
         6,
         18,
         {"momentum.beta: ", "1/(1 - beta) = 10", "batch_fraction > 0"}},
        {BASE "batch_fraction: 0.5\nmomentum: {rate: 2}\n",
         SGDMFT_ERR_CONFLICT,
         7,
         18,
         {"momentum.rate: ", "momentum.beta"}},
        {BASE "dynamics: online\nmomentum: {rate: 2}\n",
         SGDMFT_ERR_CONFLICT,
         7,
         18,
         {"momentum.rate: ", "dynamics: online"}},
        {BASE "batch_fraction: 0.5\nmomentum: {beta: 1}\n", SGDMFT_ERR_RANGE, 7, 18, {"momentum.beta: ", "< 1"}},
        {BASE "momentum: 0.9\n", SGDMFT_ERR_TYPE, 6, 11, {"momentum: ", "section"}},
        {BASE "momentum: {gamma: 1}\n", SGDMFT_ERR_UNKNOWN_KEY, 6, 12, {"momentum.gamma", "rate, beta"}},
    };
    CHECK_REFUSALS(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_keys),      cmocka_unit_test(repeated_keys),
        cmocka_unit_test(wrong_kinds),       cmocka_unit_test(wrong_numbers),
        cmocka_unit_test(wrong_words),       cmocka_unit_test(wrong_lists),
        cmocka_unit_test(wrong_observables), cmocka_unit_test(too_many_observables),
        cmocka_unit_test(wrong_matrices),    cmocka_unit_test(missing_keys),
        cmocka_unit_test(conflicts),         cmocka_unit_test(batches_and_momentum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
