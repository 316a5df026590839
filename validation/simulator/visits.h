/* Sizes that the dynamics need memory for. */
#ifndef SGDMFT_VALIDATION_SIMULATOR_VISITS_H
#define SGDMFT_VALIDATION_SIMULATOR_VISITS_H

enum {
    VISIT_CHUNK = 1024,            /* visits that are planned together */
    VISIT_ORDER = VISIT_CHUNK + 2, /* a visit looks at the two after it */
    FLOW_STAGES = 7,
    FLOW_BASE = FLOW_STAGES, /* theta where a step begins */
    FLOW_END,                /* and where it ends */
    FLOW_VECTORS
};

#endif
