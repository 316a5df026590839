/* A solution against a small simulation of the finite system. */
#ifndef SGDMFT_TESTS_DMFT_SIMULATED_H
#define SGDMFT_TESTS_DMFT_SIMULATED_H

#include <stddef.h>

/* Solves and simulates a problem with d = 500. Every curve of both within 4.5 standard errors of the difference, the
   time-step error that was removed, and the effect of finite d, 2 / d of the largest value. R is not simulated. `paths`
   are scaled as in check.h. */
void check_simulated(const char *body, size_t paths, const char *numerics);

#endif
