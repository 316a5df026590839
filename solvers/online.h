/* Online (one-pass) SGD: a differential equation for m and q whose coefficients are Gaussian averages. */
#ifndef SGDMFT_ONLINE_H
#define SGDMFT_ONLINE_H

#include "solvers/way.h"

/* The setup is an online_setting. */
extern const solve_way online_way;

#endif
