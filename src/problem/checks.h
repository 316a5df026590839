/* Conditions on several options together. */
#ifndef SGDMFT_PROBLEM_CHECKS_H
#define SGDMFT_PROBLEM_CHECKS_H

#include "problem/settings.h"

/* Required keys and conflicts; `dynamics` must have been converted. */
sgdmft_status check_presence(sgdmft_context *ctx, const settings *s, const sgdmft_problem *problem);

/* The second moments at t = 0, to be called once all matrices have been converted. */
sgdmft_status check_initial(sgdmft_context *ctx, const settings *s, const sgdmft_problem *problem);

#endif
