#include "kernels/recursion.h"

#include "kernels/filter.h"
#include "kernels/fitting.h"
#include "kernels/innovations.h"

static double advance_response(kernels *kern, int i)
{
    filter_step step = filter_step_with(&kern->filter, fitting_time(kern, i));
    double force = fitting_force(kern, i).start, change = 0;
    for (int c = 0; c < kern->k * kern->k; c++) {
        const double *now = kernels_R(kern, c, i), *before = kernels_R(kern, c, i > 0 ? i - 1 : 0);
        const double *q = kernels_Q(kern, c, i);
        double *next = kernels_R(kern, c, i + 1);
        for (int j = 0; j <= i; j++) {
            double value = step.keep * now[j] - force * q[j];
            value += filter_kept_velocity(&kern->filter, i, before[j], now[j]);
            if (!isfinite(value))
                return NAN;
            change = fmax(change, relative_change(next[j], value, fabs(value)));
            next[j] = value;
        }
    }
    return change;
}

double recursion_advance(kernels *kern, int i, const averages_layout *at, const double *now)
{
    double innovation = innovations_row(kern, i, at, now, now), response = advance_response(kern, i);
    double overlap = filter_overlap_row(kern, i, at, now, now), field = filter_field_row(kern, i, at, now, now);
    return larger_change(larger_change(response, overlap), larger_change(innovation, field));
}
