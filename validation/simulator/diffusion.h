/* The stochastic modified equation. */
#ifndef SGDMFT_VALIDATION_SIMULATOR_DIFFUSION_H
#define SGDMFT_VALIDATION_SIMULATOR_DIFFUSION_H

#include "validation/simulator/integrator.h"

extern const integrator integrator_diffusion;

#endif
