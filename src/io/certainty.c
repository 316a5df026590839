#include "io/certainty.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

#include "solvers/common/statistics.h"

/* Beyond this many standard errors probabilities become too small for quantiles; limits are then proportional. */
static const double FURTHEST = 10;

void certainty_noise(const sgdmft_solution *solution, const sgdmft_curve *curve, double *noise)
{
    size_t n = solution->n_times;
    for (size_t i = 0; i < n; i++)
        noise[i] = 0;
    if (columns_largest(curve->step_error, n) > 0)
        add_step_errors(n, solution->times, solution->times[n - 1], curve->step_error, noise);
    for (size_t i = 0; i < n; i++)
        noise[i] = sqrt(fmax(0, curve->se[i] * curve->se[i] - noise[i] * noise[i]));
}

double certainty_freedom(const sgdmft_solution *solution)
{
    return solution->info.replicas > 1 ? (double)solution->info.replicas - 1 : INFINITY;
}

double certainty_of_sum(double se, const double noise[2], const double freedom[2])
{
    double part[2];
    for (int i = 0; i < 2; i++)
        part[i] = se > 0 ? pow(noise[i] / se, 4) / freedom[i] : 0;
    return part[0] + part[1] > 0 ? 1 / (part[0] + part[1]) : INFINITY;
}

double certainty_limit(double sigma, double freedom)
{
    if (!isfinite(freedom))
        return sigma;
    double near = fmin(sigma, FURTHEST);
    return sigma / near * gsl_cdf_tdist_Qinv(gsl_cdf_ugaussian_Q(near), freedom);
}
