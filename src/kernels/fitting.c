#include "kernels/fitting.h"

#include <math.h>

/* No cell counts as longer than this many times of decay: exponentials must stay finite. */
static const double LARGEST = 30;

void fitting_set(kernels *kern, int i, const averages_layout *at, const double *now, const double *next)
{
    int k = kern->k;
    double curvature = 0;
    if (!kern->fitted)
        return;
    for (int a = 0; a < k; a++) {
        size_t diagonal = at->gamma + (size_t)(a * (k + 1));
        curvature += kern->grid->eta_start[i] * now[diagonal] + kern->grid->eta_end[i] * next[diagonal];
    }
    double x = kern->grid->h[i] * (kern->filter.lambda + (1 + kern->delta) * 0.5 * curvature / k);
    kern->fit[i] = x > FITTING_LEAST ? fmin(x, LARGEST) : 0;
    kern->fit_end[i] = fitting_omega(kern->fit[i]);
}
