/* Visit number e of a sample is at e + V_e, where the V_e are independent and uniform on (0, 1): its place in the order
   of epoch e. A sample that is visited at t has not been visited in this epoch, and V_e is independent of all that came
   before. So averages given a visit are averages over all paths without their visits of this epoch, without weights,
   and two visits of one epoch never meet in the covariance of the innovations. The first epoch is one-pass SGD, with
   tau = delta t. */
#include "process/reshuffle.h"

#include <math.h>

static double place_in_epoch(size_t number, double before, double u, double b)
{
    (void)before;
    (void)b;
    return (double)number + u;
}

/* An epoch that is over has one visit, the one that has begun has it with the probability that it is past. */
double reshuffle_count(double horizon, double deviations, double b)
{
    (void)b;
    double past = horizon - floor(horizon);
    return fmin(horizon + deviations * sqrt(past * (1 - past)), ceil(horizon));
}

const visit_law reshuffle_visits = {.time = place_in_epoch, .count = reshuffle_count, .epoch = 1};
