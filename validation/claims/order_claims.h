/* Claims about the order in which samples are visited: with replacement, reshuffled in every epoch, or cyclic. */
#ifndef SGDMFT_VALIDATION_CLAIMS_ORDER_CLAIMS_H
#define SGDMFT_VALIDATION_CLAIMS_ORDER_CLAIMS_H

#include "validation/claims/claim.h"

void check_orders(claim *c);
void check_first_epoch(claim *c);

#endif
