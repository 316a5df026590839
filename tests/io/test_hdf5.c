/* Two-time arrays and curves written and read back through the HDF5 library. */
#include <hdf5.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "io/room.h"
#include "columns/coordinate_arrays.h"
#include "io/run_read.h"
#include "columns/solution.h"
#include "sgdmft/output.h"
#include "sgdmft/version.h"

static hid_t write_and_open(const room *r, const char *name)
{
    const char *path = room_path(r, name);
    check_ok(r->ctx, sgdmft_write_hdf5(r->ctx, r->solution, r->problem, "sgdmft solve x.yaml", path, 0));
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    return file;
}

/* Reads a dataset whose shape must be `want`. The caller frees the values. */
static double *read_array(hid_t file, const char *name, int rank, const hsize_t *want)
{
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    if (set < 0)
        fail_msg("no dataset %s", name);
    hid_t space = H5Dget_space(set);
    assert_int_equal(H5Sget_simple_extent_ndims(space), rank);
    hsize_t extent[4];
    H5Sget_simple_extent_dims(space, extent, NULL);
    assert_memory_equal(extent, want, (size_t)rank * sizeof *want);
    double *values = calloc((size_t)H5Sget_simple_extent_npoints(space) + 1, sizeof *values);
    assert_true(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Sclose(space);
    H5Dclose(set);
    return values;
}

static double *read_vector(hid_t file, const char *name, hsize_t n)
{
    return read_array(file, name, 1, &n);
}

static char *read_text(hid_t file, const char *name)
{
    hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
    if (attribute < 0)
        fail_msg("no attribute %s", name);
    hid_t type = H5Aget_type(attribute);
    assert_true(H5Tis_variable_str(type) > 0);
    char *text = NULL;
    assert_true(H5Aread(attribute, type, &text) >= 0);
    H5Tclose(type);
    H5Aclose(attribute);
    return text;
}

static void check_text(hid_t file, const char *name, const char *want)
{
    char *text = read_text(file, name);
    assert_string_equal(text, want);
    H5free_memory(text);
}

static void check_count(hid_t file, const char *name, uint64_t want)
{
    uint64_t value = 0;
    hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
    assert_true(attribute >= 0 && H5Aread(attribute, H5T_NATIVE_UINT64, &value) >= 0);
    H5Aclose(attribute);
    if (value != want)
        fail_msg("%s is %llu, not %llu", name, (unsigned long long)value, (unsigned long long)want);
}

static void check_number(hid_t file, const char *name, double want)
{
    double value = NAN;
    hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
    assert_true(attribute >= 0 && H5Aread(attribute, H5T_NATIVE_DOUBLE, &value) >= 0);
    H5Aclose(attribute);
    check_near(value, want, 0.0, "%s", name);
}

static void two_time_arrays(void **state)
{
    const room *r = *state;
    hid_t file = write_and_open(r, "run.h5");
    const hsize_t square[4] = {ROOM_GRID, ROOM_GRID, ROOM_K, ROOM_K}, overlap[3] = {ROOM_GRID, ROOM_K, ROOM_KSTAR};
    double *C = read_array(file, "/C", 4, square), *R = read_array(file, "/R", 4, square);
    double *t = read_vector(file, "/t", ROOM_GRID), *residual = read_vector(file, "/residual", ROOM_GRID);
    double *m = read_array(file, "/m", 3, overlap);
    for (size_t i = 0; i < ROOM_GRID; i++) {
        check_near(t[i], 0.3 * (double)(i * i), 0.0, "t");
        check_near(residual[i], 1e-9 * (double)i, 0.0, "residual");
        for (size_t j = 0; j < ROOM_GRID; j++)
            for (size_t a = 0; a < ROOM_K; a++)
                for (size_t b = 0; b < ROOM_K; b++) {
                    size_t at = ((i * ROOM_GRID + j) * ROOM_K + a) * ROOM_K + b;
                    check_near(C[at], room_two_time('C', i, j, a, b), 0.0, "C");
                    check_near(R[at], room_two_time('R', i, j, a, b), 0.0, "R");
                }
        check_near(m[(i * ROOM_K + 1) * ROOM_KSTAR + 2], 0.01 * (double)i + sqrt(5.0), 0.0, "m23");
    }
    free(C);
    free(R);
    free(t);
    free(residual);
    free(m);
    H5Fclose(file);
}

static void curves(void **state)
{
    const room *r = *state;
    hid_t file = write_and_open(r, "run.h5");
    double *t = read_vector(file, "/curves/t", ROOM_TIMES);
    for (size_t i = 0; i < ROOM_TIMES; i++)
        check_near(t[i], r->solution->times[i], 0.0, "t");
    free(t);
    for (size_t c = 0; c < r->solution->n_curves; c++) {
        static const char *const suffixes[] = {"", "_se", "_step_error"};
        for (int s = 0; s < 3; s++) {
            char name[80];
            snprintf(name, sizeof name, "/curves/%s%s", r->solution->curves[c].name, suffixes[s]);
            double *values = read_vector(file, name, ROOM_TIMES);
            for (size_t i = 0; i < ROOM_TIMES; i++)
                check_near(values[i], s == 0 ? room_value(c, i) : s == 1 ? room_se(c, i) : room_step_error(c, i), 0.0,
                           "%s", name);
            free(values);
        }
    }
    double *defect = read_vector(file, "/identities/defect", 2), *scale = read_vector(file, "/identities/scale", 2);
    check_near(defect[0], -1.25e-3, 0.0, "defect");
    check_near(defect[1], 7.7e-4, 0.0, "defect");
    check_near(scale[1], 0.87, 0.0, "scale");
    free(defect);
    free(scale);
    H5Fclose(file);
}

/* The process of the coordinates comes back as it was. */
static void parameters(void **state)
{
    const room *r = *state;
    coordinate_array wrote[PARAMETERS_ARRAYS], read[PARAMETERS_ARRAYS];
    run_file *run = NULL;
    r->solution->t[0] = 0;
    check_ok(r->ctx, solution_add_coordinates(r->ctx, r->solution));
    coordinate_arrays(r->solution, r->solution->coordinates, wrote);
    for (int i = 0; i < PARAMETERS_ARRAYS; i++)
        for (size_t x = 0; x < wrote[i].size; x++)
            (*wrote[i].values)[x] = sin(1.3 * i + 0.7 * (double)x);
    H5Fclose(write_and_open(r, "run.h5"));
    check_ok(r->ctx, run_read(r->ctx, room_path(r, "run.h5"), &run));
    assert_non_null(run->solution->coordinates);
    coordinate_arrays(run->solution, run->solution->coordinates, read);
    for (int i = 0; i < PARAMETERS_ARRAYS; i++) {
        assert_int_equal(read[i].size, wrote[i].size);
        assert_memory_equal(*read[i].values, *wrote[i].values, sizeof(double) * wrote[i].size);
    }
    run_free(run);
}

static void provenance(void **state)
{
    const room *r = *state;
    check_ok(r->ctx, solution_set_status(r->ctx, r->solution, SGDMFT_ERR_NO_CONVERGENCE, "residual 1e-3 at t = 2"));
    hid_t file = write_and_open(r, "run.h5");
    char *yaml = NULL;
    check_ok(r->ctx, sgdmft_problem_to_yaml(r->ctx, r->problem, &yaml));
    check_text(file, "problem", yaml);
    free(yaml);
    check_text(file, "program", "solve");
    check_text(file, "version", SGDMFT_VERSION);
    check_text(file, "build", sgdmft_build_info());
    check_text(file, "command", "sgdmft solve x.yaml");
    check_text(file, "status", "not converged");
    check_text(file, "message", "residual 1e-3 at t = 2");
    check_count(file, "seed", ROOM_SEED);
    check_count(file, "status_code", SGDMFT_ERR_NO_CONVERGENCE);
    check_count(file, "paths", 1237);
    check_count(file, "visits", 12345678901);
    check_number(file, "residual_max", 3.4e-9);
    check_number(file, "wall_seconds", 12.625);
    H5Fclose(file);
}

static void without_two_time_arrays(void **state)
{
    const room *r = *state;
    solution_truncate(r->solution, 0, 0);
    r->solution->n_identities = 0;
    hid_t file = write_and_open(r, "run.h5");
    assert_int_equal(H5Lexists(file, "/C", H5P_DEFAULT), 0);
    assert_int_equal(H5Lexists(file, "/t", H5P_DEFAULT), 0);
    free(read_vector(file, "/curves/t", 0));
    free(read_vector(file, "/curves/q21_se", 0));
    H5Fclose(file);
    r->solution->n_identities = 2; /* they are there, and want to be freed */
}

/* Longer than the 64 KiB that an attribute may have in the object header. */
static void long_texts(void **state)
{
    const room *r = *state;
    char *message = calloc(200001, 1);
    memset(message, 'x', 200000);
    check_ok(r->ctx, solution_set_status(r->ctx, r->solution, SGDMFT_ERR_DIVERGED, message));
    hid_t file = write_and_open(r, "run.h5");
    check_text(file, "message", message);
    H5Fclose(file);
    free(message);
}

static void same_solution_same_bytes(void **state)
{
    const room *r = *state;
    H5Fclose(write_and_open(r, "a.h5"));
    struct timespec pause = {1, 100000000}; /* timestamps have whole seconds */
    nanosleep(&pause, NULL);
    H5Fclose(write_and_open(r, "b.h5"));
    size_t n, m;
    char *a = room_read(room_path(r, "a.h5"), &n), *b = room_read(room_path(r, "b.h5"), &m);
    assert_int_equal(n, m);
    assert_memory_equal(a, b, n);
    free(a);
    free(b);
}

static herr_t my_printer(hid_t stack, void *data)
{
    (void)stack;
    *(int *)data += 1;
    return 0;
}

/* The caller's own way of printing HDF5 errors is as it was. */
static void error_printing_restored(void **state)
{
    const room *r = *state;
    int printed = 0;
    H5E_auto2_t printer = NULL;
    void *data = NULL;
    H5Eset_auto2(H5E_DEFAULT, my_printer, &printed);
    H5Fclose(write_and_open(r, "run.h5"));
    assert_int_equal(printed, 0);
    H5Eget_auto2(H5E_DEFAULT, &printer, &data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    assert_ptr_equal(data, &printed);
    assert_true(printer == my_printer);
}

static void refusals(void **state)
{
    const room *r = *state;
    const char *path = room_path(r, "old.h5");
    room_write(path, "precious\n");
    check_failure(r->ctx, sgdmft_write_hdf5(r->ctx, r->solution, r->problem, NULL, path, 0), SGDMFT_ERR_EXISTS,
                  "--force");
    check_failure(r->ctx, sgdmft_write_hdf5(r->ctx, r->solution, r->problem, NULL, room_path(r, "no/x.h5"), 1),
                  SGDMFT_ERR_IO, "does not exist");
    check_failure(r->ctx, sgdmft_write_hdf5(r->ctx, r->solution, r->problem, NULL, "/dev/full", 0), SGDMFT_ERR_IO,
                  "No space left");

    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 3000;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    sgdmft_status status = sgdmft_write_hdf5(r->ctx, r->solution, r->problem, NULL, path, 1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    check_failure(r->ctx, status, SGDMFT_ERR_IO, "too large");
    size_t size;
    char *text = room_read(path, &size);
    assert_string_equal(text, "precious\n");
    free(text);
    assert_int_equal(room_count(r), 1);

    check_ok(r->ctx, sgdmft_write_hdf5(r->ctx, r->solution, r->problem, NULL, path, 1));
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    check_text(file, "command", "");
    H5Fclose(file);
}

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, room_enter, room_leave)

int main(void)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const struct CMUnitTest tests[] = {
        IN_ROOM(two_time_arrays),
        IN_ROOM(curves),
        IN_ROOM(parameters),
        IN_ROOM(provenance),
        IN_ROOM(without_two_time_arrays),
        IN_ROOM(long_texts),
        IN_ROOM(same_solution_same_bytes),
        IN_ROOM(error_printing_restored),
        IN_ROOM(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
