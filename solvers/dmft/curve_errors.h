/* From replicas on nested grids to the values and errors of curves: means over replicas, extrapolated to zero step
   (solvers/common/statistics.h), the noise of these means, and bars for the time-step error that is left
   (solvers/common/step_errors.h). The defect of the identity for C(t,t), relative to the terms that cancel in it,
   counts as a step error of every curve. */
#ifndef SGDMFT_SOLVERS_DMFT_CURVE_ERRORS_H
#define SGDMFT_SOLVERS_DMFT_CURVE_ERRORS_H

#include "columns/solution.h"
#include "solvers/dmft/replicas.h"

/* Standard error of the noise and bar of the step error of every curve at the output times, [count][n]. */
typedef struct curve_errors {
    size_t count, n;
    double *noise, *step;
    double *own_step;       /* bars before those of nearby times count */
    double *scale;          /* natural scales */
    double identity_defect; /* largest relative defect of the identity for C(t,t); 0 if the end was not reached */
} curve_errors;

/* Fills in value, se and step error of every curve, and the identities. The solution has its final number of times and
   its columns are `col`. *out is owned by the caller (curve_errors_clear), on failure too. */
sgdmft_status curve_errors_fill(sgdmft_context *ctx, const dmft_plan *plan, const replica_set *set,
                                const solution_columns *col, sgdmft_solution *solution, curve_errors *out);
void curve_errors_clear(curve_errors *errors);

/* The number of nodes that all replicas on this grid reached; 0 if no replica solves it. */
int curve_nodes_reached(const dmft_plan *plan, const replica_set *set, int grid);

#endif
