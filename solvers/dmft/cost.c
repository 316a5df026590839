#include "solvers/dmft/cost.h"

#include <math.h>

#include "coordinates/ensemble.h"
#include "core/memory.h"
#include "merged/block.h"
#include "paths/events.h"
#include "paths/last_visit.h"
#include "solvers/common/output_times.h"
#include "solvers/dmft/coordinates.h"
#include "solvers/dmft/replicas.h"

/* Rates in nanoseconds. */
static const double PER_DRAW = 10.0;     /* a normal, a visit or a bridge, with its share of matching and coarsening */
static const double PER_KICK = 4.0;      /* one component of one gradient of a kick */
static const double PER_VALUE = 2.5;     /* g, G or one of their k^2 averages at a node */
static const double PER_VISIT = 6.0;     /* one component of a visit */
static const double PER_PAIR = 0.125;    /* one multiply-add of the field, the memory and their averages */
static const double PER_SLOT = 7.0;      /* pathwise: one component of the effect of a visit on a later node */
static const double PER_LINK = 1.0;      /* pathwise: one multiply-add of the chains at a node */
static const double PER_BETWEEN = 50.0;  /* pathwise: one component of R between two visits */
static const double PER_CHAIN = 9.0;     /* pathwise: one multiply-add of the chains at a visit */
static const double PER_INSERTION = 0.6; /* one of the k^2 + 2 k numbers of a visit that is inserted as the last one */

static const double PER_BACKWARD = 0.1;   /* midpoint rule: one multiply-add of a backward run */
static const double PER_COORDINATE = 25;  /* one component of one sampled coordinate at a node */
static const double COORDINATE_PAIRS = 3; /* multiply-adds of its field and memory, compared with those of a path */

/* The number of integrations over the last visit in a step, at most. */
static const double INTEGRATIONS = 2.0;

/* The number of corrector passes of a step, as it was seen at tolerances from 1e-8 (4.5) to 1e-4 (2.2). Averages that
   jump agree after the first pass, or never better. */
static double passes_of(const dmft_plan *plan)
{
    if (plan->grid[GRID_FINE]->discrete)
        return 1;
    if (plan->on_grid[GRID_FINE].shape.jumps)
        return 1.2;
    return fmax(1.2, -0.6 * log10(plan->problem->numerics.tolerance) - 0.2);
}

/* The number of events of a path: mean plus one deviation, and a high quantile, which determines the memory. */
static int mean_slots(const dmft_plan *plan, int grid)
{
    const visit_law *visits = plan->on_grid[grid].process->visits;
    return visits ? (int)ceil(visits->count(plan->problem->horizon, 1, plan->grid[grid]->h[0]))
                  : plan->grid[grid]->steps;
}

static int most_slots(const dmft_plan *plan, int grid)
{
    const visit_law *visits = plan->on_grid[grid].process->visits;
    return visits ? (int)(visits->count(plan->problem->horizon, 2.5, plan->grid[grid]->h[0]) + 2)
                  : plan->grid[grid]->steps;
}

/* 1 if the mean gradient of a coordinate depends on its path itself. */
static int coordinates_on_path(const dmft_plan *plan, int grid)
{
    return !plan->on_grid[grid].process->white_noise || plan->grid[grid]->discrete;
}

/* Bytes of one path. Its inputs on all grids exist at the same time, its state on one grid at a time. */
static double path_bytes(const dmft_plan *plan)
{
    double bytes = 0, k = plan->source.shape.k;
    for (int grid = 0; grid < GRIDS && plan->merged; grid++)
        bytes += merged_block_bytes(&plan->on_grid[grid], plan->on_grid[grid].at.steps / MOMENTS);
    if (plan->merged) /* a window of the fine grid has that many visits */
        return bytes +
               path_window_bytes((size_t)k, WINDOW_CELLS * plan->problem->horizon / plan->grid[GRID_FINE]->steps);
    for (int grid = 0; grid < GRIDS && plan->grid[grid]; grid++) {
        model_shape shape = plan->on_grid[grid].shape;
        double mean = path_block_bytes(&plan->on_grid[grid], 1, mean_slots(plan, grid));
        bytes = fmax(bytes, mean) + 0.5 * path_block_bytes(&plan->on_grid[grid], 1, 0);
        if (plan->penalty)
            bytes += coordinate_ensemble_bytes(shape.k, shape.kstar, plan->grid[grid]->steps,
                                               coordinates_on_path(plan, grid), 1);
    }
    return bytes;
}

