/* Z = t + B with a Brownian motion B: the stochastic modified equation of SGD. */
#ifndef SGDMFT_PROCESS_BROWNIAN_H
#define SGDMFT_PROCESS_BROWNIAN_H

#include "process/kick.h"

/* Solves the Ito equation by Platen's explicit scheme of weak order 2 for one Brownian motion. D must be NULL. */
int brownian_kick(const kick_step *step, double *work, double *kick, double *D);

#endif
