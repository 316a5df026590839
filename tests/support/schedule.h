/* A schedule eta(t) from its text alone, without a problem file. */
#ifndef SGDMFT_TESTS_SUPPORT_SCHEDULE_H
#define SGDMFT_TESTS_SUPPORT_SCHEDULE_H

#include "model/schedule.h"

/* `text` is an expression in t, to be used on [0, horizon]. */
sgdmft_status schedule_of(sgdmft_context *ctx, const char *text, double horizon, schedule **out);

#endif
