/* Batches that are a fraction b of the data (process.h, EVENTS_BATCHES): drawn anew for every step, cut from a new order
   in every epoch, cut from one order that is kept, or all of the data. */
#ifndef SGDMFT_PROCESS_BATCHES_H
#define SGDMFT_PROCESS_BATCHES_H

#include "process/process.h"

extern const visit_law new_batches, shuffled_batches, kept_batches, full_batches;

#endif
