/* The waiting times between visits are exponential. Given all visits before tau, the probability that a visit is in d
   tau and is the last before t is exp(-(t - tau)) d tau. */
#include "process/poisson.h"

#include <math.h>

static double next_time(size_t number, double before, double u, double b)
{
    (void)number;
    (void)b;
    return before - log1p(-u);
}

static double count(double horizon, double deviations, double b)
{
    (void)b;
    return horizon + deviations * sqrt(horizon);
}

static double none(double since)
{
    return exp(-since);
}

static void cell(double late, double h, double x, double *all, double *end)
{
    double decay = exp(-late);
    *all = -decay * expm1(-h);
    if (x > 0)
        *end = h * decay * exp(-h) * (expm1(h + x) / (h + x) - expm1(h) / h) / expm1(x);
    else
        *end = decay * (h + expm1(-h)) / h;
}

const visit_law poisson_visits = {.time = next_time, .count = count, .epoch = 0};

/* A visit further back is the last one with a probability below exp(-2); integrating over it reduces the noise by less
   than it costs. */
const last_visit_law poisson_last_visit = {.window = 2, .none = none, .density = none, .cell = cell};
