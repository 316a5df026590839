/* Two-time arrays and curves written and read back through the HDF5 library. */
#include <hdf5.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "columns/solution.h"
#include "columns/solution_arrays.h"
#include "io/room.h"
#include "sgdmft/io.h"
#include "sgdmft/version.h"

static hid_t write_and_open(const room *r, const char *name)
{
    const char *path = room_path(r, name);
    check_ok(r->ctx, sgdmft_write_hdf5(r->ctx, r->solution, "sgdmft solve x.yaml", path, 0));
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
                check_near(values[i],
                           s == 0   ? room_value(c, i)
                           : s == 1 ? room_se(c, i)
                                    : room_step_error(c, i),
                           0.0, "%s", name);
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

/* Every array of the table comes back as it was, and so does all else. */
static void reading_back(void **state)
{
    const room *r = *state;
    sgdmft_solution *s = r->solution, *again = NULL;
    sgdmft_problem *problem = NULL;
    solution_array wrote, read;
    size_t n = 0;
    s->t[0] = 0;
    s->status = SGDMFT_ERR_NO_CONVERGENCE;
    check_ok(r->ctx, solution_add_coordinates(r->ctx, s));
    check_ok(r->ctx, solution_add_renewals(r->ctx, s));
    check_ok(r->ctx, solution_add_histograms(r->ctx, s, 2, 3));
    check_ok(r->ctx, solution_add_histogram_errors(r->ctx, s));
    for (size_t i = 0; solution_arrays_get(s, i, &wrote); i++)
        for (size_t x = 0; x < wrote.size && i > 0; x++)
            wrote.values[x] = sin(1.3 * (double)i + 0.7 * (double)x);
    H5Fclose(write_and_open(r, "run.h5"));
    check_ok(r->ctx, sgdmft_solution_read(r->ctx, room_path(r, "run.h5"), &problem, &again));
    for (; solution_arrays_get(s, n, &wrote); n++) {
        assert_true(solution_arrays_get(again, n, &read));
        assert_int_equal(read.size, wrote.size);
        assert_non_null(read.values);
        assert_memory_equal(read.values, wrote.values, sizeof(double) * wrote.size);
    }
    assert_int_equal(n, 22);
    assert_int_equal(again->n_curves, s->n_curves);
    for (size_t c = 0; c < s->n_curves; c++) {
        const sgdmft_curve *a = &s->curves[c], *b = &again->curves[c];
        assert_string_equal(a->name, b->name);
        assert_ptr_equal(a->kind, b->kind);
        assert_memory_equal(a->value, b->value, sizeof(double) * ROOM_TIMES);
        assert_memory_equal(a->se, b->se, sizeof(double) * ROOM_TIMES);
        assert_memory_equal(a->step_error, b->step_error, sizeof(double) * ROOM_TIMES);
    }
    assert_int_equal(again->n_identities, 2);
    assert_string_equal(again->identities[1].name, s->identities[1].name);
    check_near(again->identities[1].defect, s->identities[1].defect, 0, "defect");
    assert_memory_equal(&again->info, &s->info, sizeof s->info);
    assert_int_equal(again->status, SGDMFT_ERR_NO_CONVERGENCE);
    assert_string_equal(again->problem, s->problem);
    assert_string_equal(again->version, SGDMFT_VERSION);
    assert_string_equal(again->command, "sgdmft solve x.yaml");
    assert_true(again->seed == ROOM_SEED);

    /* and is written as it was; the command line is remembered */
    size_t size_a, size_b;
    check_ok(r->ctx, sgdmft_write_hdf5(r->ctx, again, NULL, room_path(r, "again.h5"), 0));
    char *a = room_read(room_path(r, "run.h5"), &size_a), *b = room_read(room_path(r, "again.h5"), &size_b);
    assert_int_equal(size_a, size_b);
    assert_memory_equal(a, b, size_a);
    free(a);
    free(b);
    sgdmft_problem_free(problem);
    sgdmft_solution_free(again);
}

/* A file that was changed by `change`, and what reading it says. */
static void check_changed(const room *r, void (*change)(hid_t file), sgdmft_status status, const char *part)
{
    sgdmft_solution *again = NULL;
    const char *path = room_path(r, "changed.h5");
    check_ok(r->ctx, sgdmft_write_hdf5(r->ctx, r->solution, NULL, path, 1));
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    change(file);
    H5Fclose(file);
    check_failure(r->ctx, sgdmft_solution_read(r->ctx, path, NULL, &again), status, part);
    assert_null(again);
}

static void drop_m(hid_t file)
{
    H5Ldelete(file, "m", H5P_DEFAULT);
}

static void drop_a_curve(hid_t file)
{
    H5Ldelete(file, "curves/q21_se", H5P_DEFAULT);
}

static void drop_a_memory_kernel(hid_t file)
{
    H5Ldelete(file, "coordinates/memory_kernel", H5P_DEFAULT);
}

static void rename_to_old(hid_t file)
{
    H5Lmove(file, "coordinates", file, "parameters", H5P_DEFAULT, H5P_DEFAULT);
}

static void drop_the_problem(hid_t file)
{
    H5Adelete(file, "problem");
}

static void shorten_the_residual(hid_t file)
{
    hsize_t two = 2;
    H5Ldelete(file, "residual", H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, &two, NULL);
    H5Dclose(H5Dcreate2(file, "residual", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
}

static void reading_refusals(void **state)
{
    const room *r = *state;
    sgdmft_solution *again = NULL;
    r->solution->t[0] = 0;
    check_ok(r->ctx, solution_add_coordinates(r->ctx, r->solution));
    check_changed(r, drop_m, SGDMFT_ERR_SHAPE, "/m is not");
    check_changed(r, drop_a_curve, SGDMFT_ERR_SHAPE, "/curves/q21_se is missing");
    check_changed(r, drop_a_memory_kernel, SGDMFT_ERR_SHAPE, "/coordinates/memory_kernel is missing");
    check_changed(r, rename_to_old, SGDMFT_ERR_TYPE, "/parameters was written by an older version");
    check_changed(r, drop_the_problem, SGDMFT_ERR_TYPE, "another kind");
    check_changed(r, shorten_the_residual, SGDMFT_ERR_SHAPE, "/residual");
    r->solution->C[5] = NAN;
    check_ok(r->ctx, sgdmft_write_hdf5(r->ctx, r->solution, NULL, room_path(r, "nan.h5"), 1));
    check_failure(r->ctx, sgdmft_solution_read(r->ctx, room_path(r, "nan.h5"), NULL, &again), SGDMFT_ERR_RANGE,
                  "/C holds");
    check_failure(r->ctx, sgdmft_solution_read(r->ctx, room_path(r, "none.h5"), NULL, &again), SGDMFT_ERR_IO,
                  "none.h5");
    room_write(room_path(r, "half.h5"), "\x89HDF\r\n\x1a\nand no more");
    check_failure(r->ctx, sgdmft_solution_read(r->ctx, room_path(r, "half.h5"), NULL, &again), SGDMFT_ERR_TYPE,
                  "not an HDF5 file");
}

/* A simulation has curves alone; R of a solution may be unknown. */
static void reading_less(void **state)
{
    const room *r = *state;
    sgdmft_solution *again = NULL;
    r->solution->t[0] = 0;
    r->solution->R[ROOM_K * ROOM_K * ROOM_GRID] = NAN;
    check_ok(r->ctx, sgdmft_write_hdf5(r->ctx, r->solution, NULL, room_path(r, "a.h5"), 0));
    check_ok(r->ctx, sgdmft_solution_read(r->ctx, room_path(r, "a.h5"), NULL, &again));
    assert_true(isnan(sgdmft_solution_R(again)[ROOM_K * ROOM_K * ROOM_GRID]));
    sgdmft_solution_free(again);

    r->solution->info.simulated = 1;
    solution_truncate(r->solution, ROOM_TIMES, 0);
    check_ok(r->ctx, sgdmft_write_hdf5(r->ctx, r->solution, NULL, room_path(r, "b.h5"), 0));
    check_ok(r->ctx, sgdmft_solution_read(r->ctx, room_path(r, "b.h5"), NULL, &again));
    assert_int_equal(sgdmft_solution_students(again), ROOM_K);
    assert_int_equal(sgdmft_solution_teachers(again), ROOM_KSTAR);
    assert_int_equal(sgdmft_solution_n_grid(again), 0);
    assert_null(sgdmft_solution_C(again));
    assert_null(sgdmft_solution_array_name(again, 0));
    assert_true(sgdmft_solution_info(again)->simulated);
    sgdmft_solution_free(again);
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
    check_failure(r->ctx, sgdmft_write_hdf5(r->ctx, r->solution, NULL, path, 0), SGDMFT_ERR_EXISTS, "--force");
    check_failure(r->ctx, sgdmft_write_hdf5(r->ctx, r->solution, NULL, room_path(r, "no/x.h5"), 1), SGDMFT_ERR_IO,
                  "does not exist");
    check_failure(r->ctx, sgdmft_write_hdf5(r->ctx, r->solution, NULL, "/dev/full", 0), SGDMFT_ERR_IO, "No space left");

    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 3000;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    sgdmft_status status = sgdmft_write_hdf5(r->ctx, r->solution, NULL, path, 1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    check_failure(r->ctx, status, SGDMFT_ERR_IO, "too large");
    size_t size;
    char *text = room_read(path, &size);
    assert_string_equal(text, "precious\n");
    free(text);
    assert_int_equal(room_count(r), 1);

    check_ok(r->ctx, sgdmft_write_hdf5(r->ctx, r->solution, NULL, path, 1));
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    check_text(file, "command", "");
    H5Fclose(file);
}

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, room_enter, room_leave)

int main(void)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const struct CMUnitTest tests[] = {
        IN_ROOM(two_time_arrays),         IN_ROOM(curves),       IN_ROOM(reading_back),
        IN_ROOM(reading_refusals),        IN_ROOM(reading_less), IN_ROOM(provenance),
        IN_ROOM(without_two_time_arrays), IN_ROOM(long_texts),   IN_ROOM(same_solution_same_bytes),
        IN_ROOM(error_printing_restored), IN_ROOM(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
