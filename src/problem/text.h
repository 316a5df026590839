/* Small services for messages and for reading and writing text: UTF-8, safe display, nearest name. */
#ifndef SGDMFT_PROBLEM_TEXT_H
#define SGDMFT_PROBLEM_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "core/context.h"
#include "core/origin.h"

/* Decodes the UTF-8 character at `bytes` (of which `size` may be read). Returns its length, 0 if it is malformed. */
size_t problem_utf8(const unsigned char *bytes, size_t size, uint32_t *code);

/* 1 if YAML allows this character to stand unescaped and it is not a line break other than \n. */
int problem_printable(uint32_t code);

/* A value as it can be shown inside a message: control and malformed bytes escaped, long text cut with "...". */
typedef struct shown_text {
    char text[120];
} shown_text;
shown_text problem_show(const char *text);

/* Index of the name nearest to `wanted` in edit distance (upper and lower case are equal, two exchanged
   neighbours count once), or -1 if none is near enough to be a slip of the fingers. */
int problem_nearest(const char *wanted, const char *const *names, size_t n);

/* Fails with "source:line:column: key: message"; position and key are left out where `where` has none. */
sgdmft_status problem_fail(sgdmft_context *ctx, sgdmft_status status, const origin *where, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
