/* The public samplers: handles around the processes of coordinates and preactivations. */
#include "sgdmft/sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "core/memory.h"
#include "problem/problem.h"
#include "sample/coordinates.h"
#include "sample/draws.h"
#include "sample/histograms.h"
#include "sample/preactivations.h"
#include "solvers/common/output_times.h"

_Static_assert(SGDMFT_SAMPLE_LANES == SAMPLE_LANES, "the public number of lanes is that of the blocks");

/* Rounding and Monte-Carlo errors of a covariance leave negative eigenvalues up to this part of its trace. */
static const double NEGATIVE_LIMIT = 1e-6;

/* A time may lie this far beyond the end of the grid, relative to it: it may have been written with few digits. */
static const double BEYOND_END = 1e-9;

struct sgdmft_sampler {
    const sgdmft_problem *problem; /* not owned */
    two_time x;
    size_t n;                              /* chosen times */
    size_t *node;                          /* [n] of the grid, ascending */
    double *t;                             /* [n] */
    coordinate_process *coordinates;       /* NULL: not to be drawn */
    preactivation_process *preactivations; /* NULL: not to be drawn */
};

struct sgdmft_paths {
    const sgdmft_sampler *sampler; /* not owned */
    coordinate_paths *coordinates;
    preactivation_paths *preactivations;
    double *r;     /* [n][k][lanes] */
    double *still; /* [k][lanes] zeros: with momentum, a visit moves r only later */
};

/* Inserts a node unless it is there already. */
static void add_node(sgdmft_sampler *s, size_t node)
{
    size_t at = s->n;
    while (at > 0 && s->node[at - 1] > node)
        at--;
    if (at > 0 && s->node[at - 1] == node)
        return;
    memmove(s->node + at + 1, s->node + at, (s->n - at) * sizeof *s->node);
    s->node[at] = node;
    s->n++;
}

static sgdmft_status check_time(sgdmft_context *ctx, double t, double end)
{
    if (t >= 0 && t <= end * (1 + BEYOND_END))
        return SGDMFT_OK;
    return context_fail(ctx, SGDMFT_ERR_ARGUMENT, "sample: the time %g is outside the solution's time grid, 0 to %g", t,
                        end);
}

static sgdmft_status add_times(sgdmft_context *ctx, sgdmft_sampler *s, const double *times, size_t n_times)
{
    sgdmft_status status = SGDMFT_OK;
    for (size_t i = 0; i < n_times && !status; i++) {
        status = check_time(ctx, times[i], s->x.t[s->x.n - 1]);
        if (!status)
            add_node(s, two_time_nearest(&s->x, times[i]));
    }
    return status;
}

static void add_output_times(sgdmft_sampler *s)
{
    for (size_t i = 0, times = output_times_count(s->problem); i < times; i++) {
        double t = output_time(s->problem, i);
        if (t <= s->x.t[s->x.n - 1] * (1 + BEYOND_END))
            add_node(s, two_time_nearest(&s->x, t));
    }
}

static sgdmft_status choose_times(sgdmft_context *ctx, sgdmft_sampler *s, const double *times, size_t n_times)
{
    s->node = calloc(s->x.n + 1, sizeof *s->node);
    s->t = calloc(s->x.n + 1, sizeof *s->t);
    if (!s->node || !s->t)
        return context_out_of_memory(ctx, "the times of a sampler", 16.0 * (double)s->x.n);
    sgdmft_status status = SGDMFT_OK;
    if (times)
        status = add_times(ctx, s, times, n_times);
    else
        add_output_times(s);
    if (!status && s->n == 0)
        status = context_fail(ctx, SGDMFT_ERR_ARGUMENT, "sample: no times are given");
    for (size_t i = 0; i < s->n; i++)
        s->t[i] = s->x.t[s->node[i]];
    return status;
}

static void warn_negative(sgdmft_context *ctx, const char *what, double negative)
{
    if (negative > NEGATIVE_LIMIT)
        context_log(
            ctx, SGDMFT_LOG_WARNING,
            "%.2g of the variance of %s is negative and was set to zero; more paths or steps in the solve would "
            "help",
            negative, what);
}

/* Not all solvers know the response; where it is not known, R is not a number. Preactivations need it for the memory of
   their visits, coordinates with a ridge for that of their start. */
static sgdmft_status check_response(sgdmft_context *ctx, const sgdmft_sampler *s, sgdmft_sample_parts parts)
{
    const sgdmft_problem *problem = s->problem;
    int needed = ((parts & SGDMFT_SAMPLE_PREACTIVATIONS) && problem->process->events != EVENTS_FRESH) ||
                 ((parts & SGDMFT_SAMPLE_COORDINATES) && !problem->penalty.text);
    for (size_t i = 0; needed && i < s->x.n * s->x.n * (size_t)(s->x.k * s->x.k); i++)
        if (!isfinite(s->x.R[i]))
            return context_fail(ctx, SGDMFT_ERR_RANGE,
                                "%s: R of the solution holds a value that is not finite, as where the response is not "
                                "known, but these paths need it",
                                problem->source);
    return SGDMFT_OK;
}

