/* Curves written and read back; provenance in the comments. */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "io/csv_table.h"
#include "io/room.h"
#include "sgdmft/io.h"
#include "sgdmft/version.h"

static void write_room(const room *r, const char *path, const char *command)
{
    check_ok(r->ctx, sgdmft_write_csv(r->ctx, r->solution, command, path, 0));
}

static void columns_and_values(void **state)
{
    const room *r = *state;
    const char *path = room_path(r, "run.csv");
    write_room(r, path, NULL);
    csv_table *table = NULL;
    check_ok(r->ctx, csv_table_read(r->ctx, path, &table));
    assert_int_equal(table->n_rows, ROOM_TIMES);
    assert_int_equal(table->n_columns, 1 + 2 * r->solution->n_curves);
    assert_string_equal(table->columns[0].name, "t");
    for (size_t i = 0; i < ROOM_TIMES; i++)
        check_near(table->columns[0].value[i], 3.25 * (double)i / 4, 0.0, "t");
    for (size_t c = 0; c < r->solution->n_curves; c++) {
        const csv_column *value = &table->columns[1 + 2 * c], *se = value + 1;
        char se_name[64];
        snprintf(se_name, sizeof se_name, "%s_se", r->solution->curves[c].name);
        assert_string_equal(value->name, r->solution->curves[c].name);
        assert_string_equal(se->name, se_name);
        for (size_t i = 0; i < ROOM_TIMES; i++) {
            check_near(value->value[i], room_value(c, i), 1e-11 * fabs(room_value(c, i)), "%s", value->name);
            check_near(se->value[i], room_se(c, i), 1e-11 * room_se(c, i), "%s", se_name);
        }
    }
    csv_table_free(table);
}

static void check_lines(const char *text, const char *const *lines, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strstr(text, lines[i]))
            fail_msg("no line '%s' in\n%s", lines[i], text);
}

static void provenance(void **state)
{
    const room *r = *state;
    const char *path = room_path(r, "run.csv");
    write_room(r, path, "sgdmft solve 'a b.yaml'\n--set x");
    size_t size;
    char *text = room_read(path, &size);
    static const char *const lines[] = {
        "# program: solve\n",
        "\n# version: " SGDMFT_VERSION "\n",
        "\n# build: ",
        "\n# command: sgdmft solve 'a b.yaml' --set x\n",
        "\n# seed: 17293822569102704683\n",
        "\n# status: ok\n",
        "\n# paths: 1237\n",
        "\n# replicas: 3\n",
        "\n# steps: 41\n",
        "\n# extrapolated: 1\n",
        "\n# visits: 12345678901\n",
        "\n# passes: 2.625\n",
        "\n# passes_max: 6\n",
        "\n# residual_max: 3.4e-09\n",
        "\n# se_max: 0.0025\n",
        "\n# step_error_max: 0.00015\n",
        "\n# wall_seconds: 12.625\n",
        "\n# identity: dC(t,t)/dt 21 at t = 3.25: defect -1.250e-03, se 4.500e-04, scale 8.700e-01\n",
        "\n# step_error: q11 at most 3.960e-04\n",
        "\n# problem: model:\n# problem:   students: 2\n",
        "\n# problem:   seed: 17293822569102704683\n",
        "\nt,train_loss,train_loss_se,test_loss,test_loss_se,q11,q11_se,q21,q21_se,q22,q22_se,m11,m11_se,",
    };
    check_lines(text, lines, sizeof lines / sizeof lines[0]);
    assert_int_equal(strncmp(text, lines[0], strlen(lines[0])), 0);
    assert_null(strstr(text, "# message:"));              /* nothing to say */
    assert_null(strstr(text, "# step_error: test_loss")); /* not estimated */
    free(text);
}

