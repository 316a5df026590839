/* The processes that mpirun started. Rank 0 speaks and writes for all of them: the standard output of the others goes
   nowhere, what they complain about is kept. One process alone is rank 0 of 1. */
#ifndef SGDMFT_CLI_PROCESSES_H
#define SGDMFT_CLI_PROCESSES_H

#include <stdio.h>

#include "core/ranks.h"

typedef struct processes {
    int rank, size;
    FILE *complaints; /* what standard error is on ranks other than 0 */
    FILE *real;       /* and what it was */
    char *text;       /* all that was written there */
    size_t length, taken;
} processes;

/* Joins the others, if the program was started by mpirun or the like. Returns 0 or an exit code. */
int processes_start(processes *p);

/* Together: the exit code of rank 0, after leaving the others. */
int processes_end(processes *p, int code);

/* Together: the ranks of the context are these processes. */
sgdmft_status processes_join(const processes *p, sgdmft_context *ctx);

/* What this rank complained about since the last call; NULL on rank 0. Valid until the next complaint. */
const char *processes_complaints(processes *p);

/* Together: 0, or the exit code of the lowest rank that has one. What that rank complained about is said now, if it was
   not rank 0. */
int processes_agree(processes *p, rank_group *all, int code);

#endif
