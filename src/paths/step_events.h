/* Steps: the event of cell c is its kick, in the middle of the cell and at the same time for all paths. */
#ifndef SGDMFT_PATHS_STEP_EVENTS_H
#define SGDMFT_PATHS_STEP_EVENTS_H

#include "paths/events.h"

extern const path_events step_events;

#endif
