/* The inner loops of a block against plain sums, lane by lane: one to four students, numbers of lanes that fill vectors
   and some that do not. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "kernels/averages.h"
#include "paths/lanes.h"
#include "support/check.h"

enum { K_MOST = 4, SLOTS = 6, STEPS = 9 };

static const size_t LANES[] = {1, 7, 16, 24, 45};
enum { LANE_CASES = sizeof LANES / sizeof *LANES };

/* Room for the loops of one case. */
typedef struct fixture {
    int k;
    size_t n, kk;
    uint64_t next; /* random numbers so far */
} fixture;

static double *normals(fixture *f, size_t count)
{
    double *x = memory_doubles(count);
    assert_non_null(x);
    random_normals((random_key){8111, 0, 97}, f->next++, 0, count, x);
    return x;
}

static void check_array(const fixture *f, const char *what, size_t count, const double *got, const double *want)
{
    for (size_t i = 0; i < count; i++)
        check_near(got[i], want[i], 1e-12 * (1 + fabs(want[i])), "%s, k = %d, %zu lanes, entry %zu", what, f->k, f->n,
                   i);
}

/* A matrix of one lane: of a k x k block [k k][n]. */
static void matrix_of(const fixture *f, const double *block, size_t p, double out[K_MOST * K_MOST])
{
    for (size_t x = 0; x < f->kk; x++)
        out[x] = block[x * f->n + p];
}

/* out += sign x y */
static void multiply(const fixture *f, double sign, const double *x, const double *y, double *out)
{
    for (int a = 0; a < f->k; a++)
        for (int b = 0; b < f->k; b++)
            for (int l = 0; l < f->k; l++)
                out[a * f->k + b] += sign * x[a * f->k + l] * y[l * f->k + b];
}

static void put(const fixture *f, const double *matrix, size_t p, double *block)
{
    for (size_t x = 0; x < f->kk; x++)
        block[x * f->n + p] = matrix[x];
}

static void check_fill_and_sum(fixture *f)
{
    double *x = normals(f, 3 * f->n), got[3] = {0.3, -0.2, 0.1}, want[3] = {0.3, -0.2, 0.1};
    for (size_t a = 0; a < 3; a++)
        for (size_t p = 0; p < f->n; p++)
            want[a] += x[a * f->n + p];
    lanes_sum(3, f->n, x, got);
    check_array(f, "sum", 3, got, want);
    lanes_fill(f->n, 0.7, x);
    for (size_t p = 0; p < f->n; p++)
        assert_true(x[p] == 0.7);
    free(x);
}

static void check_multiply(fixture *f)
{
    enum { COUNT = 3 };
    size_t width = f->kk * f->n;
    double *x = normals(f, width), *y = normals(f, COUNT * width), *shared = normals(f, f->kk);
    double *got = normals(f, COUNT * width), *want = memory_doubles(COUNT * width);
    memcpy(want, got, sizeof(double) * width);
    lanes_multiply(f->k, f->n, shared, y, got);
    for (size_t p = 0; p < f->n; p++) {
        double right[K_MOST * K_MOST], sum[K_MOST * K_MOST];
        matrix_of(f, y, p, right);
        matrix_of(f, want, p, sum);
        multiply(f, 1, shared, right, sum);
        put(f, sum, p, want);
    }
    check_array(f, "one matrix for all lanes", width, got, want);
    lanes_multiply_each(f->k, f->n, COUNT, x, y, got);
    for (size_t c = 0; c < COUNT; c++)
        for (size_t p = 0; p < f->n; p++) {
            double left[K_MOST * K_MOST], right[K_MOST * K_MOST], sum[K_MOST * K_MOST] = {0};
            matrix_of(f, x, p, left);
            matrix_of(f, y + c * width, p, right);
            multiply(f, 1, left, right, sum);
            put(f, sum, p, want + c * width);
        }
    check_array(f, "a matrix for each lane", COUNT * width, got, want);
    free(x);
    free(y);
    free(shared);
    free(got);
    free(want);
}

