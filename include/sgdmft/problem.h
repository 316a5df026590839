/* A problem: what a problem file says, with defaults filled in and everything checked. */
#ifndef SGDMFT_PROBLEM_H
#define SGDMFT_PROBLEM_H

#include <stddef.h>

#include "context.h"

SGDMFT_BEGIN_DECLS

typedef struct sgdmft_problem sgdmft_problem;

/* Reads a YAML problem file. `sets` are n_sets overrides "a.b=value", applied after the file, before checking.
   On success *out is owned by the caller (sgdmft_problem_free). Errors: 200..207, 300..302, 500, 501. */
SGDMFT_API sgdmft_status sgdmft_problem_read(sgdmft_context *ctx, const char *path, const char *const *sets,
                                             size_t n_sets, sgdmft_problem **out);

/* The same from text in memory; `name` stands for the file in messages. */
SGDMFT_API sgdmft_status sgdmft_problem_parse(sgdmft_context *ctx, const char *name, const char *text,
                                              const char *const *sets, size_t n_sets, sgdmft_problem **out);

/* The full effective problem as YAML text: reading it back gives the same problem. Caller frees with free(). */
SGDMFT_API sgdmft_status sgdmft_problem_to_yaml(sgdmft_context *ctx, const sgdmft_problem *problem, char **out);

/* A commented problem file with every key, default, unit and range. Caller frees with free(). */
SGDMFT_API sgdmft_status sgdmft_problem_reference(sgdmft_context *ctx, char **out);

SGDMFT_API void sgdmft_problem_free(sgdmft_problem *problem); /* NULL is allowed */

SGDMFT_END_DECLS

#endif
