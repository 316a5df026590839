#include "epoch_process.h"

#include <math.h>

static double time_of(size_t number, double before, double u, double b)
{
    return (double)number + u;
}

/* Whole epochs have one visit each; the one that has begun has it with the probability that it is over by then. */
static double count(double horizon, double deviations, double b)
{
    double part = horizon - floor(horizon);
    return fmin(horizon + deviations * sqrt(part * (1 - part)), ceil(horizon));
}

static const visit_law visits = {.time = time_of, .count = count, .epoch = 1};

const sample_process epoch_process = {.dynamics = "made up",
                                      .sampling = "once an epoch",
                                      .doc = "one visit in each unit of time",
                                      .events = EVENTS_VISITS,
                                      .kicks = KICKS_BOUNDED,
                                      .white_noise = 1,
                                      .visits = &visits};
