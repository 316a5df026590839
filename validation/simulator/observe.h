/* Averages over samples at the output times. */
#ifndef SGDMFT_VALIDATION_SIMULATOR_OBSERVE_H
#define SGDMFT_VALIDATION_SIMULATOR_OBSERVE_H

#include "validation/simulator/setting.h"

enum { OBSERVE_LANES = 2048 }; /* pairs of sample and snapshot at a time */

/* Doubles of the work space repetition.observed. */
size_t observe_lanes(const simulator_setting *set);

#endif