static sgdmft_status make_processes(sgdmft_context *ctx, sgdmft_sampler *s, sgdmft_sample_parts parts)
{
    sgdmft_status status = check_response(ctx, s, parts);
    if (!status && (parts & SGDMFT_SAMPLE_COORDINATES))
        status = coordinate_process_new(ctx, s->problem, &s->x, s->n, s->node, &s->coordinates);
    if (!status && (parts & SGDMFT_SAMPLE_PREACTIVATIONS))
        status = preactivation_process_new(ctx, s->problem, &s->x, &s->preactivations);
    if (!status && s->coordinates)
        warn_negative(ctx, "theta", s->coordinates->gaussian.rest.negative);
    if (!status && s->preactivations)
        warn_negative(ctx, "w", s->preactivations->field.nodes.rest.negative);
    return status;
}

static sgdmft_status check_solution(sgdmft_context *ctx, sgdmft_problem *problem, const sgdmft_solution *solution)
{
    sgdmft_status status = sgdmft_problem_check(ctx, problem);
    if (status)
        return status;
    if (solution->n_grid < 2)
        return context_fail(ctx, SGDMFT_ERR_MISSING,
                            "%s: the solution has no two-time arrays, as after a simulation, which does not know them; "
                            "needed: a solution of the limiting equations, e.g. the HDF5 file of 'sgdmft solve'",
                            problem->source);
    if (solution->k != problem->model.students || solution->kstar != problem->model.teachers)
        return context_fail(
            ctx, SGDMFT_ERR_SHAPE, "%s: the solution has %d students and %d teachers, but the problem has %d and %d",
            problem->source, solution->k, solution->kstar, problem->model.students, problem->model.teachers);
    return SGDMFT_OK;
}

sgdmft_status sgdmft_sampler_new(sgdmft_context *ctx, sgdmft_problem *problem, const sgdmft_solution *solution,
                                 sgdmft_sample_parts parts, const double *times, size_t n_times, sgdmft_sampler **out)
{
    *out = NULL;
    if (!(parts & SGDMFT_SAMPLE_BOTH) || (parts & ~SGDMFT_SAMPLE_BOTH))
        return context_fail(ctx, SGDMFT_ERR_ARGUMENT, "sample: parts is %d, not one of sgdmft_sample_parts",
                            (int)parts);
    sgdmft_status status = check_solution(ctx, problem, solution);
    if (status)
        return status;
    sgdmft_sampler *s = calloc(1, sizeof *s);
    if (!s)
        return context_out_of_memory(ctx, "a sampler", sizeof *s);
    s->problem = problem;
    s->x = two_time_of(solution);
    status = choose_times(ctx, s, times, n_times);
    if (!status)
        status = make_processes(ctx, s, parts);
    if (status)
        sgdmft_sampler_free(s);
    else
        *out = s;
    return status;
}

void sgdmft_sampler_free(sgdmft_sampler *sampler)
{
    if (!sampler)
        return;
    coordinate_process_free(sampler->coordinates);
    preactivation_process_free(sampler->preactivations);
    free(sampler->node);
    free(sampler->t);
    free(sampler);
}

const double *sgdmft_sampler_times(const sgdmft_sampler *sampler, size_t *n_times)
{
    *n_times = sampler->n;
    return sampler->t;
}

size_t sgdmft_sampler_rows(const sgdmft_sampler *sampler, sgdmft_path_quantity quantity)
{
    size_t k = (size_t)sampler->x.k, kstar = (size_t)sampler->x.kstar;
    int coordinates = sampler->coordinates != NULL, preactivations = sampler->preactivations != NULL;
    switch (quantity) {
    case SGDMFT_PATH_THETA: return coordinates ? k : 0;
    case SGDMFT_PATH_THETA_STAR: return coordinates ? kstar : 0;
    case SGDMFT_PATH_FIELD:
    case SGDMFT_PATH_PREACTIVATION: return preactivations ? k : 0;
    case SGDMFT_PATH_SIGNAL: return preactivations ? kstar : 0;
    case SGDMFT_PATH_LABEL: return preactivations ? (size_t)sampler->preactivations->shape.labels : 0;
    case SGDMFT_PATH_KICK: return sgdmft_sampler_has_visits(sampler) ? k : 0;
    }
    return 0;
}

int sgdmft_sampler_has_visits(const sgdmft_sampler *sampler)
{
    return sampler->preactivations && sampler->problem->process->visits != NULL;
}

