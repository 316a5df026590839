/* Rows, runs and reports of validations: verdicts, problems that cannot be run, files. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "problem/problem.h"
#include "support/check.h"
#include "validation/claims/claim.h"
#include "validation/claims/report.h"

static const run_sizes tiny = {
    .paths = 400, .replicas = 4, .steps = 10, .d = 60, .repetitions = 8, .small_repetitions = 4};

typedef struct bench {
    sgdmft_context *ctx;
    runs all;
    claim c;
} bench;

static void nothing(claim *c)
{
}

static const claim_spec spec = {.name = "test", .title = "A <test>", .text = "a & b", .check = nothing};

static void bench_open(bench *b)
{
    b->ctx = check_context(1);
    runs_init(b->ctx, &tiny, &b->all);
    b->c = (claim){.spec = &spec, .runs = &b->all};
}

static void bench_close(bench *b)
{
    claim_clear(&b->c);
    runs_clear(&b->all);
    sgdmft_context_free(b->ctx);
}

static void test_verdicts(void **state)
{
    assert_int_equal(verdict_of(1, 0, 1), VERDICT_HOLDS);
    assert_int_equal(verdict_of(1.001, 0, 1), VERDICT_FAILS);
    assert_int_equal(verdict_of(-0.001, 0, 1), VERDICT_FAILS);
    assert_int_equal(verdict_of(7, 5, INFINITY), VERDICT_HOLDS);
    assert_int_equal(verdict_of(-7, -INFINITY, -5), VERDICT_HOLDS);
    assert_int_equal(verdict_of(INFINITY, 0, 4), VERDICT_FAILS);
    assert_int_equal(verdict_of(NAN, -INFINITY, INFINITY), VERDICT_FAILS);
}

/* The same run is made only once; other changes and other kinds make other runs. Labels show the changes. */
static void test_runs_are_shared(void **state)
{
    bench b;
    bench_open(&b);
    const run *a = runs_solve(&b.all, "linear", "numerics.method=linear");
    assert_non_null(a->solution);
    assert_string_equal(a->label, "linear, numerics.method=linear");
    assert_ptr_equal(runs_solve(&b.all, "linear", "numerics.method=%s", "linear"), a);
    const run *finite = runs_simulate(&b.all, "linear", "eta=%g", 0.5);
    assert_non_null(finite->solution);
    assert_true(finite->solution->info.simulated);
    assert_int_equal(finite->problem->simulate.d, tiny.d);
    const run *other = runs_simulate(&b.all, "linear", "eta=0.6");
    assert_true(other != finite && other->problem->numerics.seed != finite->problem->numerics.seed);
    assert_int_equal(b.all.n, 3);
    bench_close(&b);
}

static void test_failed_runs(void **state)
{
    bench b;
    bench_open(&b);
    const run *refused = runs_solve(&b.all, "tanh_gf", "numerics.method=linear");
    const run *lost = runs_solve(&b.all, "linear", "eta=-1");
    const run *unknown = runs_solve(&b.all, "no_such_problem", "%s", "");
    assert_null(refused->solution);
    assert_int_equal(refused->status, SGDMFT_ERR_UNSUPPORTED);
    assert_true(run_is_unsupported(refused));
    assert_false(run_is_unsupported(lost));
    assert_non_null(strstr(unknown->message, "no_such_problem"));
    assert_false(claim_have(&b.c, "p", "s", (const run *const[]){refused, NULL}));
    assert_false(claim_have(&b.c, "p", "s", (const run *const[]){lost, refused, NULL}));
    assert_int_equal(b.c.n_rows, 2);
    assert_int_equal(b.c.rows[0].verdict, VERDICT_NOT_RUN);
    assert_int_equal(b.c.rows[1].verdict, VERDICT_FAILS);
    assert_string_equal(b.c.rows[1].detail, lost->message);
    assert_int_equal(claim_count(&b.c, VERDICT_NOT_RUN), 1);
    bench_close(&b);
}

static int stop(void *user, double fraction, double t)
{
    return 1;
}

static void check_two(claim *c)
{
    claim_row_agree(c, "p", "s", runs_simulate(c->runs, "linear", "%s", ""),
                    runs_simulate(c->runs, "linear", "eta=0.5"), NULL, CLAIM_SIGMA);
}

