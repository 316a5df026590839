/* Online (one-pass) SGD: a differential equation for m and q whose coefficients are Gaussian averages. */
#ifndef SGDMFT_SOLVERS_ONLINE_ONLINE_H
#define SGDMFT_SOLVERS_ONLINE_ONLINE_H

#include "solvers/solver.h"

/* The setup is an online_setting. */
extern const solver online_solver;

#endif
