/* The choice of steps, paths and replicas from what a solve showed: pure functions, with made-up views. */
#include "solvers/dmft/choice.h"

#include <math.h>
#include <stdio.h>

#include "solvers/common/step_errors.h"
#include "support/check.h"
#include "support/plan.h"

#define MODEL "model: {label: \"tanh(s)\", loss: \"(r - y)^2/2\"}"

/* A task with some numerics given; the problem lives as long as the context. */
typedef struct fixture {
    sgdmft_context *ctx;
    choice_task task;
} fixture;

static fixture fixture_of(const char *numerics, double horizon)
{
    fixture f = {.ctx = check_context(1)};
    sgdmft_problem *problem =
        test_problem(f.ctx, "{delta: 2, horizon: %g, " MODEL ", numerics: {seed: 1%s}}", horizon, numerics);
    f.task = (choice_task){
        .problem = problem, .accuracy = problem->numerics.accuracy, .students = 1, .steps_least = 4, .stein = 1};
    return f;
}

static void fixture_clear(fixture *f)
{
    sgdmft_problem_free((sgdmft_problem *)f->task.problem);
    sgdmft_context_free(f->ctx);
}

/* A view whose largest and typical errors agree, seen with 4 replicas. */
static accuracy_view view_of(double noise, double step)
{
    return (accuracy_view){.worst = hypot(noise, step), .noise = noise, .step = step, .step_rms = step / 1.6};
}

/* From pilots to the run proper, all of which see the same relative noise and a step error of the power `order`. */
static choice run_after_pilots(const choice_task *task, double step_at_16, double order, double stiffness_at_16,
                               int *pilots)
{
    choice pilot = choice_first(task), next = {0};
    for (*pilots = 1; *pilots < 50; ++*pilots) {
        accuracy_view seen = view_of(0.02, step_at_16 * pow(16.0 / pilot.steps, order));
        seen.stiffness = stiffness_at_16 * 16 / pilot.steps;
        if (!choice_after_pilot(task, &seen, &pilot, &next))
            return next;
        if (!(next.steps > pilot.steps))
            fail_msg("a pilot of %d steps follows one of %d", next.steps, pilot.steps);
        pilot = next;
    }
    fail_msg("pilots without end");
    return next;
}

/* What is given stays, in pilots, in the run proper and in every other run. Only pilots may have fewer paths. */
static void test_pins(void **state)
{
    for (int mask = 0; mask < 7; mask++) { /* not all three: then nothing is chosen */
        char numerics[100];
        snprintf(numerics, sizeof numerics, "%s%s%s", mask & 1 ? ", steps: 36" : "", mask & 2 ? ", paths: 3000" : "",
                 mask & 4 ? ", replicas: 5" : "");
        fixture f = fixture_of(numerics, 3);
        for (double step = 1e-5; step < 3; step *= 10)
            for (double noise = 1e-4; noise < 10; noise *= 10) {
                accuracy_view seen = view_of(noise, step);
                int pilots;
                choice pilot = choice_first(&f.task), finer = choice_finer(&f.task, &pilot),
                       run = run_after_pilots(&f.task, step, 3, 10, &pilots), next;
                seen.missing = noise * noise / 25e-6;
                int again = choice_again(&f.task, &seen, &run, &next), replicas = choice_replicas(&f.task, &seen, &run);
                if (mask & 1) {
                    assert_int_equal(pilot.steps, 36);
                    assert_int_equal(finer.steps, 36);
                    assert_int_equal(run.steps, 36);
                    assert_true(!again || next.steps == 36);
                    assert_int_equal(pilots, 1);
                }
                if (mask & 2) {
                    assert_true(pilot.paths <= 3000 && finer.paths <= 3000 && run.paths == 3000);
                    assert_true(!again || next.paths == 3000);
                }
                if (mask & 4) {
                    assert_int_equal(run.replicas, 5);
                    assert_true(!again || next.replicas == 5);
                    assert_int_equal(replicas, 5);
                }
                if ((mask & 3) == 3)
                    assert_false(again);
            }
        fixture_clear(&f);
    }
}

