/* Time in units of the step: s(t) = int_0^t eta(u) du. */
#ifndef SGDMFT_SOLVERS_LINEAR_CLOCK_H
#define SGDMFT_SOLVERS_LINEAR_CLOCK_H

#include <stddef.h>

#include "core/context.h"
#include "model/schedule.h"

/* s[i] = s(t[i]) at ascending times, to about 13 digits; eta may jump. */
sgdmft_status linear_clock(sgdmft_context *ctx, const schedule *eta, size_t count, const double *t, double *s);

#endif
