/* The finite system of one repetition, in the memory of one thread: theta, theta*, the samples that theta learns from,
   and the forces on theta,

       d theta = - grad penalty(theta) dt - sum_i x_i eta g_i^T dZ_i ,    g_i = d loss/dr at r_i = theta^T x_i .

   The driving processes Z_i differ; they are the integrators' business. Vectors are in single precision, the model is
   evaluated in double precision. */
#ifndef SGDMFT_VALIDATION_SIMULATOR_SYSTEM_H
#define SGDMFT_VALIDATION_SIMULATOR_SYSTEM_H

#include "solvers/common/replica_pool.h"
#include "validation/simulator/data.h"

typedef struct simulator_system {
    const simulator_plan *plan;
    uint32_t repetition;
    solve_stage stage;    /* progress of this repetition */
    sgdmft_status status; /* why the repetition cannot go on; OK if it can, and after an interrupt */
    double visits;        /* rows along which theta was moved */
    double data_seconds;  /* CPU time for drawing what theta learns from */

    float *theta, *teacher; /* [k][length], [k*][length] */
    samples train;          /* n samples; the next ones, at most a block, if every sample is used once only */
    sample_source source;   /* of these samples */

    block_workspace work;
    float *coef; /* [block][k] coefficients of the rows of a block */
    double *start_work, *eta_work, *penalty_work;
    void *memory;
} simulator_system;

double system_bytes(const simulator_plan *plan);

/* *out must be cleared, on failure too. */
sgdmft_status system_init(sgdmft_context *ctx, const simulator_plan *plan, simulator_system *out);
void system_clear(simulator_system *sys);

/* Draws theta0, theta* and the n training samples of a repetition. Functions that return int return non-zero when the
   repetition cannot go on: then sys->status says why, or it is SGDMFT_OK and the caller asked to stop. */
int system_start(simulator_system *sys, uint32_t repetition, solve_progress *progress);

/* Shows the caller that time t was reached. Non-zero if the run is to stop. */
int system_interrupted(simulator_system *sys, double t);

/* Draws the next samples, one block, to the beginning of `train`. */
int system_draw_block(simulator_system *sys);

/* eta(t) */
double system_eta(simulator_system *sys, double t);

/* coef[i * k + a] = factor d loss/d r_a of sample i at r = scale theta^T row_i, for the `count` <= block rows at
   work.row. The label of sample i is y[component * stride + i], or y[component * stride + which[i]] if `which` is
   given. */
int system_gradients(simulator_system *sys, size_t count, double t, double factor, double scale, const float *theta,
                     const double *y, size_t stride, const uint32_t *which);

/* theta <- scale theta */
void system_scale(simulator_system *sys, double scale);

/* target_a += factor d penalty/d th_a at theta, for a penalty that is an expression. `theta` may be `target`. */
void system_add_penalty(simulator_system *sys, double factor, const float *theta, float *target);

/* CPU time of this thread. */
double system_seconds(void);

#endif
