#include "problem/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expr/names.h"

enum { NAME_LONGEST = 40 }; /* longer names are nobody's misspelling of an option */

size_t problem_utf8(const unsigned char *bytes, size_t size, uint32_t *code)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (size == 0)
        return 0;
    unsigned char first = bytes[0];
    size_t length = first < 0x80 ? 1 : first >> 5 == 0x6 ? 2 : first >> 4 == 0xE ? 3 : first >> 3 == 0x1E ? 4 : 0;
    if (length == 0 || length > size)
        return 0;
    if (length == 1) {
        *code = first;
        return 1;
    }
    uint32_t value = first & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (bytes[i] >> 6 != 0x2)
            return 0;
        value = value << 6 | (bytes[i] & 0x3Fu);
    }
    if (value < least[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
        return 0;
    *code = value;
    return length;
}

int problem_printable(uint32_t code)
{
    if (code < 0xA0)
        return code >= 0x20 && code <= 0x7E;
    if (code == 0x2028 || code == 0x2029 || code == 0xFEFF)
        return 0;
    return (code <= 0xD7FF || code >= 0xE000) && code != 0xFFFE && code != 0xFFFF;
}

shown_text problem_show(const char *text)
{
    enum { ROOM = sizeof((shown_text *)0)->text - 8 }; /* for one escape and the final "..." */
    shown_text out;
    size_t size = strlen(text), used = 0, at = 0;
    while (at < size && used < ROOM) {
        uint32_t code = 0;
        size_t length = problem_utf8((const unsigned char *)text + at, size - at, &code);
        if (length > 0 && problem_printable(code)) {
            memcpy(out.text + used, text + at, length);
            used += length;
            at += length;
        } else {
            used += (size_t)snprintf(out.text + used, 5, "\\x%02X", (unsigned)(unsigned char)text[at]);
            at++;
        }
    }
    snprintf(out.text + used, sizeof out.text - used, "%s", at < size ? "..." : "");
    return out;
}

int problem_nearest(const char *wanted, const char *const *names, size_t n)
{
    size_t length = strlen(wanted);
    if (length == 0 || length > NAME_LONGEST)
        return -1;
    int best = -1, best_distance = 1 + (int)(length / 4); /* one slip per four letters */
    if (length == 1)
        best_distance = 0;
    for (size_t i = 0; i < n; i++) {
        if (strlen(names[i]) > NAME_LONGEST)
            continue;
        int d = names_distance(wanted, length, names[i]);
        if (d < best_distance || (d == best_distance && best < 0)) {
            best = (int)i;
            best_distance = d;
        }
    }
    return best;
}

sgdmft_status problem_fail(sgdmft_context *ctx, sgdmft_status status, const origin *where, const char *format, ...)
{
    char *message = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&message, format, args) < 0)
        message = NULL;
    va_end(args);
    const char *key = where->key ? where->key : "";
    const char *colon = where->key ? ": " : "";
    const char *said = message ? message : sgdmft_status_string(status);
    if (where->line > 0)
        context_fail(ctx, status, "%s:%d:%d: %s%s%s", where->source, where->line, where->column, key, colon, said);
    else
        context_fail(ctx, status, "%s: %s%s%s", where->source, key, colon, said);
    free(message);
    return status;
}
