#include "io/hdf5_read.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "columns/solution_arrays.h"
#include "io/hdf5_library.h"
#include "io/provenance.h"

enum { MOST = 8 /* students, teachers */, NAME_LONGEST = 256 };

typedef struct reader {
    hdf5_library h5;
    sgdmft_context *ctx;
    const char *path;
    hid_t file;
} reader;

/* Texts of an array of variable-length strings, as HDF5 hands them out. */
typedef struct text_list {
    size_t n;
    char **text;
} text_list;

static sgdmft_status fail_foreign(const reader *r, const char *what)
{
    return context_fail(r->ctx, SGDMFT_ERR_TYPE,
                        "%s: %s; needed: a file written by 'sgdmft solve PROBLEM.yaml -o RUN.h5'", r->path, what);
}

static sgdmft_status fail_shape(const reader *r, const char *name)
{
    return context_fail(r->ctx, SGDMFT_ERR_SHAPE,
                        "%s: /%s is missing, or its shape and those of the other arrays do not fit together", r->path,
                        name);
}

static sgdmft_status fail_damaged(const reader *r, const char *name)
{
    return context_fail(r->ctx, SGDMFT_ERR_TYPE, "%s: /%s cannot be read; the file may be damaged", r->path, name);
}

static int exists(const reader *r, const char *name)
{
    return r->h5.Lexists(r->file, name, H5P_DEFAULT) > 0;
}

/* The type in memory of the strings of a file: of any length, in the character set of the file. Negative if its
   strings are of another kind. */
static hid_t text_type(const reader *r, hid_t of_file)
{
    hid_t type = r->h5.Tis_variable_str(of_file) > 0 ? r->h5.Tcopy(r->h5.T_C_S1) : -1;
    if (type >= 0 && (r->h5.Tset_size(type, H5T_VARIABLE) < 0 || r->h5.Tset_cset(type, r->h5.Tget_cset(of_file)) < 0)) {
        r->h5.Tclose(type);
        type = -1;
    }
    return type;
}

static void text_list_clear(const reader *r, text_list *list)
{
    for (size_t i = 0; i < list->n && list->text; i++)
        if (list->text[i])
            r->h5.free_memory(list->text[i]);
    free(list->text);
    *list = (text_list){0};
}

/* Room for as many texts as `space` has. Returns 0 if there is no memory. */
static int text_list_init(const reader *r, hid_t space, text_list *list)
{
    hssize_t n = r->h5.Sget_simple_extent_npoints(space);
    list->n = n > 0 ? (size_t)n : 0;
    list->text = calloc(list->n + 1, sizeof *list->text);
    return list->text != NULL;
}

/* The texts of an attribute, a scalar or a list. *found = 0 if there are none of that name. */
static sgdmft_status read_text_attribute(const reader *r, hid_t parent, const char *name, int *found, text_list *out)
{
    *out = (text_list){0};
    *found = r->h5.Aexists(parent, name) > 0;
    hid_t attribute = *found ? r->h5.Aopen(parent, name, H5P_DEFAULT) : -1;
    if (attribute < 0)
        return *found ? fail_damaged(r, name) : SGDMFT_OK;
    hid_t type = r->h5.Aget_type(attribute), space = r->h5.Aget_space(attribute), memory = text_type(r, type);
    int room = text_list_init(r, space, out);
    int good = room && memory >= 0 && (out->n == 0 || r->h5.Aread(attribute, memory, out->text) >= 0);
    if (memory >= 0)
        r->h5.Tclose(memory);
    r->h5.Tclose(type);
    r->h5.Sclose(space);
    r->h5.Aclose(attribute);
    if (good)
        return SGDMFT_OK;
    text_list_clear(r, out);
    return room ? fail_damaged(r, name) : context_out_of_memory(r->ctx, "the texts of a run", 0);
}

/* A number of the file's attributes into *value, whose type in memory is given. Returns 0 if it is not there. */
static int read_number(const reader *r, const char *name, hid_t memory, void *value)
{
    hid_t attribute = r->h5.Aexists(r->file, name) > 0 ? r->h5.Aopen(r->file, name, H5P_DEFAULT) : -1;
    int good = attribute >= 0 && r->h5.Aread(attribute, memory, value) >= 0;
    if (attribute >= 0)
        r->h5.Aclose(attribute);
    return good;
}

