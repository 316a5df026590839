#include "model/penalty.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/matrix.h"
#include "expr/expr.h"
#include "problem/problem.h"

struct penalty {
    int k;
    expr_program *gradient, *hessian;
    int jumps;
};

/* A fixed number, so that the search finds the same jumps every time. */
#define SEED UINT64_C(20260118)

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

static sgdmft_status build_hessian(sgdmft_context *ctx, expr_graph *graph, const expr_node *th,
                                   const expr_node *derivative, penalty *p)
{
    expr_node second[MATRIX_MAX * MATRIX_MAX];
    sgdmft_status status = SGDMFT_OK;
    for (int c = 0; c < p->k * p->k && !status; c++)
        status = expr_derivative(ctx, graph, derivative[c / p->k], th[c % p->k], &second[c]);
    if (!status)
        status = expr_compile(ctx, graph, second, (size_t)(p->k * p->k), &p->hessian);
    for (int a = 0; a < p->k && !status; a++) {
        expr_jump jump = {.found = 0};
        status = expr_find_jump(ctx, graph, derivative[a], th, (size_t)p->k, (size_t)p->k, SEED, &jump);
        p->jumps |= jump.found;
    }
    return status;
}

static sgdmft_status build(sgdmft_context *ctx, const problem_text *text, expr_graph *graph, penalty *p)
{
    expr_node th[MATRIX_MAX], value, derivative[MATRIX_MAX];
    sgdmft_status status = declare(ctx, graph, p->k, th);
    if (!status)
        status = expr_parse(ctx, graph, text->text, &text->where, &value);
    for (int a = 0; a < p->k && !status; a++)
        status = expr_derivative(ctx, graph, value, th[a], &derivative[a]);
    if (!status)
        status = expr_compile(ctx, graph, derivative, (size_t)p->k, &p->gradient);
    if (!status)
        status = build_hessian(ctx, graph, th, derivative, p);
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
    expr_program_free(p->hessian);
    free(p);
}

size_t penalty_work(const penalty *p)
{
    size_t gradient = expr_program_work(p->gradient), hessian = expr_program_work(p->hessian);
    return gradient > hessian ? gradient : hessian;
}

int penalty_jumps(const penalty *p)
{
    return p->jumps;
}

/* `rows` outputs of a program at theta. */
static void evaluate(const expr_program *program, int k, int rows, double *work, size_t n, size_t length,
                     const double *theta, double *values)
{
    const double *in[MATRIX_MAX];
    double *out[MATRIX_MAX * MATRIX_MAX];
    for (int a = 0; a < k; a++)
        in[a] = theta + (size_t)a * length;
    for (int c = 0; c < rows; c++)
        out[c] = values + (size_t)c * length;
    expr_eval(program, work, n, in, out);
}

void penalty_gradient(const penalty *p, double *work, size_t n, size_t length, const double *theta, double *slope)
{
    evaluate(p->gradient, p->k, p->k, work, n, length, theta, slope);
}

void penalty_hessian(const penalty *p, double *work, size_t n, size_t length, const double *theta, double *curvature)
{
    evaluate(p->hessian, p->k, p->k * p->k, work, n, length, theta, curvature);
}
