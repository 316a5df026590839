/* How sure a standard error is. It is sqrt(noise^2 + step error^2): the noise is estimated from the spread of n runs,
   and has n - 1 degrees of freedom; the step error is a bound on something that is not random. By Welch and
   Satterthwaite a sum of such squares has about (sum of all)^2 / sum over the noises of noise^4 / (n - 1) degrees of
   freedom, and a difference in units of it follows Student's t with these. */
#ifndef SGDMFT_IO_CERTAINTY_H
#define SGDMFT_IO_CERTAINTY_H

#include "columns/solution.h"

/* Noise of a curve at every output time, noise[n_times]. A file that does not say how large the step errors are has
   none here: all of its errors count as noise, which gives too few degrees of freedom rather than too many. */
void certainty_noise(const sgdmft_solution *solution, const sgdmft_curve *curve, double *noise);

/* Degrees of freedom of the noise of a solution, infinite if it was not estimated from several runs. */
double certainty_freedom(const sgdmft_solution *solution);

/* Degrees of freedom of a sum of squares, `se` altogether, with two noises in it. Infinite without any. */
double certainty_of_sum(double se, const double noise[2], const double freedom[2]);

/* The limit on |t|, for t with `freedom` degrees of freedom, that is exceeded as often as `sigma` by a standard normal
   number. */
double certainty_limit(double sigma, double freedom);

#endif
