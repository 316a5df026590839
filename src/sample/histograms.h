/* Densities of the coordinates theta^t at chosen times, as averages over bins. The bins of a coordinate have equal
   widths, are the same at all times, and leave out less than HISTOGRAMS_TAIL of the probability on either side. There
   are three sources:

     moments     With a ridge, a coordinate is Gaussian given (theta(0), theta*). The probability of a bin is the
                 average of a difference of normal distribution functions over Sobol' points of the law, or a single
                 such difference if second moments alone are given. There is no sampling noise.
     snapshots   With another penalty, a solver has sampled coordinates. Densities are means over its replicas, with
                 their standard errors.
     paths       From a solution that has the process of such coordinates (nonlinear.h), paths are drawn anew.

   Between nodes of the time grid, moments or densities are interpolated linearly.

   The functions give the solution histograms in place of those that it has; after a failure it has none. Times lie
   within the solution's time grid. */
#ifndef SGDMFT_SAMPLE_HISTOGRAMS_H
#define SGDMFT_SAMPLE_HISTOGRAMS_H

#include "coordinates/record.h"
#include "sample/two_time.h"

#define HISTOGRAMS_TAIL 1e-4

/* Where and how finely densities are wanted. */
typedef struct histogram_plan {
    size_t n_times, n_bins;
    const double *times; /* [n_times] */
} histogram_plan;

/* The histograms that the problem asks for (output.histograms), at as many of the times as a solution with `nodes`
   nodes t has reached. */
histogram_plan histogram_plan_of(const sgdmft_problem *problem, size_t nodes, const double *t);

/* Sets wanted[nodes] to 1 at the nodes t[nodes] that densities at these times are made from. */
void histogram_plan_nodes(const histogram_plan *plan, size_t nodes, const double *t, char *wanted);

/* Errors: SGDMFT_ERR_UNSUPPORTED (another penalty than the ridge), SGDMFT_ERR_RANGE (rho is singular), those of
   coordinates_law_new, SGDMFT_ERR_MEMORY. */
sgdmft_status histograms_from_moments(sgdmft_context *ctx, const sgdmft_problem *problem, const histogram_plan *plan,
                                      sgdmft_solution *solution);

/* snapshots[replicas] have the wanted nodes of a grid that begins with that of the solution. */
sgdmft_status histograms_from_snapshots(sgdmft_context *ctx, const histogram_plan *plan, size_t replicas,
                                        const coordinate_snapshots *const *snapshots, sgdmft_solution *solution);

/* numerics.paths paths with the seed of the problem. Errors: those of coordinate_process_new and
   coordinate_paths_draw. */
sgdmft_status histograms_from_paths(sgdmft_context *ctx, const sgdmft_problem *problem, const histogram_plan *plan,
                                    sgdmft_solution *solution);

#endif