sgdmft_status sgdmft_paths_new(sgdmft_context *ctx, const sgdmft_sampler *sampler, sgdmft_paths **out)
{
    size_t size = sampler->n * (size_t)sampler->x.k * SAMPLE_LANES;
    sgdmft_status status = SGDMFT_OK;
    *out = NULL;
    sgdmft_paths *p = calloc(1, sizeof *p);
    if (!p)
        return context_out_of_memory(ctx, "a block of paths", sizeof *p);
    p->sampler = sampler;
    if (sampler->coordinates)
        status = coordinate_paths_new(ctx, sampler->coordinates, &p->coordinates);
    if (sampler->preactivations && !status)
        status = preactivation_paths_new(ctx, sampler->preactivations, &p->preactivations);
    p->still = memory_doubles((size_t)sampler->x.k * SAMPLE_LANES);
    if (!status && (!p->still || (sampler->preactivations && !(p->r = memory_doubles(size)))))
        status = context_out_of_memory(ctx, "a block of paths", 8.0 * (double)size);
    if (status)
        sgdmft_paths_free(p);
    else
        *out = p;
    return status;
}

void sgdmft_paths_free(sgdmft_paths *paths)
{
    if (!paths)
        return;
    coordinate_paths_free(paths->coordinates);
    preactivation_paths_free(paths->preactivations);
    free(paths->r);
    free(paths->still);
    free(paths);
}

sgdmft_status sgdmft_paths_draw(sgdmft_context *ctx, sgdmft_paths *paths, uint64_t seed, uint64_t block)
{
    const sgdmft_sampler *s = paths->sampler;
    sgdmft_status status = SGDMFT_OK;
    if (s->coordinates)
        status = coordinate_paths_report(ctx, coordinate_paths_draw(s->coordinates, seed, block, paths->coordinates));
    if (!s->preactivations || status)
        return status;
    status = preactivation_paths_report(
        ctx, preactivation_paths_draw(s->preactivations, seed, block, paths->preactivations));
    for (size_t i = 0; i < s->n && !status; i++)
        preactivation_paths_at(s->preactivations, paths->preactivations, s->node[i],
                               paths->r + i * (size_t)s->x.k * SAMPLE_LANES);
    return status;
}

const double *sgdmft_paths_at(const sgdmft_paths *paths, sgdmft_path_quantity quantity, size_t time)
{
    const sgdmft_sampler *s = paths->sampler;
    size_t width = (size_t)s->x.k * SAMPLE_LANES;
    if (time >= s->n || sgdmft_sampler_rows(s, quantity) == 0)
        return NULL;
    switch (quantity) {
    case SGDMFT_PATH_THETA: return paths->coordinates->theta + time * width;
    case SGDMFT_PATH_THETA_STAR: return paths->coordinates->thetastar;
    case SGDMFT_PATH_FIELD: return paths->preactivations->w + s->node[time] * width;
    case SGDMFT_PATH_PREACTIVATION: return paths->r + time * width;
    case SGDMFT_PATH_SIGNAL: return paths->preactivations->wstar;
    case SGDMFT_PATH_LABEL: return paths->preactivations->y;
    case SGDMFT_PATH_KICK: break;
    }
    return NULL;
}

size_t sgdmft_paths_visits(const sgdmft_paths *paths, size_t lane)
{
    if (!sgdmft_sampler_has_visits(paths->sampler) || lane >= SAMPLE_LANES)
        return 0;
    return (size_t)paths->preactivations->events.count[lane];
}

double sgdmft_paths_visit_time(const sgdmft_paths *paths, size_t lane, size_t visit)
{
    if (visit >= sgdmft_paths_visits(paths, lane))
        return NAN;
    return paths->preactivations->events.time[visit * SAMPLE_LANES + lane];
}

const double *sgdmft_paths_at_visit(const sgdmft_paths *paths, sgdmft_path_quantity quantity, size_t visit)
{
    const preactivation_paths *p = paths->preactivations;
    size_t at = visit * (size_t)paths->sampler->x.k * SAMPLE_LANES;
    if (!sgdmft_sampler_has_visits(paths->sampler) || visit >= p->events.slots)
        return NULL;
    switch (quantity) {
    case SGDMFT_PATH_FIELD: return p->w_event + at;
    case SGDMFT_PATH_PREACTIVATION: return p->r_event + at;
    case SGDMFT_PATH_KICK: return paths->sampler->problem->momentum.rate > 0 ? paths->still : p->kick + at;
    case SGDMFT_PATH_SIGNAL: return p->wstar;
    case SGDMFT_PATH_LABEL: return p->y;
    default: return NULL;
    }
}

sgdmft_status sgdmft_sample_histograms(sgdmft_context *ctx, sgdmft_problem *problem, sgdmft_solution *solution,
                                       const double *times, size_t n_times, size_t bins)
{
    histogram_plan plan = {.n_times = n_times, .n_bins = bins, .times = times};
    sgdmft_status status = check_solution(ctx, problem, solution);
    if (!status && (n_times == 0 || bins == 0))
        status = context_fail(ctx, SGDMFT_ERR_ARGUMENT, "histograms: %zu times and %zu bins; needed: one of each",
                              n_times, bins);
    for (size_t i = 0; i < n_times && !status; i++)
        status = check_time(ctx, times[i], solution->t[solution->n_grid - 1]);
    if (status) {
        solution_drop_histograms(solution);
        return status;
    }
    int nonlinear = problem->penalty.text && solution->coordinates;
    return (nonlinear ? histograms_from_paths : histograms_from_moments)(ctx, problem, &plan, solution);
}
