#include "validation/simulator_penalty.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "expr/expr.h"
#include "problem/problem.h"
#include "validation/simulator_kernels.h"

enum { BLOCK = 512 }; /* coordinates at a time */

struct simulator_penalty {
    int k;
    expr_program *gradient;
};

static sgdmft_status declare(sgdmft_context *ctx, expr_graph *graph, int k, expr_node *th)
{
    sgdmft_status status = SGDMFT_OK;
    for (int a = 0; a < k && !status; a++) {
        char name[16];
        snprintf(name, sizeof name, "th%d", a + 1);
        status = expr_variable(ctx, graph, name, &th[a]);
    }
    return status;
}

static sgdmft_status build(sgdmft_context *ctx, const problem_text *text, expr_graph *graph, simulator_penalty *p)
{
    expr_node th[SIMULATOR_STUDENTS], value, derivative[SIMULATOR_STUDENTS];
    sgdmft_status status = declare(ctx, graph, p->k, th);
    if (!status)
        status = expr_parse(ctx, graph, text->text, &text->where, &value);
    for (int a = 0; a < p->k && !status; a++)
        status = expr_derivative(ctx, graph, value, th[a], &derivative[a]);
    if (!status)
        status = expr_compile(ctx, graph, derivative, (size_t)p->k, &p->gradient);
    return status;
}

sgdmft_status simulator_penalty_new(sgdmft_context *ctx, const sgdmft_problem *problem, simulator_penalty **out)
{
    *out = NULL;
    if (!problem->penalty.text)
        return SGDMFT_OK;
    simulator_penalty *p = calloc(1, sizeof *p);
    if (!p)
        return context_out_of_memory(ctx, "the penalty", sizeof *p);
    p->k = problem->model.students;
    expr_graph *graph = NULL;
    sgdmft_status status = expr_graph_new(ctx, &graph);
    if (!status)
        status = build(ctx, &problem->penalty, graph, p);
    expr_graph_free(graph);
    if (status) {
        simulator_penalty_free(p);
        return status;
    }
    *out = p;
    return SGDMFT_OK;
}

void simulator_penalty_free(simulator_penalty *p)
{
    if (!p)
        return;
    expr_program_free(p->gradient);
    free(p);
}

size_t simulator_penalty_work(const simulator_penalty *p)
{
    return expr_program_work(p->gradient) + 2 * (size_t)p->k * BLOCK;
}

void simulator_penalty_add(const simulator_penalty *p, double *work, size_t d, size_t length, double factor,
                           const float *theta, float *target)
{
    const double *in[SIMULATOR_STUDENTS];
    double *out[SIMULATOR_STUDENTS], *th = work, *slope = th + (size_t)p->k * BLOCK;
    double *scratch = slope + (size_t)p->k * BLOCK;
    for (int a = 0; a < p->k; a++) {
        in[a] = th + (size_t)a * BLOCK;
        out[a] = slope + (size_t)a * BLOCK;
    }
    for (size_t from = 0; from < d; from += BLOCK) {
        size_t n = d - from < BLOCK ? d - from : BLOCK;
        for (size_t a = 0; a < (size_t)p->k; a++)
            for (size_t j = 0; j < n; j++)
                th[a * BLOCK + j] = theta[a * length + from + j];
        expr_eval(p->gradient, scratch, n, in, out);
        for (size_t a = 0; a < (size_t)p->k; a++)
            for (size_t j = 0; j < n; j++)
                target[a * length + from + j] += (float)(factor * slope[a * BLOCK + j]);
    }
}
