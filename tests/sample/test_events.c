/* Events of sampled paths, for processes of the test's own: the kinds of events are all that counts. */
#include <math.h>
#include <stdlib.h>

#include "process/drift.h"
#include "sample/events.h"
#include "solved.h"

enum { L = SAMPLE_LANES };

/* One visit in each unit of time. */
static double once_a_unit(size_t number, double before, double u, double b)
{
    (void)before;
    return (double)number + u;
}

static double units(double horizon, double deviations, double b)
{
    (void)deviations;
    return ceil(horizon);
}

typedef struct fixture {
    sgdmft_context *ctx;
    sgdmft_problem *problem;
    schedule *eta;
    double *work;
    event_list list;
} fixture;

static fixture fixture_new(void)
{
    fixture f = {.ctx = check_context(1)};
    f.problem = test_problem(f.ctx, "delta: 1\neta: '1 + t'\nhorizon: 2\n" LINEAR_MODEL);
    check_ok(f.ctx, schedule_new(f.ctx, f.problem, &f.eta));
    f.work = calloc(schedule_work(f.eta) + 1, sizeof *f.work);
    assert_non_null(f.work);
    check_ok(f.ctx, event_list_new(f.ctx, &f.list));
    return f;
}

static void fixture_clear(fixture *f)
{
    event_list_clear(&f->list);
    schedule_free(f->eta);
    free(f->work);
    sgdmft_problem_free(f->problem);
    sgdmft_context_free(f->ctx);
}

static void test_visits(void **state)
{
    static const visit_law law = {.time = once_a_unit, .count = units, .epoch = 1};
    static const sample_process process = {.events = EVENTS_VISITS, .white_noise = 1, .visits = &law};
    static const double t[] = {0, 0.5, 1, 1.7}; /* the grid ends in the middle of a unit */
    two_time x = {.n = 4, .t = t};
    fixture f = fixture_new();
    assert_int_equal(event_list_draw(&process, &x, f.eta, f.work, 3, 5, &f.list), 0);
    assert_int_equal(f.list.slots, 2);
    int late = 0;
    for (size_t lane = 0; lane < L; lane++) {
        size_t first = lane, second = L + lane;
        assert_true(f.list.count[lane] == 1 || f.list.count[lane] == 2);
        assert_true(f.list.time[first] > 0 && f.list.time[first] < 1);
        assert_true(f.list.cell[first] == (size_t)(f.list.time[first] >= 0.5));
        check_near(f.list.eta[first], 1 + f.list.time[first], 1e-12, "eta");
        if (f.list.count[lane] == 2) {
            assert_true(f.list.time[second] > 1 && f.list.time[second] < 1.7);
            check_near(f.list.place[second], (f.list.time[second] - 1) / 0.7, 1e-12, "place");
        } else {
            assert_true(f.list.eta[second] == 0);
            late++;
        }
    }
    check_between(late, 0.3 * L - 4 * sqrt(0.21 * L), 0.3 * L + 4 * sqrt(0.21 * L), "paths without a second visit");
    fixture_clear(&f);
}

/* Steps fill the cells, at most as long as the process allows. Kicks of a drift are as process/drift.h makes them. */
static void test_steps(void **state)
{
    static const sample_process process = {.events = EVENTS_STEPS, .kick = drift_kick, .sample_step = 0.2};
    static const double t[] = {0, 0.5, 0.6};
    two_time x = {.n = 3, .t = t};
    fixture f = fixture_new();
    model *m = NULL;
    model_work *work = NULL;
    double r[L], y[L], kick[L], *room = calloc(event_work(1), sizeof *room);
    assert_non_null(room);
    check_ok(f.ctx, model_new(f.ctx, f.problem, &m));
    check_ok(f.ctx, model_work_new(f.ctx, m, L, &work));
    assert_int_equal(event_list_draw(&process, &x, f.eta, f.work, 3, 0, &f.list), 0);
    assert_int_equal(f.list.slots, 4);
    double sum = 0;
    for (size_t slot = 0; slot < 4; slot++) {
        size_t at = slot * L + 7;
        sum += f.list.length[at];
        check_near(f.list.time[at], sum - f.list.length[at] / 2, 1e-12, "middle");
        assert_true(f.list.length[at] <= 0.2 && f.list.noise[at] == 0);
    }
    check_near(sum, 0.6, 1e-12, "all steps");
    for (size_t p = 0; p < L; p++) {
        r[p] = sin((double)p);
        y[p] = 0.1;
    }
    assert_int_equal(event_kick(&process, m, work, &f.list, 1, r, y, room, kick), 0);
    double rate = f.list.eta[L] * f.list.length[L];
    for (size_t p = 0; p < L; p++) /* g = r - y */
        check_near(kick[p], rate * (1 - rate / 2) * (r[p] - y[p]), 1e-12, "kick");
    model_work_free(work);
    model_free(m);
    free(room);
    fixture_clear(&f);
}

/* Fresh samples have no events. */
static void test_fresh(void **state)
{
    static const sample_process process = {.events = EVENTS_FRESH};
    static const double t[] = {0, 1};
    two_time x = {.n = 2, .t = t};
    fixture f = fixture_new();
    assert_int_equal(event_list_draw(&process, &x, f.eta, f.work, 3, 0, &f.list), 0);
    assert_int_equal(f.list.slots, 0);
    fixture_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_visits),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
