/* Steps of a smooth process whose kick stands for its cell and moves its own position
   (src/process/midpoint.h). */
#ifndef SGDMFT_PATHS_MIDPOINT_EVENTS_H
#define SGDMFT_PATHS_MIDPOINT_EVENTS_H

#include "paths/events.h"

extern const path_events midpoint_events;

#endif
