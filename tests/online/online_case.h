/* Online problems from text, solved through the public interface. */
#ifndef SGDMFT_TESTS_ONLINE_ONLINE_CASE_H
#define SGDMFT_TESTS_ONLINE_ONLINE_CASE_H

#include "sgdmft/sgdmft.h"
#include "support/check.h"
#include "support/plan.h"

#define ONLINE_TANH "eta: 0.9\nhorizon: 4\nmodel: {label: tanh(s) + 0.3*eps, predict: tanh(r), loss: (f - y)^2/2}\n"

typedef struct online_case {
    sgdmft_context *ctx;
    sgdmft_problem *problem;
    sgdmft_solution *solution;
} online_case;

/* "dynamics: online" in front of `text`. Fails the test if the problem cannot be solved. */
online_case online_case_solve(int threads, const char *text);
void online_case_clear(online_case *c);

/* The same problem, which need not succeed: the status and whatever solution there is. */
sgdmft_status online_attempt(sgdmft_context *ctx, const char *text, sgdmft_solution **out);

/* Value and standard error of a curve at output time i. */
double online_case_value(const online_case *c, const char *curve, size_t i);
double online_case_se(const online_case *c, const char *curve, size_t i);

/* C(t_i, t_j) and R(t_i, t_j), component (a, b), at grid nodes. */
double online_case_C(const online_case *c, size_t i, size_t j, int a, int b);
double online_case_R(const online_case *c, size_t i, size_t j, int a, int b);

/* Curves and two-time arrays are the same bytes. */
void check_online_same(const sgdmft_solution *a, const sgdmft_solution *b);

/* They are with 1, 2 and 7 threads. */
void check_online_threads(const char *text);

/* Stops at every `stride`-th call of the progress function in turn: what was reached is kept, with the reason. Progress
   goes from 0 to 1, times up to `horizon`; q11 starts at 1, up to `rounding`; some stop before the last output
   time. */
void check_online_interruption(const char *text, int stride, double horizon, double rounding);

#endif
