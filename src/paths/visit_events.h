/* Visits: each kicks its path by eta g. Every path is visited at times of its own, so visits are gathered into groups
   on different lanes, and the gradients of a group are one evaluation of the model. */
#ifndef SGDMFT_PATHS_VISIT_EVENTS_H
#define SGDMFT_PATHS_VISIT_EVENTS_H

#include "paths/events.h"

extern const path_events visit_events;

#endif
