/* The context carries what would otherwise be global: thread count, logger, progress call-back, last message.
   One context serves one calling thread at a time; several contexts may be used side by side. */
#ifndef SGDMFT_CONTEXT_H
#define SGDMFT_CONTEXT_H

#include "export.h"
#include "status.h"

SGDMFT_BEGIN_DECLS

typedef struct sgdmft_context sgdmft_context;

typedef enum sgdmft_log_level { SGDMFT_LOG_WARNING = 0, SGDMFT_LOG_INFO = 1, SGDMFT_LOG_DEBUG = 2 } sgdmft_log_level;

/* Called with one line of text, without a trailing newline. */
typedef void (*sgdmft_log_fn)(void *user, sgdmft_log_level level, const char *line);

/* Called from time to time with the fraction of work done (0..1) and the
   problem time t reached. A non-zero return asks the solver to stop: it keeps what it has and returns
   SGDMFT_ERR_INTERRUPTED. */
typedef int (*sgdmft_progress_fn)(void *user, double fraction, double t);

/* Creates a context: all available threads, no logger, no progress. The caller frees it. */
SGDMFT_API sgdmft_status sgdmft_context_new(sgdmft_context **out);
SGDMFT_API void sgdmft_context_free(sgdmft_context *ctx); /* NULL is allowed */

/* threads >= 1, or 0 for all available. Results do not depend on it. */
SGDMFT_API sgdmft_status sgdmft_context_set_threads(sgdmft_context *ctx, int threads);
SGDMFT_API int sgdmft_context_threads(const sgdmft_context *ctx);

/* NULL switches either off. `user` is passed to the call-back as it is. */
SGDMFT_API void sgdmft_context_set_logger(sgdmft_context *ctx, sgdmft_log_fn fn, void *user);
SGDMFT_API void sgdmft_context_set_progress(sgdmft_context *ctx, sgdmft_progress_fn fn, void *user);

/* The message of the last failure in this context: what, where, the value seen, what is allowed, a hint.
   Empty when nothing failed. Owned by the context, valid until its next failure. */
SGDMFT_API const char *sgdmft_context_message(const sgdmft_context *ctx);

SGDMFT_END_DECLS

#endif
