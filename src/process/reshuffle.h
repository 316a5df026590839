/* Sampling without replacement: a new random order of the samples in every epoch. */
#ifndef SGDMFT_PROCESS_RESHUFFLE_H
#define SGDMFT_PROCESS_RESHUFFLE_H

#include "process/process.h"

extern const visit_law reshuffle_visits;

/* visit_law.count of every law with one visit in each epoch of length 1; `b` is not used. */
double reshuffle_count(double horizon, double deviations, double b);

#endif
