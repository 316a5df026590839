#include "io/hdf5_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "columns/solution_arrays.h"
#include "io/hdf5_library.h"
#include "io/provenance.h"

#define IMAGE_INCREMENT ((size_t)1 << 20)

/* The file being built. After the first failure `failed` stays set and everything else is skipped. */
typedef struct image {
    hdf5_library h5;
    hid_t file;
    int failed;
} image;

static void note(image *im, herr_t result)
{
    if (result < 0)
        im->failed = 1;
}

/* A property list of class `type` whose objects carry no timestamps. */
static hid_t plain_properties(image *im, hid_t type)
{
    hid_t properties = im->h5.Pcreate(type);
    note(im, properties < 0 ? -1 : im->h5.Pset_obj_track_times(properties, 0));
    return properties;
}

static void image_open(image *im)
{
    hid_t access = im->h5.Pcreate(im->h5.P_FILE_ACCESS);
    note(im, im->h5.Pset_fapl_core(access, IMAGE_INCREMENT, 0));
    hid_t creation = plain_properties(im, im->h5.P_FILE_CREATE);
    im->file = im->failed ? -1 : im->h5.Fcreate("solution", H5F_ACC_TRUNC, creation, access);
    note(im, im->file < 0 ? -1 : 0);
    if (creation >= 0)
        im->h5.Pclose(creation);
    if (access >= 0)
        im->h5.Pclose(access);
}

static hid_t open_group(image *im, const char *name)
{
    if (im->failed)
        return -1;
    hid_t creation = plain_properties(im, im->h5.P_GROUP_CREATE);
    hid_t group = im->failed ? -1 : im->h5.Gcreate2(im->file, name, H5P_DEFAULT, creation, H5P_DEFAULT);
    note(im, group < 0 ? -1 : 0);
    if (creation >= 0)
        im->h5.Pclose(creation);
    return group;
}

static void close_group(image *im, hid_t group)
{
    if (group >= 0)
        im->h5.Gclose(group);
}

