/* Statistics of the nested uniform scramble over replicas, and the convergence it gives. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/sobol.h"

static random_key key_of(uint32_t replica)
{
    return (random_key){.seed = 0x6a09e667f3bcc908u, .replica = replica, .purpose = 4};
}

/* The flips of the nodes of the first DEPTH levels: node numbers 1, 2-3, 4-7, ... by the unscrambled digits above. */
enum { DEPTH = 7, NODES = 1 << DEPTH, REPLICAS = 8192 };

static void flips_of_tree(random_key key, unsigned dimension, signed char flip[NODES])
{
    double x[NODES];
    uint32_t digits[NODES];
    sobol_points(key, dimension, 0, NODES, x);
    sobol_digits(dimension, 0, NODES, digits);
    for (int j = 0; j < NODES; j++) {
        uint32_t before = digits[j] >> (32 - DEPTH), after = (uint32_t)(x[j] * NODES);
        for (int level = 0; level < DEPTH; level++) {
            int node = (int)((before | NODES) >> (DEPTH - level));
            flip[node] = (before ^ after) >> (DEPTH - 1 - level) & 1 ? 1 : -1;
        }
    }
}

/* Flips are fair, and those of any two nodes of a tree are uncorrelated over replicas: the scramble of the theory has no
   more than this in its variance. The tree reaches over two layers of the hash. */
static void tree_bits_are_fair_and_uncorrelated(void **state)
{
    signed char(*flip)[NODES] = malloc(REPLICAS * sizeof *flip);
    assert_non_null(flip);
    for (uint32_t r = 0; r < REPLICAS; r++)
        flips_of_tree(key_of(r), 3, flip[r]);
    double chi2 = 0, chi2_pairs = 0;
    for (int a = 1; a < NODES; a++) {
        int sum = 0;
        for (int r = 0; r < REPLICAS; r++)
            sum += flip[r][a];
        chi2 += (double)sum * sum / REPLICAS;
        for (int b = 1; b < a; b++) {
            int product = 0;
            for (int r = 0; r < REPLICAS; r++)
                product += flip[r][a] * flip[r][b];
            double z = product / sqrt(REPLICAS);
            chi2_pairs += z * z;
            assert_true(fabs(z) < 5.5); /* 8001 pairs */
        }
    }
    check_chi2("fair flips", chi2, NODES - 1);
    check_chi2("pairs of flips", chi2_pairs, (NODES - 1) * (NODES - 2) / 2);
    free(flip);
}

/* Over replicas, every point by itself is uniform in all its digits, and points, dimensions and neighbouring replicas
   have uncorrelated digits below their common ones. */
static void single_points_are_uniform(void **state)
{
    enum { CELLS = 64, POINTS = 6 };
    static double x[POINTS][REPLICAS], y[REPLICAS], low[POINTS][REPLICAS];
    const uint64_t points[POINTS] = {0, 1, 2, 77, 0x10001, 0xfffffffe};
    const double zoom[] = {0x1p0, 0x1p5, 0x1p13, 0x1p23, 0x1p29, 0x1p35, 0x1p46};
    for (int p = 0; p < POINTS; p++) {
        for (uint32_t r = 0; r < REPLICAS; r++)
            sobol_points(key_of(r), 11, points[p], 1, &x[p][r]);
        for (size_t k = 0; k < sizeof zoom / sizeof *zoom; k++) {
            double count[CELLS] = {0}, chi2 = 0, expected = (double)REPLICAS / CELLS;
            for (int r = 0; r < REPLICAS; r++)
                count[(int)(fmod(x[p][r] * zoom[k], 1.0) * CELLS)]++;
            for (int c = 0; c < CELLS; c++)
                chi2 += (count[c] - expected) * (count[c] - expected) / expected;
            check_chi2("digits of one point", chi2, CELLS - 1);
        }
        for (int r = 0; r < REPLICAS; r++) {
            low[p][r] = fmod(x[p][r] * 0x1p32, 1.0) - 0.5;
            x[p][r] -= 0.5;
        }
        check_uncorrelated("neighbouring replicas", REPLICAS - 1, x[p], x[p] + 1, 1.0 / 12);
        for (uint32_t r = 0; r < REPLICAS; r++) {
            sobol_points(key_of(r), 12, points[p], 1, &y[r]);
            y[r] -= 0.5;
        }
        check_uncorrelated("neighbouring dimensions", REPLICAS, x[p], y, 1.0 / 12);
        for (int q = 0; q < p; q++)
            check_uncorrelated("random digits of two points", REPLICAS, low[p], low[q], 1.0 / 12);
    }
}

