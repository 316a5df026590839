#include "simulated.h"

#include <math.h>

#include "columns/solution.h"
#include "sgdmft/simulate.h"
#include "sgdmft/solve.h"
#include "support/check.h"
#include "support/plan.h"

enum { D = 500, REPETITIONS = 60 };

void check_simulated(const char *body, size_t paths, const char *numerics)
{
    sgdmft_context *ctx = check_context(2);
    sgdmft_problem *problem =
        test_problem(ctx, "{%s, numerics: {paths: %zu, %s}, output: {times: 5}, simulate: {d: %d, repetitions: %zu}}",
                     body, test_scaled(paths, 500), numerics, D, test_scaled(REPETITIONS, 8));
    sgdmft_solution *theory = NULL, *finite = NULL;
    check_ok(ctx, sgdmft_solve(ctx, problem, &theory));
    check_ok(ctx, sgdmft_simulate(ctx, problem, NULL, &finite));
    assert_int_equal(theory->n_times, finite->n_times);
    for (size_t c = 0; c < theory->n_curves; c++) {
        const sgdmft_curve *x = &theory->curves[c], *y = sgdmft_solution_curve(finite, x->name);
        double worst = 0, scale = 0, largest_se = 0;
        if (!y)
            continue;
        for (size_t i = 0; i < theory->n_times; i++)
            scale = fmax(scale, fabs(x->value[i]));
        for (size_t i = 0; i < theory->n_times; i++) {
            double se = hypot(x->se[i], y->se[i]), error = fabs(x->value[i] - y->value[i]);
            largest_se = fmax(largest_se, se);
            worst = fmax(worst, se > 1e-6 ? error / se : 0);
            check_near(x->value[i], y->value[i], 4.5 * se + 2 * scale / D, "%s at t = %g", x->name, theory->times[i]);
        }
        print_message("%-10s largest deviation %.2f sigma, standard error %.2f %% of scale\n", x->name, worst,
                      100 * largest_se / scale);
        check_between(largest_se, 0, 0.03 * scale / sqrt(test_scale()), "standard error of %s", x->name);
    }
    sgdmft_solution_free(theory);
    sgdmft_solution_free(finite);
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
}
