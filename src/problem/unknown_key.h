/* What to say about a key that no option has: the nearest valid name, here or in another section. */
#ifndef SGDMFT_PROBLEM_UNKNOWN_KEY_H
#define SGDMFT_PROBLEM_UNKNOWN_KEY_H

#include "core/context.h"
#include "core/origin.h"

/* `leaf` stands in `section` of a problem file. */
sgdmft_status unknown_key_in_file(sgdmft_context *ctx, const origin *where, int section, const char *leaf);

/* `key` is the dotted key of an override. */
sgdmft_status unknown_key_in_override(sgdmft_context *ctx, const origin *where, const char *key);

#endif
