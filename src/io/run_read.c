#include "io/run_read.h"

#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/coordinate_arrays.h"
#include "columns/solution.h"

enum { RANK_MOST = 4, MOST = 8 };

typedef struct reader {
    sgdmft_context *ctx;
    const char *path;
    hid_t file;
} reader;

static sgdmft_status fail_foreign(const reader *r, const char *what)
{
    return context_fail(r->ctx, SGDMFT_ERR_TYPE,
                        "%s: %s; needed: a file written by 'sgdmft solve PROBLEM.yaml -o RUN.h5'", r->path, what);
}

/* A text attribute of the file; *out is owned by the caller and stays NULL if there is none. */
static sgdmft_status read_text(const reader *r, const char *name, char **out)
{
    *out = NULL;
    hid_t attribute = H5Aexists(r->file, name) > 0 ? H5Aopen(r->file, name, H5P_DEFAULT) : -1;
    if (attribute < 0)
        return SGDMFT_OK;
    hid_t type = H5Aget_type(attribute), memory = H5Tcopy(H5T_C_S1);
    char *text = NULL;
    if (H5Tset_size(memory, H5T_VARIABLE) >= 0 && H5Tset_cset(memory, H5Tget_cset(type)) >= 0 &&
        H5Tis_variable_str(type) > 0 && H5Aread(attribute, memory, &text) >= 0 && text)
        *out = strdup(text);
    int found = text != NULL;
    if (text)
        H5free_memory(text);
    H5Tclose(memory);
    if (type >= 0)
        H5Tclose(type);
    H5Aclose(attribute);
    return found && !*out ? context_out_of_memory(r->ctx, "the problem of a run", 0) : SGDMFT_OK;
}

/* The extent of a dataset, or rank -1 if it is missing or no array of numbers. */
static int read_extent(const reader *r, const char *name, hsize_t extent[RANK_MOST])
{
    int rank = -1;
    hid_t set = H5Lexists(r->file, name, H5P_DEFAULT) > 0 ? H5Dopen2(r->file, name, H5P_DEFAULT) : -1;
    if (set < 0)
        return -1;
    hid_t space = H5Dget_space(set), type = H5Dget_type(set);
    if (H5Tget_class(type) == H5T_FLOAT && H5Sget_simple_extent_ndims(space) <= RANK_MOST)
        rank = H5Sget_simple_extent_dims(space, extent, NULL);
    H5Tclose(type);
    H5Sclose(space);
    H5Dclose(set);
    return rank;
}

static sgdmft_status read_array(const reader *r, const char *name, size_t n, double *out)
{
    hid_t set = H5Dopen2(r->file, name, H5P_DEFAULT);
    int failed = set < 0 || H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) < 0;
    if (set >= 0)
        H5Dclose(set);
    if (failed)
        return context_fail(r->ctx, SGDMFT_ERR_TYPE, "%s: /%s cannot be read; the file may be damaged", r->path, name);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(out[i]))
            return context_fail(r->ctx, SGDMFT_ERR_RANGE, "%s: /%s holds a value that is not finite", r->path, name);
    return SGDMFT_OK;
}

static int same_extent(const reader *r, const char *name, int rank, const hsize_t *wanted)
{
    hsize_t extent[RANK_MOST];
    return read_extent(r, name, extent) == rank && memcmp(extent, wanted, (size_t)rank * sizeof *wanted) == 0;
}

static sgdmft_status read_shape(const reader *r, solution_shape *shape)
{
    hsize_t m[RANK_MOST];
    if (H5Lexists(r->file, "C", H5P_DEFAULT) <= 0)
        return context_fail(r->ctx, SGDMFT_ERR_MISSING,
                            "%s: has no two-time arrays, as after a simulation, which does not know them; needed: the "
                            "HDF5 file of 'sgdmft solve'",
                            r->path);
    if (read_extent(r, "m", m) != 3 || m[0] < 2 || m[1] < 1 || m[1] > MOST || m[2] < 1 || m[2] > MOST)
        return context_fail(r->ctx, SGDMFT_ERR_SHAPE, "%s: /m is not an array of at least two times", r->path);
    hsize_t square[] = {m[0], m[0], m[1], m[1]};
    if (!same_extent(r, "t", 1, m) || !same_extent(r, "C", 4, square) || !same_extent(r, "R", 4, square))
        return context_fail(r->ctx, SGDMFT_ERR_SHAPE, "%s: the shapes of /t, /C, /R and /m do not fit together",
                            r->path);
    *shape = (solution_shape){.k = (int)m[1], .kstar = (int)m[2], .n_grid = (size_t)m[0]};
    return SGDMFT_OK;
}

