/* Z = t: gradient flow. The process is a drift alone. */
#ifndef SGDMFT_PROCESS_DRIFT_H
#define SGDMFT_PROCESS_DRIFT_H

#include "process/kick.h"

/* Solves the equation by the explicit midpoint rule, of order 2. */
int drift_kick(const kick_step *step, double *work, double *kick, double *D);

#endif
