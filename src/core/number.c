#include "core/number.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *skip_digits(const char *p)
{
    while (*p >= '0' && *p <= '9')
        p++;
    return p;
}

static int is_decimal(const char *text)
{
    const char *p = text + (*text == '+' || *text == '-');
    const char *whole = p;
    p = skip_digits(p);
    ptrdiff_t digits = p - whole;
    if (*p == '.') {
        const char *fraction = ++p;
        p = skip_digits(p);
        digits += p - fraction;
    }
    if (digits == 0)
        return 0;
    if (*p == 'e' || *p == 'E') {
        p++;
        p += *p == '+' || *p == '-';
        const char *exponent = p;
        p = skip_digits(p);
        if (p == exponent)
            return 0;
    }
    return *p == '\0';
}

static int is_word_for_non_finite(const char *text)
{
    const char *p = text + (*text == '+' || *text == '-');
    p += *p == '.'; /* YAML writes .inf and .nan */
    return strcasecmp(p, "inf") == 0 || strcasecmp(p, "infinity") == 0 || strcasecmp(p, "nan") == 0;
}

/* strtod obeys the decimal comma of the caller's locale; a problem file means the same everywhere. */
double number_value(const char *text)
{
    const char *digits = text + (*text == '+' || *text == '-');
    if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X')) /* strtod would read a hexadecimal number */
        return 0;
    locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (plain == (locale_t)0)
        return strtod(text, NULL);
    double value = strtod_l(text, NULL, plain);
    freelocale(plain);
    return value;
}

number_verdict number_read(const char *text, double *out)
{
    if (is_word_for_non_finite(text))
        return NUMBER_NOT_FINITE;
    if (!is_decimal(text))
        return NUMBER_NONE;
    double value = number_value(text);
    if (!isfinite(value))
        return NUMBER_NOT_FINITE;
    *out = value;
    return NUMBER_OK;
}

number_verdict number_read_integer(const char *text, uint64_t *out)
{
    double value = 0;
    number_verdict verdict = number_read(text, &value);
    if (verdict != NUMBER_OK)
        return verdict;
    if (value < 0)
        return NUMBER_NEGATIVE;
    if (value != floor(value))
        return NUMBER_FRACTION;
    const char *digits = text + (*text == '+');
    if (*skip_digits(digits) == '\0') {
        errno = 0;
        unsigned long long whole = strtoull(digits, NULL, 10);
        if (errno != 0)
            return NUMBER_TOO_LARGE;
        *out = whole;
        return NUMBER_OK;
    }
    if (value > 9007199254740992.0)
        return NUMBER_TOO_LARGE;
    *out = (uint64_t)value;
    return NUMBER_OK;
}

/* Significant digits and decimal exponent: value = 0.d1 d2 d3 ... * 10^point. */
typedef struct decimal {
    char digit[20];
    int n, point;
} decimal;

static decimal shortest(double magnitude)
{
    char text[48];
    decimal d = {.n = 0};
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, magnitude);
        if (strtod(text, NULL) == magnitude) /* same locale on both sides */
            break;
    }
    const char *p = text;
    for (; *p != 'e'; p++)
        if (*p >= '0' && *p <= '9')
            d.digit[d.n++] = *p;
    d.point = (int)strtol(p + 1, NULL, 10) + 1;
    return d;
}

static void put(number_text *out, size_t *used, char c)
{
    out->text[(*used)++] = c;
}

static void put_digits(number_text *out, size_t *used, const decimal *d, int from, int to)
{
    for (int i = from; i < to; i++)
        put(out, used, i >= 0 && i < d->n ? d->digit[i] : '0');
}

number_text number_write(double value)
{
    number_text out = {""};
    size_t used = 0;
    if (!isfinite(value)) {
        snprintf(out.text, sizeof out.text, "%s", isnan(value) ? ".nan" : value > 0 ? ".inf" : "-.inf");
        return out;
    }
    if (value < 0)
        put(&out, &used, '-');
    decimal d = shortest(fabs(value));
    if (d.point > 16 || d.point < -3) {
        put(&out, &used, d.digit[0]);
        put(&out, &used, '.');
        put_digits(&out, &used, &d, 1, d.n > 1 ? d.n : 2);
        snprintf(out.text + used, sizeof out.text - used, "e%+d", d.point - 1);
        return out;
    }
    put_digits(&out, &used, &d, d.point > 0 ? 0 : -1, d.point > 0 ? d.point : 0);
    put(&out, &used, '.');
    put_digits(&out, &used, &d, d.point, d.n > d.point ? d.n : d.point + 1);
    put(&out, &used, '\0');
    return out;
}
