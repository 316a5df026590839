/* Claims that are checked by finite simulations. */
#ifndef SGDMFT_VALIDATION_CLAIMS_SIMULATION_CLAIMS_H
#define SGDMFT_VALIDATION_CLAIMS_SIMULATION_CLAIMS_H

#include "validation/claims/claim.h"

void check_sgd_simulation(claim *c);
void check_batch(claim *c);
void check_universality(claim *c);
void check_reference(claim *c);

#endif
