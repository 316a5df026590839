#include "io/save.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The kind of file that exists under the name of an output. */
typedef enum occupant { OCCUPANT_NONE, OCCUPANT_FILE, OCCUPANT_DIRECTORY, OCCUPANT_STREAM } occupant;

static occupant look_at(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return OCCUPANT_NONE;
    if (S_ISREG(info.st_mode))
        return OCCUPANT_FILE;
    return S_ISDIR(info.st_mode) ? OCCUPANT_DIRECTORY : OCCUPANT_STREAM;
}

static sgdmft_status fail_exists(sgdmft_context *ctx, const char *path)
{
    return context_fail(ctx, SGDMFT_ERR_EXISTS,
                        "output '%s': the file exists already and is not overwritten; use --force to replace it, or "
                        "choose another name",
                        path);
}

static sgdmft_status fail_io(sgdmft_context *ctx, const char *path, const char *what, int error)
{
    return context_fail(ctx, error == ENOMEM ? SGDMFT_ERR_MEMORY : SGDMFT_ERR_IO, "output '%s': %s: %s", path, what,
                        strerror(error));
}

static sgdmft_status check_directory(sgdmft_context *ctx, const char *path)
{
    char *copy = strdup(path);
    if (!copy)
        return context_out_of_memory(ctx, "a file name", (double)strlen(path));
    const char *directory = dirname(copy);
    sgdmft_status status = SGDMFT_OK;
    occupant there = look_at(directory);
    if (there == OCCUPANT_NONE)
        status = context_fail(ctx, SGDMFT_ERR_IO, "output '%s': the directory '%s' does not exist; create it first",
                              path, directory);
    else if (there != OCCUPANT_DIRECTORY)
        status = context_fail(ctx, SGDMFT_ERR_IO, "output '%s': '%s' is not a directory", path, directory);
    else if (access(directory, W_OK | X_OK) != 0)
        status = context_fail(ctx, SGDMFT_ERR_IO, "output '%s': the directory '%s' is not writable: %s", path,
                              directory, strerror(errno));
    free(copy);
    return status;
}

sgdmft_status save_check(sgdmft_context *ctx, const char *path, int force)
{
    if (path[0] == '\0')
        return context_fail(ctx, SGDMFT_ERR_IO, "output: the file name is empty");
    switch (look_at(path)) {
    case OCCUPANT_DIRECTORY:
        return context_fail(ctx, SGDMFT_ERR_IO, "output '%s': is a directory; give a file name in it", path);
    case OCCUPANT_STREAM: return access(path, W_OK) == 0 ? SGDMFT_OK : fail_io(ctx, path, "cannot write", errno);
    case OCCUPANT_FILE:
        if (!force)
            return fail_exists(ctx, path);
        break;
    case OCCUPANT_NONE: break;
    }
    return check_directory(ctx, path);
}

/* Creates a new file beside `path` and stores its name in *temporary; its mode obeys the umask, which mkstemp's
   would not. Returns a descriptor, or -1 with errno set. */
static int open_beside(const char *path, char **temporary)
{
    for (unsigned attempt = 0; attempt < 1000; attempt++) {
        if (asprintf(temporary, "%s.%ld-%u.tmp", path, (long)getpid(), attempt) < 0) {
            *temporary = NULL;
            errno = ENOMEM;
            return -1;
        }
        int fd = open(*temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0)
            return fd;
        int error = errno;
        free(*temporary);
        *temporary = NULL;
        errno = error;
        if (error != EEXIST)
            return -1;
    }
    return -1;
}

/* Renames without replacing, in one step where the file system can; 0 or an errno. */
static int rename_to_new(const char *from, const char *to)
{
#ifdef RENAME_NOREPLACE
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return errno;
#endif
    if (access(to, F_OK) == 0)
        return EEXIST;
    return rename(from, to) == 0 ? 0 : errno;
}

static int rename_over(const char *from, const char *to)
{
    return rename(from, to) == 0 ? 0 : errno;
}

sgdmft_status save_open(sgdmft_context *ctx, const char *path, int force, save_output *out)
{
    *out = (save_output){.force = force};
    sgdmft_status status = save_check(ctx, path, force);
    if (status != SGDMFT_OK)
        return status;
    out->path = strdup(path);
    out->target = realpath(path, NULL); /* through a symbolic link; NULL if there is no such file yet */
    if (!out->target)
        out->target = strdup(path);
    if (!out->path || !out->target) {
        save_close(ctx, out, 0);
        return context_out_of_memory(ctx, "a file name", (double)strlen(path));
    }
    int fd =
        look_at(path) == OCCUPANT_STREAM ? open(path, O_WRONLY | O_CLOEXEC) : open_beside(out->target, &out->temporary);
    out->stream = fd < 0 ? NULL : fdopen(fd, "w");
    if (out->stream)
        return SGDMFT_OK;
    status = fail_io(ctx, path, "cannot write", errno);
    if (fd >= 0)
        close(fd);
    save_close(ctx, out, 0);
    return status;
}

sgdmft_status save_close(sgdmft_context *ctx, save_output *out, int keep)
{
    int error = out->error;
    if (out->stream) {
        errno = 0;
        if (fflush(out->stream) != 0 || ferror(out->stream) || (out->temporary && fsync(fileno(out->stream)) != 0))
            error = error ? error : errno ? errno : EIO;
        if (fclose(out->stream) != 0 && !error)
            error = errno;
    }
    if (out->temporary && keep && !error)
        error = out->force ? rename_over(out->temporary, out->target) : rename_to_new(out->temporary, out->target);
    if (out->temporary && (!keep || error))
        unlink(out->temporary);
    sgdmft_status status = SGDMFT_OK;
    if (keep && error)
        status = error == EEXIST ? fail_exists(ctx, out->path) : fail_io(ctx, out->path, "cannot write", error);
    free(out->path);
    free(out->target);
    free(out->temporary);
    *out = (save_output){.stream = NULL};
    return status;
}

sgdmft_status save_bytes(sgdmft_context *ctx, const char *path, const void *bytes, size_t size, int force)
{
    save_output out;
    sgdmft_status status = save_open(ctx, path, force, &out);
    if (status != SGDMFT_OK)
        return status;
    errno = 0;
    if (fwrite(bytes, 1, size, out.stream) < size)
        out.error = errno ? errno : EIO;
    return save_close(ctx, &out, 1);
}