/* Steps are multiples of four, at least those of the grid, and at most 4096. */
static void test_whole_steps(void **state)
{
    fixture f = fixture_of("", 3);
    f.task.steps_least = 20;
    assert_int_equal(choice_first(&f.task).steps, 20);
    f.task.steps_least = 4;
    for (double step = 1e-6; step < 1e3; step *= 3) {
        int pilots;
        choice run = run_after_pilots(&f.task, step, 2, 0.1, &pilots);
        assert_true(run.steps % 4 == 0 && run.steps >= 4 && run.steps <= 4096);
    }
    choice most = {.steps = 4096, .replicas = 4, .paths = 512}, next;
    accuracy_view seen = view_of(0.01, 10);
    seen.stiffness = 1e6;
    assert_int_equal(choice_after_pilot(&f.task, &seen, &most, &next), 0);
    assert_int_equal(next.steps, 4096);
    assert_int_equal(choice_finer(&f.task, &most).steps, 4096);
    assert_true(choice_finer(&f.task, &most).paths > most.paths); /* or else the same pilot would fail again */
    most.paths = next.paths;
    most.replicas = 8;
    assert_false(choice_again(&f.task, &seen, &most, &next) && next.steps > 4096);
    fixture_clear(&f);
}

/* Larger step errors and a finer accuracy take more steps; an order that is known is used. */
static void test_step_errors(void **state)
{
    fixture f = fixture_of("", 3);
    int before = 0, pilots, more = 0;
    for (double step = 1e-5; step < 1; step *= 2) {
        choice run = run_after_pilots(&f.task, step, 3, 0.1, &pilots);
        assert_true(run.steps >= before);
        more += run.steps > before;
        before = run.steps;
    }
    assert_true(more > 8);
    /* the step error that is left, by the law that was seen, suffices for the accuracy or is caught by choice_again */
    for (double step = 1e-3; step < 1; step *= 2) {
        choice run = run_after_pilots(&f.task, step, 3, 0.1, &pilots), next;
        for (int i = 0; i < 7; i++) {
            run.replicas = 8;
            accuracy_view seen = view_of(1e-3, step * pow(16.0 / run.steps, 3));
            if (!choice_again(&f.task, &seen, &run, &next))
                break;
            assert_true(next.steps > run.steps);
            run = next;
        }
        check_between(step * pow(16.0 / run.steps, 3), 0, f.task.accuracy, "step error in the end");
    }
    fixture finer = fixture_of(", accuracy: 5.0e-4", 3);
    assert_true(run_after_pilots(&finer.task, 0.05, 3, 0.1, &pilots).steps >
                run_after_pilots(&f.task, 0.05, 3, 0.1, &pilots).steps);
    assert_true(run_after_pilots(&finer.task, 0.05, 3, 0.1, &pilots).paths >
                run_after_pilots(&f.task, 0.05, 3, 0.1, &pilots).paths);
    fixture_clear(&f);
    fixture_clear(&finer);
}

/* However small step errors look, no step is longer than 1.5 of the fastest relaxation: stiffness is per step. */
static void test_stiffness(void **state)
{
    fixture f = fixture_of("", 3);
    for (double stiffness = 0.1; stiffness < 300; stiffness *= 2) {
        int pilots;
        choice run = run_after_pilots(&f.task, 1e-5, 3, stiffness, &pilots);
        check_between(stiffness * 16 / run.steps, 0, 1.5 * 1.1, "stiffness of the run after %d pilots", pilots);
    }
    fixture_clear(&f);
}

