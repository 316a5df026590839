/* Coordinates with a penalty other than the ridge: more paths of the process that a replica of the solver sampled
   (coordinates/block.h). (theta(0), theta*) comes from the law, with one normal vector for each cell; the coefficients
   of the steps are those that the solution has kept. The equation of a step is solved for each path to the last digit,
   whereas the solver stops at its tolerance. */
#ifndef SGDMFT_SAMPLE_NONLINEAR_H
#define SGDMFT_SAMPLE_NONLINEAR_H

#include "sample/two_time.h"

typedef struct nonlinear_process nonlinear_process;

/* The process at the nodes node[0] < .. < node[n-1] of a solution with x->coordinates. Errors: those of penalty_new and
   initial_law_init, SGDMFT_ERR_MEMORY. */
sgdmft_status nonlinear_process_new(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x, size_t n,
                                    const size_t *node, nonlinear_process **out);
void nonlinear_process_free(nonlinear_process *process); /* NULL is allowed */

/* Cells before the last node. */
size_t nonlinear_process_cells(const nonlinear_process *process);

/* The memory of one thread. */
typedef struct nonlinear_workspace nonlinear_workspace;

sgdmft_status nonlinear_workspace_new(sgdmft_context *ctx, const nonlinear_process *process, nonlinear_workspace **out);
void nonlinear_workspace_free(nonlinear_workspace *work); /* NULL is allowed */

/* theta [n][k][SAMPLE_LANES] from theta0 [k][SAMPLE_LANES], thetastar [k*][SAMPLE_LANES] and standard normals xi
   [cells][k][SAMPLE_LANES]. Returns SGDMFT_OK, or SGDMFT_ERR_NO_CONVERGENCE if no solution of a step is found; leaves
   no message, as it may run in any thread. */
sgdmft_status nonlinear_process_run(const nonlinear_process *process, const double *theta0, double *thetastar,
                                    double *xi, nonlinear_workspace *work, double *theta);

#endif
