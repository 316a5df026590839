/* The history of paths against plain sums over all their kicks: any number of students, rows in double and in single
   precision, grids with and without epochs, kernels without structure. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "paths/history.h"
#include "support/check.h"
#include "support/schedule.h"

enum { STEPS = 20, LANES = 37, KICKS = 60, K_MOST = 3 };

static const double HORIZON = 3.4;

/* Kicks of every lane, at random times: [KICKS] events, in no order. */
typedef struct kicks {
    int cell[LANES][KICKS];
    double place[LANES][KICKS], kick[LANES][KICKS][K_MOST];
} kicks;

typedef struct fixture {
    sgdmft_context *ctx;
    schedule *eta;
    time_grid *grid;
    kernels *kern;
    kicks *events;
    double *xi, *x, *zero, *S, *B; /* S and B: [STEPS][k][LANES] */
    double *row, *r;
    history_plan plan;
    path_history history;
} fixture;

static double *normals(size_t count, uint64_t item)
{
    double *x = memory_doubles(count);
    assert_non_null(x);
    random_normals((random_key){7319, 0, 94}, item, 0, count, x);
    return x;
}

static void fill_kernels(kernels *kern)
{
    size_t kk = (size_t)(kern->k * kern->k), n = (size_t)kern->k * STEPS;
    double *z = normals(kk * (STEPS + 1) * STEPS, 1), *v = normals((STEPS + 1) * (size_t)kern->k * n, 2);
    for (size_t x = 0; x < kk; x++)
        for (int i = 0; i <= STEPS; i++)
            for (int j = 0; j < i; j++)
                kernels_R(kern, (int)x, i)[j] = z[(x * (STEPS + 1) + (size_t)i) * STEPS + (size_t)j];
    for (int i = 1; i <= STEPS; i++)
        for (int a = 0; a < kern->k; a++)
            memcpy(kernels_V(kern, i, a), v + ((size_t)i * (size_t)kern->k + (size_t)a) * n,
                   sizeof(double) * (size_t)(kern->k * i));
    free(z);
    free(v);
}

static kicks *draw_kicks(int k)
{
    kicks *e = calloc(1, sizeof *e);
    assert_non_null(e);
    for (int p = 0; p < LANES; p++) {
        double u[2 * KICKS], z[KICKS * K_MOST];
        random_uniforms((random_key){7320, 0, 94}, (uint64_t)p, 0, 2 * KICKS, u);
        random_normals((random_key){7321, 0, 94}, (uint64_t)p, 0, KICKS * K_MOST, z);
        for (int b = 0; b < KICKS; b++) {
            e->cell[p][b] = (int)(STEPS * u[2 * b]);
            e->place[p][b] = u[2 * b + 1];
            memcpy(e->kick[p][b], z + b * K_MOST, sizeof(double) * (size_t)k);
        }
    }
    return e;
}

static void sum_kicks(fixture *f)
{
    size_t width = (size_t)f->plan.k * LANES;
    f->S = memory_doubles(STEPS * width);
    f->B = memory_doubles(STEPS * width);
    assert_true(f->S && f->B);
    for (int p = 0; p < LANES; p++)
        for (int b = 0; b < KICKS; b++)
            for (int a = 0; a < f->plan.k; a++) {
                size_t at = (size_t)f->events->cell[p][b] * width + (size_t)(a * LANES + p);
                f->S[at] += f->events->kick[p][b][a];
                f->B[at] += f->events->place[p][b] * f->events->kick[p][b][a];
            }
}

static void fixture_init(fixture *f, int k, int single, int last_visit, double epoch)
{
    static const double moments[K_MOST * K_MOST] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    *f = (fixture){.ctx = check_context(1)};
    check_ok(f->ctx, schedule_of(f->ctx, "1", HORIZON, &f->eta));
    check_ok(f->ctx, time_grid_new(f->ctx, STEPS, HORIZON, 1.2, f->eta, epoch, &f->grid));
    kernels_plan of_kernels = {.k = k,
                               .kstar = 1,
                               .delta = 1,
                               .white_noise = 1,
                               .grid = f->grid,
                               .q0 = moments,
                               .m0 = moments + 1,
                               .rho = moments};
    check_ok(f->ctx, kernels_new(f->ctx, &of_kernels, &f->kern));
    fill_kernels(f->kern);
    f->plan = (history_plan){.k = k, .n = LANES, .grid = f->grid, .single = single, .last_visit = last_visit};
    f->events = draw_kicks(k);
    sum_kicks(f);
    f->xi = normals(STEPS * (size_t)k * LANES, 3);
    f->x = normals((size_t)k * LANES, 4);
    f->zero = memory_doubles((size_t)k * LANES);
    f->row = memory_doubles((size_t)(2 * k * k) * STEPS);
    assert_true(f->zero && f->row);
    assert_int_equal(path_history_new(&f->plan, f->xi, &f->history), 0);
    path_history_start(&f->history, f->zero);
}

