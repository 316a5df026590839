/* One solve of one problem, from the progress line to the written files: what `solve` and `sweep` have in common. */
#ifndef SGDMFT_CLI_SOLVING_H
#define SGDMFT_CLI_SOLVING_H

#include "cli/arguments.h"
#include "cli/outputs.h"
#include "cli/setup.h"
#include "sgdmft/solution.h"

typedef struct solving {
    sgdmft_status status;
    sgdmft_solution *solution; /* NULL if there is nothing; owned by the caller. May come with a failure */
    int written;               /* 1: both files are */
} solving;

/* `label` starts the progress line; a failure is reported after `what`, if that is not NULL. Returns the exit code. */
int solve_and_write(const arguments *args, const setup *s, const outputs *o, const char *label, const char *what,
                    solving *out);

#endif
