#include "online_case.h"

#include "columns/solution.h"

#include <math.h>

online_case online_case_solve(int threads, const char *text)
{
    online_case c = {.ctx = check_context(threads)};
    c.problem = test_problem(c.ctx, "dynamics: online\n%s", text);
    check_ok(c.ctx, sgdmft_solve(c.ctx, c.problem, &c.solution));
    assert_non_null(c.solution);
    return c;
}

void online_case_clear(online_case *c)
{
    sgdmft_solution_free(c->solution);
    sgdmft_problem_free(c->problem);
    sgdmft_context_free(c->ctx);
}

sgdmft_status online_attempt(sgdmft_context *ctx, const char *text, sgdmft_solution **out)
{
    sgdmft_problem *problem = test_problem(ctx, "dynamics: online\n%s", text);
    sgdmft_status status = sgdmft_solve(ctx, problem, out);
    sgdmft_problem_free(problem);
    return status;
}

static const sgdmft_curve *curve_of(const online_case *c, const char *name, size_t i)
{
    const sgdmft_curve *curve = sgdmft_solution_curve(c->solution, name);
    if (!curve || i >= c->solution->n_times)
        fail_msg("no curve %s at output time %zu", name, i);
    return curve;
}

double online_case_value(const online_case *c, const char *curve, size_t i)
{
    return curve_of(c, curve, i)->value[i];
}

double online_case_se(const online_case *c, const char *curve, size_t i)
{
    return curve_of(c, curve, i)->se[i];
}

static double component(const online_case *c, const double *array, size_t i, size_t j, int a, int b)
{
    size_t n = c->solution->n_grid, k = (size_t)c->solution->k;
    assert_true(i < n && j < n);
    return array[((i * n + j) * k + (size_t)a) * k + (size_t)b];
}

double online_case_C(const online_case *c, size_t i, size_t j, int a, int b)
{
    return component(c, c->solution->C, i, j, a, b);
}

double online_case_R(const online_case *c, size_t i, size_t j, int a, int b)
{
    return component(c, c->solution->R, i, j, a, b);
}

void check_online_same(const sgdmft_solution *a, const sgdmft_solution *b)
{
    size_t kk = (size_t)(a->k * a->k), bytes = a->n_times * sizeof(double);
    assert_true(a->n_times == b->n_times && a->n_curves == b->n_curves && a->n_grid == b->n_grid);
    for (size_t c = 0; c < a->n_curves; c++) {
        assert_memory_equal(a->curves[c].value, b->curves[c].value, bytes);
        assert_memory_equal(a->curves[c].se, b->curves[c].se, bytes);
        assert_memory_equal(a->curves[c].step_error, b->curves[c].step_error, bytes);
    }
    assert_memory_equal(a->C, b->C, a->n_grid * a->n_grid * kk * sizeof(double));
    assert_memory_equal(a->R, b->R, a->n_grid * a->n_grid * kk * sizeof(double));
}

void check_online_threads(const char *text)
{
    online_case one = online_case_solve(1, text), two = online_case_solve(2, text), seven = online_case_solve(7, text);
    check_online_same(one.solution, two.solution);
    check_online_same(one.solution, seven.solution);
    online_case_clear(&one);
    online_case_clear(&two);
    online_case_clear(&seven);
}

typedef struct watcher {
    int calls, stop_at;
    double last, largest_t, horizon;
} watcher;

static int watch(void *user, double fraction, double t)
{
    watcher *w = user;
    assert_true(fraction >= 0 && fraction >= w->last - 1e-12 && fraction <= 1 + 1e-9 && t >= 0 && t <= w->horizon);
    w->last = fraction;
    w->largest_t = fmax(w->largest_t, t);
    return ++w->calls == w->stop_at;
}

void check_online_interruption(const char *text, int stride, double horizon, double rounding)
{
    sgdmft_context *ctx = check_context(1);
    sgdmft_solution *solution = NULL;
    watcher w = {.stop_at = -1, .horizon = horizon};
    sgdmft_context_set_progress(ctx, watch, &w);
    check_ok(ctx, online_attempt(ctx, text, &solution));
    assert_true(w.calls > 50 && w.largest_t == horizon && w.last > 0.8);
    int calls = w.calls, partial = 0;
    size_t times = solution->n_times;
    sgdmft_solution_free(solution);
    for (int at = 1; at < calls; at += stride) {
        w = (watcher){.stop_at = at, .horizon = horizon};
        check_failure(ctx, online_attempt(ctx, text, &solution), SGDMFT_ERR_INTERRUPTED, "interrupted at tau = ");
        assert_true(solution->status == SGDMFT_ERR_INTERRUPTED && solution->n_times >= 1 && solution->n_grid >= 1);
        check_near(sgdmft_solution_curve(solution, "q11")->value[0], 1, rounding, "q11 at tau = 0, interrupted");
        partial += solution->n_times < times;
        sgdmft_solution_free(solution);
    }
    assert_true(partial > 0);
    sgdmft_context_free(ctx);
}