/* Bytes of the workspace of one thread, whose size follows from the most visited path. */
static double thread_bytes(const dmft_plan *plan)
{
    return path_block_bytes(&plan->on_grid[GRID_FINE], 512, most_slots(plan, GRID_FINE));
}

/* The number of replicas that solve a grid. */
static int replicas_of(const dmft_plan *plan, int grid)
{
    return grid < dmft_plan_grids(plan) ? plan->problem->numerics.replicas : 0;
}

/* Bytes for each pair of nodes of the fine grid, in all replicas and in the solution. */
static double pair_bytes(const dmft_plan *plan)
{
    model_shape shape = plan->on_grid[GRID_FINE].shape;
    double fine = plan->grid[GRID_FINE]->steps, bytes = 0, kk = shape.k * shape.k, marks = plan->n_marks;
    for (int grid = 0; grid < GRIDS && plan->merged; grid++)
        bytes +=
            replicas_of(plan, grid) * merged_kernels_bytes(shape.k, shape.kstar, plan->on_grid[grid].at.steps / MOMENTS,
                                                           grid ? 0 : plan->n_marks);
    if (plan->merged)
        return (bytes + 16 * kk * marks * marks * (1 + plan->problem->numerics.replicas)) / (fine * fine);
    for (int grid = 0; grid < GRIDS && plan->grid[grid]; grid++) {
        double steps = plan->grid[grid]->steps, replicas = replicas_of(plan, grid);
        bytes += replicas * kernels_bytes(shape.k, shape.kstar, plan->grid[grid]->steps, plan->penalty != NULL);
        if (plan->problem->numerics.method == METHOD_PICARD)
            bytes += replicas * 4.0 * (double)plan->on_grid[grid].at.size * steps;
    }
    return bytes / (fine * fine) + 16 * kk;
}

/* The number of visits that are inserted into a path at all nodes, to integrate over the last one. */
static double insertions(const dmft_plan *plan, int grid)
{
    double sum = 0;
    for (int i = 1; i <= plan->grid[grid]->steps && plan->on_grid[grid].last_visit; i++)
        sum += i - last_visit_first(plan->problem->process->last_visit, plan->grid[grid], i) + 1;
    return sum;
}

/* The same with a merged history. */
static double merged_seconds(const dmft_plan *plan, int grid)
{
    model_shape shape = plan->on_grid[grid].shape;
    double k = shape.k, N = plan->grid[grid]->steps, paths = (double)plan->problem->numerics.paths;
    double T = plan->problem->horizon, features = MOMENTS * dmft_plan_cells(plan, grid), passes = passes_of(plan) + 1;
    int steps = plan->on_grid[grid].process->events == EVENTS_STEPS;
    double node = PER_VALUE * (k * k + 2) + 4 * PER_PAIR * k * k * features;
    double events = steps ? 4 * PER_KICK * N * k : PER_VISIT * (k + 1) * T;
    double draws = PER_DRAW * ((MOMENTS + 1) * k * N + (steps ? N : (k + 2) * T)) + 4 * PER_PAIR * k * k * features * N;
    double last_visits = INTEGRATIONS * PER_INSERTION * (k * k + 2 * k + 2) * insertions(plan, grid);
    double rows = pow(k * features, 3) / 3 * PER_PAIR;
    return 1e-9 * (passes * (paths * (N * node + events) + N * rows) + paths * (draws + last_visits));
}

