#include "exact_curves.h"

#include <math.h>
#include <string.h>

#include "check.h"
#include "columns/solution.h"

double exact_curve(const linear_exact *e, const char *name, double t)
{
    if (strcmp(name, "train_loss") == 0)
        return linear_exact_train(e, t);
    if (strcmp(name, "test_loss") == 0)
        return linear_exact_test(e, t);
    if (strcmp(name, "q11") == 0)
        return linear_exact_q(e, t);
    if (strcmp(name, "m11") == 0)
        return linear_exact_m(e, t);
    if (strcmp(name, "R11") == 0)
        return linear_exact_R(e, t, 0);
    fail_msg("no exact value of %s", name);
    return NAN;
}

void check_exact_curves(const sgdmft_solution *solution, const linear_exact *e, double sigmas, double relative)
{
    for (size_t c = 0; c < solution->n_curves; c++) {
        const sgdmft_curve *curve = &solution->curves[c];
        double worst_z = 0, worst = 0;
        for (size_t i = 0; i < solution->n_times; i++) {
            double t = solution->times[i], exact = exact_curve(e, curve->name, t);
            double error = fabs(curve->value[i] - exact);
            double bias = 2 * fabs(exact) / (double)solution->info.paths;
            double allowed = sigmas * curve->se[i] + bias + 1e-9;
            worst_z = fmax(worst_z, error / (allowed / sigmas));
            worst = fmax(worst, error / fabs(exact));
            check_near(curve->value[i], exact, allowed, "%s at t = %g", curve->name, t);
            if (relative > 0)
                check_near(curve->value[i], exact, relative * fabs(exact), "%s at t = %g", curve->name, t);
        }
        print_message("%-10s largest deviation %.2f sigma, %.3f %%\n", curve->name, worst_z, 100 * worst);
    }
}
