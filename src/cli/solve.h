/* Solving the limiting equations as a kind of run. */
#ifndef SGDMFT_CLI_SOLVE_H
#define SGDMFT_CLI_SOLVE_H

#include "cli/run.h"

extern const run_kind solve_run;

#endif
