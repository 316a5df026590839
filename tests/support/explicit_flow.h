/* Gradient flow whose kicks are explicit steps, as it is solved with a penalty, for tests of steps without white
   noise. */
#ifndef SGDMFT_TESTS_SUPPORT_EXPLICIT_FLOW_H
#define SGDMFT_TESTS_SUPPORT_EXPLICIT_FLOW_H

#include "process/process.h"

extern const sample_process explicit_flow;

#endif
