/* Rows of a block in double and in single precision: sums against plain loops, with any number of students, rows and
   lanes; and the effect of rounding on the averages of a whole block. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "core/random.h"
#include "path_case.h"
#include "paths/rows.h"
#include "support/check.h"

enum { GROUPS = 11 };

static const uint64_t SEED = 17;

/* Largest rounding of a number of size x. */
static double rounding(int single, double x)
{
    return (single ? FLT_EPSILON / 2 : 0) * fabs(x) + 40 * DBL_EPSILON * fabs(x);
}

typedef struct fixture {
    int k, single;
    size_t n, width; /* lanes, k n */
    double *data, *coefficient, *x;
    path_rows rows;
} fixture;

static double *normals(size_t count, uint32_t stream)
{
    double *x = memory_doubles(count);
    assert_non_null(x);
    random_normals((random_key){SEED, 0, stream}, 0, 0, count, x);
    return x;
}

static void fixture_init(fixture *f, int k, size_t n, int single)
{
    *f = (fixture){.k = k, .n = n, .width = (size_t)k * n, .single = single};
    f->data = normals(GROUPS * f->width, 1);
    f->coefficient = normals((size_t)(k * k * GROUPS), 2);
    f->x = normals(f->width, 3);
    assert_int_equal(rows_from(k, n, GROUPS, single, f->data, &f->rows), 0);
}

static void fixture_clear(fixture *f)
{
    rows_clear(&f->rows);
    free(f->data);
    free(f->coefficient);
    free(f->x);
}

static void check_combine(const fixture *f, int groups)
{
    double *out = normals(f->width, 4), *before = normals(f->width, 4);
    size_t stride = (size_t)(f->k * GROUPS);
    rows_combine(&f->rows, groups, stride, f->coefficient, out);
    for (size_t a = 0; a < (size_t)f->k; a++)
        for (size_t p = 0; p < f->n; p++) {
            double want = before[a * f->n + p], allowed = rounding(0, want);
            for (size_t b = 0; b < (size_t)(f->k * groups); b++) {
                double term = f->coefficient[a * stride + b] * f->data[b * f->n + p];
                want += term;
                allowed += rounding(f->single, term);
            }
            check_near(out[a * f->n + p], want, allowed, "k = %d, %zu lanes, %d groups: row %zu, lane %zu", f->k, f->n,
                       groups, a, p);
        }
    free(out);
    free(before);
}

static void check_outer(const fixture *f, int groups)
{
    size_t columns = (size_t)(f->k * groups);
    double *out = normals((size_t)f->k * columns, 5), *before = normals((size_t)f->k * columns, 5);
    rows_outer(&f->rows, groups, f->x, out);
    for (size_t a = 0; a < (size_t)f->k; a++)
        for (size_t b = 0; b < columns; b++) {
            double want = before[a * columns + b], allowed = rounding(0, want);
            for (size_t p = 0; p < f->n; p++) {
                double term = f->x[a * f->n + p] * f->data[b * f->n + p];
                want += term;
                allowed += rounding(f->single, term);
            }
            check_near(out[a * columns + b], want, allowed, "k = %d, %zu lanes, %d groups: product %zu %zu", f->k, f->n,
                       groups, a, b);
        }
    free(out);
    free(before);
}

static void check_group(const fixture *f)
{
    double *room = memory_doubles(f->width);
    assert_non_null(room);
    rows_set(&f->rows, 4, f->x);
    const double *got = rows_get(&f->rows, 4, room);
    for (size_t p = 0; p < f->width; p++)
        check_near(got[p], f->x[p], rounding(f->single, f->x[p]), "group that was set, entry %zu", p);
    free(room);
}

static void test_sums(void **state)
{
    static const size_t lanes[] = {504, 24, 16, 13, 1};
    for (int k = 1; k <= 5; k++)
        for (size_t i = 0; i < sizeof lanes / sizeof *lanes; i++)
            for (int single = 0; single < 2; single++) {
                fixture f;
                fixture_init(&f, k, lanes[i], single);
                for (int groups = 0; groups <= GROUPS; groups += groups < 3 ? 1 : 4) {
                    check_combine(&f, groups);
                    check_outer(&f, groups);
                }
                check_group(&f);
                fixture_clear(&f);
            }
}

/* The rows of all nodes from sums and moments of all cells. */
static void test_close_cell(void **state)
{
    enum { CELLS = 4, LANES = 21 };
    for (int single = 0; single < 2; single++) {
        double *S = normals(CELLS * LANES, 6), *B = normals(CELLS * LANES, 7), room[LANES];
        path_rows nodes;
        assert_int_equal(rows_new(1, LANES, CELLS + 1, single, &nodes), 0);
        rows_set(&nodes, 0, (const double[LANES]){0});
        for (int c = 0; c < CELLS; c++)
            rows_close_cell(&nodes, c, S + c * LANES, B + c * LANES);
        for (int j = 0; j <= CELLS; j++) {
            const double *got = rows_get(&nodes, j, room);
            for (int p = 0; p < LANES; p++) {
                double before = j > 0 ? B[(j - 1) * LANES + p] : 0;
                double own = j < CELLS ? S[j * LANES + p] - B[j * LANES + p] : 0;
                check_near(got[p], before + own, rounding(single, before) + rounding(single, before + own),
                           "row of node %d, lane %d", j, p);
            }
        }
        rows_clear(&nodes);
        free(S);
        free(B);
    }
}

/* The averages at the last node from rows in single precision, which are other numbers than from exact ones, but nearer
   than a millionth of their noise. */
static void test_averages(void **state)
{
    path_case f;
    path_case_init(&f, "sgd", &smooth_schedule, 2.5, "response: stein, ", 3000);
    path_case_draw(&f, 23);
    const path_plan *exact = &f.t.plan.on_grid[GRID_FINE];
    path_plan single = *exact;
    single.single = 1;
    test_blocks all[2] = {test_blocks_new_on(&f.t, exact, f.paths), test_blocks_new_on(&f.t, &single, f.paths)};
    assert_null(all[0].block[0].history.kicks.single);
    assert_null(all[1].block[0].history.kicks.exact);
    for (int which = 0; which < 2; which++) {
        test_blocks_start(&all[which]);
        for (int i = 0; i < STEPS; i++) {
            test_blocks_advance(&all[which], f.kern, i);
            test_blocks_accept(&all[which]);
        }
    }
    size_t used = averages_used(&exact->at, STEPS), differ = 0;
    for (size_t c = 0; c < used; c++) {
        check_near(all[1].sums[c], all[0].sums[c], 1e-6 * (1 + fabs(all[0].sums[c])) / sqrt(3000), "average %zu", c);
        differ += all[1].sums[c] != all[0].sums[c];
    }
    assert_true(2 * differ > used);
    for (int which = 0; which < 2; which++)
        test_blocks_clear(&all[which]);
    path_case_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_close_cell),
        cmocka_unit_test(test_averages),
    };
    return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
