/* Tables of arrays: allocated zeroed, counted, freed; a row that cannot be allocated leaves the others to be freed. */
#include "core/arrays.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "support/check.h"

typedef struct owner {
    double *a, *b, *none, *c;
} owner;

enum { ROWS = 4 };

static void table_of(owner *o, size_t last, array_row rows[ROWS])
{
    rows[0] = (array_row){&o->a, 17, 1};
    rows[1] = (array_row){&o->b, 1, 0};
    rows[2] = (array_row){&o->none, 0, 1};
    rows[3] = (array_row){&o->c, last, 0};
}

/* Leaves memory of the sizes of the rows that is not zero. */
static void leave_traces(const array_row rows[ROWS])
{
    void *block[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        block[i] = memory_raw(rows[i].count, sizeof(double));
        assert_non_null(block[i]);
        memset(block[i], 0xff, sizeof(double) * rows[i].count);
    }
    for (size_t i = 0; i < ROWS; i++)
        free(block[i]);
}

static void test_allocated(void **state)
{
    owner o = {0};
    array_row rows[ROWS];
    table_of(&o, 1009, rows);
    leave_traces(rows);
    assert_int_equal(arrays_allocate(rows, ROWS), 0);
    for (size_t i = 0; i < ROWS; i++) {
        double *x = *rows[i].data;
        assert_non_null(x);
        assert_int_equal((uintptr_t)x % 64, 0);
        for (size_t j = 0; j < rows[i].count; j++) {
            assert_true(x[j] == 0);
            x[j] = 0.37 + (double)j; /* all of it can be written */
        }
        for (size_t j = 0; j < i; j++)
            assert_ptr_not_equal(x, *rows[j].data);
    }
    arrays_free(rows, ROWS);
    assert_true(!o.a && !o.b && !o.none && !o.c);
    arrays_free(rows, ROWS); /* nothing is left to be freed */
}

/* Rows of a table from some row on, as for an object that grows. */
static void test_part(void **state)
{
    owner o = {0};
    array_row rows[ROWS];
    table_of(&o, 5, rows);
    assert_int_equal(arrays_allocate(rows + 1, 2), 0);
    assert_true(!o.a && o.b && o.none && !o.c);
    arrays_free(rows, ROWS);
    assert_true(!o.b && !o.none);
}

static void test_bytes(void **state)
{
    owner o = {0};
    array_row rows[ROWS];
    table_of(&o, 1009, rows);
    assert_true(arrays_bytes(rows, ROWS) == 8.0 * (17 + 1 + 0 + 1009));
    assert_true(arrays_bytes(rows, 1) == 8.0 * 17);
    assert_true(arrays_bytes(rows, 0) == 0);
    table_of(&o, (size_t)1 << 62, rows); /* more than a size_t holds */
    assert_true(arrays_bytes(rows, ROWS) == 0x1p65 + 8.0 * 18);
}

/* The table with its last row moved to a place. */
static void table_with_last_at(owner *o, size_t last, size_t place, array_row rows[ROWS])
{
    table_of(o, last, rows);
    array_row swapped = rows[place];
    rows[place] = rows[ROWS - 1];
    rows[ROWS - 1] = swapped;
}

/* A row whose bytes a size_t cannot count is found before anything is allocated. */
static void test_too_large(void **state)
{
    double some;
    for (size_t place = 0; place < ROWS; place++) {
        owner o = {&some, &some, &some, &some};
        array_row rows[ROWS];
        table_with_last_at(&o, SIZE_MAX / 8 + 1, place, rows);
        assert_true(arrays_allocate(rows, ROWS) != 0);
        assert_true(!o.a && !o.b && !o.none && !o.c);
        arrays_free(rows, ROWS);
    }
}

/* Where memory runs out, the rows before are allocated, and the others are NULL. */
static void test_no_memory(void **state)
{
    double some;
    for (size_t place = 0; place < ROWS; place++) {
        owner o = {&some, &some, &some, &some};
        array_row rows[ROWS];
        table_with_last_at(&o, SIZE_MAX / 8, place, rows);
        assert_true(arrays_allocate(rows, ROWS) != 0);
        for (size_t i = 0; i < ROWS; i++)
            assert_int_equal(*rows[i].data != NULL, i < place);
        assert_null(o.c);
        arrays_free(rows, ROWS);
        assert_true(!o.a && !o.b && !o.none);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocated), cmocka_unit_test(test_part),      cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_too_large), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests_name("arrays", tests, NULL, NULL);
}
