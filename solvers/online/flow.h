/* One trajectory of the online equations, integrated with error control. */
#ifndef SGDMFT_SOLVERS_ONLINE_FLOW_H
#define SGDMFT_SOLVERS_ONLINE_FLOW_H

#include "solvers/online/run.h"

/* Called after every step with the part of the trajectory that is done; non-zero asks to stop. */
typedef struct online_monitor {
    int (*report)(void *user, double fraction, double t);
    void *user;
} online_monitor;

typedef struct online_options {
    double rtol;          /* of m and q */
    double response_rtol; /* of R and F: larger where Gamma is not smooth */
    int implicit;         /* 1: may change to the implicit method, for a field without sampling noise */
    int observe;          /* 1: with losses and observables */
    online_monitor monitor;
} online_options;

/* On success *out is owned by the caller (online_run_free); an early stop is a success with (*out)->status set. */
sgdmft_status online_integrate(sgdmft_context *ctx, const online_setting *s, online_law *law,
                               const online_options *options, online_run **out);

#endif
