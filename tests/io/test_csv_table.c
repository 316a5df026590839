/* Curves files that are not: what is wrong is named with its line. And odd ones that are. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "io/csv_table.h"
#include "io/room.h"

typedef struct refusal {
    const char *text;
    sgdmft_status status;
    const char *part;
} refusal;

static void malformed(void **state)
{
    const room *r = *state;
    static const refusal list[] = {
        {"", SGDMFT_ERR_MISSING, "no header line"},
        {"# only: comments\n", SGDMFT_ERR_MISSING, "no header line"},
        {"t,q11,q11_se\n", SGDMFT_ERR_MISSING, "no rows"},
        {"time,q11\n0,1\n", SGDMFT_ERR_MISSING, ":1: the header has no column 't'"},
        {"t,q11,q11\n0,1,1\n", SGDMFT_ERR_DUPLICATE_KEY, ":1: column 'q11' appears twice"},
        {"t,t\n0,1\n", SGDMFT_ERR_DUPLICATE_KEY, "'t' appears twice"},
        {"t,,q11\n0,1,1\n", SGDMFT_ERR_TYPE, ":1: column 2 of the header is ''"},
        {"t,\"q11\"\n0,1\n", SGDMFT_ERR_TYPE, ":1: column 2"},
        {"0,1.5,2\n1,2,3\n", SGDMFT_ERR_TYPE, ":1: column 1 of the header is '0'"},
        {"# a: b\nt,q11\n0,1\n1,2,3\n", SGDMFT_ERR_SHAPE, ":4: 3 values in this row, but the header has 2 columns"},
        {"t,q11\n0,1\n\n1\n", SGDMFT_ERR_SHAPE, ":4: 1 values"},
        {"t,q11\n0,1\n1,one\n", SGDMFT_ERR_TYPE, ":3: column 'q11': 'one' is not a number"},
        {"t,q11\n0,1\n1,1.5x\n", SGDMFT_ERR_TYPE, "'1.5x' is not a number"},
        {"t,q11\n0,1\n1,\n", SGDMFT_ERR_TYPE, ":3: column 'q11': '' is not a number"},
        {"t,q11\n0,1\n1,2;5\n", SGDMFT_ERR_TYPE, "'2;5'"},
        {"t,q11\n0,1\n0,2\n", SGDMFT_ERR_RANGE, ":3: t is 0 after 0"},
        {"t,q11\n0,1\n2,2\n1,3\n", SGDMFT_ERR_RANGE, ":4: t is 1 after 2"},
        {"t,q11\n0,1\nnan,2\n", SGDMFT_ERR_RANGE, ":3: t is nan"},
        {"t,q11\ninf,1\n", SGDMFT_ERR_RANGE, ":2: t is inf"},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        const char *path = room_path(r, "bad.csv");
        room_write(path, list[i].text);
        csv_table *table = (csv_table *)(void *)r->ctx; /* anything but NULL */
        check_failure(r->ctx, csv_table_read(r->ctx, path, &table), list[i].status, list[i].part);
        assert_non_null(strstr(sgdmft_context_message(r->ctx), "bad.csv"));
        assert_null(table);
        if (list[i].text[0] == '\0')
            continue;
        check_failure(r->ctx, csv_table_parse(r->ctx, "memory.csv", list[i].text, &table), list[i].status,
                      list[i].part);
        assert_non_null(strstr(sgdmft_context_message(r->ctx), "memory.csv"));
        assert_null(table);
    }
}

static void unreadable(void **state)
{
    const room *r = *state;
    csv_table *table = NULL;
    check_failure(r->ctx, csv_table_read(r->ctx, room_path(r, "none.csv"), &table), SGDMFT_ERR_IO, "No such file");
    check_failure(r->ctx, csv_table_read(r->ctx, r->directory, &table), SGDMFT_ERR_IO, "directory");
    FILE *file = fopen(room_path(r, "binary"), "wb");
    assert_non_null(file);
    fwrite("t,q\0\n1,2\n", 1, 9, file);
    fclose(file);
    check_failure(r->ctx, csv_table_read(r->ctx, room_path(r, "binary"), &table), SGDMFT_ERR_TYPE, ":1: binary data");
}

static void odd_but_fine(void **state)
{
    const room *r = *state;
    csv_table *table = NULL;
    room_write(room_path(r, "odd.csv"), "# first: line\r\n#second\nq_x, t ,z\r\n\r\n1e-3,-0.5,nan\r\n"
                                        "# between\n 2.5e2 , 0.25,-inf\n0x1p-1,7,1");
    check_ok(r->ctx, csv_table_read(r->ctx, room_path(r, "odd.csv"), &table));
    assert_int_equal(table->n_rows, 3);
    assert_int_equal(table->n_columns, 3);
    assert_string_equal(table->comments, "first: line\nsecond\nbetween\n");
    check_near(csv_table_values(table, "t")[0], -0.5, 0.0, "t");
    check_near(csv_table_values(table, "q_x")[1], 250.0, 0.0, "q_x");
    check_near(csv_table_values(table, "q_x")[2], 0.5, 0.0, "q_x");
    assert_true(isnan(csv_table_values(table, "z")[0]) && isinf(csv_table_values(table, "z")[1]));
    assert_null(csv_table_values(table, "q"));
    csv_table_free(table);
    csv_table_free(NULL);
}

static void many_rows(void **state)
{
    const room *r = *state;
    FILE *file = fopen(room_path(r, "long.csv"), "w");
    assert_non_null(file);
    fputs("t,x\n", file);
    for (int i = 0; i < 12345; i++)
        fprintf(file, "%d,%.17g\n", i, sin(i));
    fclose(file);
    csv_table *table = NULL;
    check_ok(r->ctx, csv_table_read(r->ctx, room_path(r, "long.csv"), &table));
    assert_int_equal(table->n_rows, 12345);
    for (int i = 0; i < 12345; i++)
        check_near(csv_table_values(table, "x")[i], sin(i), 0.0, "row %d", i);
    csv_table_free(table);
}

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, room_enter, room_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {IN_ROOM(malformed), IN_ROOM(unreadable), IN_ROOM(odd_but_fine),
                                       IN_ROOM(many_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
