/* Sampling with replacement: each sample is visited at the times of a Poisson process of rate 1. */
#ifndef SGDMFT_PROCESS_POISSON_H
#define SGDMFT_PROCESS_POISSON_H

#include "process/process.h"

extern const visit_law poisson_visits;
extern const last_visit_law poisson_last_visit;

#endif
