/* How solvers build a solution. A new solution has every array allocated and zeroed; its maker fills values in.

   Curves stand in the order of the CSV columns: train_loss, test_loss, the lower triangle of q row by row
   (q11, q21, q22, ...), m row by row (m11, m12, ...), train_NAME and test_NAME of each observable, and, if the
   response is known, R(t,0) row by row (R11, R12, ...). solution_columns says where each block starts. */
#ifndef SGDMFT_COLUMNS_SOLUTION_H
#define SGDMFT_COLUMNS_SOLUTION_H

#include "core/context.h"
#include "sgdmft/solution.h"

typedef struct solution_shape {
    int k, kstar;                   /* students, teachers: 1..8 */
    size_t n_times;                 /* output times */
    size_t n_grid;                  /* grid nodes of the two-time arrays; 0: none */
    size_t n_observables;
    const char *const *observables; /* [n_observables] names, copied */
    int response;                   /* 1: with curves of R(t,0) */
} solution_shape;

/* Index in solution->curves of the first curve of each block. */
typedef struct solution_columns {
    size_t train_loss, test_loss;
    size_t q;           /* q_ab, a >= b, at q + a(a+1)/2 + b */
    size_t m;           /* m_ab at m + a k* + b */
    size_t observables; /* train of observable i at observables + 2i, test next to it */
    size_t response;    /* R_ab(t,0) at response + a k + b */
    size_t count;
} solution_columns;

solution_columns solution_columns_of(const solution_shape *shape);

/* *out is owned by the caller (sgdmft_solution_free). */
sgdmft_status solution_new(sgdmft_context *ctx, const solution_shape *shape, sgdmft_solution **out);

/* Keeps the first n_times output times and n_grid grid nodes, e.g. what was reached when a solve stopped early.
   Two-time arrays are packed to their new shape; no memory moves, so this cannot fail. */
void solution_truncate(sgdmft_solution *solution, size_t n_times, size_t n_grid);

/* Records why the solution stops early or is not to be trusted. */
sgdmft_status solution_set_status(sgdmft_context *ctx, sgdmft_solution *solution, sgdmft_status status,
                                  const char *message);

/* Appends a copy of *identity. */
sgdmft_status solution_add_identity(sgdmft_context *ctx, sgdmft_solution *solution, const sgdmft_identity *identity);

/* Gives the solution histograms in place of those that it has, with everything zero. */
sgdmft_status solution_add_histograms(sgdmft_context *ctx, sgdmft_solution *solution, size_t n_times, size_t n_bins);

/* And standard errors, for those that are sampled. */
sgdmft_status solution_add_histogram_errors(sgdmft_context *ctx, sgdmft_solution *solution);

/* Takes the histograms away, if there are any. */
void solution_drop_histograms(sgdmft_solution *solution);

/* Gives the solution the process of its coordinates, with everything zero and for the grid as it is now. */
sgdmft_status solution_add_coordinates(sgdmft_context *ctx, sgdmft_solution *solution);

/* Fails unless every curve has a name that is unique and fit for a column header and a dataset. */
sgdmft_status solution_check_names(sgdmft_context *ctx, const sgdmft_solution *solution);

/* Largest |value| of a curve; not-a-number values are passed over. */
double solution_curve_scale(const sgdmft_solution *solution, const sgdmft_curve *curve);

#endif
