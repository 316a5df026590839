/* Numbers in text: strict reading and shortest writing, the same in every locale. */
#ifndef SGDMFT_CORE_NUMBER_H
#define SGDMFT_CORE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

typedef enum number_verdict {
    NUMBER_OK,
    NUMBER_NONE,       /* not a decimal number */
    NUMBER_NOT_FINITE, /* nan, inf, or beyond the range of a double */
    NUMBER_FRACTION,   /* a number, but not an integer (number_read_integer only) */
    NUMBER_NEGATIVE,   /* below zero (number_read_integer only) */
    NUMBER_TOO_LARGE   /* beyond 2^64 - 1, or in a form that loses digits beyond 2^53 (number_read_integer only) */
} number_verdict;

/* Reads [+-]digits[.digits][e[+-]digits]; the whole text must match (no blanks, no hexadecimal). */
number_verdict number_read(const char *text, double *out);

/* The same for an integer >= 0; forms such as 2e4 and 1.0e5 are accepted when they mean an integer. */
number_verdict number_read_integer(const char *text, uint64_t *out);

/* The value of the longest such number that `text` starts with, whatever follows it; infinite if it is too large. */
double number_value(const char *text);

/* The shortest decimal number that reads back as `value`; always with a point: 2.0, 0.05, 1.0e-8. */
typedef struct number_text {
    char text[48];
} number_text;
number_text number_write(double value);

#endif
