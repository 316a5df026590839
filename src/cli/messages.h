/* Messages on standard error and the exit codes that go with them; help texts. */
#ifndef SGDMFT_CLI_MESSAGES_H
#define SGDMFT_CLI_MESSAGES_H

#include <stddef.h>

#include "sgdmft/context.h"

struct command;

/* One line on standard error, after "sgdmft: " and, for a warning, "warning: ". */
void print_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* An error followed by a pointer to the help text of `cmd`, or of the whole program if that is NULL. Returns
   CODE_USAGE. */
int usage_error(const struct command *cmd, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The exit code that stands for the status of a library call. */
int exit_code_of(sgdmft_status status);

/* Prints the message of a failed library call, after "SUBJECT: " unless that is NULL. Returns the exit code that
   stands for the status, CODE_DONE for SGDMFT_OK, which prints nothing. */
int report_status(const sgdmft_context *ctx, sgdmft_status status, const char *subject);

/* Prints that memory has run out. Returns CODE_SYSTEM. */
int report_out_of_memory(void);

/* The name most like `word`, or NULL if none is near enough to be what was meant. */
const char *nearest_name(const char *word, const char *const *names, size_t n);

/* The help text of a subcommand, on standard output. */
void print_usage(const struct command *cmd);

/* Closes standard output. Returns `code`, or CODE_SYSTEM if some output was lost and `code` would call that a
   success. */
int finish_output(int code);

#endif
