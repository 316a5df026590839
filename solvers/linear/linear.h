/* Exact solution of the linear model (numerics.method: linear): no sampling, and no time-step error that matters. */
#ifndef SGDMFT_SOLVERS_LINEAR_LINEAR_H
#define SGDMFT_SOLVERS_LINEAR_LINEAR_H

#include "solvers/solver.h"

/* `prepare` makes a linear_plan. */
extern const solver linear_solver;

/* 1 if the exact method covers the problem, 0 if it does not or if that cannot be found out. */
int linear_applies(const sgdmft_problem *problem);

#endif
