/* Where a value came from, and failures that say so. */
#ifndef SGDMFT_CORE_ORIGIN_H
#define SGDMFT_CORE_ORIGIN_H

#include <stddef.h>

#include "core/context.h"

typedef struct origin {
    const char *source; /* file name, or "--set" for an override; not owned */
    int line, column;   /* 1-based position of the first character of the value; 0 if there is none */
    const char *key;    /* dotted key, e.g. "model.loss", or NULL; not owned */
} origin;

/* Fails with "source:line:column: key: message". Position and key are left out where `where` has none. */
sgdmft_status origin_fail(sgdmft_context *ctx, sgdmft_status status, const origin *where, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same for byte `offset` of a value `text` that starts at `where`. Without a position the message counts characters
   of the value instead. */
sgdmft_status origin_fail_at(sgdmft_context *ctx, sgdmft_status status, const origin *where, const char *text,
                             size_t offset, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Column (from 1, counting characters) of byte `offset` in its own line of `text`. */
int origin_column(const char *text, size_t offset);

#endif