static sgdmft_status check_times(const reader *r, const sgdmft_solution *s)
{
    for (size_t i = 0; i < s->n_grid; i++)
        if (i == 0 ? s->t[0] != 0 : s->t[i] <= s->t[i - 1])
            return context_fail(r->ctx, SGDMFT_ERR_RANGE, "%s: the times /t do not ascend from 0", r->path);
    return SGDMFT_OK;
}

/* The process of the coordinates, if the file has it. */
static sgdmft_status read_coordinates(const reader *r, run_file *run)
{
    coordinate_array arrays[PARAMETERS_ARRAYS];
    char name[64];
    if (H5Lexists(r->file, "coordinates", H5P_DEFAULT) <= 0)
        return SGDMFT_OK;
    sgdmft_status status = solution_add_coordinates(r->ctx, run->solution);
    if (status)
        return status;
    coordinate_arrays(run->solution, run->solution->coordinates, arrays);
    for (int i = 0; i < PARAMETERS_ARRAYS && !status; i++) {
        hsize_t extent[RANK_MOST];
        for (int x = 0; x < RANK_MOST; x++)
            extent[x] = arrays[i].extent[x];
        snprintf(name, sizeof name, "coordinates/%s", arrays[i].name);
        if (same_extent(r, name, arrays[i].rank, extent))
            status = read_array(r, name, arrays[i].size, *arrays[i].values);
        else
            status = context_fail(r->ctx, SGDMFT_ERR_SHAPE, "%s: /%s is missing or does not fit the shape of /m",
                                  r->path, name);
    }
    return status;
}

static sgdmft_status read_arrays(const reader *r, run_file *run)
{
    solution_shape shape;
    sgdmft_status status = read_shape(r, &shape);
    if (!status)
        status = solution_new(r->ctx, &shape, &run->solution);
    if (status)
        return status;
    sgdmft_solution *s = run->solution;
    size_t n = s->n_grid, k = (size_t)s->k;
    status = read_array(r, "t", n, s->t);
    if (!status)
        status = read_array(r, "C", n * n * k * k, s->C);
    if (!status)
        status = read_array(r, "R", n * n * k * k, s->R);
    if (!status)
        status = read_array(r, "m", n * k * (size_t)s->kstar, s->m);
    if (!status)
        status = check_times(r, s);
    return status ? status : read_coordinates(r, run);
}

static sgdmft_status read_all(reader *r, run_file *run)
{
    r->file = H5Fopen(r->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (r->file < 0)
        return fail_foreign(r, "is not an HDF5 file");
    sgdmft_status status = read_text(r, "problem", &run->problem);
    if (!status)
        status = read_text(r, "status", &run->ended);
    if (!status && (!run->problem || !run->ended))
        status = fail_foreign(r, "is an HDF5 file of another kind");
    return status ? status : read_arrays(r, run);
}

sgdmft_status run_read(sgdmft_context *ctx, const char *path, run_file **out)
{
    *out = NULL;
    run_file *run = calloc(1, sizeof *run);
    if (!run)
        return context_out_of_memory(ctx, "a run", sizeof *run);
    H5E_auto2_t printer = NULL;
    void *printer_data = NULL;
    H5Eget_auto2(H5E_DEFAULT, &printer, &printer_data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* a library does not print */
    reader r = {.ctx = ctx, .path = path, .file = -1};
    sgdmft_status status = read_all(&r, run);
    if (r.file >= 0)
        H5Fclose(r.file);
    H5Eset_auto2(H5E_DEFAULT, printer, printer_data);
    if (status)
        run_free(run);
    else
        *out = run;
    return status;
}

void run_free(run_file *run)
{
    if (!run)
        return;
    free(run->problem);
    free(run->ended);
    sgdmft_solution_free(run->solution);
    free(run);
}
