#include "online_case.h"

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
