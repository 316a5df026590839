/* Second moments of a law that the user states, computed once when the problem is read. */
#ifndef SGDMFT_MODEL_LAW_MOMENTS_H
#define SGDMFT_MODEL_LAW_MOMENTS_H

#include "core/context.h"
#include "core/origin.h"
#include "sgdmft/problem.h"

/* Replaces initial.q, m, rho, which are allocated, by the moments of the law. For samples they are the averages over the
   rows. For expressions they are averages over 16 independent scrambles of 65536 or more Sobol' points, always the same ones;
   initial.moments_se gets the largest standard error, relative to the sizes of the coordinates. A value that is not
   finite, or moments not known to 1%, are errors (204) that name the expression. */
sgdmft_status law_fill_moments(sgdmft_context *ctx, sgdmft_problem *problem);

/* Where the law of the teacher was stated. */
origin law_origin(const sgdmft_problem *problem);

#endif
