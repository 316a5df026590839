/* A solution: curves with error bars, two-time arrays, and how they were obtained. Solver and simulator fill the
   same structure, writers read it. All memory is owned by the solution (sgdmft_solution_free). */
#ifndef SGDMFT_SOLUTION_H
#define SGDMFT_SOLUTION_H

#include <stddef.h>

#include "status.h"

SGDMFT_BEGIN_DECLS

/* One quantity at the output times. */
typedef struct sgdmft_curve {
    char *name;         /* column name, e.g. "train_loss", "q21", "test_margin" */
    double *value;      /* [n_times] mean over replicas */
    double *se;         /* [n_times] one standard error: noise and step error; 0 where the value is exact */
    double *step_error; /* [n_times] estimated time-step error of value (signed: value - limit); 0 if not estimated */
} sgdmft_curve;

/* An identity that holds exactly in the limit: `defect` should vanish within `se` and the time-step error. */
typedef struct sgdmft_identity {
    char *name;
    double t;      /* time at which it is evaluated */
    double defect; /* left side minus right side, mean over replicas */
    double se;     /* one standard error of defect */
    double scale;  /* size of the terms that cancel */
} sgdmft_identity;

/* Densities of the coordinates of theta: averages over bins, normalised to the whole law. */
typedef struct sgdmft_histograms {
    size_t n_times, n_bins;
    double *t;       /* [n_times] */
    double *edges;   /* [k][n_bins + 1] */
    double *density; /* [n_times][k][n_bins] */
    double *se;      /* [n_times][k][n_bins] one standard error, or NULL where nothing was sampled */
} sgdmft_histograms;

/* The process of a coordinate if the penalty is not a ridge, of one replica on the grid (docs/output.md); cells = n_grid - 1.
   With normals xi_j, one vector per cell, and u = theta(0) - m(0) rho^{-1} theta*:
     dU_i       = sum_{j<=i} L_ij xi_j
     theta(t_i) = onto_teacher_i theta* + onto_start_i u + sum_{j<i} V_ij zeta_j
     X_i        = drift_teacher_i theta* + drift_start_i u + sum_{j<i} memory_kernel_ij zeta_j
                  (gradient flow: theta(t_j), j <= i, in the place of zeta_j)
     d theta    = - penalty'(theta) dt - delta eta X dt - sqrt(delta) dU */
typedef struct sgdmft_coordinates {
    double *L;                             /* [cells][cells][k][k] */
    double *onto_teacher, *onto_start;     /* [n_grid][k][kstar], [n_grid][k][k] */
    double *V;                             /* [n_grid][cells][k][k], 0 for j >= i */
    double *V_inverse;                     /* [cells][k][k] pseudo-inverses of V_{i+1,i} */
    double *drift_teacher, *drift_start; /* [n_grid][k][kstar], [n_grid][k][k] */
    double *memory_kernel;                        /* [n_grid][n_grid][k][k] */
    double *eta_start, *eta_end;           /* [cells] eta at both ends of a cell */
} sgdmft_coordinates;

/* How the solve went. */
typedef struct sgdmft_solve_info {
    size_t paths;           /* Monte-Carlo paths per replica */
    size_t replicas;        /* independent solves */
    size_t steps;           /* time steps on [0, T] */
    double visits;          /* events of the driver, all paths and replicas together */
    double passes;          /* mean corrector passes per step (march) or sweeps (picard) */
    size_t passes_max;      /* largest number of passes of a step */
    double residual_max;    /* largest self-consistency residual over steps and replicas */
    double step_error_max;  /* largest |step_error| relative to the scale of its curve */
    double se_max;          /* largest se relative to the scale of its curve */
    double memory_bytes;    /* memory held by the solver at its peak */
    double wall_seconds, cpu_seconds;
    int extrapolated;       /* 1 if curves are extrapolated to zero time step */
    int simulated;          /* 1 if the curves come from a finite-d simulation, not from the limiting equations */
} sgdmft_solve_info;

typedef struct sgdmft_solution {
    sgdmft_status status; /* SGDMFT_OK, or why the solution stops early or is not to be trusted */
    char *message;        /* what happened, empty if OK */
    int k, kstar;

    size_t n_times; /* output times reached */
    double *times;  /* [n_times] */
    size_t n_curves;
    sgdmft_curve *curves; /* in the order of the CSV columns */

    size_t n_grid;    /* grid nodes, 0 if there are no two-time arrays */
    double *t;        /* [n_grid] */
    double *C;        /* [n_grid][n_grid][k][k], C(t_i, t_j), symmetric under (i,a) <-> (j,b) */
    double *R;        /* [n_grid][n_grid][k][k], R(t_i, t_j), 0 for j > i, identity for j = i */
    double *m;        /* [n_grid][k][kstar] */
    double *residual; /* [n_grid] self-consistency residual of the step ending at node i */

    size_t n_identities;
    sgdmft_identity *identities;
    sgdmft_histograms *histograms; /* NULL if none were asked for */
    sgdmft_coordinates *coordinates; /* NULL for a ridge */
    sgdmft_solve_info info;
} sgdmft_solution;

/* The curve of that name, or NULL. */
SGDMFT_API const sgdmft_curve *sgdmft_solution_curve(const sgdmft_solution *solution, const char *name);

SGDMFT_API void sgdmft_solution_free(sgdmft_solution *solution); /* NULL is allowed */

SGDMFT_END_DECLS

#endif
