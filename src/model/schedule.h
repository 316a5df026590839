/* The learning-rate schedule eta(t), compiled from the problem's expression. Immutable, shared by threads. */
#ifndef SGDMFT_MODEL_SCHEDULE_H
#define SGDMFT_MODEL_SCHEDULE_H

#include <stddef.h>

#include "core/context.h"
#include "sgdmft/problem.h"

typedef struct schedule schedule;

/* Fails if eta is not finite and non-negative somewhere on a fine grid of [0, horizon]. */
sgdmft_status schedule_new(sgdmft_context *ctx, const sgdmft_problem *problem, schedule **out);
void schedule_free(schedule *s);

/* eta[p] = eta(t[p]); `work` has schedule_work(s) doubles. */
size_t schedule_work(const schedule *s);
void schedule_values(const schedule *s, double *work, size_t n, const double *t, double *eta);

/* A jump of eta: `before` and `after` are neighbouring times, eta at them the values on either side. */
typedef struct eta_jump {
    double before, after;
} eta_jump;

/* The jumps of eta inside (0, horizon), ascending. *jumps is owned by the caller (free). */
sgdmft_status schedule_jumps(sgdmft_context *ctx, const schedule *s, double horizon, eta_jump **jumps, size_t *count);

#endif
