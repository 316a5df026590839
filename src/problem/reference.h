/* The documentation that the table of options holds, for people: the manual's page. The commented problem file is
   sgdmft_problem_reference. */
#ifndef SGDMFT_PROBLEM_REFERENCE_H
#define SGDMFT_PROBLEM_REFERENCE_H

#include "core/context.h"

/* The text of docs/problem-file.md. The caller frees *out. */
sgdmft_status reference_markdown(sgdmft_context *ctx, char **out);

#endif
