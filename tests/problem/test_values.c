/* Accepted problem files: defaults, values, origins of texts; and reading from disk. */
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

static void defaults(void **state)
{
    sgdmft_context *ctx = new_context();
    sgdmft_problem *p = accepted(ctx, BASE, NULL, 0);
    assert_string_equal(p->source, "case.yaml");
    assert_string_equal(p->process->dynamics, "sgd");
    assert_string_equal(p->process->sampling, "replacement");
    assert_true(p->delta == 1.7 && p->horizon == 3.25 && p->lambda == 0);
    assert_string_equal(p->eta.text, "1.0");
    assert_int_equal(p->eta.where.line, 0);
    assert_null(p->penalty.text);
    assert_int_equal(p->model.students, 1);
    assert_int_equal(p->model.teachers, 1);
    assert_int_equal(p->model.label.n, 1);
    assert_int_equal(p->model.predict.n, 0);
    assert_int_equal(p->model.loss.n, 1);
    assert_null(p->model.plugin);
    assert_true(p->initial.q[0] == 1 && p->initial.m[0] == 0 && p->initial.rho[0] == 1);
    assert_int_equal(p->observables.n, 0);
    assert_true(p->numerics.paths == 20000 && p->numerics.seed == 1 && p->numerics.tolerance == 1e-8);
    assert_int_equal(p->numerics.replicas, 16);
    assert_int_equal(p->numerics.steps, 100);
    assert_int_equal(p->numerics.method, METHOD_MARCH);
    assert_true(p->numerics.grading == 1.5);
    assert_int_equal(p->numerics.extrapolate, 1);
    assert_int_equal(p->numerics.passes_max, 50);
    assert_int_equal(p->output.times, 51);
    assert_int_equal(p->simulate.d, 2000);
    assert_true(p->simulate.batch == 1);
    assert_int_equal(p->simulate.repetitions, 20);
    assert_int_equal(p->simulate.entries, ENTRIES_GAUSSIAN);
    assert_true(p->simulate.step == 0.02);
    sgdmft_problem_free(p);
    sgdmft_context_free(ctx);
}

static void everything_given(void **state)
{
    static const char text[] =
        "dynamics: gradient-flow\ndelta: 0.37\neta: \"0.7/(1+t)\"\nlambda: 1.25e-2\nhorizon: +4.75\n"
        "model: {students: 2, teachers: 3, label: [s1, \"s2*s3\"], predict: [r1, r2], loss: (f1-y1)^2+(f2-y2)^2}\n"
        "initial:\n  q: [[1.3, 0.2], [0.2, 0.9]]\n  m: [[0.1, 0.2, 0.3], [-0.1, 0, 0.05]]\n"
        "  rho: [[1, 0.25, 0], [0.25, 1.5, 0], [0, 0, 2]]\n"
        "observables: {a: y1, B_2: r2}\n"
        "numerics: {paths: 1.0e5, replicas: 3, steps: 17, tolerance: 3e-7, seed: 12345678901234567890,\n"
        "  method: picard, grading: 2.5, extrapolate: off, passes: 7}\n"
        "output: {times: 12}\nsimulate: {d: 321, batch: 4e9, repetitions: 5, entries: uniform, step: 0.0625}\n";
    static const double q[] = {1.3, 0.2, 0.2, 0.9}, m[] = {0.1, 0.2, 0.3, -0.1, 0, 0.05};
    static const double rho[] = {1, 0.25, 0, 0.25, 1.5, 0, 0, 0, 2};
    sgdmft_context *ctx = new_context();
    sgdmft_problem *p = accepted(ctx, text, NULL, 0);
    assert_string_equal(p->process->dynamics, "gradient-flow");
    assert_null(p->process->sampling);
    assert_true(p->delta == 0.37 && p->lambda == 0.0125 && p->horizon == 4.75);
    assert_string_equal(p->eta.text, "0.7/(1+t)");
    assert_int_equal(p->model.students, 2);
    assert_int_equal(p->model.teachers, 3);
    assert_string_equal(p->model.label.item[1].text, "s2*s3");
    assert_memory_equal(p->initial.q, q, sizeof q);
    assert_memory_equal(p->initial.m, m, sizeof m);
    assert_memory_equal(p->initial.rho, rho, sizeof rho);
    assert_string_equal(p->observables.item[1].name, "B_2");
    assert_string_equal(p->observables.item[1].where.key, "observables.B_2");
    assert_true(p->numerics.paths == 100000 && p->numerics.seed == 12345678901234567890u);
    assert_true(p->numerics.tolerance == 3e-7 && p->numerics.grading == 2.5);
    assert_int_equal(p->numerics.replicas, 3);
    assert_int_equal(p->numerics.steps, 17);
    assert_int_equal(p->numerics.method, METHOD_PICARD);
    assert_int_equal(p->numerics.extrapolate, 0);
    assert_int_equal(p->numerics.passes_max, 7);
    assert_int_equal(p->output.times, 12);
    assert_int_equal(p->simulate.d, 321);
    assert_true(p->simulate.batch == 4000000000);
    assert_int_equal(p->simulate.repetitions, 5);
    assert_int_equal(p->simulate.entries, ENTRIES_UNIFORM);
    assert_true(p->simulate.step == 0.0625);
    sgdmft_problem_free(p);
    sgdmft_context_free(ctx);
}