/* A kernel row at visits, and the rows of visits added to those of cells. */
static void check_visits(fixture *f)
{
    size_t plane = STEPS + 2, width = f->kk * f->n;
    double *row = normals(f, f->kk * plane), *u = memory_doubles(2 * SLOTS * f->n), *place = u + SLOTS * f->n;
    double *got = normals(f, SLOTS * width), *want = memory_doubles(SLOTS * width);
    int *cell = memory_zeroed(SLOTS * f->n, sizeof *cell);
    size_t size = STEPS * 3 * f->kk;
    double *rows = normals(f, size), *expected = memory_doubles(size);
    assert_true(u && want && cell && expected);
    random_uniforms((random_key){8112, 0, 97}, f->next, 0, 2 * SLOTS * f->n, u);
    for (size_t i = 0; i < SLOTS * f->n; i++)
        cell[i] = (int)(STEPS * u[i]);
    for (size_t b = 0; b < SLOTS; b++)
        for (size_t x = 0; x < f->kk; x++)
            for (size_t p = 0; p < f->n; p++) {
                const double *R = row + x * plane + cell[b * f->n + p];
                want[(b * f->kk + x) * f->n + p] = (1 - place[b * f->n + p]) * R[0] + place[b * f->n + p] * R[1];
            }
    lanes_response(f->k, f->n, SLOTS, (response_row){row, plane}, cell, place, got);
    check_array(f, "kernel row at visits", SLOTS * width, got, want);
    memcpy(expected, rows, sizeof(double) * size);
    for (size_t b = 0; b < SLOTS; b++) {
        lanes_scatter(f->k, f->n, cell + b * f->n, place + b * f->n, got + b * width, rows);
        for (size_t x = 0; x < f->kk; x++)
            for (size_t p = 0; p < f->n; p++) {
                double *of_cell = expected + (size_t)cell[b * f->n + p] * 3 * f->kk + x,
                       value = want[(b * f->kk + x) * f->n + p];
                of_cell[RESPONSE_LEFT * f->kk] += (1 - place[b * f->n + p]) * value;
                of_cell[RESPONSE_RIGHT * f->kk] += place[b * f->n + p] * value;
            }
    }
    check_array(f, "rows of cells", size, rows, expected);
    free(row);
    free(u);
    free(got);
    free(want);
    free(cell);
    free(rows);
    free(expected);
}

static void check_chains(fixture *f)
{
    size_t width = f->kk * f->n;
    double *rho = normals(f, SLOTS * width), *chain = normals(f, SLOTS * (SLOTS + 1) / 2 * width),
           *G = normals(f, width);
    double *row = normals(f, SLOTS * f->kk), *work = normals(f, width), *got = normals(f, SLOTS * width);
    double *want = memory_doubles(SLOTS * width);
    for (int shared = 0; shared < 2; shared++) {
        for (size_t first = 0; first < SLOTS; first++)
            for (size_t p = 0; p < f->n; p++) {
                double sum[K_MOST * K_MOST] = {0}, left[K_MOST * K_MOST], x[K_MOST * K_MOST], y[K_MOST * K_MOST];
                double out[K_MOST * K_MOST] = {0};
                for (size_t b = first; b < SLOTS; b++) {
                    matrix_of(f, rho + b * width, p, x);
                    matrix_of(f, chain + (b * (b + 1) / 2 + first) * width, p, y);
                    multiply(f, shared ? 1 : -1, shared ? row + b * f->kk : x, y, sum);
                }
                matrix_of(f, G, p, left);
                multiply(f, 1, left, sum, out);
                put(f, out, p, want + first * width);
            }
        if (shared)
            lanes_chain_shared(f->k, f->n, SLOTS, row, chain, G, work, got);
        for (int first = 0; first < SLOTS && !shared; first++)
            lanes_chain(f->k, f->n, SLOTS, first, rho, chain, G, work, got + (size_t)first * width);
        check_array(f, shared ? "chains with a shared row" : "chains", SLOTS * width, got, want);
    }
    free(rho);
    free(chain);
    free(G);
    free(row);
    free(work);
    free(got);
    free(want);
}

