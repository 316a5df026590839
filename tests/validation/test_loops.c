/* The simulator's inner loops, each instruction set of this machine against plain loops in double precision, and the
   laws of the numbers it draws. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "support/check.h"
#include "support/sample.h"
#include "validation/simulator/loops.h"

enum { LENGTH = 2080, MOST_ROWS = 9, MOST_COLUMNS = 51 };

/* Calls f for every instruction set that this processor has. */
static void each_set(void (*f)(instruction_set set))
{
    for (instruction_set set = 0; set < SIMD_SETS; set++)
        if (simd_supported(set))
            f(set);
}

static float *random_floats(uint32_t purpose, size_t count)
{
    float *out = memory_zeroed(count, sizeof *out);
    double *z = memory_doubles(count);
    assert_true(out && z);
    random_normals((random_key){.seed = 90210, .purpose = purpose}, 7, 0, count, z);
    for (size_t j = 0; j < count; j++)
        out[j] = (float)z[j];
    free(z);
    return out;
}

static void check_visit(instruction_set set)
{
    for (int k = 1; k <= SIMULATOR_STUDENTS; k++) {
        float *rows = random_floats(1, 3 * LENGTH), *theta = random_floats(2, (size_t)k * LENGTH);
        float *before = random_floats(2, (size_t)k * LENGTH), coef[SIMULATOR_STUDENTS], r[SIMULATOR_STUDENTS];
        for (int a = 0; a < k; a++)
            coef[a] = 0.37f - 0.21f * (float)a;
        simulator_loops_for(set)->visit(k, LENGTH, rows, coef, rows + LENGTH, rows + 2 * LENGTH, theta, r);
        for (int a = 0; a < k; a++) {
            double want = 0;
            for (size_t j = 0; j < LENGTH; j++) {
                double moved = before[(size_t)a * LENGTH + j] - (double)coef[a] * rows[j];
                check_near(theta[(size_t)a * LENGTH + j], moved, 1e-6, "%s: student %d of %d", simd_name(set), a, k);
                want += moved * rows[LENGTH + j];
            }
            check_near(r[a], want, 2e-4, "%s: r of student %d of %d", simd_name(set), a, k);
        }
        free(rows);
        free(theta);
        free(before);
    }
}

static void test_visit(void **state)
{
    each_set(check_visit);
}

static void check_coast(instruction_set set)
{
    const double brake = 0.3, shrink = 0.07;
    for (int k = 1; k <= SIMULATOR_STUDENTS; k++) {
        size_t size = (size_t)k * LENGTH;
        float *rows = random_floats(1, 3 * LENGTH), *theta = random_floats(2, size), *velocity = random_floats(9, size);
        float *place = random_floats(2, size), *speed = random_floats(9, size);
        float coef[SIMULATOR_STUDENTS], r[SIMULATOR_STUDENTS];
        for (int a = 0; a < k; a++)
            coef[a] = 0.37f - 0.21f * (float)a;
        simulator_loops_for(set)->coast(k, LENGTH, rows, coef, (float)brake, (float)shrink, rows + LENGTH,
                                        rows + 2 * LENGTH, velocity, theta, r);
        for (int a = 0; a < k; a++) {
            double want = 0;
            for (size_t j = 0; j < LENGTH; j++) {
                size_t i = (size_t)a * LENGTH + j;
                double moves = speed[i] - (brake * speed[i] + shrink * place[i] + (double)coef[a] * rows[j]);
                check_near(velocity[i], moves, 1e-6, "%s: velocity %d of %d", simd_name(set), a, k);
                check_near(theta[i], place[i] + moves, 2e-6, "%s: student %d of %d", simd_name(set), a, k);
                want += (place[i] + moves) * rows[LENGTH + j];
            }
            check_near(r[a], want, 2e-4, "%s: r of student %d of %d", simd_name(set), a, k);
        }
        free(rows);
        free(theta);
        free(velocity);
        free(place);
        free(speed);
    }
}

static void test_coast(void **state)
{
    each_set(check_coast);
}

static void check_project(instruction_set set)
{
    static const size_t columns[] = {1, 2, 3, 4, 5, 7, 8, 9, MOST_COLUMNS};
    float *rows = random_floats(3, MOST_ROWS * LENGTH), *vectors = random_floats(4, MOST_COLUMNS * LENGTH);
    const float *row[MOST_ROWS];
    float out[MOST_ROWS * MOST_COLUMNS];
    for (size_t i = 0; i < MOST_ROWS; i++)
        row[i] = rows + (MOST_ROWS - 1 - i) * LENGTH; /* rows need not follow each other */
    for (size_t n = 1; n <= MOST_ROWS; n++)
        for (size_t p = 0; p < sizeof columns / sizeof *columns; p++) {
            simulator_loops_for(set)->project(n, row, LENGTH, columns[p], vectors, out);
            for (size_t i = 0; i < n; i++)
                for (size_t c = 0; c < columns[p]; c++) {
                    double want = 0;
                    for (size_t j = 0; j < LENGTH; j++)
                        want += (double)row[i][j] * vectors[c * LENGTH + j];
                    check_near(out[i * columns[p] + c], want, 2e-4, "%s: row %zu of %zu, vector %zu of %zu",
                               simd_name(set), i, n, c, columns[p]);
                }
        }
    free(rows);
    free(vectors);
}

