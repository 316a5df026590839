/* What the program says on standard error, and the exit code that goes with it. */
#ifndef SGDMFT_CLI_MESSAGES_H
#define SGDMFT_CLI_MESSAGES_H

#include <stddef.h>

#include "sgdmft/context.h"

struct command;

/* One line on standard error, after the program's name. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same with a pointer to the help text; returns CODE_USAGE. `cmd` may be NULL. */
int usage_error(const struct command *cmd, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The exit code for the status of a library call. */
int exit_code_of(sgdmft_status status);

/* Prints the message of a failed library call and returns the exit code of its status. */
int report_failure(const sgdmft_context *ctx, sgdmft_status status);

/* The same after the name of one of several problems; `what` may be NULL. */
int report_failure_of(const sgdmft_context *ctx, sgdmft_status status, const char *what);

/* The name most like `wanted`, or NULL if none is near enough to be a slip. */
const char *nearest_name(const char *wanted, const char *const *names, size_t n);

/* The help texts, on standard output. */
void print_usage(const struct command *cmd);

/* Closes standard output; returns `code`, or CODE_SYSTEM if something printed there was lost and `code` says all is
   well. */
int finish_output(int code);

#endif
