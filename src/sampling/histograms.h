/* Densities of the coordinates theta^t at the times output.histograms, by numerical integration and without sampling
   noise: given (theta0, theta*) a coordinate is Gaussian, so the probability of a bin is the average of a difference of
   normal distribution functions over Sobol' points of the law. If only second moments are given it is a single one. */
#ifndef SGDMFT_SAMPLING_HISTOGRAMS_H
#define SGDMFT_SAMPLING_HISTOGRAMS_H

#include "base/context.h"
#include "sgdmft/problem.h"
#include "sgdmft/solution.h"

/* Gives the solution its histograms, for as many of the times as it reaches; none if none are asked for. Moments between
   grid nodes are interpolated linearly. */
sgdmft_status histograms_fill(sgdmft_context *ctx, const sgdmft_problem *problem, sgdmft_solution *solution);

#endif
