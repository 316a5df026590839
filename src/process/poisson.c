/* Waiting times are exponential. Given all visits before tau, the next visit is in d tau and the last one before t with
   probability exp(-(t - tau)) d tau. */
#include "process/poisson.h"

#include <math.h>

static double next_time(size_t number, double before, double u)
{
    (void)number;
    return before - log1p(-u);
}

static double count(double horizon, double deviations)
{
    return horizon + deviations * sqrt(horizon);
}

static double none(double since)
{
    return exp(-since);
}

static void cell(double late, double h, double *all, double *end)
{
    double decay = exp(-late);
    *all = -decay * expm1(-h);
    *end = decay * (h + expm1(-h)) / h;
}

const visit_law poisson_visits = {.time = next_time, .count = count, .epoch = 0};

/* Further back, the chance that no later visit hides a visit is below exp(-2), and what integration gains is lost in
   its cost. */
const last_visit_law poisson_last_visit = {.window = 2, .none = none, .cell = cell};
