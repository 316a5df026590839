#include "problem/penalty.h"

#include <stdio.h>
#include <stdlib.h>

#include "expr/expr.h"
#include "problem/problem.h"

enum { LARGEST = 8 }; /* students, see the table of options */

struct penalty {
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

static sgdmft_status build(sgdmft_context *ctx, const problem_text *text, expr_graph *graph, penalty *p)
{
    expr_node th[LARGEST], value, derivative[LARGEST];
    sgdmft_status status = declare(ctx, graph, p->k, th);
    if (!status)
        status = expr_parse(ctx, graph, text->text, &text->where, &value);
    for (int a = 0; a < p->k && !status; a++)
        status = expr_derivative(ctx, graph, value, th[a], &derivative[a]);
    if (!status)
        status = expr_compile(ctx, graph, derivative, (size_t)p->k, &p->gradient);
    return status;
}

sgdmft_status penalty_new(sgdmft_context *ctx, const sgdmft_problem *problem, penalty **out)
{
    *out = NULL;
    if (!problem->penalty.text)
        return SGDMFT_OK;
    penalty *p = calloc(1, sizeof *p);
    if (!p)
        return context_out_of_memory(ctx, "the penalty", sizeof *p);
    p->k = problem->model.students;
    expr_graph *graph = NULL;
    sgdmft_status status = expr_graph_new(ctx, &graph);
    if (!status)
        status = build(ctx, &problem->penalty, graph, p);
    expr_graph_free(graph);
    if (status) {
        penalty_free(p);
        return status;
    }
    *out = p;
    return SGDMFT_OK;
}

void penalty_free(penalty *p)
{
    if (!p)
        return;
    expr_program_free(p->gradient);
    free(p);
}

size_t penalty_work(const penalty *p)
{
    return expr_program_work(p->gradient);
}

void penalty_gradient(const penalty *p, double *work, size_t n, size_t length, const double *theta, double *slope)
{
    const double *in[LARGEST];
    double *out[LARGEST];
    for (int a = 0; a < p->k; a++) {
        in[a] = theta + (size_t)a * length;
        out[a] = slope + (size_t)a * length;
    }
    expr_eval(p->gradient, work, n, in, out);
}
