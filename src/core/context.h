/* Context internals, and how a function reports a failure: return context_fail(ctx, STATUS, "what: ...", ...). */
#ifndef SGDMFT_CORE_CONTEXT_H
#define SGDMFT_CORE_CONTEXT_H

#include <stdarg.h>

#include "sgdmft/context.h"

/* Processes that solve together, see ranks.h. */
typedef struct rank_group rank_group;

struct sgdmft_context {
    int threads;
    rank_group *ranks; /* owned; NULL for one process alone */
    sgdmft_log_fn log;
    void *log_user;
    sgdmft_progress_fn progress;
    void *progress_user;
    char *message;
};

/* Stores the message and returns `status`. Not to be called from inside a parallel region. */
sgdmft_status context_fail(sgdmft_context *ctx, sgdmft_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for running out of memory while allocating `what`. */
sgdmft_status context_out_of_memory(sgdmft_context *ctx, const char *what, double bytes);

void context_log(sgdmft_context *ctx, sgdmft_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* 0, or non-zero if the caller asked to stop. */
int context_progress(sgdmft_context *ctx, double fraction, double t);

/* Puts a new text in the place of *message, for what has a message of its own; NULL if there is no memory for it. */
void message_replace(char **message, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* Forgets the last message. */
void context_clear(sgdmft_context *ctx);

#endif
