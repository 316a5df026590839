/* Statistical checks with a stated bound, and fingerprints of exact results, for the tests of random numbers. */
#ifndef SGDMFT_TESTS_CORE_SUPPORT_H
#define SGDMFT_TESTS_CORE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

/* Seeds are fixed, so a check that holds once holds always; among a thousand checks of a good generator, 4.9 standard
   errors are passed by chance with probability 1e-3. */
#define Z_BOUND 4.9

static inline void check_z(const char *what, double estimate, double expected, double standard_error)
{
    double z = (estimate - expected) / standard_error;
    if (!(fabs(z) <= Z_BOUND))
        fail_msg("%s: %.10g, expected %.10g with standard error %.3g: z = %.2f, bound %.1f", what, estimate, expected,
                 standard_error, z, Z_BOUND);
}

/* A chi-squared value against its law, by the Wilson-Hilferty normal approximation. */
static inline void check_chi2(const char *what, double value, double freedom)
{
    double v = 2.0 / (9.0 * freedom);
    check_z(what, cbrt(value / freedom), 1.0 - v, sqrt(v));
}

static inline double mean_of(size_t n, const double *x)
{
    double sum = 0;
    for (size_t j = 0; j < n; j++)
        sum += x[j];
    return sum / (double)n;
}

static inline double variance_of(size_t n, const double *x)
{
    double mean = mean_of(n, x), sum = 0;
    for (size_t j = 0; j < n; j++)
        sum += (x[j] - mean) * (x[j] - mean);
    return sum / (double)(n - 1);
}

/* n independent pairs of uncorrelated, centred values of the given variance. */
static inline void check_uncorrelated(const char *what, size_t n, const double *x, const double *y, double variance)
{
    double sum = 0;
    for (size_t j = 0; j < n; j++)
        sum += x[j] * y[j];
    check_z(what, sum / (double)n, 0.0, variance / sqrt((double)n));
}

/* FNV-1a over 64-bit words. */
#define FINGERPRINT_START 0xcbf29ce484222325u

static inline uint64_t fingerprint_word(uint64_t print, uint64_t word)
{
    return (print ^ word) * 0x100000001b3u;
}

static inline uint64_t fingerprint(size_t n, const double *x)
{
    uint64_t print = FINGERPRINT_START;
    for (size_t j = 0; j < n; j++) {
        uint64_t word;
        memcpy(&word, &x[j], sizeof word);
        print = fingerprint_word(print, word);
        print = fingerprint_word(print, word >> 32);
    }
    return print;
}

static inline void check_same_bytes(const char *what, size_t n, const double *x, const double *y)
{
    for (size_t j = 0; j < n; j++)
        if (memcmp(&x[j], &y[j], sizeof *x) != 0)
            fail_msg("%s: value %zu of %zu is %a and %a", what, j, n, x[j], y[j]);
}

#endif
