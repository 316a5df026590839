#include "validation/claims/claims.h"

const claim_spec *const claims_all[] = {
    &claim_sgd_simulation,    &claim_batch,        &claim_sme,        &claim_linear,    &claim_eta_to_zero,
    &claim_delta_to_infinity, &claim_universality, &claim_identities, &claim_reference, NULL,
};
