/* The short table after a run, and sizes and times in words. */
#ifndef SGDMFT_CLI_SUMMARY_H
#define SGDMFT_CLI_SUMMARY_H

#include <stdio.h>

#include "sgdmft/solution.h"
#include "sgdmft/solve.h"

/* On standard output. */
void print_summary(const sgdmft_solution *solution);

/* E.g. "310 MiB of memory (3.9 GiB available), about 12 s" */
void put_cost(FILE *to, const sgdmft_cost *cost);

/* Ends a line on standard output with "estimated " and that. */
void announce_cost(const sgdmft_cost *cost);

#endif
