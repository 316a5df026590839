/* The process of a coordinate with a penalty other than the ridge (src/coordinates/ensemble.h), drawn anew: (theta0, theta*)
   from the law, one normal vector per cell, and the steps of the solver of a replica, whose averages are known now. The
   equations of a step are implicit; here they are solved for every path. */
#ifndef SGDMFT_SAMPLE_NONLINEAR_H
#define SGDMFT_SAMPLE_NONLINEAR_H

#include <stdint.h>

#include "model/coordinates_law.h"
#include "sample/two_time.h"

typedef struct nonlinear_process nonlinear_process;

/* The process at the nodes node[0] < .. < node[n-1]. The arrays that `x` points to, x->coordinates among them, must outlive
   it. */
sgdmft_status nonlinear_process_new(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x, size_t n,
                                    const size_t *node, nonlinear_process **out);
void nonlinear_process_free(nonlinear_process *process); /* NULL is allowed */

/* Doubles of work space of one thread. */
size_t nonlinear_process_work(const nonlinear_process *process, const coordinates_law *law);

/* From a start: theta0 [k][SAMPLE_LANES], thetastar [k*][SAMPLE_LANES], xi [cells][k][SAMPLE_LANES] with the cells before
   the last node, into theta [n][k][SAMPLE_LANES]. Returns SGDMFT_OK, or SGDMFT_ERR_NO_CONVERGENCE if a step has no solution
   that the iteration finds; leaves messages to the caller, as it may run in any thread. */
sgdmft_status nonlinear_process_run(const nonlinear_process *process, const double *theta0, double *thetastar,
                                    double *xi, double *work, double *theta);

/* Block `block` of paths (draws.h), as coordinate_process_draw. */
sgdmft_status nonlinear_process_draw(const nonlinear_process *process, const coordinates_law *law, uint64_t seed,
                                     uint64_t block, double *work, double *theta, double *thetastar);

#endif
