#include "core/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Longer names are not compared: they are not misspelt options, and the bound limits the work. */
enum { LONGEST_NAME = 40 };

size_t text_decode(const unsigned char *bytes, size_t size, uint32_t *code)
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

int text_printable(uint32_t code)
{
    if (code < 0xA0)
        return code >= 0x20 && code <= 0x7E;
    if (code == 0x2028 || code == 0x2029 || code == 0xFEFF)
        return 0;
    return (code <= 0xD7FF || code >= 0xE000) && code != 0xFFFE && code != 0xFFFF;
}

shown_text text_show(const char *text)
{
    enum { ROOM = sizeof((shown_text *)0)->text - 8 }; /* for one escape and the final "..." */
    shown_text out;
    size_t size = strlen(text), used = 0, at = 0;
    while (at < size && used < ROOM) {
        uint32_t code = 0;
        size_t length = text_decode((const unsigned char *)text + at, size - at, &code);
        if (length > 0 && text_printable(code)) {
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

static int smallest(int a, int b, int c)
{
    int least = a < b ? a : b;
    return least < c ? least : c;
}

int text_distance(const char *a, size_t length, const char *b)
{
    int row[3][LONGEST_NAME + 1]; /* the last two rows and the new one */
    size_t na = length < LONGEST_NAME ? length : LONGEST_NAME;
    size_t nb = strlen(b) < LONGEST_NAME ? strlen(b) : LONGEST_NAME;
    for (size_t j = 0; j <= nb; j++)
        row[0][j] = (int)j;
    for (size_t i = 1; i <= na; i++) {
        int *now = row[i % 3], *before = row[(i + 2) % 3], *two_before = row[(i + 1) % 3];
        now[0] = (int)i;
        for (size_t j = 1; j <= nb; j++) {
            int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
            now[j] = smallest(now[j - 1] + 1, before[j] + 1, before[j - 1] + (x != y));
            int swapped =
                i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) && y == tolower((unsigned char)a[i - 2]);
            if (swapped && two_before[j - 2] + 1 < now[j])
                now[j] = two_before[j - 2] + 1;
        }
    }
    return row[na % 3][nb];
}

int text_nearest(const char *wanted, const char *const *names, size_t n)
{
    size_t length = strlen(wanted);
    if (length == 0 || length > LONGEST_NAME)
        return -1;
    int best = -1, best_distance = 1 + (int)(length / 4); /* one slip per four letters */
    if (length == 1)
        best_distance = 0;
    for (size_t i = 0; i < n; i++) {
        if (strlen(names[i]) > LONGEST_NAME)
            continue;
        int d = text_distance(wanted, length, names[i]);
        if (d < best_distance || (d == best_distance && best < 0)) {
            best = (int)i;
            best_distance = d;
        }
    }
    return best;
}
