#include "core/context.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/ranks.h"

sgdmft_status sgdmft_context_new(sgdmft_context **out)
{
    if (!out)
        return SGDMFT_ERR_ARGUMENT;
    *out = calloc(1, sizeof **out);
    if (!*out)
        return SGDMFT_ERR_MEMORY;
    (*out)->threads = omp_get_max_threads();
    (*out)->watch = &(*out)->own;
    return SGDMFT_OK;
}

void sgdmft_context_free(sgdmft_context *ctx)
{
    if (!ctx)
        return;
    ranks_free(ctx->ranks);
    free(ctx->message);
    free(ctx);
}

sgdmft_status sgdmft_context_set_threads(sgdmft_context *ctx, int threads)
{
    if (threads < 0 || threads > 4096)
        return context_fail(ctx, SGDMFT_ERR_ARGUMENT,
                            "threads: value %d is out of range; allowed: 1 to 4096, or 0 for all available", threads);
    ctx->threads = threads ? threads : omp_get_max_threads();
    return SGDMFT_OK;
}

int sgdmft_context_threads(const sgdmft_context *ctx)
{
    return ctx->threads;
}

void sgdmft_context_set_logger(sgdmft_context *ctx, sgdmft_log_fn fn, void *user)
{
    ctx->log = fn;
    ctx->log_user = user;
}

void sgdmft_context_set_progress(sgdmft_context *ctx, sgdmft_progress_fn fn, void *user)
{
    ctx->progress = fn;
    ctx->progress_user = user;
}

const char *sgdmft_context_message(const sgdmft_context *ctx)
{
    return ctx->message ? ctx->message : "";
}

static char *format_text(const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = length < 0 ? NULL : malloc((size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, args);
    return text;
}

void message_replace(char **message, const char *format, va_list args)
{
    char *text = format_text(format, args); /* args may point into the old text */
    free(*message);
    *message = text;
}

sgdmft_status context_fail(sgdmft_context *ctx, sgdmft_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    message_replace(&ctx->message, format, args);
    va_end(args);
    return status;
}

sgdmft_status context_out_of_memory(sgdmft_context *ctx, const char *what, double bytes)
{
    return context_fail(ctx, SGDMFT_ERR_MEMORY, "out of memory: cannot allocate %.3g MiB for %s", bytes / 1048576.0,
                        what);
}

void context_log(sgdmft_context *ctx, sgdmft_log_level level, const char *format, ...)
{
    if (!ctx->log)
        return;
    va_list args;
    va_start(args, format);
    char *text = format_text(format, args);
    va_end(args);
    if (text)
        ctx->log(ctx->log_user, level, text);
    free(text);
}

static double seconds_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

int context_progress(sgdmft_context *ctx, double fraction, double t)
{
    stop_watch *watch = &ctx->own;
    int stop = ctx->progress ? ctx->progress(ctx->progress_user, fraction, t) : 0;
    watch->fraction = fraction;
    watch->t = t;
    watch->looked = seconds_now();
    if (stop && watch->running && !atomic_load(&watch->asked)) {
        watch->since = watch->looked;
        atomic_store(&watch->asked, 1);
    }
    return stop || atomic_load(&watch->asked);
}

void context_begin(sgdmft_context *ctx)
{
    stop_watch *watch = &ctx->own;
    *watch = (stop_watch){.caller = ctx, .thread = pthread_self(), .running = 1, .looked = seconds_now()};
    ctx->watch = watch;
}

void context_work_for(sgdmft_context *ctx, const sgdmft_context *other)
{
    ctx->watch = other->watch;
}

/* Seconds between two questions, and those that work may take to come to an end of its own. */
static const double BETWEEN_QUESTIONS = 0.05, PATIENCE = 0.3;

int context_stop_now(sgdmft_context *ctx)
{
    stop_watch *watch = ctx->watch;
    if (!watch->running)
        return 0;
    if (!atomic_load(&watch->asked)) {
        if (!pthread_equal(pthread_self(), watch->thread) || seconds_now() - watch->looked < BETWEEN_QUESTIONS)
            return 0;
        context_progress(watch->caller, watch->fraction, watch->t);
    }
    return atomic_load(&watch->asked) && seconds_now() - watch->since > PATIENCE;
}

void context_grant_time(sgdmft_context *ctx)
{
    ctx->watch->since = seconds_now();
}

sgdmft_status context_interrupted(sgdmft_context *ctx, const char *what)
{
    return context_fail(ctx, SGDMFT_ERR_INTERRUPTED, "interrupted while %s", what);
}

void context_clear(sgdmft_context *ctx)
{
    free(ctx->message);
    ctx->message = NULL;
}
