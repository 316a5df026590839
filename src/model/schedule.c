#include "model/schedule.h"

#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "expr/expr.h"
#include "problem/problem.h"

struct schedule {
    expr_program *program;
};

enum { CHECK_POINTS = 1024 };

static sgdmft_status check_values(sgdmft_context *ctx, const sgdmft_problem *problem, const schedule *s)
{
    double t[CHECK_POINTS], eta[CHECK_POINTS];
    double *work = memory_doubles(schedule_work(s));
    if (!work)
        return context_out_of_memory(ctx, "the schedule eta(t)", 8.0 * (double)schedule_work(s));
    for (int p = 0; p < CHECK_POINTS; p++)
        t[p] = problem->horizon * p / (CHECK_POINTS - 1);
    schedule_values(s, work, CHECK_POINTS, t, eta);
    free(work);
    for (int p = 0; p < CHECK_POINTS; p++)
        if (!isfinite(eta[p]) || eta[p] < 0)
            return context_fail(ctx, SGDMFT_ERR_RANGE,
                                "%s:%d:%d: eta: value %g at t = %g is out of range; allowed: a finite step >= 0 on all "
                                "of [0, horizon]",
                                problem->eta.where.source, problem->eta.where.line, problem->eta.where.column, eta[p],
                                t[p]);
    return SGDMFT_OK;
}

sgdmft_status schedule_new(sgdmft_context *ctx, const sgdmft_problem *problem, schedule **out)
{
    schedule *s = calloc(1, sizeof *s);
    if (!s)
        return context_out_of_memory(ctx, "the schedule eta(t)", sizeof *s);
    expr_graph *graph = NULL;
    expr_node t, eta;
    sgdmft_status status = expr_graph_new(ctx, &graph);
    if (!status)
        status = expr_variable(ctx, graph, "t", &t);
    if (!status)
        status = expr_parse(ctx, graph, problem->eta.text, &problem->eta.where, &eta);
    if (!status)
        status = expr_compile(ctx, graph, &eta, 1, &s->program);
    expr_graph_free(graph);
    if (!status)
        status = check_values(ctx, problem, s);
    if (status) {
        schedule_free(s);
        return status;
    }
    *out = s;
    return SGDMFT_OK;
}

void schedule_free(schedule *s)
{
    if (!s)
        return;
    expr_program_free(s->program);
    free(s);
}

size_t schedule_work(const schedule *s)
{
    return expr_program_work(s->program);
}

void schedule_values(const schedule *s, double *work, size_t n, const double *t, double *eta)
{
    expr_eval(s->program, work, n, &t, &eta);
}

/* Piecewise schedules such as if(t<3, 1, 0.1) jump. The jumps are found by bisection between neighbours of this many
   points; of several jumps between two neighbours, one is found. */
enum { SCAN_POINTS = 8192 };

/* When the interval has shrunk to neighbouring numbers, the change of eta across it is a jump if it is larger than this
   part of eta. */
static const double SMALLEST_JUMP = 1e-10;

typedef struct scan {
    const schedule *eta;
    double *work;
    eta_jump *jump;
    size_t n;
} scan;

static double eta_at(const scan *s, double t)
{
    double value;
    schedule_values(s->eta, s->work, 1, &t, &value);
    return value;
}

/* Halves (low, high), keeping the half with the larger change, until low and high are neighbouring numbers. */
static void look_between(scan *s, double low, double high, double eta_low, double eta_high)
{
    while (eta_low != eta_high) {
        double middle = low + 0.5 * (high - low);
        if (middle <= low || middle >= high)
            break;
        double eta_middle = eta_at(s, middle);
        if (fabs(eta_middle - eta_low) >= fabs(eta_high - eta_middle)) {
            high = middle;
            eta_high = eta_middle;
        } else {
            low = middle;
            eta_low = eta_middle;
        }
    }
    if (fabs(eta_high - eta_low) > SMALLEST_JUMP * (fabs(eta_low) + fabs(eta_high)))
        s->jump[s->n++] = (eta_jump){low, high};
}

/* Jumps at the ends of [0, T] have no effect. */
static size_t drop_ends(eta_jump *jump, size_t n, double horizon)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (jump[i].before > 1e-12 * horizon && jump[i].after < (1 - 1e-12) * horizon)
            jump[kept++] = jump[i];
    return kept;
}

sgdmft_status schedule_jumps(sgdmft_context *ctx, const schedule *s, double horizon, eta_jump **jumps, size_t *count)
{
    scan find = {.eta = s, .work = memory_doubles(schedule_work(s) + 1)};
    find.jump = memory_zeroed(SCAN_POINTS, sizeof *find.jump);
    if (!find.work || !find.jump) {
        free(find.work);
        free(find.jump);
        return context_out_of_memory(ctx, "the jumps of eta(t)", 16.0 * SCAN_POINTS);
    }
    double low = 0, eta_low = eta_at(&find, 0);
    for (int i = 1; i < SCAN_POINTS; i++) {
        double high = i == SCAN_POINTS - 1 ? horizon : horizon * i / (SCAN_POINTS - 1), eta_high = eta_at(&find, high);
        look_between(&find, low, high, eta_low, eta_high);
        low = high;
        eta_low = eta_high;
    }
    free(find.work);
    *jumps = find.jump;
    *count = drop_ends(find.jump, find.n, horizon);
    return SGDMFT_OK;
}
