/* The public ways in and out: one sequence for all writers, and the choice of a reader. */
#include "sgdmft/io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "io/csv_read.h"
#include "io/csv_write.h"
#include "io/hdf5_library.h"
#include "io/hdf5_read.h"
#include "io/hdf5_write.h"
#include "io/save.h"

/* Makes the whole content of a file in memory; the caller frees *bytes. */
typedef sgdmft_status (*content_fn)(sgdmft_context *ctx, const sgdmft_solution *solution, const char *command,
                                    char **bytes, size_t *size);

static sgdmft_status check_arguments(sgdmft_context *ctx, const void *solution, const char *path)
{
    return solution && path ? SGDMFT_OK
                            : context_fail(ctx, SGDMFT_ERR_ARGUMENT, "file: the solution or the path is NULL");
}

static sgdmft_status write_file(sgdmft_context *ctx, const sgdmft_solution *solution, const char *command,
                                const char *path, int force, content_fn make)
{
    char *bytes = NULL;
    size_t size = 0;
    sgdmft_status status = check_arguments(ctx, solution, path);
    if (!status)
        status = save_check(ctx, path, force);
    if (!status)
        status = solution_check_curves(ctx, solution);
    if (!status)
        status = make(ctx, solution, command, &bytes, &size);
    if (!status)
        status = save_bytes(ctx, path, bytes, size, force);
    free(bytes);
    return status;
}

sgdmft_status sgdmft_write_csv(sgdmft_context *ctx, const sgdmft_solution *solution, const char *command,
                               const char *path, int force)
{
    return write_file(ctx, solution, command, path, force, csv_curves);
}

sgdmft_status sgdmft_write_hdf5(sgdmft_context *ctx, const sgdmft_solution *solution, const char *command,
                                const char *path, int force)
{
    return write_file(ctx, solution, command, path, force, hdf5_image);
}

sgdmft_status sgdmft_write_histograms(sgdmft_context *ctx, const sgdmft_solution *solution, const char *command,
                                      const char *path, int force)
{
    if (solution && !solution->histograms)
        return context_fail(ctx, SGDMFT_ERR_ARGUMENT, "output '%s': the solution has no histograms", path);
    return write_file(ctx, solution, command, path, force, csv_histograms);
}

sgdmft_status sgdmft_write_check(sgdmft_context *ctx, const char *path, int force)
{
    hdf5_library h5;
    const char *ending = strrchr(path, '.');
    sgdmft_status status = save_check(ctx, path, force);
    if (!status && ending && strcmp(ending, ".h5") == 0)
        status = hdf5_library_load(ctx, &h5);
    return status;
}

/* Does the file begin as HDF5 files do? */
static sgdmft_status look_at(sgdmft_context *ctx, const char *path, int *is_hdf5)
{
    static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    unsigned char start[8] = {0};
    FILE *file = fopen(path, "rbe");
    if (!file)
        return context_fail(ctx, SGDMFT_ERR_IO, "cannot read '%s': %s", path, strerror(errno));
    size_t n = fread(start, 1, sizeof start, file);
    int error = ferror(file) ? errno : 0;
    fclose(file);
    if (error)
        return context_fail(ctx, SGDMFT_ERR_IO, "cannot read '%s': %s", path, strerror(error));
    *is_hdf5 = n == sizeof start && memcmp(start, signature, sizeof signature) == 0;
    return SGDMFT_OK;
}

static sgdmft_status read_problem(sgdmft_context *ctx, const char *path, const sgdmft_solution *solution,
                                  sgdmft_problem **out)
{
    if (solution->problem[0] == '\0')
        return context_fail(ctx, SGDMFT_ERR_MISSING, "%s: the file does not hold the problem that its curves solve",
                            path);
    return sgdmft_problem_parse(ctx, path, solution->problem, NULL, 0, out);
}

sgdmft_status sgdmft_solution_read(sgdmft_context *ctx, const char *path, sgdmft_problem **problem,
                                   sgdmft_solution **solution)
{
    int is_hdf5 = 0;
    sgdmft_status status = check_arguments(ctx, solution, path);
    if (status)
        return status;
    if (problem)
        *problem = NULL;
    *solution = NULL;
    status = look_at(ctx, path, &is_hdf5);
    if (!status)
        status = (is_hdf5 ? hdf5_read : csv_read)(ctx, path, solution);
    if (!status && problem)
        status = read_problem(ctx, path, *solution, problem);
    if (!status)
        return SGDMFT_OK;
    sgdmft_solution_free(*solution);
    *solution = NULL;
    return status;
}
