/* The self-consistent solver: Monte Carlo replicas on nested grids. It solves the problems of every process whose
   samples are visited again. */
#ifndef SGDMFT_SOLVERS_DMFT_DMFT_H
#define SGDMFT_SOLVERS_DMFT_DMFT_H

#include "solvers/solver.h"

/* The plan of this solver is a dmft_plan (plan.h). */
extern const solver dmft_solver;

#endif
