/* The prediction of the averages at the next node, from which the first kernel rows of a step are made. */
#ifndef SGDMFT_SOLVERS_DMFT_PREDICT_H
#define SGDMFT_SOLVERS_DMFT_PREDICT_H

#include "solvers/dmft/replica.h"

/* The averages at node i + 1 from those at i (`now`) and i - 1 (`before`). */
void predict_averages(const replica *rep, int i, const double *before, const double *now, double *next);

#endif
