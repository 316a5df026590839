/* Visits: a visit kicks by step * g. Each path has visits of its own, so they are gathered into groups whose gradients are one
   block evaluation. */
#ifndef SGDMFT_PATHS_VISIT_EVENTS_H
#define SGDMFT_PATHS_VISIT_EVENTS_H

#include "paths/events.h"

extern const path_events visit_events;

#endif