static void fixture_clear(fixture *f)
{
    path_history_clear(&f->history);
    kernels_free(f->kern);
    time_grid_free(f->grid);
    schedule_free(f->eta);
    sgdmft_context_free(f->ctx);
    free(f->events);
    free(f->xi);
    free(f->x);
    free(f->zero);
    free(f->S);
    free(f->B);
    free(f->row);
}

/* The rounding of sums of numbers of total size `size`: of the rows, and of the sums themselves. */
static double rounding(const fixture *f, double size)
{
    return (f->plan.single ? 2 * FLT_EPSILON : 0) * size + 100 * DBL_EPSILON * size;
}

/* sum over the kicks of one lane in cells first .. last - 1 of component a of R(t_node, T_b) kick_b, R linear between
   nodes; and the sum of the sizes of its terms. */
static double recalled(const fixture *f, int node, int first, int last, int p, int a, double *size)
{
    double sum = 0;
    *size = 0;
    for (int b = 0; b < KICKS; b++) {
        int cell = f->events->cell[p][b];
        double x = f->events->place[p][b];
        for (int l = 0; l < f->plan.k && cell >= first && cell < last; l++) {
            const double *R = kernels_R(f->kern, a * f->plan.k + l, node);
            sum += ((1 - x) * R[cell] + x * R[cell + 1]) * f->events->kick[p][b][l];
            *size += (fabs(R[cell]) + fabs(R[cell + 1])) * fabs(f->events->kick[p][b][l]);
        }
    }
    return sum;
}

/* The kicks of the cell that ends at the node are not part of the history yet. */
static void check_recall(const fixture *f, int node, int first, int last)
{
    int k = f->plan.k, end = last == node ? node - 1 : last;
    double *r = normals((size_t)k * LANES, 5), *before = normals((size_t)k * LANES, 5);
    path_history_recall(&f->history, f->kern, node, first, last, f->row, r);
    for (int a = 0; a < k; a++)
        for (int p = 0; p < LANES; p++) {
            double size, sum = recalled(f, node, first, end, p, a, &size), want = before[a * LANES + p] - sum;
            check_near(r[a * LANES + p], want, rounding(f, size + fabs(want)),
                       "k = %d, node %d, cells %d to %d, lane %d", k, node, first, last, p);
        }
    free(r);
    free(before);
}

/* Ranges between 0, the beginnings of epochs, and the node. */
static void check_ranges(const fixture *f, int node)
{
    int bound[STEPS + 1], bounds = 0;
    for (int j = 0; j <= node; j++)
        if (j == 0 || j == node || f->grid->renewal[j])
            bound[bounds++] = j;
    for (int from = 0; from < bounds; from++)
        for (int to = from; to < bounds; to++)
            if (bound[from] < node)
                check_recall(f, node, bound[from], bound[to]);
}

static void check_field(const fixture *f, int node)
{
    int k = f->plan.k;
    double *own = normals((size_t)k * LANES, 6), *before = normals((size_t)k * LANES, 6);
    path_history_field(&f->history, f->kern, node, own);
    for (int a = 0; a < k; a++)
        for (int p = 0; p < LANES; p++) {
            double want = before[a * LANES + p], size = fabs(want);
            for (int x = 0; x < k * node; x++) {
                double term = kernels_V(f->kern, node, a)[x] * f->xi[x * LANES + p];
                want += term;
                size += fabs(term);
            }
            check_near(own[a * LANES + p], want, rounding(f, size), "k = %d, field at node %d, lane %d", k, node, p);
        }
    free(own);
    free(before);
}

