/* The effective problem as YAML, in the order of the table of options; reading it back gives the same problem. */
#ifndef SGDMFT_PROBLEM_ECHO_H
#define SGDMFT_PROBLEM_ECHO_H

#include "core/context.h"
#include "problem/problem.h"

/* Of a problem that was checked. The caller frees *out. */
sgdmft_status problem_echo(sgdmft_context *ctx, const sgdmft_problem *problem, char **out);

#endif
