/* Legendre moments and the maps by which those of two cells become those of one, against their definition. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "merged/kernels.h"
#include "paths/rows.h"
#include "support/check.h"

static const double SHARES[] = {0.5, 0.31, 0.8, 0.02};
enum { SHARE_COUNT = sizeof SHARES / sizeof *SHARES };

/* The orthonormal polynomials, from their definition and not from moments.h. */
static double phi(int a, double u)
{
    return a ? sqrt(3) * (2 * u - 1) : 1;
}

static const double GAUSS_PLACE[4] = {0.0694318442029737, 0.3300094782075719, 0.6699905217924281, 0.9305681557970263};
static const double GAUSS_WEIGHT[4] = {0.1739274225687269, 0.3260725774312731, 0.3260725774312731, 0.1739274225687269};

/* int_0^1 f(from + (to - from) u) phi_a(u) du by 4 Gauss points in each of 64 parts. */
static double coefficient(int a, double (*f)(double), double from, double to)
{
    enum { PARTS = 64 };
    double sum = 0;
    for (int part = 0; part < PARTS; part++)
        for (int i = 0; i < 4; i++) {
            double u = (part + GAUSS_PLACE[i]) / PARTS;
            sum += GAUSS_WEIGHT[i] / PARTS * f(from + (to - from) * u) * phi(a, u);
        }
    return sum;
}

static double wavy(double u)
{
    return exp(-1.3 * u) + 0.4 * sin(5 * u);
}

static double line(double u)
{
    return 0.7 - 1.9 * u;
}

static double slope_alone(double u)
{
    return moment_slope(u);
}

static void test_polynomials(void **state)
{
    for (double u = 0; u <= 1; u += 0.125) {
        check_near(moment_slope(u), phi(1, u), 1e-15, "phi_1 at %g", u);
        /* the integral from 0 to u */
        check_near(moment_slope_integral(u), u * coefficient(0, slope_alone, 0, u), 1e-13, "integral to %g", u);
    }
}

/* phi_a of the whole, in the place of a part, is the combination of the polynomials of the part. */
static void test_map(void **state)
{
    for (int s = 0; s < SHARE_COUNT; s++) {
        moment_map map = moment_map_of(SHARES[s]);
        check_near(map.share[0], SHARES[s], 1e-15, "left share");
        check_near(map.share[1], 1 - SHARES[s], 1e-15, "right share");
        for (int part = 0; part < 2; part++)
            for (double v = 0; v <= 1; v += 0.25) {
                double u = part ? SHARES[s] + (1 - SHARES[s]) * v : SHARES[s] * v;
                check_near(map.onto_mean[part] + map.onto_slope[part] * phi(1, v), phi(1, u), 1e-14,
                           "part %d, place %g", part, v);
            }
    }
}

/* Point masses on both parts: the moments of all of them are the combination of the moments of the parts. */
static void test_measure(void **state)
{
    enum { POINTS = 7, K = 3 };
    for (int s = 0; s < SHARE_COUNT; s++) {
        moment_map map = moment_map_of(SHARES[s]);
        double row[2 * MOMENTS * K] = {0}, want[MOMENTS * K] = {0}, place[POINTS], mass[POINTS * K];
        random_uniforms((random_key){31, 0, 80}, (uint64_t)s, 0, POINTS, place);
        random_normals((random_key){31, 0, 81}, (uint64_t)s, 0, POINTS * K, mass);
        for (int i = 0; i < POINTS; i++) {
            int part = i % 2;
            double v = place[i], u = part ? SHARES[s] + (1 - SHARES[s]) * v : SHARES[s] * v;
            for (int a = 0; a < MOMENTS; a++)
                for (int x = 0; x < K; x++) {
                    row[(MOMENTS * part + a) * K + x] += mass[i * K + x] * phi(a, v);
                    want[a * K + x] += mass[i * K + x] * phi(a, u);
                }
        }
        merged_row_merge(row, K, 2, 0, &map, 1);
        for (int x = 0; x < MOMENTS * K; x++)
            check_near(row[x], want[x], 1e-13, "moment %d, share %g", x, SHARES[s]);
    }
}

/* Coefficients of a function on two parts become those of its L2 projection on the whole, and a line is kept. */
static void test_function(void **state)
{
    double (*const functions[])(double) = {wavy, line};
    for (int s = 0; s < SHARE_COUNT; s++)
        for (int f = 0; f < 2; f++) {
            moment_map map = moment_map_of(SHARES[s]);
            double row[2 * MOMENTS];
            for (int x = 0; x < 2 * MOMENTS; x++)
                row[x] = coefficient(x % 2, functions[f], x < 2 ? 0 : SHARES[s], x < 2 ? SHARES[s] : 1);
            merged_row_merge(row, 1, 2, 0, &map, 0);
            for (int a = 0; a < MOMENTS; a++)
                check_near(row[a], coefficient(a, functions[f], 0, 1), 1e-13, "coefficient %d, share %g", a, SHARES[s]);
            /* the integral of a function is the same before and after */
            check_near(row[0], coefficient(0, functions[f], 0, 1), 1e-13, "mean, share %g", SHARES[s]);
            if (functions[f] == line)
                check_near(row[0] + row[1] * phi(1, 0.3), line(0.3), 1e-13, "line, share %g", SHARES[s]);
        }
}