/* out[b] = (G node[b] + sum_{a > b} out[a] between(a, b)) slope[b] */
static void check_adjoint(fixture *f)
{
    size_t width = f->kk * f->n, k = (size_t)f->k;
    double *node = normals(f, SLOTS * f->kk), *between = normals(f, STEPS * k * STEPS * k),
           *slope = normals(f, SLOTS * width);
    double *G = normals(f, width), *work = normals(f, width), *rows = normals(f, SLOTS * width);
    double *got = normals(f, SLOTS * width), *want = memory_doubles(SLOTS * width);
    for (size_t p = 0; p < f->n; p++)
        for (size_t b = SLOTS; b-- > 0;) {
            double sum[K_MOST * K_MOST] = {0}, left[K_MOST * K_MOST], right[K_MOST * K_MOST],
                                out[K_MOST * K_MOST] = {0};
            matrix_of(f, G, p, left);
            multiply(f, 1, left, node + b * f->kk, sum);
            for (size_t a = b + 1; a < SLOTS; a++) {
                matrix_of(f, want + a * width, p, left);
                for (size_t c = 0; c < k; c++)
                    for (size_t l = 0; l < k; l++)
                        right[l * k + c] = between[((b * k + c) * STEPS + a) * k + l];
                multiply(f, 1, left, right, sum);
            }
            matrix_of(f, slope + b * width, p, right);
            multiply(f, 1, sum, right, out);
            put(f, out, p, want + b * width);
        }
    lanes_adjoint(f->k, f->n, SLOTS, STEPS, node, between, slope, G, work, rows, got);
    for (size_t i = 0; i < SLOTS * width; i++)
        check_near(got[i], want[i], 1e-10 * (1 + fabs(want[i])), "adjoint, k = %d, %zu lanes, entry %zu", f->k, f->n,
                   i);
    free(node);
    free(between);
    free(slope);
    free(G);
    free(work);
    free(rows);
    free(got);
    free(want);
}

/* Positions and kicks of visits on every other lane. */
static void check_group(fixture *f)
{
    size_t k = (size_t)f->k, n = f->n, count = (n + 1) / 2, width = k * n;
    int *lane = memory_zeroed(count, sizeof *lane);
    double *place = memory_doubles(count), *root = normals(f, f->kk), *bridge = normals(f, k * count);
    double *start = normals(f, width), *end = normals(f, width), *got = normals(f, k * count),
           *want = memory_doubles(k * count);
    double *slope = normals(f, f->kk), *S = normals(f, width), *B = normals(f, width), *step = normals(f, count);
    double *sum = memory_doubles(width), *moment = memory_doubles(width);
    random_uniforms((random_key){8113, 0, 97}, f->next, 0, count, place);
    for (size_t v = 0; v < count; v++)
        lane[v] = (int)(2 * v);
    lanes_visit(f->k, n, count, lane, place, root, bridge, start, end, got);
    for (size_t a = 0; a < k; a++)
        for (size_t v = 0; v < count; v++) {
            size_t at = a * n + 2 * v;
            want[a * count + v] = (1 - place[v]) * start[at] + place[v] * end[at];
            for (size_t l = 0; l < k; l++)
                want[a * count + v] -= root[a * k + l] * bridge[l * count + v];
        }
    check_array(f, "positions at visits", k * count, got, want);
    double *fade = normals(f, count);
    lanes_visit_again(f->k, n, count, lane, place, fade, slope, S, B, got);
    for (size_t a = 0; a < k; a++)
        for (size_t v = 0; v < count; v++) {
            want[a * count + v] -= S[a * n + 2 * v];
            for (size_t l = 0; l < k; l++)
                want[a * count + v] -= slope[a * k + l] * (place[v] * S[l * n + 2 * v] - fade[v] * B[l * n + 2 * v]);
        }
    check_array(f, "positions at later visits", k * count, got, want);
    memcpy(sum, S, sizeof(double) * width);
    memcpy(moment, B, sizeof(double) * width);
    lanes_kick(f->k, n, count, lane, place, step, got, S, B);
    for (size_t a = 0; a < k; a++)
        for (size_t v = 0; v < count; v++) {
            sum[a * n + 2 * v] += step[v] * got[a * count + v];
            moment[a * n + 2 * v] += place[v] * step[v] * got[a * count + v];
        }
    check_array(f, "sums of kicks", width, S, sum);
    check_array(f, "moments of kicks", width, B, moment);
    double *const all[] = {place, root, bridge, start, end, got, want, slope, S, B, step, sum, moment, fade};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(lane);
}

/* Of any numbers of rows and columns. */
static void check_combine_and_outer(fixture *f)
{
    for (int columns = 1; columns <= 19; columns += 6) {
        size_t k = (size_t)f->k, n = f->n, stride = (size_t)columns + 3;
        double *c = normals(f, k * stride), *x = normals(f, (size_t)columns * n), *got = normals(f, k * n);
        double *want = memory_doubles(k * n), *y = normals(f, k * n), *product = normals(f, k * (size_t)columns);
        double *expected = memory_doubles(k * (size_t)columns);
        memcpy(want, got, sizeof(double) * k * n);
        memcpy(expected, product, sizeof(double) * k * (size_t)columns);
        for (size_t a = 0; a < k; a++)
            for (size_t b = 0; b < (size_t)columns; b++)
                for (size_t p = 0; p < n; p++) {
                    want[a * n + p] += c[a * stride + b] * x[b * n + p];
                    expected[a * (size_t)columns + b] += y[a * n + p] * x[b * n + p];
                }
        lanes_combine(f->k, columns, stride, n, c, x, got);
        check_array(f, "combination", k * n, got, want);
        lanes_outer(f->k, columns, n, y, x, product);
        check_array(f, "outer product", k * (size_t)columns, product, expected);
        double *const all[] = {c, x, got, want, y, product, expected};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
            free(all[i]);
    }
}