static void assert_where(const problem_text *text, const char *key, int line, int column)
{
    assert_string_equal(text->where.source, "case.yaml");
    assert_string_equal(text->where.key, key);
    assert_int_equal(text->where.line, line);
    assert_int_equal(text->where.column, column);
}

static void origins(void **state)
{
    sgdmft_context *ctx = new_context();
    sgdmft_problem *p = accepted(ctx,
                                 "delta: 1.7\nhorizon: 3.25\neta:   1/(1+t)\npenalty: 'th1^4'\nmodel:\n"
                                 "  label: [\"s\", eps]\n  predict:\n    - \"tanh(r)\"\n  loss: |\n"
                                 "    (f - y1)^2\n    + r^2\nobservables:\n  margin: \"y1*r\"\n",
                                 NULL, 0);
    assert_where(&p->eta, "eta", 3, 8);
    assert_where(&p->penalty, "penalty", 4, 11);
    assert_where(&p->model.label.item[0], "model.label", 6, 12);
    assert_where(&p->model.label.item[1], "model.label", 6, 16);
    assert_where(&p->model.predict.item[0], "model.predict", 8, 8);
    assert_where(&p->model.loss.item[0], "model.loss", 10, 5);
    assert_where(&p->observables.item[0], "observables.margin", 13, 12);
    assert_string_equal(p->model.loss.item[0].text, "(f - y1)^2\n+ r^2");
    sgdmft_problem_free(p);
    p = accepted(ctx, TOP "model:\n  plugin: \"./m.so\"\n", NULL, 0);
    assert_string_equal(p->model.plugin, "./m.so");
    assert_int_equal(p->model.plugin_where.line, 4);
    assert_int_equal(p->model.plugin_where.column, 12);
    sgdmft_problem_free(p);
    sgdmft_context_free(ctx);
}

/* Things that are a little unusual and yet mean something. */
static void lenient(void **state)
{
    static const char *const texts[] = {
        "\xEF\xBB\xBF" BASE,
        "---\n" BASE "...\n",
        "delta: 1.7\r\nhorizon: 3.25\r\nmodel:\r\n  label: s\r\n  loss: r\r\n",
        BASE "numerics:\nobservables: ~\noutput: {}\n",
        BASE "penalty: \"th1^4\"\nlambda: 0.0\n",
        BASE "eta: 0\n  .5 # folded, hence an expression\n",
        BASE "initial: {q: 0, m: 0}\n",
        BASE "initial: {q: 1, m: 1, rho: 1}\n",
        BASE "initial: {q: 0.25, m: -0.5, rho: [[1]]}\n",
        BASE "\"eta\": .5\n",
        BASE "dynamics: \"sme\"\n",
        BASE "numerics: {extrapolate: YES, paths: +64, seed: 0, tolerance: 1e-2}\n",
        BASE "initial: {q: 1.0e+50, rho: 1e-50}\n",
    };
    sgdmft_context *ctx = new_context();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        sgdmft_problem_free(accepted(ctx, texts[i], NULL, 0));
    sgdmft_context_free(ctx);
}

