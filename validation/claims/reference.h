/* The curves of validation/reference, as a solution without two-time arrays. */
#ifndef SGDMFT_VALIDATION_CLAIMS_REFERENCE_H
#define SGDMFT_VALIDATION_CLAIMS_REFERENCE_H

#include "core/context.h"
#include "sgdmft/solution.h"

/* *out is owned by the caller (sgdmft_solution_free). */
sgdmft_status reference_curves(sgdmft_context *ctx, const char *name, sgdmft_solution **out);

#endif
