/* Draws by address: known answers, the documented layout, independence of order and threads, statistics. */
#include "support.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <omp.h>
#include <stdlib.h>

#include <Random123/philox.h>

#include "core/random.h"

enum { N = 1 << 16 };

static const random_key base_key = {.seed = 0x8d3f1c6a5b9e2471u, .replica = 3, .purpose = 11};

/* The test vectors that come with Random123 (kat_vectors, philox4x32 10). */
static void philox_known_answers(void **state)
{
    static const uint32_t vectors[3][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420,
         0x24126ea1}};
    for (int i = 0; i < 3; i++) {
        const uint32_t *v = vectors[i];
        random_stream stream = {.key = (uint64_t)v[5] << 32 | v[4], .item = (uint64_t)v[3] << 32 | v[2]};
        uint64_t block = (uint64_t)v[1] << 32 | v[0];
        uint32_t words[4];
        random_block(stream, block, words);
        assert_memory_equal(words, v + 6, 4 * sizeof *v);
        for (instruction_set set = 0; set < SIMD_SETS; set++) {
            if (!simd_supported(set))
                continue;
            double out[RANDOM_GROUP];
            random_fill(set, stream, block, 1, out);
            double expected[2] = {uniform_from_bits((uint64_t)v[7] << 32 | v[6]),
                                  uniform_from_bits((uint64_t)v[9] << 32 | v[8])};
            check_same_bytes("known answer", 2, out, expected);
        }
    }
}

static void instruction_sets_agree(void **state)
{
    enum { GROUPS = 37 };
    static double reference[GROUPS * RANDOM_GROUP], other[GROUPS * RANDOM_GROUP];
    const uint64_t blocks[] = {0, 0xfffffff3u, 0x123456789abcdefu, ~(uint64_t)0 - 50};
    for (unsigned i = 0; i < 4; i++) {
        random_stream stream = random_stream_new(base_key, 0xfedcba9876543210u * i);
        random_fill(SIMD_BASE, stream, blocks[i], GROUPS, reference);
        for (instruction_set set = SIMD_AVX2; set < SIMD_SETS; set++) {
            if (!simd_supported(set))
                continue;
            random_fill(set, stream, blocks[i], GROUPS, other);
            check_same_bytes(simd_name(set), GROUPS * RANDOM_GROUP, reference, other);
        }
    }
}

/* The layout that random.h documents, written down a second time. */
static double uniform_again(random_key key, uint64_t item, uint64_t draw)
{
    uint64_t mixed[2] = {key.seed + 0x9e3779b97f4a7c15u, 0};
    for (int i = 0; i < 2; i++) {
        uint64_t x = mixed[i];
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
        x ^= x >> 31;
        if (i == 0)
            mixed[1] = x ^ ((uint64_t)key.replica << 32 | key.purpose);
        else
            mixed[0] = x;
    }
    philox4x32_key_t k = {{(uint32_t)mixed[0], (uint32_t)(mixed[0] >> 32)}};
    philox4x32_ctr_t c = {{(uint32_t)(draw >> 1), (uint32_t)(draw >> 33), (uint32_t)item, (uint32_t)(item >> 32)}};
    c = philox4x32(c, k);
    uint32_t low = c.v[draw % 2 * 2], high = c.v[draw % 2 * 2 + 1];
    return ((double)high * 0x1p20 + (double)(low >> 12) + 0.5) * 0x1p-52;
}

static void layout_is_as_documented(void **state)
{
    const uint64_t items[] = {0, 7, 0xffffffffu, 0x100000000u, 0xd1b54a32d192ed03u};
    const uint64_t draws[] = {0, 1, 2, 15, 16, 17, 0x1fffffffdu, 0x7fffffffffffffff, ~(uint64_t)0 - 1};
    for (uint32_t variant = 0; variant < 4; variant++)
        for (size_t i = 0; i < sizeof items / sizeof *items; i++)
            for (size_t j = 0; j < sizeof draws / sizeof *draws; j++) {
                random_key key = {
                    .seed = base_key.seed * variant, .replica = 0x80000001u * variant, .purpose = 5 * variant};
                double u;
                random_uniforms(key, items[i], draws[j], 1, &u);
                assert_true(u == uniform_again(key, items[i], draws[j]));
            }
}

static void uniforms_are_inside(void **state)
{
    assert_true(uniform_from_bits(0) == 0x1p-53);
    assert_true(uniform_from_bits(~(uint64_t)0) == 1.0 - 0x1p-53);
    uint64_t bits = 0x9e3779b97f4a7c15u;
    for (int i = 0; i < 1000; i++, bits *= 0xd1342543de82ef95u)
        assert_true(uniform_from_bits(bits) == 1.0 - uniform_from_bits(~bits));
}