static void count_line(void *user, sgdmft_log_level level, const char *line)
{
    int *count = user;
    assert_int_equal(level, SGDMFT_LOG_WARNING);
    assert_non_null(strstr(line, "case.yaml:1:8: delta: not used"));
    ++*count;
}

static void online(void **state)
{
    int warnings = 0;
    sgdmft_context *ctx = new_context();
    sgdmft_context_set_logger(ctx, count_line, &warnings);
    sgdmft_problem *p = accepted(ctx, "dynamics: online\nhorizon: 2\n" MODEL, NULL, 0);
    assert_true(isinf(p->delta) && p->delta > 0);
    assert_int_equal(warnings, 0);
    sgdmft_problem_free(p);
    p = accepted(ctx, BASE "dynamics: online\n", NULL, 0);
    assert_true(p->delta == 1.7);
    assert_int_equal(warnings, 1);
    sgdmft_problem_free(p);
    sgdmft_context_free(ctx);
}

/* Entries that differ by rounding are taken as equal, and are exactly equal afterwards. */
static void nearly_symmetric(void **state)
{
    sgdmft_context *ctx = new_context();
    sgdmft_problem *p = accepted(ctx,
                                 TOP "model: {students: 2, label: s, loss: r1}\n"
                                     "initial: {q: [[1, 0.30000000000000004], [0.3, 1]]}\n",
                                 NULL, 0);
    assert_true(p->initial.q[1] == p->initial.q[2]);
    assert_true(fabs(p->initial.q[1] - 0.3) < 1e-15);
    sgdmft_problem_free(p);
    sgdmft_context_free(ctx);
}

static void write_file(const char *path, const char *text, size_t size)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_true(fwrite(text, 1, size, out) == size);
    assert_int_equal(fclose(out), 0);
}

static void expect_io(sgdmft_context *ctx, const char *path, sgdmft_status status, const char *part)
{
    sgdmft_problem *p = (sgdmft_problem *)(void *)ctx;
    assert_int_equal(sgdmft_problem_read(ctx, path, NULL, 0, &p), status);
    assert_null(p);
    assert_non_null(strstr(sgdmft_context_message(ctx), path));
    assert_non_null(strstr(sgdmft_context_message(ctx), part));
}

static void files(void **state)
{
    char folder[] = "problem-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char *path = NULL;
    assert_true(asprintf(&path, "%s/p.yaml", folder) > 0);
    sgdmft_context *ctx = new_context();
    expect_io(ctx, path, SGDMFT_ERR_IO, "No such file");
    expect_io(ctx, folder, SGDMFT_ERR_IO, "is a directory");
    write_file(path, BASE, sizeof BASE - 1);
    sgdmft_problem *p = NULL;
    assert_int_equal(sgdmft_problem_read(ctx, path, NULL, 0, &p), SGDMFT_OK);
    assert_string_equal(p->source, path);
    sgdmft_problem_free(p);
    write_file(path, "delta: 2\0\n", 10);
    expect_io(ctx, path, SGDMFT_ERR_YAML, ":1:9: ");
    write_file(path, "", 0);
    expect_io(ctx, path, SGDMFT_ERR_YAML, "no settings");
    size_t size = (1 << 20) + 1;
    char *large = malloc(size);
    assert_non_null(large);
    memset(large, '\n', size);
    write_file(path, large, size);
    expect_io(ctx, path, SGDMFT_ERR_IO, "larger than 1 MiB");
    write_file(path, large, size - 1);
    expect_io(ctx, path, SGDMFT_ERR_YAML, "no settings");
    free(large);
    unlink(path);
    rmdir(folder);
    free(path);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults), cmocka_unit_test(everything_given), cmocka_unit_test(origins),
        cmocka_unit_test(lenient),  cmocka_unit_test(online),           cmocka_unit_test(nearly_symmetric),
        cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