/* The loops of last_visit.c, one after the other. */
static void check_insertion(fixture *f)
{
    size_t k = (size_t)f->k, n = f->n, width = k * n;
    double *S = normals(f, width), *B = normals(f, width), *base = normals(f, width), *of_sum = normals(f, f->kk);
    double *of_moment = normals(f, f->kk), *g = normals(f, width), *kick = normals(f, width), *r = normals(f, width);
    double *later = normals(f, width), *want_base = memory_doubles(width), *want_later = memory_doubles(width);
    double got[4 * K_MOST * K_MOST], want[4 * K_MOST * K_MOST] = {0};
    memcpy(want_base, base, sizeof(double) * width);
    memcpy(want_later, later, sizeof(double) * width);
    lanes_take_back(f->k, n, of_sum, of_moment, S, B, base);
    for (size_t a = 0; a < k; a++)
        for (size_t b = 0; b < k; b++)
            for (size_t p = 0; p < n; p++)
                want_base[a * n + p] += of_sum[a * k + b] * S[b * n + p] + of_moment[a * k + b] * B[b * n + p];
    check_array(f, "kicks taken back", width, base, want_base);
    lanes_insert(f->k, n, 0.83, of_sum, g, base, kick, r);
    for (size_t a = 0; a < k; a++)
        for (size_t p = 0; p < n; p++) {
            double position = base[a * n + p];
            for (size_t b = 0; b < k; b++)
                position -= of_sum[a * k + b] * 0.83 * g[b * n + p];
            check_near(kick[a * n + p], 0.83 * g[a * n + p], 1e-15 * (1 + fabs(g[a * n + p])), "inserted kick");
            check_near(r[a * n + p], position, 1e-12 * (1 + fabs(position)), "position after an insertion");
        }
    for (size_t a = 0; a < k; a++)
        for (size_t b = 0; b < k; b++)
            for (size_t p = 0; p < n; p++) {
                want[a * k + b] += g[a * n + p] * g[b * n + p];
                want[f->kk + a * k + b] += g[a * n + p] * r[b * n + p];
                want[2 * f->kk + a * k + b] += g[a * n + p] * kick[b * n + p];
                want[3 * f->kk + a * k + b] += later[a * n + p] * S[b * n + p];
            }
    lanes_insertion_products(f->k, n, 0.37, g, r, kick, S, later, got);
    check_array(f, "products of an insertion", 4 * f->kk, got, want);
    for (size_t i = 0; i < width; i++)
        want_later[i] += 0.37 * g[i];
    check_array(f, "gradients so far", width, later, want_later);
    double *const all[] = {S, B, base, of_sum, of_moment, g, kick, r, later, want_base, want_later};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void for_all_sizes(void (*check)(fixture *f))
{
    for (int k = 1; k <= K_MOST; k++)
        for (size_t i = 0; i < LANE_CASES; i++) {
            fixture f = {.k = k, .n = LANES[i], .kk = (size_t)(k * k)};
            check(&f);
        }
}

static void test_fill_and_sum(void **state)
{
    for_all_sizes(check_fill_and_sum);
}

static void test_multiply(void **state)
{
    for_all_sizes(check_multiply);
}

static void test_visits(void **state)
{
    for_all_sizes(check_visits);
}

static void test_chains(void **state)
{
    for_all_sizes(check_chains);
}

static void test_adjoint(void **state)
{
    for_all_sizes(check_adjoint);
}

static void test_group(void **state)
{
    for_all_sizes(check_group);
}

static void test_combine_and_outer(void **state)
{
    for_all_sizes(check_combine_and_outer);
}

static void test_insertion(void **state)
{
    for_all_sizes(check_insertion);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fill_and_sum),
        cmocka_unit_test(test_multiply),
        cmocka_unit_test(test_visits),
        cmocka_unit_test(test_chains),
        cmocka_unit_test(test_adjoint),
        cmocka_unit_test(test_group),
        cmocka_unit_test(test_combine_and_outer),
        cmocka_unit_test(test_insertion),
    };
    return cmocka_run_group_tests_name("lanes", tests, NULL, NULL);
}