/* The comments hold the whole problem: it can be read back from them. */
static void problem_in_comments(void **state)
{
    const room *r = *state;
    write_room(r, room_path(r, "run.csv"), NULL);
    csv_table *table = NULL;
    check_ok(r->ctx, csv_table_read(r->ctx, room_path(r, "run.csv"), &table));
    char *yaml = calloc(strlen(table->comments) + 1, 1), *again = NULL, *want = NULL;
    for (char *line = strtok(table->comments, "\n"); line; line = strtok(NULL, "\n"))
        if (strncmp(line, "problem: ", 9) == 0)
            strcat(strcat(yaml, line + 9), "\n");
    sgdmft_problem *problem = NULL;
    check_ok(r->ctx, sgdmft_problem_parse(r->ctx, "comments", yaml, NULL, 0, &problem));
    check_ok(r->ctx, sgdmft_problem_to_yaml(r->ctx, problem, &again));
    check_ok(r->ctx, sgdmft_problem_to_yaml(r->ctx, r->problem, &want));
    assert_string_equal(again, want);
    sgdmft_problem_free(problem);
    free(yaml);
    free(again);
    free(want);
    csv_table_free(table);
}

/* All that a CSV file holds comes back, to its twelve digits. */
static void reading_back(void **state)
{
    const room *r = *state;
    sgdmft_solution *again = NULL;
    sgdmft_problem *problem = NULL;
    r->solution->status = SGDMFT_ERR_DIVERGED;
    write_room(r, room_path(r, "run.csv"), "sgdmft solve x");
    check_ok(r->ctx, sgdmft_solution_read(r->ctx, room_path(r, "run.csv"), &problem, &again));
    assert_int_equal(sgdmft_solution_status(again), SGDMFT_ERR_DIVERGED);
    assert_int_equal(sgdmft_solution_students(again), ROOM_K);
    assert_int_equal(sgdmft_solution_teachers(again), ROOM_KSTAR);
    assert_int_equal(sgdmft_solution_n_times(again), ROOM_TIMES);
    assert_int_equal(sgdmft_solution_n_curves(again), sgdmft_solution_n_curves(r->solution));
    for (size_t c = 0; c < sgdmft_solution_n_curves(again); c++) {
        const sgdmft_curve *a = sgdmft_solution_curve_at(r->solution, c), *b = sgdmft_solution_curve_at(again, c);
        assert_string_equal(sgdmft_curve_name(a), sgdmft_curve_name(b));
        assert_string_equal(sgdmft_curve_doc(a), sgdmft_curve_doc(b));
        for (size_t i = 0; i < ROOM_TIMES; i++) {
            check_near(sgdmft_curve_value(b)[i], room_value(c, i), 1e-11 * fabs(room_value(c, i)), "value");
            check_near(sgdmft_curve_se(b)[i], room_se(c, i), 1e-11 * room_se(c, i), "se");
            check_near(sgdmft_curve_step_error(b)[i], 0, 0, "step error");
        }
    }
    assert_string_equal(sgdmft_solution_problem(again), sgdmft_solution_problem(r->solution));
    assert_string_equal(sgdmft_solution_version(again), SGDMFT_VERSION);
    assert_string_equal(again->command, "sgdmft solve x");
    const sgdmft_solve_info *info = sgdmft_solution_info(again);
    assert_int_equal(info->paths, 1237);
    assert_int_equal(info->extrapolated, 1);
    check_near(info->visits, 12345678901.0, 0, "visits");
    check_near(info->wall_seconds, 12.625, 0, "wall time");
    assert_true(again->seed == ROOM_SEED);
    assert_int_equal(sgdmft_solution_n_grid(again), 0);
    sgdmft_problem_free(problem);
    sgdmft_solution_free(again);
}

/* Curves of other origin: comments that are not ours, columns without standard errors, no problem. */
static void foreign_curves(void **state)
{
    const room *r = *state;
    sgdmft_solution *again = NULL;
    sgdmft_problem *problem = NULL;
    const char *path = room_path(r, "other.csv");
    room_write(path, "# measured: yesterday\n# paths: many\n# steps: 7\nt,x,x_se,bare\n0,1,0.5,2\n1,2,0.25,3\n");
    check_ok(r->ctx, sgdmft_solution_read(r->ctx, path, NULL, &again));
    assert_int_equal(sgdmft_solution_n_curves(again), 2);
    assert_string_equal(sgdmft_curve_doc(sgdmft_solution_curve(again, "x")), "");
    assert_null(sgdmft_curve_se(sgdmft_solution_curve(again, "bare")));
    assert_string_equal(sgdmft_solution_version(again), "");
    assert_int_equal(sgdmft_solution_students(again), 0);
    assert_int_equal(sgdmft_solution_info(again)->paths, 0);
    assert_int_equal(sgdmft_solution_info(again)->steps, 7);
    check_failure(r->ctx, sgdmft_write_csv(r->ctx, again, NULL, room_path(r, "x.csv"), 0), SGDMFT_ERR_ARGUMENT,
                  "'bare' has no standard errors");
    sgdmft_solution_free(again);
    check_failure(r->ctx, sgdmft_solution_read(r->ctx, path, &problem, &again), SGDMFT_ERR_MISSING,
                  "does not hold the problem");
    assert_null(again);
    assert_null(problem);
}

