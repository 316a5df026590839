/* The self-consistent solver: Monte-Carlo replicas on nested grids. It solves every process whose samples are visited
   again. */
#ifndef SGDMFT_SOLVERS_DMFT_DMFT_H
#define SGDMFT_SOLVERS_DMFT_DMFT_H

#include "solvers/solver.h"

/* Its plan is a dmft_plan. */
extern const solver dmft_solver;

#endif
