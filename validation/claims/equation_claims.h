/* Claims about the limiting equations themselves: different dynamics, exact solutions, limits and identities. */
#ifndef SGDMFT_VALIDATION_CLAIMS_EQUATION_CLAIMS_H
#define SGDMFT_VALIDATION_CLAIMS_EQUATION_CLAIMS_H

#include "validation/claims/claim.h"

void check_sme(claim *c);
void check_linear(claim *c);
void check_eta_to_zero(claim *c);
void check_delta_to_infinity(claim *c);
void check_identities(claim *c);

#endif
