/* What a solve takes. Memory is counted from the arrays; time from operation counts with the rates measured on one
   2.3 GHz core, good to a factor of about two elsewhere. */
#include <math.h>

#include "base/memory.h"
#include "parameters/parameters.h"
#include "paths/driver.h"
#include "solvers/selfconsistent.h"

/* Nanoseconds. */
static const double PER_KICK = 8.0;     /* one gradient of a kick, per component */
static const double PER_VALUE = 12.0;   /* g, G or one of their k^2 averages at a node */
static const double PER_VISIT = 14.0;   /* one component of an earlier visit seen from a node */
static const double PER_PAIR = 0.6;     /* one multiply-add of the chains or the field */
static const double PER_EARLIER = 30.0; /* one component of R between two visits */
static const double PER_CHAIN = 5.0;    /* one multiply-add of the chain at a visit */
static const double PASSES = 5.0;       /* typical corrector passes of a step */

/* Largest number of visits in [0, T] that matters for memory: a high quantile of a Poisson law. */
static double visit_quantile(double T)
{
    return T + 2.5 * sqrt(T) + 2;
}

/* Events of a path: on average, rounded up, and at most. */
static int mean_slots(const solve_setting *s, int level)
{
    double T = s->problem->horizon;
    return s->set[level].driver->per_cell ? s->grid[level]->steps : (int)ceil(T + sqrt(T));
}

static int most_slots(const solve_setting *s, int level)
{
    return s->set[level].driver->per_cell ? s->grid[level]->steps : (int)visit_quantile(s->problem->horizon);
}

static double replica_bytes(const solve_setting *s)
{
    double bytes = 0;
    for (int level = 0; level < LEVELS; level++) {
        double mean = path_block_bytes(&s->set[level], (size_t)s->problem->numerics.paths, mean_slots(s, level));
        bytes = fmax(bytes, mean);
        bytes += 0.5 * path_block_bytes(&s->set[level], 64, most_slots(s, level));
        if (s->pen)
            bytes += parameters_bytes(s->set[level].shape.k, s->set[level].shape.kstar, s->grid[level]->steps,
                                      s->set[level].driver->singular,
                                      (double)s->problem->numerics.paths);
    }
    return bytes * 1.5;
}

static double kernel_bytes(const solve_setting *s)
{
    model_shape shape = s->set[LEVEL_FINE].shape;
    double bytes = 0;
    for (int level = 0; level < LEVELS; level++) {
        bytes += kernels_bytes(shape.k, shape.kstar, s->grid[level]->steps);
        if (s->problem->numerics.method == METHOD_PICARD)
            bytes += 4.0 * (double)s->set[level].at.size * s->grid[level]->steps;
    }
    return bytes;
}

/* What is kept of the coordinates, and its share of the solution. */
static double coordinate_bytes(const solve_setting *s)
{
    model_shape shape = s->set[LEVEL_FINE].shape;
    const sgdmft_problem *problem = s->problem;
    double n = s->grid[LEVEL_FINE]->steps + 1.0, nodes = fmin(n, 2.0 * (double)problem->output.histograms.n);
    double kept = parameters_record_bytes(shape.k, shape.kstar, s->grid[LEVEL_FINE]->steps,
                                          (double)problem->numerics.paths, nodes);
    return problem->numerics.replicas * kept + 24 * n * n * shape.k * shape.k;
}

static double level_seconds(const solve_setting *s, int level)
{
    model_shape shape = s->set[level].shape;
    double k = shape.k, T = s->problem->horizon, N = s->grid[level]->steps, paths = (double)s->problem->numerics.paths;
    int pathwise = s->set[level].at.response == RESPONSE_PATHWISE;
    double nodes = PER_VALUE * N * (k * k + 2), field = PER_PAIR * k * k * N * N / 2;
    double rows = PER_PAIR * k * k * k * N * N * N / 2, events;
    if (s->set[level].driver->per_cell) {
        events = 4 * PER_KICK * N * k + 3 * field + (pathwise ? 2 * PER_PAIR * k * k * k * N * N * N / 6 : 0);
    } else {
        events = PER_VISIT * k * k * N * T / 2 + PER_EARLIER * k * k * T * T / 2;
        events += pathwise ? PER_PAIR * k * k * k * N * T * T / 6 + PER_CHAIN * k * k * k * T * T * T / 6 : field;
    }
    double coordinates = s->pen ? PER_VALUE * N * k + 4 * field : 0;
    if (s->pen && !s->set[level].driver->singular)
        coordinates += PER_PAIR * k * k * k * N * N * N / 6;
    return 1e-9 * PASSES * (paths * (nodes + field + events + coordinates) + rows);
}

void selfconsistent_cost(const solve_setting *s, int threads, int ranks, sgdmft_cost *out)
{
    int replicas = s->problem->numerics.replicas;
    spread plan = selfconsistent_spread(s, ranks);
    int mine = (replicas + plan.groups - 1) / plan.groups, at_once = threads > mine || plan.size > 1 ? 1 : threads;
    double n = s->grid[LEVEL_FINE]->steps + 1.0, kk = s->set[LEVEL_FINE].shape.k * s->set[LEVEL_FINE].shape.k;
    out->memory_bytes = at_once * replica_bytes(s) / plan.size + replicas * kernel_bytes(s) + 16 * n * n * kk;
    if (s->pen)
        out->memory_bytes += coordinate_bytes(s);
    out->available_bytes = memory_available();
    out->cpu_seconds = replicas * (level_seconds(s, LEVEL_FINE) + level_seconds(s, LEVEL_COARSE));
    out->wall_seconds = out->cpu_seconds / threads / (plan.groups * plan.size);
}
