/* What the tests of expressions share: a context, a graph with variables r, y, t, and evaluation at points. */
#ifndef SGDMFT_TESTS_EXPR_FIXTURE_H
#define SGDMFT_TESTS_EXPR_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "expr/expr.h"

typedef struct fixture {
    sgdmft_context *ctx;
    expr_graph *graph;
    expr_node r, y, t;
} fixture;

static const origin fixture_origin = {"loss.yaml", 7, 10, "model.loss"};

static inline fixture fixture_new(void)
{
    fixture f;
    assert_int_equal(sgdmft_context_new(&f.ctx), SGDMFT_OK);
    assert_int_equal(expr_graph_new(f.ctx, &f.graph), SGDMFT_OK);
    assert_int_equal(expr_variable(f.ctx, f.graph, "r", &f.r), SGDMFT_OK);
    assert_int_equal(expr_variable(f.ctx, f.graph, "y", &f.y), SGDMFT_OK);
    assert_int_equal(expr_variable(f.ctx, f.graph, "t", &f.t), SGDMFT_OK);
    return f;
}

static inline void fixture_free(fixture *f)
{
    expr_graph_free(f->graph);
    sgdmft_context_free(f->ctx);
}

static inline expr_node fixture_parse(fixture *f, const char *text)
{
    expr_node node = EXPR_NONE;
    if (expr_parse(f->ctx, f->graph, text, &fixture_origin, &node) != SGDMFT_OK)
        fail_msg("\"%s\" does not parse: %s", text, sgdmft_context_message(f->ctx));
    return node;
}

static inline expr_node fixture_derive(fixture *f, expr_node node, expr_node variable)
{
    expr_node derivative = EXPR_NONE;
    assert_int_equal(expr_derivative(f->ctx, f->graph, node, variable, &derivative), SGDMFT_OK);
    return derivative;
}

/* Value of a node at one point, by the loops of the best instruction set. */
static inline double fixture_value(fixture *f, expr_node node, double r, double y, double t)
{
    expr_program *program = NULL;
    assert_int_equal(expr_compile(f->ctx, f->graph, &node, 1, &program), SGDMFT_OK);
    double *work = malloc(expr_program_work(program) * sizeof *work);
    assert_non_null(work);
    double out = 0;
    expr_eval(program, work, 1, (const double *[]){&r, &y, &t}, (double *[]){&out});
    free(work);
    expr_program_free(program);
    return out;
}

/* splitmix64, so that tests do not rest on the library's own numbers */
static inline uint64_t fixture_bits(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline double fixture_uniform(uint64_t *state, double from, double to)
{
    return from + (to - from) * (double)(fixture_bits(state) >> 11) * 0x1p-53;
}

#endif
