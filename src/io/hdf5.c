/* Curves and two-time arrays as HDF5.

   The file is built in memory and then saved in one piece: HDF5 itself never touches the disk, so a full disk is an
   ordinary error with its reason, and nothing half-written stays behind. Object timestamps are off: equal data give
   equal bytes. The HDF5 library is not thread-safe; two threads must not write at the same time. */
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/coordinate_arrays.h"
#include "io/provenance.h"
#include "io/save.h"
#include "columns/solution.h"
#include "sgdmft/output.h"

#define IMAGE_INCREMENT ((size_t)1 << 20)

/* The file being built. After the first failure `failed` stays set and everything else is skipped. */
typedef struct image {
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
    hid_t properties = H5Pcreate(type);
    note(im, properties < 0 ? -1 : H5Pset_obj_track_times(properties, 0));
    return properties;
}

static void image_open(image *im)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    note(im, H5Pset_fapl_core(access, IMAGE_INCREMENT, 0));
    hid_t creation = plain_properties(im, H5P_FILE_CREATE);
    im->file = im->failed ? -1 : H5Fcreate("solution", H5F_ACC_TRUNC, creation, access);
    note(im, im->file < 0 ? -1 : 0);
    if (creation >= 0)
        H5Pclose(creation);
    if (access >= 0)
        H5Pclose(access);
}

static hid_t open_group(image *im, const char *name)
{
    if (im->failed)
        return -1;
    hid_t creation = plain_properties(im, H5P_GROUP_CREATE);
    hid_t group = im->failed ? -1 : H5Gcreate2(im->file, name, H5P_DEFAULT, creation, H5P_DEFAULT);
    note(im, group < 0 ? -1 : 0);
    if (creation >= 0)
        H5Pclose(creation);
    return group;
}

static void close_group(hid_t group)
{
    if (group >= 0)
        H5Gclose(group);
}

