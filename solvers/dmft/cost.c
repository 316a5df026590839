/* What a solve takes. Memory is counted from the arrays; time from operation counts with the rates measured on one
   2.3 GHz core, good to a factor of about two elsewhere. */
#include <math.h>

#include "core/memory.h"
#include "coordinates/ensemble.h"
#include "paths/events.h"
#include "paths/last_visit.h"
#include "solvers/dmft/coordinates.h"
#include "solvers/dmft/dmft.h"

/* Nanoseconds. */
static const double PER_DRAW = 20.0;     /* a normal, a visit or a bridge, with its share of matching and coarsening */
static const double PER_KICK = 8.0;      /* one gradient of a kick, per component */
static const double PER_VALUE = 5.0;     /* g, G or one of their k^2 averages at a node */
static const double PER_VISIT = 12.0;    /* one component of a visit */
static const double PER_PAIR = 0.25;     /* one multiply-add of the field, the memory and their averages */
static const double PER_SLOT = 4.0;      /* pathwise: one component of a visit seen from a node */
static const double PER_LINK = 0.6;      /* pathwise: one multiply-add of the chains at a node */
static const double PER_BETWEEN = 30.0;  /* pathwise: one component of R between two visits */
static const double PER_CHAIN = 5.0;     /* pathwise: one multiply-add of the chains at a visit */
static const double PER_INSERTION = 2.0; /* one of the k^2 + 2 k numbers of a visit that is inserted as the last one */
static const double INSERTED = 2.0;      /* how often a step does so */
static const double PASSES = 4.0;        /* typical corrector passes of a step at the default tolerance */

/* Events of a path: on average, rounded up, and a high quantile, which matters for memory. */
static int mean_slots(const dmft_plan *s, int level)
{
    const visit_law *visits = s->on_grid[level].process->visits;
    return visits ? (int)ceil(visits->count(s->problem->horizon, 1)) : s->grid[level]->steps;
}

static int most_slots(const dmft_plan *s, int level)
{
    const visit_law *visits = s->on_grid[level].process->visits;
    return visits ? (int)(visits->count(s->problem->horizon, 2.5) + 2) : s->grid[level]->steps;
}

/* Of one path: the inputs of all grids are there at the same time, the state is that of the largest. */
static double path_bytes(const dmft_plan *s)
{
    double bytes = 0;
    for (int level = 0; level < GRIDS; level++) {
        model_shape shape = s->on_grid[level].shape;
        double mean = path_block_bytes(&s->on_grid[level], 1, mean_slots(s, level));
        bytes = fmax(bytes, mean) + 0.5 * path_block_bytes(&s->on_grid[level], 1, 0);
        if (s->pen)
            bytes += coordinate_ensemble_bytes(shape.k, shape.kstar, s->grid[level]->steps, s->on_grid[level].process->white_noise, 1);
    }
    return bytes;
}

/* Blocks that wait for nothing: the scratch of a thread, for its most visited path. */
static double thread_bytes(const dmft_plan *s)
{
    return path_block_bytes(&s->on_grid[GRID_FINE], 512, most_slots(s, GRID_FINE));
}

/* Replicas that solve a level. */
static int replicas_of(const dmft_plan *s, int level)
{
    int count = 0;
    for (int r = 0; r < s->problem->numerics.replicas; r++)
        count += level < dmft_plan_grids(s, r);
    return count;
}

/* Of one pair of time steps of the fine grid, in all replicas and in the solution. */
static double pair_bytes(const dmft_plan *s)
{
    model_shape shape = s->on_grid[GRID_FINE].shape;
    double fine = s->grid[GRID_FINE]->steps, bytes = 0, kk = shape.k * shape.k;
    for (int level = 0; level < GRIDS; level++) {
        double steps = s->grid[level]->steps, replicas = replicas_of(s, level);
        bytes += replicas * kernels_bytes(shape.k, shape.kstar, s->grid[level]->steps, s->pen != NULL);
        if (s->problem->numerics.method == METHOD_PICARD)
            bytes += replicas * 4.0 * (double)s->on_grid[level].at.size * steps;
    }
    return bytes / (fine * fine) + 16 * kk;
}

/* Visits inserted into a path to integrate over the last one, at all nodes. */
static double insertions(const dmft_plan *s, int level)
{
    double sum = 0;
    for (int i = 1; i <= s->grid[level]->steps && s->on_grid[level].last_visit; i++)
        sum += i - last_visit_first(s->problem->process->last_visit, s->grid[level], i) + 1;
    return sum;
}

static double level_seconds(const dmft_plan *s, int level)
{
    model_shape shape = s->on_grid[level].shape;
    double k = shape.k, T = s->problem->horizon, N = s->grid[level]->steps, paths = (double)s->problem->numerics.paths;
    int pathwise = s->on_grid[level].at.response->pathwise;
    double nodes = PER_VALUE * N * (k * k + 2), field = 4 * PER_PAIR * k * k * N * N / 2;
    double rows = PER_PAIR * k * k * k * N * N * N / 2, events;
    if (s->on_grid[level].process->events == EVENTS_STEPS) {
        events = 4 * PER_KICK * N * k + (pathwise ? 2 * PER_LINK * k * k * k * N * N * N / 6 : 0);
    } else {
        events = PER_VISIT * k * T;
        if (pathwise)
            events += PER_SLOT * k * k * N * T / 2 + PER_BETWEEN * k * k * T * T / 2 +
                      k * k * k * T * T * (PER_LINK * N + PER_CHAIN * T) / 6;
    }
    double coordinates = s->pen ? PER_VALUE * N * k + field : 0;
    double drawn = PER_DRAW * (k * N + (s->on_grid[level].process->events == EVENTS_STEPS ? 0 : (k + 1) * T));
    if (s->pen && !s->on_grid[level].process->white_noise)
        coordinates += PER_LINK * k * k * k * N * N * N / 6;
    double inserted = INSERTED * PER_INSERTION * (k * k + 2 * k) * insertions(s, level);
    return 1e-9 * (PASSES * (paths * (nodes + field + events + coordinates) + rows) + paths * (drawn + inserted));
}

void dmft_cost(const dmft_plan *s, int threads, int ranks, sgdmft_cost *out)
{
    int replicas = s->problem->numerics.replicas;
    rank_layout plan = dmft_rank_layout(s, ranks);
    int mine = (replicas + plan.groups - 1) / plan.groups, at_once = threads > mine || plan.size > 1 ? 1 : threads;
    double n = s->grid[GRID_FINE]->steps + 1.0, own_paths = (double)s->problem->numerics.paths / plan.size;
    out->path_bytes = path_bytes(s);
    out->pair_bytes = pair_bytes(s);
    out->memory_bytes = at_once * own_paths * out->path_bytes + threads * thread_bytes(s) + n * n * out->pair_bytes;
    if (s->pen)
        out->memory_bytes += dmft_coordinates_bytes(s);
    out->available_bytes = memory_available();
    out->cpu_seconds = 0;
    for (int level = 0; level < GRIDS; level++)
        out->cpu_seconds += replicas_of(s, level) * level_seconds(s, level);
    out->wall_seconds = out->cpu_seconds / threads / (plan.groups * plan.size);
}
