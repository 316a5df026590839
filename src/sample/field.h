/* The field w^t of a fresh sample. At the nodes it is a Gaussian process given the signal w* (gaussian.h). Between
   nodes it is the chord plus a Brownian bridge, whose rate is what the variance of an increment of w has beyond that of
   a smooth process; without white noise in w there is no bridge. */
#ifndef SGDMFT_SAMPLE_FIELD_H
#define SGDMFT_SAMPLE_FIELD_H

#include <stdint.h>

#include "sample/events.h"
#include "sample/gaussian.h"

typedef struct field_process {
    two_time x;
    gaussian_process nodes;
    double *bridge; /* [cells][k][k] symmetric root of the rate; NULL if w is smooth, or is not needed between nodes */
} field_process;

/* The solution must outlive it. Errors: those of gaussian_process_of_field, SGDMFT_ERR_NON_FINITE. On failure, too,
   *out is to be cleared. */
sgdmft_status field_process_init(sgdmft_context *ctx, const sgdmft_problem *problem, const data_law *law,
                                 const two_time *x, field_process *out);
void field_process_clear(field_process *process);

/* w_event[slots][k][SAMPLE_LANES] at the events of block number `block`, from w[nodes][k][SAMPLE_LANES]. */
void field_at_events(const field_process *process, uint64_t seed, uint64_t block, const event_list *events,
                     const double *w, double *w_event);

/* The rate of the white noise in dw in each cell, rate[cells][k][k], from the covariance of the field. */
void field_white_noise(const sgdmft_problem *problem, const data_law *law, const two_time *x, double *rate);

#endif
