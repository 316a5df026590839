#include "problem/source_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static sgdmft_status fail_io(sgdmft_context *ctx, const char *path, const char *why, const char *hint)
{
    return context_fail(ctx, SGDMFT_ERR_IO, "%s: cannot read the problem file: %s%s", path, why, hint);
}

static sgdmft_status read_stream(sgdmft_context *ctx, FILE *in, const char *path, char *buffer, size_t *size)
{
    *size = fread(buffer, 1, SOURCE_FILE_LARGEST + 1, in);
    if (ferror(in))
        return fail_io(ctx, path, strerror(errno), "");
    if (*size > SOURCE_FILE_LARGEST)
        return fail_io(ctx, path, "it is larger than 1 MiB", "; a problem file is a short text");
    return SGDMFT_OK;
}

sgdmft_status source_file_read(sgdmft_context *ctx, const char *path, char **text, size_t *size)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        return fail_io(ctx, path, strerror(errno),
                       errno == ENOENT ? "; `sgdmft reference` prints a file to start from" : "");
    struct stat about;
    if (fstat(fileno(in), &about) == 0 && S_ISDIR(about.st_mode)) {
        fclose(in);
        return fail_io(ctx, path, "it is a directory", "; give the file in it");
    }
    char *buffer = malloc(SOURCE_FILE_LARGEST + 1);
    sgdmft_status status =
        buffer ? read_stream(ctx, in, path, buffer, size) : context_out_of_memory(ctx, path, SOURCE_FILE_LARGEST);
    fclose(in);
    if (status != SGDMFT_OK) {
        free(buffer);
        return status;
    }
    *text = buffer;
    return SGDMFT_OK;
}
