/* Scrambled Sobol' points: exact structure. Their statistics are in test_scramble.c. */
#include "support.h"

#include <omp.h>
#include <stdlib.h>

#include "core/sobol.h"

static const random_key base_key = {.seed = 0x2b7e151628aed2a6u, .replica = 2, .purpose = 9};

/* The first ten points that Joe and Kuo print for three dimensions; theirs are in Gray code order, i ^ (i / 2). */
static void published_points(void **state)
{
    static const double points[10][3] = {{0, 0, 0},
                                         {0.5, 0.5, 0.5},
                                         {0.75, 0.25, 0.25},
                                         {0.25, 0.75, 0.75},
                                         {0.375, 0.375, 0.625},
                                         {0.875, 0.875, 0.125},
                                         {0.625, 0.125, 0.875},
                                         {0.125, 0.625, 0.375},
                                         {0.1875, 0.3125, 0.9375},
                                         {0.6875, 0.8125, 0.4375}};
    for (unsigned i = 0; i < 10; i++)
        for (unsigned d = 0; d < 3; d++) {
            uint32_t digits;
            sobol_digits(d, i ^ (i >> 1), 1, &digits);
            assert_true(digits == points[i][d] * 0x1p32);
        }
}

/* All 32 direction numbers of all dimensions (the points 2^k) as SciPy 1.10.1 computes them: qmc.Sobol(256, bits=32)._sv
   gives this fingerprint, and a few of its values. */
static void direction_numbers(void **state)
{
    uint64_t print = FINGERPRINT_START;
    uint32_t v[SOBOL_DIMENSIONS][32];
    for (unsigned d = 0; d < SOBOL_DIMENSIONS; d++)
        for (unsigned k = 0; k < 32; k++) {
            sobol_digits(d, (uint64_t)1 << k, 1, &v[d][k]);
            print = fingerprint_word(print, v[d][k]);
        }
    assert_int_equal(v[3][3], 0x50000000u);
    assert_int_equal(v[255][12], 0x33f80000u);
    assert_int_equal(v[255][31], 0xd230013bu);
    assert_int_equal(SOBOL_DIMENSIONS, 256);
    assert_int_equal(print, 0xda1259261349bc4bu);
}

static void digits_are_linear_in_the_index(void **state)
{
    uint64_t mix = 88172645463325252u;
    for (int trial = 0; trial < 5000; trial++) {
        mix = mix * 6364136223846793005u + 1442695040888963407u;
        uint64_t i = mix >> 32;
        mix = mix * 6364136223846793005u + 1442695040888963407u;
        uint64_t j = mix >> 32;
        unsigned d = (unsigned)trial % SOBOL_DIMENSIONS;
        uint32_t a, b, both;
        sobol_digits(d, i, 1, &a);
        sobol_digits(d, j, 1, &b);
        sobol_digits(d, i ^ j, 1, &both);
        assert_int_equal(both, a ^ b);
    }
}

/* Exactly one of 2^m points in each interval of length 2^-m. */
static void check_stratified(const double *x, unsigned m)
{
    char seen[1 << 12] = {0};
    for (size_t j = 0; j < (size_t)1 << m; j++) {
        assert_true(x[j] > 0.0 && x[j] < 1.0);
        size_t cell = (size_t)(x[j] * (double)(1 << m));
        assert_int_equal(seen[cell], 0);
        seen[cell] = 1;
    }
}

static void aligned_blocks_are_stratified(void **state)
{
    static double x[1 << 12];
    const uint64_t blocks[] = {0, 1, 2, 0x2d, 0x2c9b1};
    for (unsigned d = 0; d < SOBOL_DIMENSIONS; d++) {
        for (unsigned m = 0; m <= 12; m += m < 10 ? 3 : 1)
            for (size_t b = 0; b < sizeof blocks / sizeof *blocks; b++) {
                random_key key = base_key;
                key.replica = d + 1000 * m;
                sobol_points(key, d, blocks[b] << m, (size_t)1 << m, x);
                check_stratified(x, m);
            }
        sobol_points(base_key, d, SOBOL_POINTS - (1 << 11), 1 << 11, x);
        check_stratified(x, 11);
    }
}

/* The smallest t for which every elementary rectangle of area 2^(t - m) has 2^t of the 2^m points. */
static unsigned quality(unsigned m, const double *x, const double *y)
{
    static unsigned count[1 << 12];
    for (unsigned t = 0; t < m; t++) {
        unsigned depth = m - t;
        int even = 1;
        for (unsigned a = 0; a <= depth && even; a++) {
            memset(count, 0, sizeof count);
            for (size_t j = 0; j < (size_t)1 << m; j++) {
                size_t column = (size_t)ldexp(x[j], (int)a), row = (size_t)ldexp(y[j], (int)(depth - a));
                count[column << (depth - a) | row]++;
            }
            for (size_t cell = 0; cell < (size_t)1 << depth; cell++)
                even &= count[cell] == 1u << t;
        }
        if (even)
            return t;
    }
    return m;
}

