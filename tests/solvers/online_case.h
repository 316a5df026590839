/* Online problems from text, solved through the public interface. */
#ifndef SGDMFT_TEST_ONLINE_CASE_H
#define SGDMFT_TEST_ONLINE_CASE_H

#include "sgdmft/sgdmft.h"
#include "support/check.h"
#include "support/setting.h"

typedef struct online_case {
    sgdmft_context *ctx;
    sgdmft_problem *problem;
    sgdmft_solution *solution;
} online_case;

/* "dynamics: online" in front of `text`. Fails the test if the problem cannot be solved. */
online_case online_case_solve(int threads, const char *text);
void online_case_clear(online_case *c);

/* Value and standard error of a curve at output time i. */
double online_case_value(const online_case *c, const char *curve, size_t i);
double online_case_se(const online_case *c, const char *curve, size_t i);

/* C(t_i, t_j) and R(t_i, t_j), component (a, b), at grid nodes. */
double online_case_C(const online_case *c, size_t i, size_t j, int a, int b);
double online_case_R(const online_case *c, size_t i, size_t j, int a, int b);

#endif