static sgdmft_status read_fact(const reader *r, sgdmft_solution *solution, size_t index, fact_kind kind,
                               const char *key)
{
    fact value = {.kind = kind};
    text_list texts = {0};
    sgdmft_status status = SGDMFT_OK;
    int found = 0;
    if (kind == FACT_TEXT) {
        status = read_text_attribute(r, r->file, key, &found, &texts);
        found = found && texts.n == 1 && texts.text && texts.text[0];
        value.text = found ? texts.text[0] : "";
    } else if (kind == FACT_COUNT) {
        found = read_number(r, key, r->h5.T_NATIVE_UINT64, &value.count);
    } else {
        found = read_number(r, key, r->h5.T_NATIVE_DOUBLE, &value.number);
    }
    if (!status && found)
        status = provenance_set(r->ctx, solution, index, &value);
    text_list_clear(r, &texts);
    return status;
}

static sgdmft_status read_facts(const reader *r, sgdmft_solution *solution)
{
    fact_kind kind;
    const char *key;
    sgdmft_status status = SGDMFT_OK;
    for (size_t i = 0; !status && (key = provenance_key(i, &kind)); i++)
        status = read_fact(r, solution, i, kind, key);
    return status;
}

/* The extent of a dataset of numbers; returns its rank, or -1 if there is none of that name. */
static int read_extent(const reader *r, const char *name, hsize_t extent[SGDMFT_RANK_MAX])
{
    int rank = -1;
    hid_t set = exists(r, name) ? r->h5.Dopen2(r->file, name, H5P_DEFAULT) : -1;
    if (set < 0)
        return -1;
    hid_t space = r->h5.Dget_space(set), type = r->h5.Dget_type(set);
    if (r->h5.Tget_class(type) == H5T_FLOAT && r->h5.Sget_simple_extent_ndims(space) <= SGDMFT_RANK_MAX)
        rank = r->h5.Sget_simple_extent_dims(space, extent, NULL);
    r->h5.Tclose(type);
    r->h5.Sclose(space);
    r->h5.Dclose(set);
    return rank;
}

