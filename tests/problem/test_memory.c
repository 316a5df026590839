/* Every allocation of the problem module fails once: the call returns "out of memory", leaks nothing and leaves a
   context that still works. The linker sends the library's allocations through tests/support/failing_memory.h. */
#include "support.h"

#include "model/initial.h"
#include "problem/reference.h"
#include "../support/failing_job.h"

WRAP(char *, strndup, (const char *text, size_t n), (text, n), NULL)
WRAP(FILE *, open_memstream, (char **text, size_t *size), (text, size), NULL)

static sgdmft_status parse(sgdmft_context *ctx, const char *text, const char *const *sets, size_t n_sets)
{
    sgdmft_problem *p = NULL;
    sgdmft_status status = sgdmft_problem_parse(ctx, "case.yaml", text, sets, n_sets, &p);
    if ((status == SGDMFT_OK) != (p != NULL))
        abort();
    sgdmft_problem_free(p);
    return status;
}

static sgdmft_status parse_all(sgdmft_context *ctx)
{
    static const char *const sets[] = {"delta=2.5", "observables.c=r", "observables.a=null", "model.predict=[r, r^2]"};
    return parse(ctx,
                 BASE "penalty: \"th1\"\nobservables: {a: y, b: r}\ninitial: {q: [[2]], m: 0.1, rho: 1.5}\n"
                      "numerics: {method: picard, paths: 100, extrapolate: no}\n"
                      "output: {histograms: [0, 1]}\n",
                 sets, 4);
}

static sgdmft_status parse_law(sgdmft_context *ctx)
{
    return parse(ctx, BASE "initial: {teacher: 1, student: 'ths/2'}\n", NULL, 0); /* constants: quick */
}

static const char samples_name[] = "test_memory_samples.csv";

static sgdmft_status parse_samples(sgdmft_context *ctx)
{
    return parse(ctx, BASE "initial: {samples: test_memory_samples.csv}\n", NULL, 0);
}

static sgdmft_status parse_bad_law(sgdmft_context *ctx)
{
    return parse(ctx, BASE "initial: {teacher: 'log(-1)'}\n", NULL, 0);
}

static sgdmft_status parse_plugin(sgdmft_context *ctx)
{
    return parse(ctx, TOP "model: {plugin: ./x.so, students: 2}\n", NULL, 0);
}

static sgdmft_status parse_unknown(sgdmft_context *ctx)
{
    return parse(ctx, BASE "zzzzzzz: 1\n", NULL, 0);
}

static sgdmft_status parse_misspelt(sgdmft_context *ctx)
{
    return parse(ctx, BASE "dynamics: sgdd\n", NULL, 0);
}

static sgdmft_status parse_out_of_range(sgdmft_context *ctx)
{
    return parse(ctx, BASE "lambda: -1\n", NULL, 0);
}

static sgdmft_status parse_broken(sgdmft_context *ctx)
{
    return parse(ctx, BASE "lambda: [1, 2\n", NULL, 0);
}

static sgdmft_status write_all(sgdmft_context *ctx)
{
    long n = countdown;
    countdown = -1;
    sgdmft_problem *p = NULL;
    if (sgdmft_problem_parse(ctx, "case.yaml", BASE "observables: {a: y}\n", NULL, 0, &p) != SGDMFT_OK)
        abort();
    countdown = n;
    char *text = NULL, *reference = NULL, *page = NULL;
    initial_law law = {.k = 0};
    sgdmft_status status = sgdmft_problem_to_yaml(ctx, p, &text);
    if (status == SGDMFT_OK)
        status = sgdmft_problem_reference(ctx, &reference);
    if (status == SGDMFT_OK)
        status = reference_markdown(ctx, &page);
    if (status == SGDMFT_OK)
        status = initial_law_init(ctx, p, &law);
    free(text);
    free(reference);
    free(page);
    sgdmft_problem_free(p);
    return status;
}

static int ignore_label(void *user, size_t n, const double *s, const double *eps, double *y)
{
    return 0;
}

static int ignore_loss(void *user, size_t n, const double *t, const double *r, const double *y, double *loss, double *g,
                       double *G)
{
    return 0;
}

static sgdmft_status build(sgdmft_context *ctx)
{
    static const sgdmft_model table = {.abi = SGDMFT_MODEL_ABI, .name = "none", .students = 1, .teachers = 1, .labels = 1,
                                       .label = ignore_label, .loss = ignore_loss};
    sgdmft_problem *p = NULL;
    char *value = NULL;
    sgdmft_status status = sgdmft_problem_new(ctx, &p);
    if (status == SGDMFT_OK)
        status = sgdmft_problem_set(ctx, p, "horizon", "2");
    if (status == SGDMFT_OK)
        status = sgdmft_problem_set(ctx, p, "delta", "2");
    if (status == SGDMFT_OK)
        status = sgdmft_problem_set(ctx, p, "observables.a", "y");
    if (status == SGDMFT_OK)
        status = sgdmft_problem_set(ctx, p, "initial.q", "[[1]]");
    if (status == SGDMFT_OK)
        status = sgdmft_problem_set_model(ctx, p, &table);
    if (status == SGDMFT_OK)
        status = sgdmft_problem_get(ctx, p, "observables.a", &value);
    free(value);
    sgdmft_problem_free(p);
    return status;
}

static void building(void **state)
{
    fail_each(build, SGDMFT_OK);
}

static void reading(void **state)
{
    fail_each(parse_all, SGDMFT_OK);
    fail_each(parse_plugin, SGDMFT_OK);
    fail_each(parse_law, SGDMFT_OK);
    FILE *out = fopen(samples_name, "w");
    assert_non_null(out);
    fputs("th,ths\n1,2\n", out);
    assert_int_equal(fclose(out), 0);
    fail_each(parse_samples, SGDMFT_OK);
    remove(samples_name);
}

static void refusing(void **state)
{
    fail_each(parse_unknown, SGDMFT_ERR_UNKNOWN_KEY);
    fail_each(parse_misspelt, SGDMFT_ERR_RANGE);
    fail_each(parse_out_of_range, SGDMFT_ERR_RANGE);
    fail_each(parse_broken, SGDMFT_ERR_YAML);
    fail_each(parse_bad_law, SGDMFT_ERR_RANGE);
}

static void writing(void **state)
{
    fail_each(write_all, SGDMFT_OK);
}

int main(void)
{
    countdown = -1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(building),
        cmocka_unit_test(reading),
        cmocka_unit_test(refusing),
        cmocka_unit_test(writing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
