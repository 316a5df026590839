/* All claims. */
#ifndef SGDMFT_VALIDATION_CLAIMS_CLAIMS_H
#define SGDMFT_VALIDATION_CLAIMS_CLAIMS_H

#include "validation/claims/claim.h"

/* In the order of the report, ended by an entry without a name. */
extern const claim_spec claims_all[];

#endif