/* These values must be the same on every machine and for every compiler. */
static void draws_are_fixed_for_ever(void **state)
{
    static double u[N], z[N];
    random_uniforms(base_key, 5, 0, N, u);
    random_normals(base_key, 5, 0, N, z);
    assert_int_equal(fingerprint(N, u), 0xc1bd3e1affcabb58u);
    assert_int_equal(fingerprint(N, z), 0x8fe2a5e6c02d3e52u);
}

static void any_order_gives_the_same(void **state)
{
    enum { TOTAL = 5000 };
    static double whole[TOTAL], pieces[TOTAL], whole_z[TOTAL];
    for (uint64_t start = 0; start < 3; start++) {
        random_uniforms(base_key, 42, start, TOTAL, whole);
        random_normals(base_key, 42, start, TOTAL, whole_z);
        uint64_t choice = 12345 + start;
        for (size_t done = 0; done < TOTAL;) {
            choice = choice * 6364136223846793005u + 1442695040888963407u;
            size_t n = (choice >> 40) % 97;
            n = n < TOTAL - done ? n : TOTAL - done;
            random_uniforms(base_key, 42, start + done, n, pieces + done);
            done += n;
        }
        check_same_bytes("uniforms in pieces", TOTAL, whole, pieces);
        for (size_t j = TOTAL; j-- > 0;)
            random_normals(base_key, 42, start + j, 1, pieces + j);
        check_same_bytes("normals one by one, backwards", TOTAL, whole_z, pieces);
        normal_quantiles(TOTAL, whole, pieces);
        check_same_bytes("normals are quantiles of the uniforms", TOTAL, whole_z, pieces);
    }
    double untouched = 0.625;
    random_uniforms(base_key, 1, 1, 0, &untouched);
    random_normals(base_key, 1, 0, 0, &untouched);
    assert_true(untouched == 0.625);
}

