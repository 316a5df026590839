/* A problem: which dynamics of which model, and how to solve it. It comes from a YAML file, from text in memory, or
   is built key by key; the keys are those of problem files (docs/problem-file.md) in every case, and the same
   settings give the same curves. */
#ifndef SGDMFT_PROBLEM_H
#define SGDMFT_PROBLEM_H

#include <stddef.h>

#include "context.h"
#include "model.h"

SGDMFT_BEGIN_DECLS

typedef struct sgdmft_problem sgdmft_problem;

/* Reads a YAML problem file and checks it. `sets` are n_sets overrides "a.b=value", applied after the file, before
   checking. On success *out is owned by the caller (sgdmft_problem_free). Errors: those of sgdmft_problem_set and
   sgdmft_problem_check, SGDMFT_ERR_DUPLICATE_KEY, SGDMFT_ERR_IO. */
SGDMFT_API sgdmft_status sgdmft_problem_read(sgdmft_context *ctx, const char *path, const char *const *sets,
                                             size_t n_sets, sgdmft_problem **out);

/* The same from text in memory; `name` stands for the file in messages, and relative paths start at its folder. */
SGDMFT_API sgdmft_status sgdmft_problem_parse(sgdmft_context *ctx, const char *name, const char *text,
                                              const char *const *sets, size_t n_sets, sgdmft_problem **out);

/* A problem without any settings, owned by the caller (sgdmft_problem_free). Relative paths start at the current
   directory. */
SGDMFT_API sgdmft_status sgdmft_problem_new(sgdmft_context *ctx, sgdmft_problem **out);

/* Gives the option with that dotted key a value, written as in a problem file: "numerics.paths", "2000"; "model.label",
   "tanh(s) + 0.3*eps"; "initial.q", "[[1, 0], [0, 1]]"; "observables.margin", "y*r". "null" removes a setting. The
   problem may have come from a file. If the key is unknown or its value invalid, the problem stays as it was. Errors:
   SGDMFT_ERR_UNKNOWN_KEY, SGDMFT_ERR_YAML, SGDMFT_ERR_TYPE, SGDMFT_ERR_SHAPE, SGDMFT_ERR_RANGE, SGDMFT_ERR_CONFLICT for
   a name that an observable cannot have, SGDMFT_ERR_ARGUMENT, SGDMFT_ERR_MEMORY. */
SGDMFT_API sgdmft_status sgdmft_problem_set(sgdmft_context *ctx, sgdmft_problem *problem, const char *key,
                                            const char *value);

/* Label and loss by call-backs (sgdmft/model.h) instead of model.label, model.predict and model.loss. The
   table is copied; what its `user` points to must outlive all use of the problem. Sets model.students,
   model.teachers and model.callbacks, which is the name of the model and all that files and sgdmft_problem_to_yaml
   hold of it: a problem that is read back from them needs the model again before it is solved. NULL removes the
   model. Errors: SGDMFT_ERR_ARGUMENT, SGDMFT_ERR_MEMORY. */
SGDMFT_API sgdmft_status sgdmft_problem_set_model(sgdmft_context *ctx, sgdmft_problem *problem,
                                                  const sgdmft_model *model);

/* Checks what the settings must satisfy together and fills in all defaults. Every function that uses a problem calls it
   first; nothing is done if nothing was set since. From then on until the next setting the problem is only read, and
   several threads may use it, each with a context of its own. Errors: SGDMFT_ERR_MISSING, SGDMFT_ERR_CONFLICT,
   SGDMFT_ERR_SHAPE, SGDMFT_ERR_RANGE, SGDMFT_ERR_TYPE; SGDMFT_ERR_SYNTAX, SGDMFT_ERR_UNKNOWN_NAME, SGDMFT_ERR_ARITY and
   SGDMFT_ERR_IO for the law of the coordinates; SGDMFT_ERR_MEMORY. */
SGDMFT_API sgdmft_status sgdmft_problem_check(sgdmft_context *ctx, sgdmft_problem *problem);

/* The effective value of an option as it would be written in a problem file. *out is NULL if it has none; the caller
   frees it with free(). Errors: SGDMFT_ERR_UNKNOWN_KEY, and those of sgdmft_problem_check. */
SGDMFT_API sgdmft_status sgdmft_problem_get(sgdmft_context *ctx, sgdmft_problem *problem, const char *key, char **out);

/* The full effective problem as YAML text: reading it back gives the same problem. Caller frees with free(). Errors:
   those of sgdmft_problem_check. */
SGDMFT_API sgdmft_status sgdmft_problem_to_yaml(sgdmft_context *ctx, sgdmft_problem *problem, char **out);

/* A commented problem file with every key, default, unit and range. Caller frees with free(). */
SGDMFT_API sgdmft_status sgdmft_problem_reference(sgdmft_context *ctx, char **out);

SGDMFT_API void sgdmft_problem_free(sgdmft_problem *problem); /* NULL is allowed */

SGDMFT_END_DECLS

#endif
