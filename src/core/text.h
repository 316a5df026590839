/* Text from users: UTF-8, values shown in messages, and the name nearest to a misspelt one. */
#ifndef SGDMFT_CORE_TEXT_H
#define SGDMFT_CORE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Decodes the UTF-8 character at `bytes` (of which `size` may be read). Returns its length, 0 if it is malformed. */
size_t text_decode(const unsigned char *bytes, size_t size, uint32_t *code);

/* 1 if YAML allows this character to stand unescaped and it is not a line break other than \n. */
int text_printable(uint32_t code);

/* A value as it can be shown inside a message: control and malformed bytes escaped, long text cut with "...". */
typedef struct shown_text {
    char text[120];
} shown_text;
shown_text text_show(const char *text);

/* The number of insertions, deletions, replacements and exchanges of neighbours that turn a[0 .. length - 1] into b.
   Upper and lower case are equal. Only the first 40 characters count. */
int text_distance(const char *a, size_t length, const char *b);

/* Index of the name nearest to `wanted` in that distance, or -1 if none is near enough to be a slip of the fingers: one
   per four letters. */
int text_nearest(const char *wanted, const char *const *names, size_t n);

#endif
