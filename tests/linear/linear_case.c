#include "linear_case.h"

#include "columns/solution.h"

sgdmft_solution *linear_case_solve(sgdmft_context *ctx, sgdmft_problem *problem)
{
    sgdmft_solution *solution = NULL;
    check_ok(ctx, sgdmft_solve(ctx, problem, &solution));
    sgdmft_problem_free(problem);
    return solution;
}

double linear_case_value(const sgdmft_solution *s, const char *name, size_t i)
{
    const sgdmft_curve *curve = sgdmft_solution_curve(s, name);
    assert_non_null(curve);
    assert_true(i < s->n_times);
    return curve->value[i];
}

void linear_case_compare(const sgdmft_solution *s, size_t i, const ode_values *want, double digits, const char *what)
{
    const struct {
        const char *name;
        double want, tolerance;
    } row[] = {{"train_loss", want->train, digits * want->train},
               {"test_loss", want->test, digits * want->test},
               {"q11", want->q, digits * want->q},
               {"m11", want->m, digits},
               {"R11", want->R, digits}};
    for (size_t c = 0; c < sizeof row / sizeof row[0]; c++)
        check_near(linear_case_value(s, row[c].name, i), row[c].want, row[c].tolerance, "%s at t = %g, %s", row[c].name,
                   s->times[i], what);
}
