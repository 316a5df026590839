/* Is a run complete? One that diverged, did not converge or was interrupted is not, nor is a file whose last rows are
   missing. */
#ifndef SGDMFT_IO_ENDING_H
#define SGDMFT_IO_ENDING_H

#include "columns/solution.h"

/* Describes how the run ends in *out, which the caller frees; NULL if it is complete, or if nothing tells: the problem
   and the status are those that its file holds. */
sgdmft_status ending_describe(sgdmft_context *ctx, const sgdmft_solution *solution, char **out);

#endif
