/* Step j is at t = j b, and its batch is in a sample's past from then on. S_j tells whether a sample is in batch j:

     new_batches        S_j are independent and 1 with probability b, so that the number of steps from one visit to the
                        next is geometric
     shuffled_batches   S_j = 1 for one of the 1/b steps of an epoch, independently of all other epochs
     kept_batches       the same, for the same place in every epoch
     full_batches       S_j = 1 always

   Visits are in the middle between two steps here, so that rounding cannot move one to another step. */
#include "process/batches.h"

#include <math.h>

#include "process/reshuffle.h"

static double next_new(size_t number, double before, double u, double b)
{
    double step = number > 0 ? floor(before / b) + 1 : 0;
    return (step + floor(log1p(-u) / log1p(-b)) + 0.5) * b;
}

/* The place in an epoch, in steps, from a uniform number. */
static double place(double u, double b)
{
    double batches = round(1 / b);
    return fmin(floor(u * batches), batches - 1) + 0.5;
}

static double next_shuffled(size_t number, double before, double u, double b)
{
    (void)before;
    return (double)number + place(u, b) * b;
}

static double next_kept(size_t number, double before, double u, double b)
{
    return number > 0 ? before + 1 : place(u, b) * b;
}

static double next_full(size_t number, double before, double u, double b)
{
    (void)before;
    (void)u;
    return ((double)number + 0.5) * b;
}

static double steps_in(double horizon, double b)
{
    return floor(horizon / b + 0.5);
}

static double count_new(double horizon, double deviations, double b)
{
    return fmin(horizon + deviations * sqrt(horizon * (1 - b)), steps_in(horizon, b));
}

static double count_full(double horizon, double deviations, double b)
{
    (void)deviations;
    return steps_in(horizon, b);
}

const visit_law new_batches = {.time = next_new, .count = count_new, .epoch = 0};
const visit_law shuffled_batches = {.time = next_shuffled, .count = reshuffle_count, .epoch = 1};
const visit_law kept_batches = {.time = next_kept, .count = reshuffle_count, .epoch = 1, .kept = 1};
const visit_law full_batches = {.time = next_full, .count = count_full, .epoch = 0};
