/* The learning-rate schedule eta(t), compiled from the problem's expression. Immutable, shared by threads. */
#ifndef SGDMFT_SCHEDULE_H
#define SGDMFT_SCHEDULE_H

#include <stddef.h>

#include "base/context.h"
#include "sgdmft/problem.h"

typedef struct schedule schedule;

/* Fails if eta is not finite and non-negative somewhere on a fine grid of [0, horizon]. */
sgdmft_status schedule_new(sgdmft_context *ctx, const sgdmft_problem *problem, schedule **out);
void schedule_free(schedule *s);

/* eta[p] = eta(t[p]); `work` has schedule_work(s) doubles. */
size_t schedule_work(const schedule *s);
void schedule_values(const schedule *s, double *work, size_t n, const double *t, double *eta);

#endif
