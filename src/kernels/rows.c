#include "kernels/rows.h"

#include "kernels/filter.h"
#include "kernels/fitting.h"
#include "kernels/innovations.h"
#include "kernels/recursion.h"
#include "kernels/response.h"

void kernels_start(kernels *kern, const averages_layout *at, const double *first)
{
    at->response->start(kern, at, first);
}

double kernels_advance(kernels *kern, int i, const averages_layout *at, const double *now, const double *next)
{
    if (kern->discrete)
        return recursion_advance(kern, i, at, now);
    fitting_set(kern, i, at, now, next);
    double innovation = innovations_row(kern, i, at, now, next);
    double response = at->response->advance(kern, i, at, next);
    double overlap = at->response->overlap(kern, i, at, now, next);
    double field = filter_field_row(kern, i, at, now, next);
    return larger_change(larger_change(response, overlap), larger_change(innovation, field));
}

void kernels_renew(kernels *kern, int i, const averages_layout *at, const double *after)
{
    at->response->renew(kern, i, at, after);
}