/* A dataset of any type; `values` in memory has the layout of `memory`. */
static void put_dataset(image *im, hid_t parent, const char *name, int rank, const hsize_t *extent, hid_t type,
                        hid_t memory, const void *values)
{
    if (im->failed)
        return;
    hid_t creation = plain_properties(im, H5P_DATASET_CREATE);
    hid_t space = H5Screate_simple(rank, extent, NULL);
    hid_t set = im->failed || space < 0 ? -1
                                        : H5Dcreate2(parent, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    note(im, set < 0 ? -1 : 0);
    if (!im->failed && H5Sget_simple_extent_npoints(space) > 0)
        note(im, H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
    if (set >= 0)
        note(im, H5Dclose(set));
    if (space >= 0)
        H5Sclose(space);
    if (creation >= 0)
        H5Pclose(creation);
}

static void put_array(image *im, hid_t parent, const char *name, int rank, const hsize_t *extent, const double *values)
{
    put_dataset(im, parent, name, rank, extent, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, values);
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
    hid_t attribute = H5Acreate2(parent, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    note(im, attribute < 0 ? -1 : H5Awrite(attribute, memory, value));
    if (attribute >= 0)
        note(im, H5Aclose(attribute));
}

static hid_t text_type(image *im)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    note(im, H5Tset_size(type, H5T_VARIABLE));
    note(im, H5Tset_cset(type, H5T_CSET_UTF8));
    return type;
}

static void put_text(image *im, const char *key, const char *text)
{
    hid_t type = text_type(im);
    hid_t scalar = H5Screate(H5S_SCALAR);
    put_attribute(im, im->file, key, scalar, type, type, &text);
    H5Sclose(scalar);
    H5Tclose(type);
}

static void put_facts(image *im, const provenance *p)
{
    hid_t scalar = H5Screate(H5S_SCALAR);
    for (size_t i = 0; i < p->n; i++) {
        const fact *f = &p->facts[i];
        if (f->kind == FACT_TEXT)
            put_text(im, f->key, f->text);
        else if (f->kind == FACT_COUNT)
            put_attribute(im, im->file, f->key, scalar, H5T_STD_U64LE, H5T_NATIVE_UINT64, &f->count);
        else
            put_attribute(im, im->file, f->key, scalar, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &f->number);
    }
    H5Sclose(scalar);
    put_text(im, "problem", p->problem);
}

static void put_two_time(image *im, const sgdmft_solution *solution)
{
    hsize_t n = solution->n_grid, k = (hsize_t)solution->k, kstar = (hsize_t)solution->kstar;
    const hsize_t square[4] = {n, n, k, k};
    const hsize_t overlap[3] = {n, k, kstar};
    put_vector(im, im->file, "t", n, solution->t);
    put_array(im, im->file, "C", 4, square, solution->C);
    put_array(im, im->file, "R", 4, square, solution->R);
    put_array(im, im->file, "m", 3, overlap, solution->m);
    put_vector(im, im->file, "residual", n, solution->residual);
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
    hid_t space = H5Screate_simple(1, &n, NULL);
    note(im, names && space >= 0 ? 0 : -1);
    put_attribute(im, group, "columns", space, type, type, names);
    if (space >= 0)
        H5Sclose(space);
    H5Tclose(type);
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
    close_group(group);
}

static void put_histograms(image *im, const sgdmft_solution *solution)
{
    const sgdmft_histograms *h = solution->histograms;
    if (!h)
        return;
    hid_t group = open_group(im, "histograms");
    hsize_t k = (hsize_t)solution->k;
    const hsize_t edges[2] = {k, h->n_bins + 1}, density[3] = {h->n_times, k, h->n_bins};
    put_vector(im, group, "t", h->n_times, h->t);
    put_array(im, group, "edges", 2, edges, h->edges);
    put_array(im, group, "density", 3, density, h->density);
    if (h->se)
        put_array(im, group, "se", 3, density, h->se);
    close_group(group);
}

static void put_coordinates(image *im, const sgdmft_solution *solution)
{
    coordinate_array arrays[PARAMETERS_ARRAYS];
    if (!solution->coordinates)
        return;
    coordinate_arrays(solution, solution->coordinates, arrays);
    hid_t group = open_group(im, "coordinates");
    for (int i = 0; i < PARAMETERS_ARRAYS; i++) {
        hsize_t extent[4] = {0};
        for (int x = 0; x < arrays[i].rank; x++)
            extent[x] = arrays[i].extent[x];
        put_array(im, group, arrays[i].name, arrays[i].rank, extent, *arrays[i].values);
    }
    close_group(group);
}

static void put_identity_field(image *im, hid_t group, const char *name, const sgdmft_solution *solution,
                               size_t offset)
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
    H5Tclose(type);
    free(names);
    put_identity_field(im, group, "t", solution, offsetof(sgdmft_identity, t));
    put_identity_field(im, group, "defect", solution, offsetof(sgdmft_identity, defect));
    put_identity_field(im, group, "se", solution, offsetof(sgdmft_identity, se));
    put_identity_field(im, group, "scale", solution, offsetof(sgdmft_identity, scale));
    close_group(group);
}

/* The bytes of the finished file; the caller frees *bytes. */
static void image_take(image *im, void **bytes, size_t *size)
{
    *bytes = NULL;
    *size = 0;
    if (im->failed)
        return;
    ssize_t length = H5Fflush(im->file, H5F_SCOPE_GLOBAL) < 0 ? -1 : H5Fget_file_image(im->file, NULL, 0);
    if (length > 0)
        *bytes = malloc((size_t)length);
    if (!*bytes || H5Fget_file_image(im->file, *bytes, (size_t)length) < 0)
        im->failed = 1;
    else
        *size = (size_t)length;
}

/* Returns 0 on failure. HDF5's own error printing is silenced meanwhile: a library does not print. */
static int build(const sgdmft_solution *solution, const provenance *p, void **bytes, size_t *size)
{
    H5E_auto2_t printer = NULL;
    void *printer_data = NULL;
    H5Eget_auto2(H5E_DEFAULT, &printer, &printer_data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    image im = {.file = -1};
    image_open(&im);
    if (!im.failed) {
        put_facts(&im, p);
        if (solution->n_grid > 0)
            put_two_time(&im, solution);
        put_curves(&im, solution);
        put_identities(&im, solution);
        put_histograms(&im, solution);
        put_coordinates(&im, solution);
    }
    image_take(&im, bytes, size);
    if (im.file >= 0)
        H5Fclose(im.file);
    H5Eset_auto2(H5E_DEFAULT, printer, printer_data);
    return !im.failed;
}

sgdmft_status sgdmft_write_hdf5(sgdmft_context *ctx, const sgdmft_solution *solution, const sgdmft_problem *problem,
                                const char *command, const char *path, int force)
{
    sgdmft_status status = save_check(ctx, path, force);
    if (status != SGDMFT_OK)
        return status;
    status = solution_check_names(ctx, solution);
    if (status != SGDMFT_OK)
        return status;
    provenance *p = NULL;
    status = provenance_new(ctx, solution, problem, command, &p);
    if (status != SGDMFT_OK)
        return status;
    void *bytes = NULL;
    size_t size = 0;
    if (build(solution, p, &bytes, &size))
        status = save_bytes(ctx, path, bytes, size, force);
    else
        status = context_fail(ctx, SGDMFT_ERR_MEMORY,
                              "output '%s': HDF5 could not build the file in memory (%zu grid nodes, %zu curves)",
                              path, solution->n_grid, solution->n_curves);
    free(bytes);
    provenance_free(p);
    return status;
}
