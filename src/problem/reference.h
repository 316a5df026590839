/* What the table of options says, for people: a commented problem file and the manual's page. */
#ifndef SGDMFT_PROBLEM_REFERENCE_H
#define SGDMFT_PROBLEM_REFERENCE_H

#include <stdio.h>

#include "core/context.h"
#include "problem/options.h"

/* docs/problem-file.md. The caller frees *out. */
sgdmft_status reference_markdown(sgdmft_context *ctx, char **out);

/* The commented problem file of sgdmft_problem_reference; 0 if out of memory. */
int reference_write(FILE *out);

/* The default of an option in words, or NULL if it has none. */
const char *reference_preset(const option *o);

/* What `write` writes, as text. The caller frees *out. */
sgdmft_status reference_text(sgdmft_context *ctx, int (*write)(FILE *), char **out);

#endif