/* A dataset of any type; `values` in memory has the layout of `memory`. */
static void put_dataset(image *im, hid_t parent, const char *name, int rank, const hsize_t *extent, hid_t type,
                        hid_t memory, const void *values)
{
    if (im->failed)
        return;
    hid_t creation = plain_properties(im, im->h5.P_DATASET_CREATE);
    hid_t space = im->h5.Screate_simple(rank, extent, NULL);
    hid_t set =
        im->failed || space < 0 ? -1 : im->h5.Dcreate2(parent, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    note(im, set < 0 ? -1 : 0);
    if (!im->failed && im->h5.Sget_simple_extent_npoints(space) > 0)
        note(im, im->h5.Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
    if (set >= 0)
        note(im, im->h5.Dclose(set));
    if (space >= 0)
        im->h5.Sclose(space);
    if (creation >= 0)
        im->h5.Pclose(creation);
}

static void put_array(image *im, hid_t parent, const char *name, int rank, const hsize_t *extent, const double *values)
{
    put_dataset(im, parent, name, rank, extent, im->h5.T_IEEE_F64LE, im->h5.T_NATIVE_DOUBLE, values);
}

static void put_vector(image *im, hid_t parent, const char *name, size_t n, const double *values)
{
    hsize_t extent = n;
    put_array(im, parent, name, 1, &extent, values);
}

static void put_attribute(image *im, hid_t parent, const char *name, hid_t space, hid_t type, hid_t memory,
                          const void *value)
{
    if (im->failed)
        return;
    hid_t attribute = im->h5.Acreate2(parent, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    note(im, attribute < 0 ? -1 : im->h5.Awrite(attribute, memory, value));
    if (attribute >= 0)
        note(im, im->h5.Aclose(attribute));
}

static hid_t text_type(image *im)
{
    hid_t type = im->h5.Tcopy(im->h5.T_C_S1);
    note(im, im->h5.Tset_size(type, H5T_VARIABLE));
    note(im, im->h5.Tset_cset(type, H5T_CSET_UTF8));
    return type;
}

static void put_text(image *im, const char *key, const char *text)
{
    hid_t type = text_type(im);
    hid_t scalar = im->h5.Screate(H5S_SCALAR);
    put_attribute(im, im->file, key, scalar, type, type, &text);
    im->h5.Sclose(scalar);
    im->h5.Tclose(type);
}

static void put_facts(image *im, const sgdmft_solution *solution, const char *command)
{
    fact_kind kind;
    const char *key;
    hid_t scalar = im->h5.Screate(H5S_SCALAR);
    for (size_t i = 0; (key = provenance_key(i, &kind)); i++) {
        fact f = provenance_get(solution, command, i);
        if (kind == FACT_TEXT)
            put_text(im, key, f.text);
        else if (kind == FACT_COUNT)
            put_attribute(im, im->file, key, scalar, im->h5.T_STD_U64LE, im->h5.T_NATIVE_UINT64, &f.count);
        else
            put_attribute(im, im->file, key, scalar, im->h5.T_IEEE_F64LE, im->h5.T_NATIVE_DOUBLE, &f.number);
    }
    im->h5.Sclose(scalar);
    put_text(im, "problem", solution->problem);
}

/* The arrays of one owner, in its group. */
static void put_arrays(image *im, const sgdmft_solution *solution, array_owner owner)
{
    const char *path = solution_arrays_group(owner);
    size_t prefix = path[0] ? strlen(path) + 1 : 0;
    hid_t group = -1;
    solution_array array;
    for (size_t i = 0; solution_arrays_get(solution, i, &array); i++) {
        if (array.kind->owner != owner || !array.values)
            continue;
        if (path[0] && group < 0)
            group = open_group(im, path);
        hsize_t extent[SGDMFT_RANK_MAX];
        for (int x = 0; x < SGDMFT_RANK_MAX; x++)
            extent[x] = array.extent[x];
        put_array(im, path[0] ? group : im->file, array.kind->name + prefix, array.kind->rank, extent, array.values);
    }
    close_group(im, group);
}

static void put_with_suffix(image *im, hid_t group, const char *name, const char *suffix, size_t n,
                            const double *values)
{
    char *full = NULL;
    if (asprintf(&full, "%s%s", name, suffix) < 0) {
        im->failed = 1;
        return;
    }
    put_vector(im, group, full, n, values);
    free(full);
}

/* Names as an array of texts; `stride` is the distance between their pointers in bytes. */
static const char **collect_names(const void *first, size_t stride, size_t n)
{
    const char **names = calloc(n + 1, sizeof *names);
    for (size_t i = 0; names && i < n; i++)
        memcpy(&names[i], (const char *)first + i * stride, sizeof names[i]);
    return names;
}

static void put_column_names(image *im, hid_t group, const sgdmft_solution *solution)
{
    hsize_t n = solution->n_curves;
    if (im->failed || n == 0)
        return;
    const char **names = collect_names(&solution->curves[0].name, sizeof solution->curves[0], n);
    hid_t type = text_type(im);
    hid_t space = im->h5.Screate_simple(1, &n, NULL);
    note(im, names && space >= 0 ? 0 : -1);
    put_attribute(im, group, "columns", space, type, type, names);
    if (space >= 0)
        im->h5.Sclose(space);
    im->h5.Tclose(type);
    free(names);
}

static void put_curves(image *im, const sgdmft_solution *solution)
{
    hid_t group = open_group(im, "curves");
    size_t n = solution->n_times;
    put_vector(im, group, "t", n, solution->times);
    for (size_t c = 0; c < solution->n_curves; c++) {
        const sgdmft_curve *curve = &solution->curves[c];
        put_vector(im, group, curve->name, n, curve->value);
        put_with_suffix(im, group, curve->name, "_se", n, curve->se);
        put_with_suffix(im, group, curve->name, "_step_error", n, curve->step_error);
    }
    put_column_names(im, group, solution);
    close_group(im, group);
}

static void put_identity_field(image *im, hid_t group, const char *name, const sgdmft_solution *solution, size_t offset)
{
    size_t n = solution->n_identities;
    double *values = calloc(n + 1, sizeof *values);
    if (!values) {
        im->failed = 1;
        return;
    }
    for (size_t i = 0; i < n; i++)
        memcpy(&values[i], (const char *)&solution->identities[i] + offset, sizeof values[i]);
    put_vector(im, group, name, n, values);
    free(values);
}

static void put_identities(image *im, const sgdmft_solution *solution)
{
    hsize_t n = solution->n_identities;
    if (n == 0)
        return;
    hid_t group = open_group(im, "identities");
    const char **names = collect_names(&solution->identities[0].name, sizeof solution->identities[0], n);
    hid_t type = text_type(im);
    note(im, names ? 0 : -1);
    put_dataset(im, group, "name", 1, &n, type, type, names);
    im->h5.Tclose(type);
    free(names);
    put_identity_field(im, group, "t", solution, offsetof(sgdmft_identity, t));
    put_identity_field(im, group, "defect", solution, offsetof(sgdmft_identity, defect));
    put_identity_field(im, group, "se", solution, offsetof(sgdmft_identity, se));
    put_identity_field(im, group, "scale", solution, offsetof(sgdmft_identity, scale));
    close_group(im, group);
}

/* The bytes of the finished file; the caller frees *bytes. */
static void image_take(image *im, char **bytes, size_t *size)
{
    if (im->failed)
        return;
    ssize_t length = im->h5.Fflush(im->file, H5F_SCOPE_GLOBAL) < 0 ? -1 : im->h5.Fget_file_image(im->file, NULL, 0);
    if (length > 0)
        *bytes = malloc((size_t)length);
    if (!*bytes || im->h5.Fget_file_image(im->file, *bytes, (size_t)length) < 0)
        im->failed = 1;
    else
        *size = (size_t)length;
}

sgdmft_status hdf5_image(sgdmft_context *ctx, const sgdmft_solution *solution, const char *command, char **bytes,
                         size_t *size)
{
    *bytes = NULL;
    *size = 0;
    image im = {.file = -1};
    sgdmft_status status = hdf5_library_load(ctx, &im.h5);
    if (status)
        return status;
    hdf5_printer printer = hdf5_silence(&im.h5);
    image_open(&im);
    if (!im.failed) {
        put_facts(&im, solution, command);
        put_arrays(&im, solution, OWNER_GRID);
        put_curves(&im, solution);
        put_identities(&im, solution);
        put_arrays(&im, solution, OWNER_HISTOGRAMS);
        put_arrays(&im, solution, OWNER_COORDINATES);
    }
    image_take(&im, bytes, size);
    if (im.file >= 0)
        im.h5.Fclose(im.file);
    hdf5_restore(&im.h5, printer);
    if (!im.failed)
        return SGDMFT_OK;
    free(*bytes);
    *bytes = NULL;
    return context_fail(ctx, SGDMFT_ERR_MEMORY, "HDF5 could not build the file in memory (%zu grid nodes, %zu curves)",
                        solution->n_grid, solution->n_curves);
}
