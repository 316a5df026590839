/* A problem of the linear model with its exact two-time arrays, for the tests of samplers. */
#ifndef SGDMFT_TESTS_SAMPLE_SOLVED_H
#define SGDMFT_TESTS_SAMPLE_SOLVED_H

#include "problem/problem.h"
#include "sample/two_time.h"
#include "sgdmft/solve.h"
#include "support/check.h"
#include "support/plan.h"

typedef struct solved {
    sgdmft_context *ctx;
    sgdmft_problem *problem;
    sgdmft_solution *solution;
    two_time x;
} solved;

#define LINEAR_MODEL "model: {label: 's + 0.3*eps', loss: '(r - y)^2/2'}\n"

/* Takes over the problem. */
static inline solved solve_exactly(sgdmft_context *ctx, sgdmft_problem *problem)
{
    solved s = {.ctx = ctx, .problem = problem};
    problem->numerics.method = METHOD_LINEAR;
    check_ok(ctx, sgdmft_solve(ctx, problem, &s.solution));
    s.x = two_time_of(s.solution);
    return s;
}

static inline void solved_clear(solved *s)
{
    sgdmft_solution_free(s->solution);
    sgdmft_problem_free(s->problem);
}

#endif
