#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Ends the test: prints "name: " and the reason. */
__attribute__((format(printf, 3, 0))) static void report(const char *reason, const double value[3], const char *format,
                                                         va_list args)
{
    vprint_error(format, args);
    print_error(": ");
    print_error(reason, value[0], value[1], value[2]);
    print_error("\n");
    fail();
}

void check_near(double got, double want, double tolerance, const char *format, ...)
{
    if (fabs(got - want) <= tolerance)
        return;
    va_list args;
    va_start(args, format);
    report("%.15g is not %.15g within %.3g", (double[]){got, want, tolerance}, format, args);
    va_end(args);
}

void check_between(double got, double low, double high, const char *format, ...)
{
    if (got >= low && got <= high)
        return;
    va_list args;
    va_start(args, format);
    report("%.15g is not between %.6g and %.6g", (double[]){got, low, high}, format, args);
    va_end(args);
}

void check_z(double got, double want, double se, double bound, const char *format, ...)
{
    if (fabs(got - want) <= bound * se)
        return;
    va_list args;
    va_start(args, format);
    report("%.12g is not %.12g: standard error %.3g", (double[]){got, want, se}, format, args);
    va_end(args);
}

void check_ok(const sgdmft_context *ctx, sgdmft_status status)
{
    if (status)
        print_error("%s\n", sgdmft_context_message(ctx));
    assert_int_equal(status, SGDMFT_OK);
}

void check_failure(const sgdmft_context *ctx, sgdmft_status status, sgdmft_status want, const char *part)
{
    const char *message = sgdmft_context_message(ctx);
    if (status != want || !strstr(message, part))
        print_error("status %d, expected %d with \"%s\"; message: %s\n", (int)status, (int)want, part, message);
    assert_int_equal(status, want);
    assert_non_null(strstr(message, part));
}

sgdmft_context *check_context(int threads)
{
    sgdmft_context *ctx = NULL;
    assert_int_equal(sgdmft_context_new(&ctx), SGDMFT_OK);
    assert_int_equal(sgdmft_context_set_threads(ctx, threads), SGDMFT_OK);
    return ctx;
}

double test_scale(void)
{
    const char *text = getenv("SGDMFT_TEST_SCALE");
    double scale = text ? strtod(text, NULL) : 1;
    return scale > 0 && scale <= 1 ? scale : 1;
}

size_t test_scaled(size_t count, size_t least)
{
    double scaled = (double)count * test_scale();
    return scaled > (double)least ? (size_t)scaled : least;
}
