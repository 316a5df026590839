/* Densities of the coordinates theta^t at the times output.histograms, by numerical integration and without sampling
   noise: given (theta0, theta*) a coordinate is Gaussian, so the probability of a bin is the average of a difference of
   normal distribution functions over Sobol' points of the law. If only second moments are given it is a single one. With a
   penalty other than the ridge the solver fills them instead (snapshots.h). */
#ifndef SGDMFT_SAMPLE_HISTOGRAMS_H
#define SGDMFT_SAMPLE_HISTOGRAMS_H

#include "core/context.h"
#include "sgdmft/problem.h"
#include "columns/solution.h"

/* Probability that bins leave out at each end. */
#define HISTOGRAMS_TAIL 1e-4

/* edge[n + 1] of equal bins over [low, high] and a margin. */
void histograms_edges(double low, double high, size_t n, double *edge);

/* Gives the solution its histograms, for as many of the times as it reaches; none if none are asked for. Moments between
   grid nodes are interpolated linearly. */
sgdmft_status histograms_fill(sgdmft_context *ctx, const sgdmft_problem *problem, sgdmft_solution *solution);

#endif
