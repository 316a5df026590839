/* The inside of a solution, and how solvers build one. A new solution has every array allocated and zeroed; its
   maker fills the values in. The curves stand in the order of columns/columns.h, the arrays are those of
   columns/solution_arrays.h. */
#ifndef SGDMFT_COLUMNS_SOLUTION_H
#define SGDMFT_COLUMNS_SOLUTION_H

#include "columns/columns.h"
#include "core/context.h"
#include "problem/problem.h"
#include "sgdmft/solution.h"

/* One quantity at the output times; sgdmft/solution.h says what se and step_error count. */
struct sgdmft_curve {
    const column_kind *kind; /* NULL: read from a foreign file */
    char *name;
    double *value, *se, *step_error; /* [n_times]; se is NULL in a foreign file without standard errors */
};

/* Densities of the coordinates of theta: averages over bins, normalised to the whole law. */
typedef struct solution_histograms {
    size_t n_times, n_bins;
    double *t;       /* [n_times] */
    double *edges;   /* [k][n_bins + 1] */
    double *density; /* [n_times][k][n_bins] */
    double *se;      /* [n_times][k][n_bins] one standard error, or NULL where nothing was sampled */
} solution_histograms;

/* The process of a coordinate if the penalty is not a ridge, of one replica on the grid; cells = n_grid - 1.
   With normals xi_j, one vector per cell, and u = theta(0) - m(0) rho^{-1} theta*:
     dU_i       = sum_{j<=i} L_ij xi_j
     theta(t_i) = onto_teacher_i theta* + onto_start_i u + sum_{j<i} V_ij zeta_j
     X_i        = drift_teacher_i theta* + drift_start_i u + sum_{j<i} memory_kernel_ij zeta_j
                  (gradient flow: theta(t_j), j <= i, instead of zeta_j)
     d theta    = - penalty'(theta) dt - delta eta X dt - sqrt(delta) dU */
typedef struct solution_coordinates {
    double *L;                           /* [cells][cells][k][k] */
    double *onto_teacher, *onto_start;   /* [n_grid][k][kstar], [n_grid][k][k] */
    double *V;                           /* [n_grid][cells][k][k], 0 for j >= i */
    double *V_inverse;                   /* [cells][k][k] pseudo-inverses of V_{i+1,i} */
    double *drift_teacher, *drift_start; /* [n_grid][k][kstar], [n_grid][k][k] */
    double *memory_kernel;               /* [n_grid][n_grid][k][k] */
    double *eta_start, *eta_end;         /* [cells] eta at both ends of a cell */

    /* Just after the nodes. They differ from those above where an epoch begins; NULL if the process has no epochs. */
    double *drift_teacher_after, *drift_start_after, *memory_kernel_after;
} solution_coordinates;

struct sgdmft_solution {
    sgdmft_status status; /* SGDMFT_OK, or why the solution stops early or is not to be trusted */
    char *message;        /* what happened, empty if OK */
    int k, kstar;

    /* Where it comes from: the effective problem as YAML, the seed, and the making. Empty texts where unknown. */
    char *problem;
    uint64_t seed;
    char *version, *build, *command;
    char *title; /* first comment line of a CSV file */

    size_t n_times; /* output times reached */
    double *times;  /* [n_times] */
    size_t n_curves;
    sgdmft_curve *curves;

    size_t n_grid;    /* grid nodes, 0 if there are no two-time arrays */
    double *t;        /* [n_grid] */
    double *C;        /* [n_grid][n_grid][k][k], C(t_i, t_j), symmetric under (i,a) <-> (j,b) */
    double *R;        /* [n_grid][n_grid][k][k], R(t_i, t_j), 0 for j > i, identity for j = i */
    double *m;        /* [n_grid][k][kstar] */
    double *residual; /* [n_grid] self-consistency residual of the step ending at node i */

    size_t n_identities;
    sgdmft_identity *identities;
    solution_histograms *histograms;   /* NULL if none were asked for */
    solution_coordinates *coordinates; /* NULL for a ridge */
    sgdmft_solve_info info;
};

/* *out is owned by the caller (sgdmft_solution_free). */
sgdmft_status solution_new(sgdmft_context *ctx, const solution_shape *shape, sgdmft_solution **out);

/* A solution of n_curves nameless curves and of unknown origin, for what is read from a file. shape->observables and
   shape->response are not used. */
sgdmft_status solution_new_nameless(sgdmft_context *ctx, const solution_shape *shape, size_t n_curves,
                                    sgdmft_solution **out);

/* Names curve number `index` of a nameless solution and finds its kind. */
sgdmft_status solution_name_curve(sgdmft_context *ctx, sgdmft_solution *solution, size_t index, const char *name);

/* Records the problem that was solved, for files and for later. */
sgdmft_status solution_set_problem(sgdmft_context *ctx, sgdmft_solution *solution, const sgdmft_problem *problem);

/* Keeps the first n_times output times and n_grid grid nodes, e.g. what was reached when a solve stopped early.
   Two-time arrays are packed to their new shape; no memory moves, so this cannot fail. */
void solution_truncate(sgdmft_solution *solution, size_t n_times, size_t n_grid);

/* Records why the solution stops early or is not to be trusted. */
sgdmft_status solution_set_status(sgdmft_context *ctx, sgdmft_solution *solution, sgdmft_status status,
                                  const char *message);

/* Appends a copy of *identity, with a name given like the arguments of printf in place of its own. */
sgdmft_status solution_add_identity(sgdmft_context *ctx, sgdmft_solution *solution, const sgdmft_identity *identity,
                                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Gives the solution histograms in place of those that it has, with everything zero. */
sgdmft_status solution_add_histograms(sgdmft_context *ctx, sgdmft_solution *solution, size_t n_times, size_t n_bins);

/* And standard errors, for those that are sampled. */
sgdmft_status solution_add_histogram_errors(sgdmft_context *ctx, sgdmft_solution *solution);

/* Takes the histograms away, if there are any. */
void solution_drop_histograms(sgdmft_solution *solution);

/* Gives the solution the process of its coordinates, with everything zero and for the grid as it is now. */
sgdmft_status solution_add_coordinates(sgdmft_context *ctx, sgdmft_solution *solution);

/* And the coefficients just after the nodes, for a process with epochs. */
sgdmft_status solution_add_renewals(sgdmft_context *ctx, sgdmft_solution *solution);

/* Fails unless every curve has standard errors and a name that is unique and fit for a column header and a dataset. */
sgdmft_status solution_check_curves(sgdmft_context *ctx, const sgdmft_solution *solution);

/* The largest |value| of a curve. */
double solution_curve_scale(const sgdmft_solution *solution, const sgdmft_curve *curve);

/* The natural scale of curve number `index` at every output time, scale[n_times], which errors are relative to
   (columns_natural_scale). rho[k*][k*] are the second moments of the teachers; the curves are those of a solver
   (solution_new). */
void solution_natural_scale(const sgdmft_solution *solution, const double *rho, size_t index, double *scale);

#endif
