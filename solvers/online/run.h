/* What one trajectory of the online equations leaves behind. */
#ifndef SGDMFT_SOLVERS_ONLINE_RUN_H
#define SGDMFT_SOLVERS_ONLINE_RUN_H

#include "solvers/online/law.h"

typedef struct online_run {
    size_t columns; /* of a row of curves, as in solution_columns */
    size_t rows;    /* output times reached */
    double *curve;  /* [output times][columns] */

    size_t nodes;  /* grid nodes reached */
    double *m, *q; /* [nodes][k][k*], [nodes][k][k] */
    double *R, *F; /* [cells] R(t_{i+1}, t_i) [k][k] and F(t_{i+1}, t_i) [k][k*], see online_field.h */

    /* Where coordinates are sampled, on top; otherwise NULL. */
    double *step;            /* [output times][columns] time-step error of the curves */
    double *pair_C, *pair_R; /* C and R as in online_coordinates_pairs, in place of q, R and F */
    double *residual;        /* [nodes] change of the moments in the last pass of a step */
    size_t passes_max;       /* of a step */

    double *stein, *stein_scale; /* [k][k] defect of Stein's identity at the end, see online_rates_stein */
    double t;                    /* time reached */
    size_t steps, evaluations;   /* of the integrator; steps tried and passes if coordinates are sampled */
    sgdmft_status status;        /* why it stopped early */
    char *message;
} online_run;

sgdmft_status online_run_new(sgdmft_context *ctx, const online_setting *s, online_run **out);
void online_run_free(online_run *run);
double online_run_bytes(const online_setting *s);

/* Records why the trajectory ends. */
void online_run_stop(online_run *run, sgdmft_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* m[k][k*] and q[k][k] at output time `row`. */
void online_run_state(const online_setting *s, const online_run *run, size_t row, double *m, double *q);

/* Writes losses and observables of a law into their columns of a row of curves. Returns as online_law_observe. */
int online_run_observe(const online_setting *s, online_law *law, double t, const double *m, const double *q,
                       double *row);
/* The same for the columns marked in some[columns] alone. */
int online_run_observe_some(const online_setting *s, online_law *law, double t, const double *m, const double *q,
                            const char *some, double *row);

#endif
