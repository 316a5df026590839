/* What is wrong with a solution: it ends before impossible values, and observables that are not finite are named. */
#include <math.h>
#include <string.h>

#include "columns/solution.h"
#include "solvers/common/audit.h"
#include "support/check.h"

enum { TIMES = 5, NODES = 9 };

static const char yaml[] = "delta: 1\nhorizon: 4\nmodel: {label: tanh(s), predict: r, loss: (f - y)^2/2}\n"
                           "observables: {good: y*r, bad: 1 + log(r)}\n";

typedef struct case_of {
    sgdmft_context *ctx;
    sgdmft_problem *problem;
    sgdmft_solution *s;
} case_of;

/* A plausible solution at t = 0, 1, ..., 4: losses, q11, m11, observables, no response. */
static case_of make(void)
{
    static const char *const names[] = {"good", "bad"};
    case_of c = {.ctx = check_context(1)};
    solution_shape shape = {
        .k = 1, .kstar = 1, .n_times = TIMES, .n_grid = NODES, .n_observables = 2, .observables = names};
    check_ok(c.ctx, sgdmft_problem_parse(c.ctx, "audit.yaml", yaml, NULL, 0, &c.problem));
    check_ok(c.ctx, solution_new(c.ctx, &shape, &c.s));
    for (int i = 0; i < TIMES; i++) {
        c.s->times[i] = i;
        for (int curve = 0; curve < 8; curve++)
            c.s->curves[curve].value[i] = 0.5;
    }
    for (int i = 0; i < NODES; i++)
        c.s->t[i] = 0.5 * i;
    return c;
}

static void done(case_of *c)
{
    sgdmft_solution_free(c->s);
    sgdmft_problem_free(c->problem);
    sgdmft_context_free(c->ctx);
}

static void nothing_is_wrong(void **state)
{
    case_of c = make();
    c.s->curves[2].value[3] = -0.01; /* its error bar explains it */
    c.s->curves[2].se[3] = 0.01;
    c.s->curves[3].value[3] = 0.02;
    check_ok(c.ctx, solution_audit(c.ctx, c.problem, c.s));
    assert_true(c.s->status == SGDMFT_OK && c.s->n_times == TIMES && c.s->n_grid == NODES);
    done(&c);
}

static void check_cut(int curve, double value, const char *part)
{
    case_of c = make();
    c.s->curves[curve].value[3] = value;
    check_ok(c.ctx, solution_audit(c.ctx, c.problem, c.s));
    assert_int_equal(c.s->status, SGDMFT_ERR_NO_CONVERGENCE);
    assert_int_equal(c.s->n_times, 3);
    assert_int_equal(c.s->n_grid, 5); /* t = 0, 0.5, ..., 2 */
    if (!strstr(c.s->message, part) || !strstr(c.s->message, "ends at t = 2;"))
        fail_msg("%s", c.s->message);
    done(&c);
}

static void impossible_values(void **state)
{
    check_cut(0, -1e-6, "train_loss would be -1e-06");
    check_cut(1, -20, "test_loss would be -20");
    check_cut(1, (double)NAN, "test_loss would be");
    check_cut(2, -21681, "q11 would be -2.168e+04");
    check_cut(3, -0.8, "m11 would be -0.8"); /* sqrt(0.5) = 0.707 */
}

/* A status that is there already keeps its word, and its message goes on. */
static void earlier_status(void **state)
{
    case_of c = make();
    c.s->curves[2].value[1] = -1;
    check_ok(c.ctx, solution_set_status(c.ctx, c.s, SGDMFT_ERR_DIVERGED, "it diverges"));
    check_ok(c.ctx, solution_audit(c.ctx, c.problem, c.s));
    assert_true(c.s->status == SGDMFT_ERR_DIVERGED && c.s->n_times == 1);
    assert_true(strstr(c.s->message, "it diverges; the solution breaks down before t = 1") == c.s->message);
    done(&c);
}

static void observables(void **state)
{
    case_of c = make();
    for (int i = 2; i < TIMES; i++)
        c.s->curves[6].value[i] = (double)NAN; /* train_bad */
    check_ok(c.ctx, solution_audit(c.ctx, c.problem, c.s));
    assert_true(c.s->status == SGDMFT_ERR_NON_FINITE && c.s->n_times == TIMES);
    static const char *const parts[] = {
        "observables.bad: \"1 + log(r)\"", "training average", "from t = 2", "3 of 5 output times", "log(-",
        ") is not a number, at r = -"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!strstr(c.s->message, parts[i]))
            fail_msg("\"%s\" is not in: %s", parts[i], c.s->message);
    done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_wrong), cmocka_unit_test(impossible_values),
                                       cmocka_unit_test(earlier_status), cmocka_unit_test(observables)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
