#include "kernels/recursion.h"

#include "kernels/filter.h"
#include "kernels/innovations.h"

filter recursion_filter(double lambda, double gamma, double beta, double h)
{
    if (gamma > 0)
        return (filter){lambda, exp(-gamma * h), -expm1(-gamma * h)};
    return (filter){lambda, beta, 1};
}

/* x_{i+1} from x_i and x_{i-1}; `impulse` is h f_i. */
static inline double advanced(const kernels *kern, int i, double before, double now, double impulse)
{
    const filter *f = &kern->filter;
    double velocity = i > 0 ? f->beta * (now - before) : 0;
    return now + velocity - f->gain * (f->lambda * kern->grid->h[i] * now + impulse);
}

/* Advances `count` numbers whose h f is factor * force; returns their largest change relative to the scale, or NaN. */
static double advance_all(const kernels *kern, int i, int count, const double *before, const double *now, double factor,
                          const double *force, double *next)
{
    double change = 0;
    for (int j = 0; j < count; j++) {
        double value = advanced(kern, i, before[j], now[j], factor * force[j]);
        if (!isfinite(value))
            return NAN;
        change = fmax(change, relative_change(next[j], value, fabs(value)));
        next[j] = value;
    }
    return change;
}

double recursion_advance(kernels *kern, int i, const averages_layout *at, const double *now)
{
    double factor = kern->delta * kern->grid->eta_start[i] * kern->grid->h[i],
           change = innovations_row(kern, i, at, now, now);
    int before = i > 0 ? i - 1 : 0;
    for (int c = 0; c < kern->k * kern->k; c++)
        change = larger_change(change, advance_all(kern, i, i + 1, kernels_R(kern, c, before), kernels_R(kern, c, i),
                                                   factor, kernels_Q(kern, c, i), kernels_R(kern, c, i + 1)));
    change = larger_change(change, advance_all(kern, i, kern->k * kern->kstar, kernels_m(kern, before),
                                               kernels_m(kern, i), factor, now + at->mu, kernels_m(kern, i + 1)));
    filter_teacher_row(kern, i + 1);
    return larger_change(change, filter_field_row(kern, i, at, now, now));
}