/* Draws of the same key have nothing to do with the scramble. */
static void draws_are_independent_of_points(void **state)
{
    static double x[REPLICAS], u[REPLICAS];
    for (uint64_t item = 0; item < 3; item++) {
        for (uint32_t r = 0; r < REPLICAS; r++) {
            sobol_points(key_of(r), (unsigned)item, 0, 1, &x[r]);
            random_uniforms(key_of(r), item, 0, 1, &u[r]);
            x[r] -= 0.5;
            u[r] -= 0.5;
        }
        check_uncorrelated("points and draws", REPLICAS, x, u, 1.0 / 12);
    }
}

/* Means of two integrands over n points in four dimensions: a smooth one, and one of normals as the solver has them. */
enum { DIMENSIONS = 4, LARGEST = 1 << 14, ROUNDS = 96 };

static void replicate(uint32_t replica, size_t n, double *smooth, double *gaussian)
{
    static double x[DIMENSIONS][LARGEST];
    for (unsigned d = 0; d < DIMENSIONS; d++)
        sobol_points(key_of(replica), d, 0, n, x[d]);
    *smooth = 0;
    for (size_t j = 0; j < n; j++)
        *smooth += exp(0.7 * x[0][j] - 0.4 * x[1][j] + x[2][j] * x[3][j]) / (double)n;
    for (unsigned d = 0; d < DIMENSIONS; d++)
        normal_quantiles(n, x[d], x[d]);
    *gaussian = 0;
    for (size_t j = 0; j < n; j++) {
        double w = x[0][j], residual = tanh(0.6 * w + 0.8 * x[1][j]) - tanh(w) - 0.3 * x[2][j];
        *gaussian += (residual * residual + 0.1 * x[3][j]) / (double)n;
    }
}

static void means_converge_fast(void **state)
{
    static double smooth[3][ROUNDS], gaussian[3][ROUNDS];
    double variance[3], variance_gaussian[3];
    for (int level = 0; level < 3; level++) {
        for (uint32_t r = 0; r < ROUNDS; r++)
            replicate(r, (size_t)1 << (6 + 4 * level), &smooth[level][r], &gaussian[level][r]);
        variance[level] = variance_of(ROUNDS, smooth[level]);
        variance_gaussian[level] = variance_of(ROUNDS, gaussian[level]);
        /* replicas are independent: neighbours in number are uncorrelated */
        double mean = mean_of(ROUNDS, smooth[level]), product = 0;
        for (int r = 1; r < ROUNDS; r++)
            product += (smooth[level][r] - mean) * (smooth[level][r - 1] - mean) / variance[level];
        check_z("neighbouring replicas", product, -1.0, sqrt(ROUNDS));
    }
    /* E exp(0.7 U) E exp(-0.4 U) E exp(U U'), the last as sum 1 / (k! (k + 1)^2) */
    double series = 0;
    for (int k = 0; k < 25; k++)
        series += 1.0 / (tgamma(k + 1.0) * (k + 1.0) * (k + 1.0));
    double exact = (exp(0.7) - 1.0) / 0.7 * (1.0 - exp(-0.4)) / 0.4 * series;
    for (int level = 0; level < 3; level++)
        check_z("unbiased", mean_of(ROUNDS, smooth[level]), exact, sqrt(variance[level] / ROUNDS));
    for (int level = 0; level < 2; level++)
        check_z("one mean at all sizes", mean_of(ROUNDS, gaussian[level]), mean_of(ROUNDS, gaussian[2]),
                sqrt((variance_gaussian[level] + variance_gaussian[2]) / ROUNDS));
    /* 16 times the points: plain sampling gains 16; n^-3 would gain 4096 but for logarithms. The ratio of two variances
       from 96 replicas has a relative standard error of 0.2. */
    printf("variance, smooth:   %.3g %.3g %.3g\nvariance, gaussian: %.3g %.3g %.3g\n", variance[0], variance[1],
           variance[2], variance_gaussian[0], variance_gaussian[1], variance_gaussian[2]);
    for (int level = 0; level < 2; level++) {
        assert_true(variance[level] / variance[level + 1] > 600.0);
        assert_true(variance_gaussian[level] / variance_gaussian[level + 1] > 100.0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_bits_are_fair_and_uncorrelated),
        cmocka_unit_test(single_points_are_uniform),
        cmocka_unit_test(draws_are_independent_of_points),
        cmocka_unit_test(means_converge_fast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