/* x y_c^T summed over lanes is added to the rows of one kind and to nothing else. */
static void check_correlate(const fixture *f, const path_rows *of, const double *y, int cells)
{
    enum { KINDS = 3 };
    int k = f->plan.k, kk = k * k;
    averages_layout at = averages_layout_with(k, 1, STEPS, NULL, KINDS);
    for (int kind = 0; kind < KINDS; kind++) {
        double *sums = normals(at.size, 7), *before = normals(at.size, 7);
        path_history_correlate(of, &at, cells, kind, f->x, f->row, sums);
        for (int c = 0; c < STEPS; c++)
            for (int x = 0; x < kk * KINDS; x++) {
                size_t place = averages_used(&at, c) + (size_t)x;
                double want = before[place], size = fabs(want);
                for (int p = 0; p < LANES && c < cells && x / kk == kind; p++) {
                    double term = f->x[x % kk / k * LANES + p] * y[(c * k + x % k) * LANES + p];
                    want += term;
                    size += fabs(term);
                }
                check_near(sums[place], want, rounding(f, size), "k = %d, kind %d, cell %d of %d", k, kind, c, cells);
            }
        for (size_t x = 0; x < at.rows; x++)
            assert_true(sums[x] == before[x]);
        free(sums);
        free(before);
    }
}

/* Closed cells have their sums, in one row for each node, or in two where an epoch begins. */
static void check_rows(const fixture *f, int cells)
{
    size_t width = (size_t)f->plan.k * LANES;
    double *room = memory_doubles(width);
    assert_non_null(room);
    int row = 0;
    for (int j = 0; j < cells; j++) {
        const double *got = rows_get(&f->history.kicks, j, room), *S = f->S + (size_t)j * width,
                     *B = f->B + (size_t)j * width;
        for (size_t x = 0; x < width; x++)
            check_near(got[x], S[x], rounding(f, fabs(S[x])), "kicks of cell %d", j);
        if (f->plan.last_visit) {
            got = rows_get(&f->history.moments, j, room);
            for (size_t x = 0; x < width; x++)
                check_near(got[x], B[x], rounding(f, fabs(B[x])), "moments of cell %d", j);
        }
        int apart = j > 0 && f->grid->renewal[j];
        if (apart) {
            got = rows_get(&f->history.nodes, row++, room);
            for (size_t x = 0; x < width; x++)
                check_near(got[x], B[x - width], rounding(f, fabs(B[x - width])), "row of node %d, kicks before it", j);
        }
        assert_int_equal(f->history.row[j], row);
        got = rows_get(&f->history.nodes, row++, room);
        for (size_t x = 0; x < width; x++) {
            double before = j > 0 && !apart ? B[x - width] : 0;
            check_near(got[x], before + S[x] - B[x], rounding(f, fabs(before) + fabs(S[x]) + fabs(B[x])),
                       "row of node %d", j);
        }
    }
    free(room);
}

static void check_history(int k, int single, int last_visit, double epoch)
{
    fixture f;
    fixture_init(&f, k, single, last_visit, epoch);
    assert_true((f.history.moments.n > 0) == last_visit && (f.history.gradients.n > 0) == last_visit);
    for (int node = 1; node <= STEPS; node++) {
        size_t newest = (size_t)(node - 1) * (size_t)k * LANES;
        check_ranges(&f, node);
        check_field(&f, node);
        check_correlate(&f, &f.history.kicks, f.S, node - 1);
        check_correlate(&f, &f.history.normals, f.xi, node);
        path_history_close_cell(&f.history, f.grid, node - 1, f.S + newest, f.B + newest, f.zero);
        check_rows(&f, node);
    }
    fixture_clear(&f);
}

static void test_history(void **state)
{
    for (int k = 1; k <= K_MOST; k++)
        for (int single = 0; single < 2; single++)
            for (int epochs = 0; epochs < 2; epochs++)
                check_history(k, single, !epochs, epochs);
}

/* Bytes are those of the rows that a history has. */
static void test_bytes(void **state)
{
    for (int single = 0; single < 2; single++)
        for (int last_visit = 0; last_visit < 2; last_visit++)
            for (int epochs = 0; epochs < 2; epochs++) {
                fixture f;
                fixture_init(&f, 2, single, last_visit, epochs);
                double rows = STEPS + f.history.row[STEPS] + 1;
                if (single)
                    rows += STEPS; /* a copy of the normals */
                if (last_visit)
                    rows += STEPS + STEPS + 1;
                assert_int_equal(f.history.row[STEPS], STEPS + (epochs ? 3 : 0));
                assert_true(path_history_bytes(&f.plan) == (single ? 4 : 8) * 2 * LANES * rows);
                fixture_clear(&f);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_history), cmocka_unit_test(test_bytes)};
    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
