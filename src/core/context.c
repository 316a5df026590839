#include "core/context.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/ranks.h"

sgdmft_status sgdmft_context_new(sgdmft_context **out)
{
    if (!out)
        return SGDMFT_ERR_ARGUMENT;
    *out = calloc(1, sizeof **out);
    if (!*out)
        return SGDMFT_ERR_MEMORY;
    (*out)->threads = omp_get_max_threads();
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

int context_progress(sgdmft_context *ctx, double fraction, double t)
{
    return ctx->progress ? ctx->progress(ctx->progress_user, fraction, t) : 0;
}

void context_clear(sgdmft_context *ctx)
{
    free(ctx->message);
    ctx->message = NULL;
}
