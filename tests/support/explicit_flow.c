#include "explicit_flow.h"

#include "process/drift.h"

const sample_process explicit_flow = {.dynamics = "explicit flow",
                                      .doc = "steps without white noise",
                                      .events = EVENTS_STEPS,
                                      .kick = drift_kick,
                                      .no_stein = "its field has no white noise"};
