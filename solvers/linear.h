/* Exact solution of the linear model (numerics.method: linear): no sampling, and no time-step error that matters. */
#ifndef SGDMFT_LINEAR_H
#define SGDMFT_LINEAR_H

#include "solvers/way.h"

/* The setup is a linear_setup. */
extern const solve_way linear_way;

/* 1 if the exact method covers the problem. Any failure counts as no. */
int linear_applies(const sgdmft_problem *problem);

#endif