/* A dataset that must have this shape. */
static sgdmft_status read_array(const reader *r, const char *name, int rank, const size_t *wanted, double *out)
{
    hsize_t extent[SGDMFT_RANK_MAX];
    int fits = read_extent(r, name, extent) == rank;
    size_t n = 1;
    for (int x = 0; x < rank && fits; x++) {
        fits = extent[x] == wanted[x];
        n *= wanted[x];
    }
    if (!fits)
        return fail_shape(r, name);
    hid_t set = r->h5.Dopen2(r->file, name, H5P_DEFAULT);
    int good = set >= 0 && (n == 0 || r->h5.Dread(set, r->h5.T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0);
    if (set >= 0)
        r->h5.Dclose(set);
    return good ? SGDMFT_OK : fail_damaged(r, name);
}

static sgdmft_status check_finite(const reader *r, const solution_array *array)
{
    for (size_t i = 0; i < array->size; i++)
        if (!isfinite(array->values[i]))
            return context_fail(r->ctx, SGDMFT_ERR_RANGE, "%s: /%s holds a value that is not finite", r->path,
                                array->kind->name);
    return SGDMFT_OK;
}

/* All arrays of an owner that the solution has by now. R is not a number where the response is not known. */
static sgdmft_status read_arrays(const reader *r, sgdmft_solution *solution, array_owner owner)
{
    sgdmft_status status = SGDMFT_OK;
    solution_array array;
    for (size_t i = 0; !status && solution_arrays_get(solution, i, &array); i++) {
        if (array.kind->owner != owner || !array.values)
            continue;
        status = read_array(r, array.kind->name, array.kind->rank, array.extent, array.values);
        if (!status && strcmp(array.kind->name, "R") != 0)
            status = check_finite(r, &array);
    }
    return status;
}

static sgdmft_status check_grid(const reader *r, const sgdmft_solution *s)
{
    for (size_t i = 0; i < s->n_grid; i++)
        if (i == 0 ? s->t[0] != 0 : s->t[i] <= s->t[i - 1])
            return context_fail(r->ctx, SGDMFT_ERR_RANGE, "%s: the times /t do not ascend from 0", r->path);
    return SGDMFT_OK;
}

static sgdmft_status read_histograms(const reader *r, sgdmft_solution *solution)
{
    hsize_t extent[SGDMFT_RANK_MAX];
    if (!exists(r, "histograms"))
        return SGDMFT_OK;
    if (read_extent(r, "histograms/density", extent) != 3)
        return fail_shape(r, "histograms/density");
    sgdmft_status status = solution_add_histograms(r->ctx, solution, (size_t)extent[0], (size_t)extent[2]);
    if (!status && exists(r, "histograms/se"))
        status = solution_add_histogram_errors(r->ctx, solution);
    return status ? status : read_arrays(r, solution, OWNER_HISTOGRAMS);
}

static sgdmft_status read_coordinates(const reader *r, sgdmft_solution *solution)
{
    if (exists(r, "parameters"))
        return context_fail(r->ctx, SGDMFT_ERR_TYPE,
                            "%s: the group /parameters was written by an older version, with other names and meanings "
                            "of its arrays than /coordinates has now; solve the problem again",
                            r->path);
    if (!exists(r, "coordinates"))
        return SGDMFT_OK;
    sgdmft_status status = solution_add_coordinates(r->ctx, solution);
    if (!status && exists(r, "coordinates/memory_kernel_after"))
        status = solution_add_renewals(r->ctx, solution);
    return status ? status : read_arrays(r, solution, OWNER_COORDINATES);
}

static sgdmft_status read_vector(const reader *r, const char *group, const char *name, const char *suffix, size_t n,
                                 double *out)
{
    char full[NAME_LONGEST];
    if (snprintf(full, sizeof full, "%s/%s%s", group, name, suffix) >= (int)sizeof full)
        return fail_damaged(r, name);
    return read_array(r, full, 1, &n, out);
}

static sgdmft_status read_curve(const reader *r, const char *name, size_t index, sgdmft_solution *solution)
{
    sgdmft_curve *curve = &solution->curves[index];
    size_t n = solution->n_times;
    sgdmft_status status = solution_name_curve(r->ctx, solution, index, name);
    if (!status)
        status = read_vector(r, "curves", name, "", n, curve->value);
    if (!status)
        status = read_vector(r, "curves", name, "_se", n, curve->se);
    return status ? status : read_vector(r, "curves", name, "_step_error", n, curve->step_error);
}

static sgdmft_status read_curves(const reader *r, const text_list *names, sgdmft_solution *solution)
{
    sgdmft_status status = read_array(r, "curves/t", 1, &solution->n_times, solution->times);
    for (size_t c = 0; !status && c < names->n; c++)
        status = read_curve(r, names->text[c], c, solution);
    return status ? status : solution_check_curves(r->ctx, solution);
}

static sgdmft_status read_identity_names(const reader *r, text_list *out)
{
    hid_t set = r->h5.Dopen2(r->file, "identities/name", H5P_DEFAULT);
    if (set < 0)
        return fail_shape(r, "identities/name");
    hid_t type = r->h5.Dget_type(set), space = r->h5.Dget_space(set), memory = text_type(r, type);
    int room = text_list_init(r, space, out);
    int good = room && memory >= 0 && r->h5.Dread(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, out->text) >= 0;
    if (memory >= 0)
        r->h5.Tclose(memory);
    r->h5.Tclose(type);
    r->h5.Sclose(space);
    r->h5.Dclose(set);
    if (good)
        return SGDMFT_OK;
    return room ? fail_damaged(r, "identities/name") : context_out_of_memory(r->ctx, "the identities of a run", 0);
}

/* Columns t, defect, se and scale of n numbers each. */
static sgdmft_status read_identity_values(const reader *r, size_t n, double *values)
{
    static const char *const fields[4] = {"t", "defect", "se", "scale"};
    sgdmft_status status = SGDMFT_OK;
    for (size_t f = 0; f < 4 && !status; f++)
        status = read_vector(r, "identities", fields[f], "", n, values + f * n);
    return status;
}

static sgdmft_status read_identities(const reader *r, sgdmft_solution *solution)
{
    text_list names = {0};
    if (!exists(r, "identities"))
        return SGDMFT_OK;
    sgdmft_status status = read_identity_names(r, &names);
    size_t n = names.n;
    double *values = calloc(4 * n + 1, sizeof *values);
    if (!status)
        status = values ? read_identity_values(r, n, values)
                        : context_out_of_memory(r->ctx, "the identities of a run", 32.0 * (double)n);
    for (size_t i = 0; i < n && !status; i++) {
        sgdmft_identity identity = {NULL, values[i], values[n + i], values[2 * n + i], values[3 * n + i]};
        status = solution_add_identity(r->ctx, solution, &identity, "%s", names.text[i]);
    }
    free(values);
    text_list_clear(r, &names);
    return status;
}

/* Numbers of students and teachers: from /m, or from the curves of a simulation, which has no two-time arrays. */
static sgdmft_status read_shape(const reader *r, const text_list *names, solution_shape *shape)
{
    hsize_t m[SGDMFT_RANK_MAX], times[SGDMFT_RANK_MAX];
    if (read_extent(r, "curves/t", times) != 1)
        return fail_shape(r, "curves/t");
    shape->n_times = (size_t)times[0];
    if (!exists(r, "C")) {
        columns_infer_shape(names->n, (const char *const *)names->text, &shape->k, &shape->kstar);
        return SGDMFT_OK;
    }
    if (read_extent(r, "m", m) != 3 || m[0] < 1 || m[1] < 1 || m[1] > MOST || m[2] < 1 || m[2] > MOST)
        return context_fail(r->ctx, SGDMFT_ERR_SHAPE, "%s: /m is not an array of times, students and teachers",
                            r->path);
    shape->n_grid = (size_t)m[0];
    shape->k = (int)m[1];
    shape->kstar = (int)m[2];
    return SGDMFT_OK;
}

/* The problem first: it tells a solution's file from others. */
static sgdmft_status read_problem(const reader *r, char **out)
{
    text_list problem = {0};
    int found = 0;
    sgdmft_status status = read_text_attribute(r, r->file, "problem", &found, &problem);
    if (!status && (!found || problem.n != 1 || !problem.text[0]))
        status = fail_foreign(r, "is an HDF5 file of another kind");
    if (!status && !(*out = strdup(problem.text[0])))
        status = context_out_of_memory(r->ctx, "the problem of a run", (double)strlen(problem.text[0]));
    text_list_clear(r, &problem);
    return status;
}

static sgdmft_status read_column_names(const reader *r, text_list *out)
{
    hid_t group = exists(r, "curves") ? r->h5.Gopen2(r->file, "curves", H5P_DEFAULT) : -1;
    int found = 0;
    if (group < 0)
        return fail_foreign(r, "has no curves");
    sgdmft_status status = read_text_attribute(r, group, "columns", &found, out);
    r->h5.Gclose(group);
    return status;
}

static sgdmft_status read_all(const reader *r, const text_list *names, sgdmft_solution **out)
{
    solution_shape shape = {0};
    sgdmft_status status = read_shape(r, names, &shape);
    if (!status)
        status = solution_new_nameless(r->ctx, &shape, names->n, out);
    if (!status)
        status = read_facts(r, *out);
    if (!status)
        status = read_arrays(r, *out, OWNER_GRID);
    if (!status)
        status = check_grid(r, *out);
    if (!status)
        status = read_curves(r, names, *out);
    if (!status)
        status = read_identities(r, *out);
    if (!status)
        status = read_histograms(r, *out);
    return status ? status : read_coordinates(r, *out);
}

static sgdmft_status read_file(reader *r, sgdmft_solution **out)
{
    char *problem = NULL;
    text_list names = {0};
    r->file = r->h5.Fopen(r->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (r->file < 0)
        return fail_foreign(r, "is not an HDF5 file");
    sgdmft_status status = read_problem(r, &problem);
    if (!status)
        status = read_column_names(r, &names);
    if (!status)
        status = read_all(r, &names, out);
    if (!status) {
        free((*out)->problem);
        (*out)->problem = problem;
        problem = NULL;
    }
    free(problem);
    text_list_clear(r, &names);
    r->h5.Fclose(r->file);
    return status;
}

sgdmft_status hdf5_read(sgdmft_context *ctx, const char *path, sgdmft_solution **out)
{
    *out = NULL;
    reader r = {.ctx = ctx, .path = path, .file = -1};
    sgdmft_status status = hdf5_library_load(ctx, &r.h5);
    if (status)
        return status;
    hdf5_printer printer = hdf5_silence(&r.h5);
    status = read_file(&r, out);
    hdf5_restore(&r.h5, printer);
    if (status) {
        sgdmft_solution_free(*out);
        *out = NULL;
    }
    return status;
}