/* Replicas from the factor that the variance misses. */
static void test_replicas(void **state)
{
    fixture f = fixture_of("", 3);
    choice run = {.steps = 32, .replicas = 4, .paths = 4096};
    accuracy_view seen = {.missing = 0.5};
    assert_int_equal(choice_replicas(&f.task, &seen, &run), 8); /* bars need as many */
    run.replicas = 8;
    assert_int_equal(choice_replicas(&f.task, &seen, &run), 8);
    seen.missing = 1;
    assert_int_equal(choice_replicas(&f.task, &seen, &run), 8);
    seen.missing = 2;
    check_between(choice_replicas(&f.task, &seen, &run), 16, 18, "replicas for half of the variance");
    seen.missing = 1.001;
    assert_int_equal(choice_replicas(&f.task, &seen, &run), 9); /* at least one more */
    seen.missing = 100;
    assert_int_equal(choice_replicas(&f.task, &seen, &run), 32); /* not more than four times at once */
    run.replicas = 1000;
    assert_int_equal(choice_replicas(&f.task, &seen, &run), 1024);
    run.replicas = 1024;
    assert_int_equal(choice_replicas(&f.task, &seen, &run), 1024);
    run.replicas = 8;
    seen.missing = HUGE_VAL; /* a step error alone is too large */
    assert_int_equal(choice_replicas(&f.task, &seen, &run), 8);
    seen.missing = NAN;
    assert_int_equal(choice_replicas(&f.task, &seen, &run), 8);
    fixture_clear(&f);
}

/* Paths that a response or the bias at that accuracy needs, in powers of two. */
static void test_least_paths(void **state)
{
    fixture f = fixture_of("", 3);
    int64_t before = 0;
    for (int steps = 4; steps <= 4096; steps *= 2) {
        int64_t paths = choice_response_paths(&f.task, steps);
        assert_true(paths >= before && paths >= 512 && (paths & (paths - 1)) == 0);
        assert_true((double)paths >= fmin(0.66 * steps * steps, 64.0 * steps));
        assert_true(choice_least_paths(&f.task, steps) >= paths);
        before = paths;
    }
    assert_true((double)choice_least_paths(&f.task, 4) >= 8 / f.task.accuracy);
    f.task.stein = 0;
    assert_int_equal(choice_response_paths(&f.task, 4096), 512);
    f.task.students = 3;
    assert_true(choice_response_paths(&f.task, 4) >= 3 * 512);
    fixture_clear(&f);
}

/* The loops of automatic.c end whatever a solve shows, also if it shows no number. */
static void test_ends(void **state)
{
    static const double shown[] = {0, 1e-9, 1e-3, 0.1, 10, 1e9, HUGE_VAL, NAN};
    enum { SHOWN = sizeof shown / sizeof *shown };
    fixture f = fixture_of("", 30);
    for (int n = 0; n < SHOWN; n++)
        for (int s = 0; s < SHOWN; s++)
            for (int x = 0; x < SHOWN; x++) {
                accuracy_view seen = view_of(shown[n], shown[s]);
                seen.stiffness = shown[x];
                seen.missing = shown[(n + x) % SHOWN];
                choice at = choice_first(&f.task), next = at;
                int pilots = 0, replicas = 0;
                while (pilots++ < 30 && choice_after_pilot(&f.task, &seen, &at, &next))
                    at = next;
                if (pilots > 12)
                    fail_msg("%d pilots for noise %g, step error %g, stiffness %g", pilots, shown[n], shown[s],
                             shown[x]);
                assert_true(next.steps >= 4 && next.steps <= 4096 && next.paths >= 64 && next.replicas >= 2);
                for (int more; (more = choice_replicas(&f.task, &seen, &next)) > next.replicas; next.replicas = more)
                    assert_true(replicas++ < 1024);
                assert_true(next.replicas <= 1024);
            }
    fixture_clear(&f);
}

/* Self-consistency is finer than the accuracy, unless the tolerance is given. */
static void test_tolerance(void **state)
{
    fixture f = fixture_of("", 3), given = fixture_of(", tolerance: 1.0e-3", 3);
    check_between(choice_tolerance(&f.task), 1e-8, 0.01 * f.task.accuracy, "tolerance");
    assert_true(choice_tolerance(&given.task) == 1e-3);
    fixture_clear(&f);
    fixture_clear(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pins),      cmocka_unit_test(test_whole_steps), cmocka_unit_test(test_step_errors),
        cmocka_unit_test(test_stiffness), cmocka_unit_test(test_replicas),    cmocka_unit_test(test_least_paths),
        cmocka_unit_test(test_ends),      cmocka_unit_test(test_tolerance),
    };
    return cmocka_run_group_tests_name("choice", tests, NULL, NULL);
}
