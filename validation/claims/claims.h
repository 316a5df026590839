/* The claims, a file for each family. */
#ifndef SGDMFT_VALIDATION_CLAIMS_CLAIMS_H
#define SGDMFT_VALIDATION_CLAIMS_CLAIMS_H

#include "validation/claims/claim.h"

extern const claim_spec claim_sgd_simulation, claim_batch, claim_universality; /* claims_simulation.c */
extern const claim_spec claim_sme;                                             /* claims_dynamics.c */
extern const claim_spec claim_linear;                                          /* claims_linear.c */
extern const claim_spec claim_eta_to_zero, claim_delta_to_infinity;            /* claims_limits.c */
extern const claim_spec claim_identities;                                      /* claims_identities.c */
extern const claim_spec claim_reference;                                       /* claims_reference.c */

#endif