/* Rows of several cells: cells before the pair are left alone, those after it move down. */
static void test_rows(void **state)
{
    enum { CELLS = 5, WIDTH = 3, ALL = CELLS * MOMENTS * WIDTH };
    for (int moment = 0; moment < 2; moment++)
        for (int c = 0; c + 1 < CELLS; c++) {
            moment_map map = moment_map_of(0.4);
            double before[ALL], row[ALL];
            random_normals((random_key){32, 0, 80}, 1, 0, ALL, before);
            memcpy(row, before, sizeof row);
            merged_row_merge(row, WIDTH, CELLS, c, &map, moment);
            assert_memory_equal(row, before, sizeof(double) * (size_t)(c * MOMENTS * WIDTH));
            assert_memory_equal(row + (c + 1) * MOMENTS * WIDTH, before + (c + 2) * MOMENTS * WIDTH,
                                sizeof(double) * (size_t)((CELLS - c - 2) * MOMENTS * WIDTH));
            for (int x = 0; x < WIDTH; x++) {
                const double *first = before + c * MOMENTS * WIDTH + x, *second = first + MOMENTS * WIDTH;
                double left = moment ? 1 : 0.4, right = moment ? 1 : 0.6;
                check_near(row[c * MOMENTS * WIDTH + x], left * first[0] + right * second[0], 1e-14, "mean of %d", x);
                check_near(row[(c * MOMENTS + 1) * WIDTH + x],
                           left * (-sqrt(3) * 0.6 * first[0] + 0.4 * first[WIDTH]) +
                               right * (sqrt(3) * 0.4 * second[0] + 0.6 * second[WIDTH]),
                           1e-14, "slope of %d, moment %d", x, moment);
            }
        }
}

/* Functions and measures that are merged together keep int R dX where R is a line over both parts. */
static void test_pairing(void **state)
{
    for (int s = 0; s < SHARE_COUNT; s++) {
        moment_map map = moment_map_of(SHARES[s]);
        double R[4], X[4], before = 0;
        random_normals((random_key){33, 0, 80}, (uint64_t)s, 0, 4, X);
        for (int x = 0; x < 4; x++) {
            R[x] = coefficient(x % 2, line, x < 2 ? 0 : SHARES[s], x < 2 ? SHARES[s] : 1);
            before += R[x] * X[x];
        }
        merged_row_merge(R, 1, 2, 0, &map, 0);
        merged_row_merge(X, 1, 2, 0, &map, 1);
        check_near(R[0] * X[0] + R[1] * X[1], before, 1e-13, "share %g", SHARES[s]);
    }
}

/* The rows of paths, in single precision, follow the same rule. */
static void test_single_precision(void **state)
{
    enum { CELLS = 4, K = 2, LANES = 37, WIDTH = K * LANES, ALL = CELLS * MOMENTS * WIDTH };
    for (int c = 0; c + 1 < CELLS; c++) {
        moment_map map = moment_map_of(0.37);
        double *data = memory_doubles(ALL), room[WIDTH];
        path_rows rows;
        assert_non_null(data);
        random_normals((random_key){34, 0, 80}, 1, 0, ALL, data);
        assert_int_equal(rows_from(K, LANES, CELLS * MOMENTS, 1, data, &rows), 0);
        rows_merge(&rows, MOMENTS * c, MOMENTS * CELLS, map.onto_mean, map.onto_slope);
        merged_row_merge(data, WIDTH, CELLS, c, &map, 1);
        for (int group = 0; group < MOMENTS * (CELLS - 1); group++) {
            const double *got = rows_get(&rows, group, room);
            /* values are below 10, and are rounded twice with 6e-8 of themselves */
            for (int x = 0; x < WIDTH; x++)
                check_near(got[x], data[group * WIDTH + x], 2e-6, "pair %d, group %d, entry %d", c, group, x);
        }
        rows_clear(&rows);
        free(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_polynomials),      cmocka_unit_test(test_map),  cmocka_unit_test(test_measure),
        cmocka_unit_test(test_function),         cmocka_unit_test(test_rows), cmocka_unit_test(test_pairing),
        cmocka_unit_test(test_single_precision),
    };
    return cmocka_run_group_tests_name("moments", tests, NULL, NULL);
}
