/* The limiting process of a training sample's pre-activation r^t, and the field w^t of a fresh one:

       w^t = m(t) rho^-1 w* + a Gaussian process,    r(t) = w(t) - sum_{events T before t} R(t, T) kick(T).

   The field is drawn at the nodes; between them it is the chord plus a Brownian bridge of the rate that the correlation
   shows: what the variance of an increment has beyond that of a smooth process. R is bilinear in its two times, and linear
   in t - s within one cell. */
#ifndef SGDMFT_SAMPLE_PREACTIVATIONS_H
#define SGDMFT_SAMPLE_PREACTIVATIONS_H

#include <stdint.h>

#include "model/initial.h"
#include "model/model.h"
#include "problem/problem.h"
#include "sample/events.h"
#include "sample/gaussian_root.h"
#include "sample/two_time.h"
#include "model/schedule.h"

typedef struct preactivation_process {
    const sgdmft_problem *problem; /* not owned */
    two_time x;
    model *m;
    model_shape shape;
    schedule *eta;
    initial_law law;
    double *onto_teacher; /* [nodes][k][k*] m rho^-1 */
    gaussian_root field;  /* over (node, component) */
    double *bridge;       /* [cells][k][k] root of the rate; NULL where w is smooth */
} preactivation_process;

/* The arrays that `x` points to must outlive the process. */
sgdmft_status preactivation_process_new(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x,
                                        preactivation_process **out);
void preactivation_process_free(preactivation_process *process);

/* A block of paths; one per thread. */
typedef struct preactivation_block {
    double *w;     /* [nodes][k][SAMPLE_LANES] */
    double *wstar; /* [k*][SAMPLE_LANES] */
    double *eps;   /* [noises][SAMPLE_LANES] */
    double *y;     /* [labels][SAMPLE_LANES] */
    event_list events;
    size_t room;     /* slots that the next three have room for */
    double *w_event; /* [slots][k][SAMPLE_LANES] field at events */
    double *r_event; /* [slots][k][SAMPLE_LANES] just before them */
    double *kick;    /* [slots][k][SAMPLE_LANES] */
    model_work *desk;
    double *normals; /* [nodes][k][SAMPLE_LANES] */
    double *work;
} preactivation_block;

sgdmft_status preactivation_block_new(sgdmft_context *ctx, const preactivation_process *process,
                                      preactivation_block **out);
void preactivation_block_free(preactivation_block *block);

/* Draws block number `number` (draws.h). Returns SGDMFT_OK, SGDMFT_ERR_MEMORY, or SGDMFT_ERR_PLUGIN if a plug-in asked to
   abort; leaves messages to the caller, as it may run in any thread. */
sgdmft_status preactivation_block_draw(const preactivation_process *process, uint64_t seed, uint64_t number,
                                       preactivation_block *block);

/* r[k][SAMPLE_LANES] at a node. */
void preactivation_block_at(const preactivation_process *process, const preactivation_block *block, size_t node,
                            double *r);

/* The rate of white noise in dw of each cell, [cells][k][k], from the correlation. */
void preactivation_white_noise(const two_time *x, double *rate);

#endif
