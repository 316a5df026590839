/* A small text file as a whole. */
#ifndef SGDMFT_PROBLEM_SOURCE_FILE_H
#define SGDMFT_PROBLEM_SOURCE_FILE_H

#include <stddef.h>

#include "core/context.h"

/* Files beyond this size are no problem files; it also bounds what a device or pipe can feed us. */
enum { SOURCE_FILE_LARGEST = 1 << 20 };

/* *text (not terminated) holds *size bytes. The caller frees *text. */
sgdmft_status source_file_read(sgdmft_context *ctx, const char *path, char **text, size_t *size);

#endif
