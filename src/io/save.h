/* Files that are complete or not there at all.

   Output goes to a temporary file in the same directory, which is renamed at the end. An
   existing file is replaced only if `force` is non-zero, even if it appeared a moment ago; a symbolic link is
   followed. A device or a pipe is written to directly. Errors: SGDMFT_ERR_EXISTS, SGDMFT_ERR_IO, SGDMFT_ERR_MEMORY. */
#ifndef SGDMFT_IO_SAVE_H
#define SGDMFT_IO_SAVE_H

#include <stddef.h>
#include <stdio.h>

#include "core/context.h"

/* Checks that a file can be written later. Fails if it exists and `force` is 0, or if its directory is missing or
   not writable or `path` is a directory. Writes nothing. */
sgdmft_status save_check(sgdmft_context *ctx, const char *path, int force);

/* Puts finished bytes into a file. */
sgdmft_status save_bytes(sgdmft_context *ctx, const char *path, const void *bytes, size_t size, int force);

/* The same for output that is too long to be held in memory: whatever is written to `stream` between save_open and
   save_close. */
typedef struct save_output {
    FILE *stream;
    char *path, *target, *temporary; /* temporary: NULL for a device or a pipe */
    int force;
    int error; /* errno of a write that failed, if its author noted it */
} save_output;

sgdmft_status save_open(sgdmft_context *ctx, const char *path, int force, save_output *out);
/* With `keep` 0 nothing is left behind (but what a pipe has got, it has). Clears *out, on failure too; one that was
   never opened and is zero is fine. */
sgdmft_status save_close(sgdmft_context *ctx, save_output *out, int keep);

#endif