/* An interrupt is no evidence against a claim: there is no row, and nothing more is run. */
static void test_interrupt(void **state)
{
    static const claim_spec two = {.name = "two", .title = "", .text = "", .check = check_two};
    bench b;
    bench_open(&b);
    sgdmft_context_set_progress(b.ctx, stop, NULL);
    assert_int_equal(claim_check(&two, &b.all, &b.c), SGDMFT_ERR_INTERRUPTED);
    assert_int_equal(b.c.n_rows, 0);
    assert_int_equal(b.all.n, 1);
    bench_close(&b);
}

/* Curves that differ fail, and so do curves whose error bars would hide a difference. */
static void test_agreement(void **state)
{
    bench b;
    bench_open(&b);
    const run *exact = runs_solve(&b.all, "linear", "numerics.method=linear");
    const run *other = runs_solve(&b.all, "linear", "numerics.method=linear eta=1.1");
    const run *coarse = runs_simulate(&b.all, "linear", "%s", "");
    claim_row_agree(&b.c, "p", "s", exact, exact, NULL, CLAIM_SIGMA);
    claim_row_agree(&b.c, "p", "s", exact, other, NULL, CLAIM_SIGMA);
    claim_row_agree(&b.c, "p", "s", coarse, exact, NULL, CLAIM_SIGMA);
    assert_int_equal(b.c.rows[0].verdict, VERDICT_HOLDS);
    assert_int_equal(b.c.rows[1].verdict, VERDICT_FAILS);
    assert_true(b.c.rows[2].value < CLAIM_SIGMA);
    assert_int_equal(b.c.rows[2].verdict, VERDICT_FAILS);
    assert_non_null(strstr(b.c.rows[2].detail, "too wide"));
    bench_close(&b);
}

static void test_reports(void **state)
{
    bench b;
    bench_open(&b);
    static const double x[2] = {1, 2}, y[2] = {3, 4}, se[2] = {0.1, 0};
    claim_row_value(&b.c, "p, \"q\"", "s < 1", 0.5, 0, 1, "%d things & more", 3);
    claim_row_value(&b.c, "p", "s", 2, 0, 1, "%s", "too much");
    claim_add_series(&b.c, claim_add_panel(&b.c, "title", "$x$", "$y$", 1, 0), "label", SERIES_POINTS, 2, 2, x, y, se);
    char *table = report_table(&b.c, 1), *series = report_series(&b.c);
    char *page = report_page(&b.c, 1, &(int){1}, "heading");
    assert_string_equal(table, "claim,problem,statistic,value,low,high,verdict,detail\n"
                               "test,\"p, \"\"q\"\"\",\"s < 1\",0.5,0,1,holds,\"3 things & more\"\n"
                               "test,\"p\",\"s\",2,0,1,FAILS,\"too much\"\n");
    assert_string_equal(series, "# claim: test: A <test>\n# panel: 0|title|$x$|$y$|log|linear\n"
                                "# series: 0|0|points|2|label\nseries,x,y,y_se\n0,1,3,0.1\n0,2,4,0\n");
    static const char *const parts[] = {
        "A &lt;test&gt;",   "a &amp; b",         "s &lt; 1",       "3 things &amp; more",
        "src=\"test.svg\"", "href=\"test.csv\"", "href=\"#test\"", "FAILS"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        assert_non_null(strstr(page, parts[i]));
    free(table);
    free(series);
    free(page);
    bench_close(&b);
}

/* Every file in the program can be read. */
static void test_embedded_files(void **state)
{
    bench b;
    bench_open(&b);
    int problems = 0, references = 0;
    for (const embedded_file *f = embedded_files; f->name; f++) {
        char *name = strndup(f->name, strcspn(f->name, "."));
        if (strstr(f->name, ".csv")) {
            const run *r = runs_reference(&b.all, name);
            assert_non_null(r->solution);
            assert_true(r->solution->n_curves >= 4 && r->solution->times[0] == 0);
            assert_non_null(sgdmft_solution_curve(r->solution, "train_loss"));
            references++;
        } else {
            sgdmft_problem *problem = NULL;
            check_ok(b.ctx, sgdmft_problem_parse(b.ctx, f->name, f->text, NULL, 0, &problem));
            sgdmft_problem_free(problem);
            problems++;
        }
        free(name);
    }
    assert_int_equal(problems, 16);
    assert_int_equal(references, 15);
    assert_null(embedded_text("tanh_sgd", ".yaml"));
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),       cmocka_unit_test(test_runs_are_shared),
        cmocka_unit_test(test_failed_runs),    cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_agreement),      cmocka_unit_test(test_reports),
        cmocka_unit_test(test_embedded_files),
    };
    return cmocka_run_group_tests_name("claim", tests, NULL, NULL);
}
