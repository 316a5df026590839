/* One repetition of a simulation of a problem, to look into. */
#ifndef SGDMFT_TESTS_VALIDATION_REPETITION_TEST_H
#define SGDMFT_TESTS_VALIDATION_REPETITION_TEST_H

#include "solvers/common/output_times.h"
#include "support/check.h"
#include "support/plan.h"
#include "validation/simulator/repetition.h"

typedef struct repetition_test {
    sgdmft_context *ctx;
    sgdmft_problem *problem;
    simulator_plan plan;
    repetitions_shared shared;
    repetition rep;
    simulator_system *system; /* of rep */
} repetition_test;

/* Takes over the problem. Points into itself: not to be copied. */
static inline void repetition_test_init(repetition_test *x, sgdmft_problem *problem)
{
    x->ctx = check_context(1);
    x->problem = problem;
    check_ok(x->ctx, simulator_plan_init(x->ctx, problem, &x->plan));
    x->shared = (repetitions_shared){.progress = {.ctx = x->ctx}, .needed = output_times_count(problem)};
    check_ok(x->ctx, repetition_init(x->ctx, &x->plan, &x->shared, &x->rep));
    x->system = &x->rep.system;
}

static inline void repetition_test_clear(repetition_test *x)
{
    repetition_clear(&x->rep);
    simulator_plan_clear(&x->plan);
    sgdmft_problem_free(x->problem);
    sgdmft_context_free(x->ctx);
}

/* sum_j a_j b_j over d coordinates */
static inline double sum_of_products(size_t d, const float *a, const float *b)
{
    double sum = 0;
    for (size_t j = 0; j < d; j++)
        sum += (double)a[j] * b[j];
    return sum;
}

#endif
