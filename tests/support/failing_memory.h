/* Allocations that fail on demand. The linker sends the library's allocations through the functions below (--wrap for
   each function); a test that wraps more adds lines of its own. To be included in one file of a test program. */
#ifndef SGDMFT_TESTS_SUPPORT_FAILING_MEMORY_H
#define SGDMFT_TESTS_SUPPORT_FAILING_MEMORY_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long countdown = -1; /* allocations until the failing one; < 0: none fails */
static long failed;

static int fails(void)
{
    if (countdown < 0 || countdown-- > 0)
        return 0;
    failed++;
    return 1;
}

#define WRAP(result, name, parameters, arguments, nothing)                                                             \
    result __real_##name parameters;                                                                                   \
    result __wrap_##name parameters;                                                                                   \
    result __wrap_##name parameters                                                                                    \
    {                                                                                                                  \
        return fails() ? nothing : __real_##name arguments;                                                            \
    }

WRAP(void *, malloc, (size_t size), (size), NULL)
WRAP(void *, calloc, (size_t n, size_t size), (n, size), NULL)
WRAP(void *, realloc, (void *old, size_t size), (old, size), NULL)
WRAP(char *, strdup, (const char *text), (text), NULL)
WRAP(int, vasprintf, (char **out, const char *format, va_list args), (out, format, args), -1)

int __wrap_asprintf(char **out, const char *format, ...);
int __wrap_asprintf(char **out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = __wrap_vasprintf(out, format, args);
    va_end(args);
    return length;
}

#endif
