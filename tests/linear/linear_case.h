/* What the tests of the exact method share: solving a problem given as text, and reading it off. */
#ifndef SGDMFT_TESTS_LINEAR_LINEAR_CASE_H
#define SGDMFT_TESTS_LINEAR_LINEAR_CASE_H

#include "linear_ode.h"
#include "sgdmft/sgdmft.h"
#include "support/check.h"
#include "support/plan.h"

#define PLAIN "model: {label: \"s + 0.1*eps\", loss: \"(r - y)^2/2\"}\n"

/* Solves the problem, which it frees. Fails the test if that fails. */
sgdmft_solution *linear_case_solve(sgdmft_context *ctx, sgdmft_problem *problem);
/* The same from a printf format and its arguments. */
#define SOLVE(ctx, ...) linear_case_solve(ctx, test_problem(ctx, __VA_ARGS__))

/* A curve at output time number i. */
double linear_case_value(const sgdmft_solution *s, const char *name, size_t i);

/* All curves at output time number i: losses and q to `digits` relative, m and R absolute. */
void linear_case_compare(const sgdmft_solution *s, size_t i, const ode_values *want, double digits, const char *what);

#endif
