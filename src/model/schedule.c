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
