/* A process of the tests' own whose visits depend on each other: every path is visited once in each unit of time, at a
   uniform time. It is in no table, so that code which knows processes by name alone cannot handle it. */
#ifndef SGDMFT_TESTS_SUPPORT_EPOCH_PROCESS_H
#define SGDMFT_TESTS_SUPPORT_EPOCH_PROCESS_H

#include "process/process.h"

extern const sample_process epoch_process;

#endif