static void incomplete(void **state)
{
    const room *r = *state;
    check_ok(r->ctx, solution_set_status(r->ctx, r->solution, SGDMFT_ERR_DIVERGED, "q22 is 1e+12 at t = 1.7"));
    r->solution->info.simulated = 1;
    solution_truncate(r->solution, 0, 0);
    write_room(r, room_path(r, "run.csv"), NULL);
    size_t size;
    char *text = room_read(room_path(r, "run.csv"), &size);
    static const char *const lines[] = {"# program: simulate\n", "\n# status: diverged\n# status_code: 400\n",
                                        "\n# message: q22 is 1e+12 at t = 1.7\n", ",R22,R22_se\n"};
    check_lines(text, lines, 4);
    assert_int_equal(text[size - 1], '\n');
    assert_int_equal(strcmp(text + size - 12, ",R22,R22_se\n"), 0); /* the header is the last line */
    free(text);
}

static void same_solution_same_bytes(void **state)
{
    const room *r = *state;
    size_t n, m;
    write_room(r, room_path(r, "a.csv"), "x");
    write_room(r, room_path(r, "b.csv"), "x");
    char *a = room_read(room_path(r, "a.csv"), &n), *b = room_read(room_path(r, "b.csv"), &m);
    assert_int_equal(n, m);
    assert_memory_equal(a, b, n);
    free(a);
    free(b);
}

/* In many countries the decimal point is a comma; a file must not depend on it. The test is void without such a
   locale, but then nothing can go wrong either. */
static void foreign_locale(void **state)
{
    const room *r = *state;
    write_room(r, room_path(r, "a.csv"), "x");
    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8"))
        return;
    write_room(r, room_path(r, "b.csv"), "x");
    csv_table *table = NULL;
    sgdmft_status status = csv_table_read(r->ctx, room_path(r, "b.csv"), &table);
    setlocale(LC_ALL, "C");
    check_ok(r->ctx, status);
    size_t n, m;
    char *a = room_read(room_path(r, "a.csv"), &n), *b = room_read(room_path(r, "b.csv"), &m);
    assert_string_equal(a, b);
    check_near(table->columns[1].value[2], room_value(0, 2), 1e-11, "value");
    free(a);
    free(b);
    csv_table_free(table);
}

static void refusals(void **state)
{
    const room *r = *state;
    const char *path = room_path(r, "old.csv");
    room_write(path, "precious\n");
    check_failure(r->ctx, sgdmft_write_csv(r->ctx, r->solution, NULL, path, 0), SGDMFT_ERR_EXISTS, "--force");
    check_failure(r->ctx, sgdmft_write_csv(r->ctx, r->solution, NULL, room_path(r, "no/x.csv"), 1), SGDMFT_ERR_IO,
                  "does not exist");
    check_failure(r->ctx, sgdmft_write_csv(r->ctx, r->solution, NULL, "/dev/full", 0), SGDMFT_ERR_IO, "No space left");
    free(r->solution->curves[0].name);
    r->solution->curves[0].name = strdup("a,b");
    check_failure(r->ctx, sgdmft_write_csv(r->ctx, r->solution, NULL, path, 1), SGDMFT_ERR_ARGUMENT, "'a,b'");
    size_t size;
    char *text = room_read(path, &size);
    assert_string_equal(text, "precious\n");
    free(text);
    assert_int_equal(room_count(r), 1);
}

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, room_enter, room_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_ROOM(columns_and_values),
        IN_ROOM(provenance),
        IN_ROOM(problem_in_comments),
        IN_ROOM(incomplete),
        IN_ROOM(reading_back),
        IN_ROOM(foreign_curves),
        IN_ROOM(same_solution_same_bytes),
        IN_ROOM(foreign_locale),
        IN_ROOM(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
