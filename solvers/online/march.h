/* Sampled coordinates marched over a grid, each step solved to self-consistency (see online_coordinates.h). */
#ifndef SGDMFT_SOLVERS_ONLINE_MARCH_H
#define SGDMFT_SOLVERS_ONLINE_MARCH_H

#include "solvers/online/coordinates.h"
#include "solvers/online/flow.h"

/* The laws of a fresh sample: one for the motion, and one for what it gets wrong. */
typedef struct online_laws {
    online_law *motion;
    online_law *seen;    /* of the losses and observables in `sampled`; NULL if there are none */
    const char *sampled; /* [columns] */
} online_laws;

/* What a march leaves behind: nodes 0 .. nodes - 1. */
typedef struct online_trace {
    const time_grid *grid; /* not owned */
    size_t columns;
    int nodes;
    double *curve;    /* [N + 1][columns] */
    char *wanted;     /* [N + 1] nodes at which losses and observables are averaged */
    double *m, *q;    /* [N + 1][k][k*], [N + 1][k][k] */
    double *gamma;    /* [N + 1][k][k] response of the gradient */
    double *residual; /* [N + 1] change of the moments in the last pass of the step that ends at the node */
    size_t steps, passes, passes_max;
    double stein[MATRIX_MAX * MATRIX_MAX],
        stein_scale[MATRIX_MAX * MATRIX_MAX]; /* at the horizon, see online_rates_stein */
    sgdmft_status status;                   /* why it stopped early */
    char *message;
} online_trace;

sgdmft_status online_trace_new(sgdmft_context *ctx, const online_setting *s, const time_grid *grid, int observe,
                               online_trace **out);
void online_trace_free(online_trace *trace);
double online_trace_bytes(const online_setting *s, const time_grid *grid);

/* From node 0 to the end of the trace's grid, which is that of the coordinates, or to the reason to stop. */
void online_march(const online_setting *s, const online_laws *laws, online_coordinates *coordinates,
                  const online_monitor *monitor, online_trace *trace);

#endif