static void test_project(void **state)
{
    each_set(check_project);
}

/* 6000 coordinates: more than one piece. */
static void check_accumulate(instruction_set set)
{
    enum { LONG = 6016 };
    float *rows = random_floats(5, MOST_ROWS * LONG), *coef = random_floats(6, MOST_ROWS * SIMULATOR_STUDENTS);
    const float *row[MOST_ROWS];
    for (size_t i = 0; i < MOST_ROWS; i++)
        row[i] = rows + i * LONG;
    for (int k = 1; k <= SIMULATOR_STUDENTS; k++)
        for (size_t n = 1; n <= MOST_ROWS; n++) {
            float *target = random_floats(8, (size_t)k * LONG), *before = random_floats(8, (size_t)k * LONG);
            simulator_loops_for(set)->accumulate(n, row, LONG, k, coef, target);
            for (size_t a = 0; a < (size_t)k; a++)
                for (size_t j = 0; j < LONG; j++) {
                    double want = before[a * LONG + j];
                    for (size_t i = 0; i < n; i++)
                        want -= (double)coef[i * (size_t)k + a] * row[i][j];
                    check_near(target[a * LONG + j], want, 1e-5, "%s: %zu rows, student %zu of %d, at %zu",
                               simd_name(set), n, a, k, j);
                }
            free(target);
            free(before);
        }
    free(rows);
    free(coef);
}

static void test_accumulate(void **state)
{
    each_set(check_accumulate);
}

static word_stream some_stream(void)
{
    word_stream stream;
    double u[4 * SIMULATOR_LANES];
    random_uniforms((random_key){.seed = 4711, .purpose = 9}, 0, 0, 4 * SIMULATOR_LANES, u);
    for (size_t i = 0; i < 4 * SIMULATOR_LANES; i++)
        stream.s[i / SIMULATOR_LANES][i % SIMULATOR_LANES] = (uint32_t)(u[i] * 4294967296.0);
    return stream;
}

/* The authors' generator, one lane. */
static uint32_t plain_next(uint32_t s[4])
{
    uint32_t sum = s[0] + s[3], result = (sum << 7 | sum >> 25) + s[0], t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = s[3] << 11 | s[3] >> 21;
    return result;
}

static void check_words(instruction_set set)
{
    enum { GROUPS = 37 };
    uint32_t out[2 * GROUPS * SIMULATOR_LANES];
    word_stream stream = some_stream(), again = stream;
    simulator_loops_for(set)->words(&stream, GROUPS, out); /* in two parts: the state carries over */
    simulator_loops_for(set)->words(&stream, GROUPS, out + GROUPS * SIMULATOR_LANES);
    for (size_t l = 0; l < SIMULATOR_LANES; l++) {
        uint32_t s[4] = {again.s[0][l], again.s[1][l], again.s[2][l], again.s[3][l]};
        for (size_t g = 0; g < 2 * GROUPS; g++)
            assert_int_equal(out[g * SIMULATOR_LANES + l], plain_next(s));
    }
}

/* First words of the reference implementation from the state 1, 2, 3, 4. */
static void test_words(void **state)
{
    uint32_t s[4] = {1, 2, 3, 4};
    static const uint32_t known[5] = {641, 1573767, 3222811527u, 3517856514u, 836907274};
    for (int i = 0; i < 5; i++)
        assert_int_equal(plain_next(s), known[i]);
    each_set(check_words);
}

/* Mean, variance, fourth moment and the correlations of numbers `lag` apart, each with its standard error. */
static void check_moments(instruction_set set, const char *law, size_t n, const float *x, double fourth)
{
    static const size_t lags[] = {1, 15, 16, 17, 31, 32, 512};
    double sum = 0, squares = 0, fourths = 0, count = (double)n;
    for (size_t i = 0; i < n; i++) {
        double v = x[i], v2 = v * v;
        sum += v;
        squares += v2;
        fourths += v2 * v2;
    }
    check_z(sum / count, 0, 1 / sqrt(count), 4.9, "%s, %s: mean", simd_name(set), law);
    check_near(squares / count, 1, 4.9 * sqrt((fourth - 1) / count) + 1e-6, "%s, %s: variance", simd_name(set), law);
    check_near(fourths / count, fourth, 4.9 * 10 / sqrt(count), "%s, %s: fourth moment", simd_name(set), law);
    for (size_t p = 0; p < sizeof lags / sizeof *lags; p++) {
        double products = 0, of_squares = 0;
        for (size_t i = 0; i + lags[p] < n; i++) {
            products += (double)x[i] * x[i + lags[p]];
            of_squares += ((double)x[i] * x[i] - 1) * ((double)x[i + lags[p]] * x[i + lags[p]] - 1);
        }
        check_z(products / count, 0, 1 / sqrt(count), 4.9, "%s, %s: lag %zu", simd_name(set), law, lags[p]);
        check_near(of_squares / count, 0, 4.9 * (fourth - 1 + 1e-6) / sqrt(count), "%s, %s: squares at lag %zu",
                   simd_name(set), law, lags[p]);
    }
}

