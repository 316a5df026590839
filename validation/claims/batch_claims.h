/* Claims about batches that are a fraction of the data, and about momentum. */
#ifndef SGDMFT_VALIDATION_CLAIMS_BATCH_CLAIMS_H
#define SGDMFT_VALIDATION_CLAIMS_BATCH_CLAIMS_H

#include "validation/claims/claim.h"

void check_batch_fraction(claim *c);
void check_momentum(claim *c);
void check_gradient_descent(claim *c);

#endif
