/* Comparisons of numbers that name the quantity when they fail. */
#ifndef SGDMFT_TESTS_SUPPORT_CHECK_H
#define SGDMFT_TESTS_SUPPORT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/context.h"

/* |got - want| <= tolerance; a NaN fails. The format names the quantity. */
void check_near(double got, double want, double tolerance, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* low <= got <= high */
void check_between(double got, double low, double high, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* |z| <= bound for z = (got - want) / se */
void check_z(double got, double want, double se, double bound, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* The status is OK; otherwise shows the context's message. */
void check_ok(const sgdmft_context *ctx, sgdmft_status status);

/* The status is `want` and the context's message contains `part`. */
void check_failure(const sgdmft_context *ctx, sgdmft_status status, sgdmft_status want, const char *part);

/* A context with `threads` threads. */
sgdmft_context *check_context(int threads);

/* Sizes of statistical tests are multiplied by the environment variable SGDMFT_TEST_SCALE (0 < scale <= 1, default 1),
   for builds in which everything is slow. */
double test_scale(void);
size_t test_scaled(size_t count, size_t least);

#endif