static void pairs_stay_equidistributed(void **state)
{
    enum { FIRST = 10, LARGEST = 1 << 10 };
    static double scrambled[FIRST][LARGEST], plain[FIRST][LARGEST];
    static uint32_t digits[LARGEST];
    for (unsigned m = 2; m <= 10; m += 2)
        for (uint64_t block = 0; block < 3; block++) {
            size_t n = (size_t)1 << m;
            for (unsigned d = 0; d < FIRST; d++) {
                sobol_points(base_key, d, block * n, n, scrambled[d]);
                sobol_digits(d, block * n, n, digits);
                for (size_t j = 0; j < n; j++)
                    plain[d][j] = digits[j] * 0x1p-32;
            }
            assert_int_equal(quality(m, scrambled[0], scrambled[1]), 0);
            for (unsigned a = 0; a < FIRST; a++)
                for (unsigned b = 0; b < a; b++) {
                    unsigned t = quality(m, scrambled[a], scrambled[b]);
                    assert_int_equal(t, quality(m, plain[a], plain[b]));
                    assert_true(t < m);
                }
        }
}

/* A nested scramble keeps how many leading digits two points have in common, up to all 32 of them. */
static void scramble_is_nested(void **state)
{
    enum { N = 1 << 14 };
    static uint32_t before[N], after[N];
    static double x[N];
    for (unsigned d = 0; d < SOBOL_DIMENSIONS; d += 17) {
        /* indices whose points agree in up to 31 digits: a low bit and the low digit it sets, all over the range */
        for (size_t j = 0; j < N; j++) {
            uint64_t index = j % 2 ? (uint64_t)1 << (j / 2 % 32) : 0;
            index ^= (uint64_t)(j / 64) * 0x9e3779b9u & 0xffffffffu;
            sobol_digits(d, index, 1, &before[j]);
            sobol_points(base_key, d, index, 1, &x[j]);
            after[j] = (uint32_t)(x[j] * 0x1p32);
        }
        unsigned deepest = 0;
        for (size_t j = 0; j < N; j++)
            for (size_t step = 1; step < 4 && j + step < N; step++) {
                uint32_t p = before[j] ^ before[j + step], q = after[j] ^ after[j + step];
                if (p == 0) {
                    assert_true(q == 0);
                    continue;
                }
                unsigned common = (unsigned)__builtin_clz(p);
                assert_true(q != 0 && (unsigned)__builtin_clz(q) == common);
                deepest = common > deepest ? common : deepest;
            }
        assert_true(d > 0 || deepest == 31);
    }
}

static void any_order_gives_the_same(void **state)
{
    enum { TOTAL = 3000 };
    static double whole[TOTAL], pieces[TOTAL];
    const uint64_t starts[] = {0, 1, 255, 256, 0x89abcd17u, SOBOL_POINTS - TOTAL};
    for (size_t s = 0; s < sizeof starts / sizeof *starts; s++) {
        sobol_points(base_key, 7, starts[s], TOTAL, whole);
        uint64_t choice = 999 + s;
        for (size_t done = 0; done < TOTAL;) {
            choice = choice * 6364136223846793005u + 1442695040888963407u;
            size_t n = (choice >> 40) % 333;
            n = n < TOTAL - done ? n : TOTAL - done;
            sobol_points(base_key, 7, starts[s] + done, n, pieces + done);
            done += n;
        }
        check_same_bytes("pieces", TOTAL, whole, pieces);
        for (size_t j = TOTAL; j-- > 0;)
            sobol_points(base_key, 7, starts[s] + j, 1, pieces + j);
        check_same_bytes("one by one, backwards", TOTAL, whole, pieces);
    }
}

static void threads_give_the_same(void **state)
{
    enum { D = 64, N = 300 };
    static double serial[D][N], parallel[D][N];
    for (unsigned d = 0; d < D; d++)
        sobol_points(base_key, d, 100, N, serial[d]);
#pragma omp parallel for schedule(dynamic, 1) num_threads(4)
    for (unsigned d = 0; d < D; d++)
        sobol_points(base_key, d, 100, N, parallel[d]);
    check_same_bytes("threads", D * N, serial[0], parallel[0]);
}

static void points_are_fixed_for_ever(void **state)
{
    enum { D = 16, N = 1000 };
    static double x[D][N];
    for (unsigned d = 0; d < D; d++)
        sobol_points(base_key, 16 * d, 12345 * d, N, x[d]);
    assert_int_equal(fingerprint(D * N, x[0]), 0xa7fb8e31e9009fu);
}

static void out_of_range(void **state)
{
    double x[3];
    uint32_t digits[3] = {1, 1, 1};
    sobol_points(base_key, SOBOL_DIMENSIONS, 0, 3, x);
    assert_true(isnan(x[0]) && isnan(x[1]) && isnan(x[2]));
    sobol_points(base_key, 0, SOBOL_POINTS - 2, 3, x);
    assert_true(isnan(x[0]) && isnan(x[1]) && isnan(x[2]));
    sobol_points(base_key, 0, ~(uint64_t)0, 2, x);
    assert_true(isnan(x[0]) && isnan(x[1]));
    sobol_digits(0, SOBOL_POINTS, 3, digits);
    assert_true(digits[0] == 0 && digits[1] == 0 && digits[2] == 0);
    x[0] = 0.375;
    sobol_points(base_key, 0, SOBOL_POINTS, 0, x);
    assert_true(x[0] == 0.375);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_points),
        cmocka_unit_test(direction_numbers),
        cmocka_unit_test(digits_are_linear_in_the_index),
        cmocka_unit_test(aligned_blocks_are_stratified),
        cmocka_unit_test(pairs_stay_equidistributed),
        cmocka_unit_test(scramble_is_nested),
        cmocka_unit_test(any_order_gives_the_same),
        cmocka_unit_test(threads_give_the_same),
        cmocka_unit_test(points_are_fixed_for_ever),
        cmocka_unit_test(out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