/* Largest distance between the empirical distribution and the normal one on a grid; 1.95 / sqrt n is passed by chance
   once in a thousand times. */
static void check_normal_law(instruction_set set, size_t n, const float *x)
{
    enum { CELLS = 512 };
    size_t *count = calloc(CELLS + 1, sizeof *count), below = 0;
    assert_non_null(count);
    for (size_t i = 0; i < n; i++) {
        double cell = 0.5 * erfc(-x[i] / sqrt(2)) * CELLS;
        count[(size_t)cell]++;
    }
    double worst = 0;
    for (size_t c = 0; c < CELLS; c++) {
        below += count[c];
        worst = fmax(worst, fabs((double)below / (double)n - (double)(c + 1) / CELLS));
    }
    free(count);
    check_between(worst * sqrt((double)n), 0.1, 1.95, "%s: Kolmogorov distance", simd_name(set));
}

static void check_laws(instruction_set set)
{
    enum { GROUPS = 16, WORDS = GROUPS * SIMULATOR_LANES };
    size_t n = test_scaled((size_t)1 << 22, (size_t)1 << 18);
    uint32_t words[WORDS];
    float *x = memory_zeroed(n + 32 * WORDS, sizeof *x), largest = 0;
    assert_non_null(x);
    word_stream stream = some_stream();
    for (size_t i = 0; i < n; i += WORDS) {
        simulator_loops_for(set)->words(&stream, GROUPS, words);
        simulator_loops_for(set)->normals(GROUPS / 2, 1.0f, words, x + i);
    }
    check_moments(set, "normal", n, x, 3);
    check_normal_law(set, n, x);
    for (size_t i = 0; i < n; i += WORDS) {
        simulator_loops_for(set)->words(&stream, GROUPS, words);
        simulator_loops_for(set)->uniforms(GROUPS, 1.0f, words, x + i);
    }
    check_moments(set, "uniform", n, x, 9.0 / 5);
    for (size_t i = 0; i < n; i++)
        largest = fmaxf(largest, fabsf(x[i]));
    check_between(largest, 1.7319, 1.7320509, "%s: largest uniform", simd_name(set));
    for (size_t i = 0; i < n; i += 32 * WORDS) {
        simulator_loops_for(set)->words(&stream, GROUPS, words);
        simulator_loops_for(set)->signs(GROUPS, 1.0f, words, x + i);
    }
    check_moments(set, "sign", n, x, 1);
    for (size_t i = 0; i < n; i++)
        assert_true(x[i] == 1.0f || x[i] == -1.0f);
    free(x);
}

static void test_laws(void **state)
{
    each_set(check_laws);
}

/* Extreme words: the radius is largest, least, and never NaN; angles at the ends of octants. */
static void check_extremes(instruction_set set)
{
    uint32_t words[2 * SIMULATOR_LANES];
    float out[2 * SIMULATOR_LANES];
    static const uint32_t angles[SIMULATOR_LANES] = {
        0,          0x1fffffff, 0x20000000, 0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, 0xbfffffff,
        0xc0000000, 0xffffffff, 0x10000000, 1,          0x5fffffff, 0x60000000, 0x9fffffff, 0xe0000000};
    static const uint32_t radii[] = {0, 1, 2, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
    for (size_t p = 0; p < sizeof radii / sizeof *radii; p++) {
        for (size_t l = 0; l < SIMULATOR_LANES; l++) {
            words[l] = radii[p];
            words[SIMULATOR_LANES + l] = angles[l];
        }
        simulator_loops_for(set)->normals(1, 1.0f, words, out);
        double u = ((double)(radii[p] >> 1) + 0.5) * 0x1p-31, want = -2 * log(u);
        for (size_t l = 0; l < SIMULATOR_LANES; l++) {
            double a = out[l], b = out[SIMULATOR_LANES + l];
            check_near(a * a + b * b, want, 1e-5 * want + 1e-6, "%s: radius from %08x", simd_name(set), radii[p]);
        }
    }
}

static void test_extremes(void **state)
{
    each_set(check_extremes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_visit),      cmocka_unit_test(test_coast), cmocka_unit_test(test_project),
        cmocka_unit_test(test_accumulate), cmocka_unit_test(test_words), cmocka_unit_test(test_laws),
        cmocka_unit_test(test_extremes),
    };
    return cmocka_run_group_tests_name("simulator loops", tests, NULL, NULL);
}
