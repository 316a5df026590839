/* Every allocation of writing, reading and comparing fails once: the call says "out of memory", leaks nothing,
   leaves no file behind and works the next time. The linker sends the library's allocations through
   tests/support/failing_memory.h. */
#include "columns/solution.h"
#include "io/room.h"
#include "io/save.h"
#include "sgdmft/compare.h"
#include "sgdmft/io.h"
#include "support/failing_memory.h"

WRAP(int, posix_memalign, (void **out, size_t alignment, size_t size), (out, alignment, size), 12)
WRAP(FILE *, open_memstream, (char **text, size_t *size), (text, size), NULL)

/* Runs `job` with the first, the second, ... allocation failing until none is left to fail. */
static void fail_each(const room *r, sgdmft_status (*job)(const room *r))
{
    long n = 0;
    size_t entries = room_count(r);
    for (;; n++) {
        failed = 0;
        countdown = n;
        sgdmft_status status = job(r);
        countdown = -1;
        if (!failed) {
            check_ok(r->ctx, status);
            break;
        }
        if (status != SGDMFT_ERR_MEMORY)
            fail_msg("allocation %ld fails, but the status is %d", n, (int)status);
        assert_int_equal(room_count(r), entries);
    }
    assert_true(n > 0);
}

static sgdmft_status make(const room *r)
{
    static const char *const observables[] = {"margin"};
    solution_shape shape = {2, 1, 4, 3, 1, observables, 1};
    sgdmft_solution *s = NULL;
    sgdmft_status status = solution_new(r->ctx, &shape, &s);
    if (status == SGDMFT_OK)
        status = solution_set_status(r->ctx, s, SGDMFT_ERR_DIVERGED, "far");
    if (status == SGDMFT_OK)
        status = solution_add_identity(r->ctx, s, &r->solution->identities[0], "%s", r->solution->identities[0].name);
    if (status == SGDMFT_OK)
        status = solution_add_identity(r->ctx, s, &r->solution->identities[1], "%s", r->solution->identities[1].name);
    sgdmft_solution_free(s);
    return status;
}

static sgdmft_status write_csv(const room *r)
{
    return sgdmft_write_csv(r->ctx, r->solution, "sgdmft solve", room_path(r, "a.csv"), 0);
}

static sgdmft_status write_hdf5(const room *r)
{
    return sgdmft_write_hdf5(r->ctx, r->solution, "sgdmft solve", room_path(r, "a.h5"), 0);
}

static sgdmft_status read_and_compare(const room *r)
{
    sgdmft_comparison *c = NULL;
    sgdmft_status status = sgdmft_compare_files(r->ctx, room_path(r, "a.csv"), room_path(r, "a.csv"), 4.0, -1.0, &c);
    sgdmft_comparison_free(c);
    return status;
}

static sgdmft_status write_pieces(const room *r)
{
    save_output out;
    sgdmft_status status = save_open(r->ctx, room_path(r, "a.txt"), 1, &out);
    return status == SGDMFT_OK ? save_close(r->ctx, &out, 1) : status;
}

static sgdmft_status write_densities(const room *r)
{
    return sgdmft_write_histograms(r->ctx, r->solution, NULL, room_path(r, "b.csv"), 0);
}

static sgdmft_status read_run(const room *r)
{
    sgdmft_solution *again = NULL;
    sgdmft_status status = sgdmft_solution_read(r->ctx, room_path(r, "a.h5"), NULL, &again);
    sgdmft_solution_free(again);
    return status;
}

static void every_allocation(void **state)
{
    const room *r = *state;
    fail_each(r, make);
    fail_each(r, write_csv);
    fail_each(r, read_and_compare);
    check_ok(r->ctx, solution_add_histograms(r->ctx, r->solution, 2, 3));
    check_ok(r->ctx, solution_add_histogram_errors(r->ctx, r->solution));
    check_ok(r->ctx, solution_add_coordinates(r->ctx, r->solution));
    fail_each(r, write_hdf5);
    fail_each(r, write_pieces);
    fail_each(r, write_densities);
    r->solution->t[0] = 0;
    fail_each(r, read_run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(every_allocation, room_enter, room_leave)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
