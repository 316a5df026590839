/* Context internals, and how a function reports a failure: return context_fail(ctx, STATUS, "what: ...", ...). */
#ifndef SGDMFT_CORE_CONTEXT_H
#define SGDMFT_CORE_CONTEXT_H

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>

#include "sgdmft/context.h"

/* Processes that solve together, see ranks.h. */
typedef struct rank_group rank_group;

/* The caller's wish to stop, which all that works for one call of the library shares. The call-back is asked in the
   thread of that call alone. */
typedef struct stop_watch {
    sgdmft_context *caller; /* whose call-back is asked */
    pthread_t thread;
    int running;        /* 0 until context_begin */
    double looked;      /* when the call-back was last asked, in seconds */
    double fraction, t; /* what it was told */
    atomic_int asked;   /* 1: to stop, at the time `since` */
    _Atomic double since;
} stop_watch;

struct sgdmft_context {
    int threads;
    rank_group *ranks; /* owned; NULL for one process alone */
    sgdmft_log_fn log;
    void *log_user;
    sgdmft_progress_fn progress;
    void *progress_user;
    char *message;
    stop_watch own;
    stop_watch *watch; /* its own, or that of the context for which this one works */
};

/* Stores the message and returns `status`. Not to be called from inside a parallel region. */
sgdmft_status context_fail(sgdmft_context *ctx, sgdmft_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for running out of memory while allocating `what`. */
sgdmft_status context_out_of_memory(sgdmft_context *ctx, const char *what, double bytes);

void context_log(sgdmft_context *ctx, sgdmft_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* 0, or non-zero if the caller asked to stop, now or earlier in this call of the library. */
int context_progress(sgdmft_context *ctx, double fraction, double t);

/* A call of the library begins, in this thread: nobody has asked yet to stop it. */
void context_begin(sgdmft_context *ctx);

/* The context works for another one: it stops with it. */
void context_work_for(sgdmft_context *ctx, const sgdmft_context *other);

/* 1 if work is to be broken off, because the caller asked to stop some time ago and no convenient end of the work has
   come since. Cheap enough for every block of paths, and for any thread; that of the caller asks the call-back from
   time to time. Once it is 1 it remains so. */
int context_stop_now(sgdmft_context *ctx);

/* Something short begins although the caller asked to stop: it may take as long as work that was under way then. */
void context_grant_time(sgdmft_context *ctx);

/* The failure of work that was broken off: "interrupted while WHAT". */
sgdmft_status context_interrupted(sgdmft_context *ctx, const char *what);

/* Puts a new text in the place of *message, for what has a message of its own; NULL if there is no memory for it. */
void message_replace(char **message, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* Forgets the last message. */
void context_clear(sgdmft_context *ctx);

#endif
