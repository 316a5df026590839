/* Failures that point into the text of an expression. */
#ifndef SGDMFT_EXPR_MESSAGE_H
#define SGDMFT_EXPR_MESSAGE_H

#include <stddef.h>

#include "core/context.h"
#include "core/origin.h"

/* context_fail with "FILE:LINE:COLUMN: KEY: " in front, for byte `offset` of `text`, which starts at `where`. */
sgdmft_status expr_fail_at(sgdmft_context *ctx, sgdmft_status status, const char *text, size_t offset,
                           const origin *where, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Column (from 1, counting characters) of byte `offset` in its own line of `text`. */
int expr_column(const char *text, size_t offset);

#endif