/* The part of the nodes at which a path is looked at: where a sample keeps its place, one in an epoch, and those of the
   output times. */
static double node_share(const dmft_plan *plan, int grid)
{
    double outputs = (double)output_times_count(plan->problem);
    return process_keeps_places(plan->on_grid[grid].process)
               ? fmin(1, (plan->problem->horizon + outputs) / plan->grid[grid]->steps)
               : 1;
}

/* Seconds of one thread to solve one replica on a grid. */
static double grid_seconds(const dmft_plan *plan, int grid)
{
    model_shape shape = plan->on_grid[grid].shape;
    double k = shape.k, T = plan->problem->horizon, N = plan->grid[grid]->steps,
           paths = (double)plan->problem->numerics.paths;
    int pathwise = plan->on_grid[grid].at.response->pathwise;
    if (plan->merged)
        return merged_seconds(plan, grid);
    double share = node_share(plan, grid);
    double nodes = PER_VALUE * N * share * (k * k + 2), field = 4 * PER_PAIR * k * k * N * share * N / 2;
    double rows = PER_PAIR * k * k * k * N * N * N / 2, events;
    if (plan->on_grid[grid].process->events == EVENTS_STEPS) {
        double link = plan->on_grid[grid].at.response->midpoint ? PER_BACKWARD : 2 * PER_LINK;
        events = 4 * PER_KICK * N * k + (pathwise ? link * k * k * k * N * N * N / 6 : 0);
    } else if (plan->grid[grid]->discrete) {
        double slots = mean_slots(plan, grid);
        events = PER_VISIT * k * T + (pathwise ? PER_LINK * k * k * k * N * share * slots * slots / 6 : 0);
    } else {
        events = PER_VISIT * k * T;
        if (pathwise)
            events += PER_SLOT * k * k * N * T / 2 + PER_BETWEEN * k * k * T * T / 2 +
                      k * k * k * T * T * (PER_LINK * N + PER_CHAIN * T) / 6;
    }
    double coordinates = plan->penalty ? PER_COORDINATE * N * k + COORDINATE_PAIRS * field : 0;
    double draws = PER_DRAW * (k * N + (plan->on_grid[grid].process->events == EVENTS_STEPS ? 0 : (k + 1) * T));
    if (plan->penalty && coordinates_on_path(plan, grid))
        coordinates += PER_LINK * k * k * k * N * N * N / 6;
    double passes = passes_of(plan);
    double last_visits = fmin(passes, INTEGRATIONS) * PER_INSERTION * (k * k + 2 * k) * insertions(plan, grid);
    return 1e-9 * (passes * (paths * (nodes + field + events + coordinates) + rows) + paths * (draws + last_visits));
}

void dmft_cost(const dmft_plan *plan, int threads, int ranks, sgdmft_cost *out)
{
    int replicas = plan->problem->numerics.replicas;
    rank_layout layout = replica_set_layout(plan, ranks, replicas);
    int mine = (replicas + layout.groups - 1) / layout.groups,
        at_once = threads > mine || layout.size > 1 ? 1 : threads;
    double n = plan->grid[GRID_FINE]->steps + 1.0, own_paths = (double)plan->problem->numerics.paths / layout.size;
    out->path_bytes = path_bytes(plan);
    out->pair_bytes = pair_bytes(plan);
    out->memory_bytes = at_once * own_paths * out->path_bytes + threads * thread_bytes(plan) + n * n * out->pair_bytes;
    if (plan->penalty)
        out->memory_bytes += dmft_coordinates_bytes(plan);
    out->available_bytes = memory_available();
    out->cpu_seconds = 0;
    for (int grid = 0; grid < GRIDS && plan->grid[grid]; grid++)
        out->cpu_seconds += replicas_of(plan, grid) * grid_seconds(plan, grid);
    out->wall_seconds = out->cpu_seconds / threads / (layout.groups * layout.size);
}
