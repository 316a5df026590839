/* The problem files and reference curves of the claims, part of the program: made from validation/problems and
   validation/reference at build time. */
#ifndef SGDMFT_VALIDATION_CLAIMS_TEXTS_H
#define SGDMFT_VALIDATION_CLAIMS_TEXTS_H

#include <stddef.h>

typedef struct embedded_text {
    const char *name; /* of the file, without its directory */
    const char *text;
} embedded_text;

extern const embedded_text embedded_texts[]; /* ended by an entry without a name */

/* The text of the file STEM ENDING, or NULL. */
const char *embedded_find(const char *stem, const char *ending);

#endif
