/* Gradient flow. */
#ifndef SGDMFT_VALIDATION_SIMULATOR_FLOW_H
#define SGDMFT_VALIDATION_SIMULATOR_FLOW_H

#include "validation/simulator/integrator.h"

extern const integrator integrator_flow;

#endif