static void threads_give_the_same(void **state)
{
    enum { ITEMS = 400, DRAWS = 33 };
    static double serial[ITEMS * DRAWS], parallel[ITEMS * DRAWS];
    for (size_t i = 0; i < ITEMS; i++)
        random_normals(base_key, i, 5, DRAWS, serial + i * DRAWS);
#pragma omp parallel for schedule(dynamic, 3) num_threads(4)
    for (size_t i = 0; i < ITEMS; i++)
        random_normals(base_key, i, 5, DRAWS, parallel + i * DRAWS);
    check_same_bytes("threads", ITEMS * DRAWS, serial, parallel);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void no_two_addresses_share_a_draw(void **state)
{
    enum {
        SEEDS = 8,
        REPLICAS = 16,
        PURPOSES = 16,
        ITEMS = 8,
        DRAWS = 8,
        ALL = SEEDS * REPLICAS * PURPOSES * ITEMS * DRAWS
    };
    double *u = malloc(ALL * sizeof *u);
    assert_non_null(u);
    size_t at = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (uint32_t replica = 0; replica < REPLICAS; replica++)
            for (uint32_t purpose = 0; purpose < PURPOSES; purpose++)
                for (uint64_t item = 0; item < ITEMS; item++, at += DRAWS)
                    random_uniforms((random_key){seed, replica, purpose}, item, 0, DRAWS, u + at);
    qsort(u, ALL, sizeof *u, compare_doubles);
    for (size_t j = 1; j < ALL; j++) /* by chance: 2^33 pairs over 2^52 values */
        assert_true(u[j] != u[j - 1]);
    free(u);
}

/* Largest distance between the empirical and the true distribution, times sqrt n. */
static double kolmogorov(size_t n, double *sorted, int is_normal)
{
    double worst = 0;
    gsl_sort(sorted, 1, n);
    for (size_t j = 0; j < n; j++) {
        double p = is_normal ? gsl_cdf_ugaussian_P(sorted[j]) : sorted[j];
        worst = fmax(worst, fmax(p - (double)j / (double)n, (double)(j + 1) / (double)n - p));
    }
    return worst * sqrt((double)n);
}

static void chi2_of_cells(const char *what, size_t n, const double *u, double zoom)
{
    enum { CELLS = 256 };
    double count[CELLS] = {0}, chi2 = 0, expected = (double)n / CELLS;
    for (size_t j = 0; j < n; j++) {
        double x = u[j] * zoom;
        count[(int)((x - floor(x)) * CELLS)]++;
    }
    for (int c = 0; c < CELLS; c++)
        chi2 += (count[c] - expected) * (count[c] - expected) / expected;
    check_chi2(what, chi2, CELLS - 1);
}

static void uniforms_are_uniform(void **state)
{
    static double u[N], powers[N];
    for (uint64_t item = 0; item < 16; item++) {
        random_uniforms(base_key, item, 1000 * item, N, u);
        for (int k = 1; k <= 4; k++) {
            for (size_t j = 0; j < N; j++)
                powers[j] = pow(u[j], k);
            double mean = 1.0 / (k + 1), variance = 1.0 / (2 * k + 1) - mean * mean;
            check_z("moment of uniforms", mean_of(N, powers), mean, sqrt(variance / N));
        }
        chi2_of_cells("highest digits", N, u, 1.0);
        chi2_of_cells("middle digits", N, u, 0x1p21);
        chi2_of_cells("lowest digits", N, u, 0x1p44);
        double d = kolmogorov(N, u, 0);
        assert_true(d < 2.5 && d > 0.28); /* each side has probability 1e-5 or less */
    }
}

static void normals_are_normal(void **state)
{
    static const double moments[] = {1, 0, 1, 0, 3, 0, 15, 0, 105, 0, 945, 0, 10395};
    static double z[N], powers[N];
    for (uint64_t item = 0; item < 16; item++) {
        random_normals(base_key, item << 33, 0, N, z);
        for (int k = 1; k <= 6; k++) {
            for (size_t j = 0; j < N; j++)
                powers[j] = pow(z[j], k);
            double variance = moments[2 * k] - moments[k] * moments[k];
            check_z("moment of normals", mean_of(N, powers), moments[k], sqrt(variance / N));
        }
        double d = kolmogorov(N, z, 1);
        assert_true(d < 2.5 && d > 0.28);
    }
}

/* Normals at addresses that differ in one field by one, or in one bit, are uncorrelated, and so are their squares. */
static void check_apart(const char *what, const double *x, const double *y)
{
    static double a[N], b[N];
    check_uncorrelated(what, N, x, y, 1.0);
    for (size_t j = 0; j < N; j++) {
        a[j] = x[j] * x[j] - 1.0;
        b[j] = y[j] * y[j] - 1.0;
    }
    check_uncorrelated(what, N, a, b, 2.0);
}

static void addresses_are_independent(void **state)
{
    static double x[N + 64], y[N];
    random_normals(base_key, 9, 0, N + 64, x);
    const size_t lags[] = {1, 2, 3, 4, 7, 8, 15, 16, 32, 63};
    for (size_t i = 0; i < sizeof lags / sizeof *lags; i++)
        check_apart("draws", x, x + lags[i]);
    for (int bit = 0; bit < 64; bit++) {
        uint64_t flip = (uint64_t)1 << bit;
        random_key key = base_key;
        random_normals(key, 9 ^ flip, 0, N, y);
        check_apart("items", x, y);
        key.seed ^= flip;
        random_normals(key, 9, 0, N, y);
        check_apart("seeds", x, y);
        key = base_key;
        if (bit < 32)
            key.purpose ^= (uint32_t)flip;
        else
            key.replica ^= (uint32_t)(flip >> 32);
        random_normals(key, 9, 0, N, y);
        check_apart("purposes and replicas", x, y);
    }
}

/* The first draws of consecutive items, as a solver uses them: one path after another. */
static void short_streams_are_independent(void **state)
{
    enum { DRAWS = 5 };
    static double x[DRAWS][N];
    for (uint64_t item = 0; item < N; item++) {
        double z[DRAWS];
        random_normals(base_key, item, 0, DRAWS, z);
        for (int d = 0; d < DRAWS; d++)
            x[d][item] = z[d];
    }
    for (int a = 0; a < DRAWS; a++) {
        check_z("mean over items", mean_of(N, x[a]), 0.0, 1.0 / sqrt(N));
        check_z("variance over items", variance_of(N, x[a]), 1.0, sqrt(2.0 / N));
        check_uncorrelated("neighbouring items", N - 1, x[a], x[a] + 1, 1.0);
        for (int b = 0; b < a; b++)
            check_apart("draws over items", x[a], x[b]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_known_answers),      cmocka_unit_test(instruction_sets_agree),
        cmocka_unit_test(layout_is_as_documented),   cmocka_unit_test(uniforms_are_inside),
        cmocka_unit_test(draws_are_fixed_for_ever),  cmocka_unit_test(any_order_gives_the_same),
        cmocka_unit_test(threads_give_the_same),     cmocka_unit_test(no_two_addresses_share_a_draw),
        cmocka_unit_test(uniforms_are_uniform),      cmocka_unit_test(normals_are_normal),
        cmocka_unit_test(addresses_are_independent), cmocka_unit_test(short_streams_are_independent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
