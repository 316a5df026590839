/* Sampling without replacement: a new random order of the samples in every epoch. */
#ifndef SGDMFT_PROCESS_RESHUFFLE_H
#define SGDMFT_PROCESS_RESHUFFLE_H

#include "process/process.h"

extern const visit_law reshuffle_visits;

#endif
