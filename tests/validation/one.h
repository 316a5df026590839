/* One repetition of a simulation of a problem given as text, to look into. */
#ifndef SGDMFT_TESTS_VALIDATION_ONE_H
#define SGDMFT_TESTS_VALIDATION_ONE_H

#include "support/check.h"
#include "support/setting.h"
#include "validation/simulator/repetition.h"

typedef struct one {
    sgdmft_context *ctx;
    sgdmft_problem *problem;
    simulator_setting set;
    simulator_monitor monitor;
    repetition rep;
} one;

/* Takes over the problem. Points into itself: not to be copied. */
static inline void one_init(one *x, sgdmft_problem *problem)
{
    x->ctx = check_context(1);
    x->problem = problem;
    check_ok(x->ctx, simulator_setting_init(x->ctx, problem, &x->set));
    x->monitor = (simulator_monitor){.ctx = x->ctx, .total = 1, .reached = (size_t)problem->output.times};
    check_ok(x->ctx, repetition_init(x->ctx, &x->set, &x->monitor, &x->rep));
}

static inline void one_clear(one *x)
{
    repetition_clear(&x->rep);
    simulator_setting_clear(&x->set);
    sgdmft_problem_free(x->problem);
    sgdmft_context_free(x->ctx);
}

/* sum_j a_j b_j over d coordinates */
static inline double one_product(size_t d, const float *a, const float *b)
{
    double sum = 0;
    for (size_t j = 0; j < d; j++)
        sum += (double)a[j] * b[j];
    return sum;
}

#endif
