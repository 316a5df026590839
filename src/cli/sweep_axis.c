#include "cli/sweep_axis.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/number.h"
#include "problem/options.h"
#include "core/text.h"
#include "problem/settings.h"

#define EXPECTED "expected KEY=V1,V2,... or KEY=LO:HI:N, for example --over eta=0.5,1,2"

void sweep_axis_free(sweep_axis *axis)
{
    for (size_t i = 0; i < axis->n; i++)
        free(axis->value[i]);
    free(axis->value);
    free(axis->key);
    *axis = (sweep_axis){0};
}

/* The text without the blanks around it; NULL if out of memory. */
static char *copy_trimmed(const char *first, size_t length)
{
    while (length > 0 && strchr(" \t\n", first[0])) {
        first++;
        length--;
    }
    while (length > 0 && strchr(" \t\n", first[length - 1]))
        length--;
    return strndup(first, length);
}

/* Where the first `separator` outside brackets and quotes is, or the end of the text. */
static const char *find_outside(const char *text, char separator)
{
    int depth = 0;
    char quote = 0;
    for (; *text; text++) {
        if (quote)
            quote = *text == quote ? 0 : quote;
        else if (*text == '"' || *text == '\'')
            quote = *text;
        else if (strchr("([{", *text))
            depth++;
        else if (strchr(")]}", *text))
            depth--;
        else if (*text == separator && depth <= 0)
            break;
    }
    return text;
}

static sgdmft_status check_key(sgdmft_context *ctx, const char *key)
{
    static const char observables[] = "observables.";
    if (strncmp(key, observables, sizeof observables - 1) == 0)
        return SGDMFT_OK;
    for (option_id id = 0; id < OPTION_COUNT; id++)
        if (strcmp(option_get(id)->key, key) == 0 && id != OPT_OBSERVABLES)
            return SGDMFT_OK;
    if (option_find_section(key) > 0)
        return context_fail(
            ctx, SGDMFT_ERR_UNKNOWN_KEY,
            "--over: '%s' is a section; sweep one of its keys, for example --over numerics.steps=50,100", key);
    origin where = {"--over", 0, 0, NULL};
    return settings_unknown_key(ctx, &where, key);
}

static sgdmft_status take_key(sgdmft_context *ctx, const char *text, const char *equals, sweep_axis *out)
{
    if (!equals)
        return context_fail(ctx, SGDMFT_ERR_YAML, "--over: '%s' sweeps nothing; " EXPECTED, text_show(text).text);
    out->key = copy_trimmed(text, (size_t)(equals - text));
    if (!out->key)
        return context_out_of_memory(ctx, "a sweep", 0);
    if (out->key[0] == '\0')
        return context_fail(ctx, SGDMFT_ERR_YAML, "--over: '%s' has no key before the '='; " EXPECTED,
                            text_show(text).text);
    return check_key(ctx, out->key);
}

static sgdmft_status fail_too_many(sgdmft_context *ctx, const char *key)
{
    return context_fail(ctx, SGDMFT_ERR_RANGE, "--over %s: more than %d values; allowed: 1 to %d", key,
                        SWEEP_POINTS_MAX, SWEEP_POINTS_MAX);
}

static sgdmft_status make_room(sgdmft_context *ctx, size_t n, sweep_axis *out)
{
    out->value = calloc(n, sizeof *out->value);
    return out->value ? SGDMFT_OK : context_out_of_memory(ctx, "the values of a sweep", (double)(n * sizeof(char *)));
}

/* --- lists ------------------------------------------------------------------------------------------------------- */

static size_t count_items(const char *text)
{
    size_t n = 1;
    for (const char *end = find_outside(text, ','); *end; end = find_outside(end + 1, ','))
        n++;
    return n;
}

static sgdmft_status check_item(sgdmft_context *ctx, const sweep_axis *axis, size_t i)
{
    const char *value = axis->value[i];
    if (value[0] == '\0')
        return context_fail(ctx, SGDMFT_ERR_MISSING, "--over %s: value %zu is empty; " EXPECTED, axis->key, i + 1);
    if (*find_outside(value, ':'))
        return context_fail(ctx, SGDMFT_ERR_RANGE,
                            "--over %s: '%s' is a range in a list; give one range, %s=LO:HI:N, or values only",
                            axis->key, text_show(value).text, axis->key);
    for (size_t j = 0; j < i; j++)
        if (strcmp(axis->value[j], value) == 0)
            return context_fail(ctx, SGDMFT_ERR_DUPLICATE_KEY, "--over %s: the value '%s' is given twice", axis->key,
                                text_show(value).text);
    return SGDMFT_OK;
}

static sgdmft_status take_list(sgdmft_context *ctx, const char *text, sweep_axis *out)
{
    size_t n = count_items(text);
    if (n > SWEEP_POINTS_MAX)
        return fail_too_many(ctx, out->key);
    sgdmft_status status = make_room(ctx, n, out);
    for (size_t i = 0; i < n && status == SGDMFT_OK; i++) {
        const char *end = find_outside(text, ',');
        out->value[i] = copy_trimmed(text, (size_t)(end - text));
        if (!out->value[i])
            return context_out_of_memory(ctx, "the values of a sweep", 0);
        out->n = i + 1;
        status = check_item(ctx, out, i);
        text = end + (*end != '\0');
    }
    return status;
}

/* --- ranges ------------------------------------------------------------------------------------------------------ */

typedef struct range {
    double low, high;
    size_t n;
    int logarithmic;
} range;

static sgdmft_status fail_range(sgdmft_context *ctx, const char *key, const char *text, const char *what)
{
    return context_fail(ctx, SGDMFT_ERR_RANGE,
                        "--over %s: '%s': %s; a range is LO:HI:N with N >= 2, or LO:HI:Nlog with LO, HI > 0, for "
                        "example 0.1:10:5log",
                        key, text_show(text).text, what);
}

/* N or Nlog; 0 if it is neither. */
static int read_count(char *text, range *out)
{
    size_t length = strlen(text);
    out->logarithmic = length > 3 && strcmp(text + length - 3, "log") == 0;
    if (out->logarithmic)
        text[length - 3] = '\0';
    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
        return 0;
    errno = 0;
    unsigned long long n = strtoull(text, NULL, 10);
    out->n = errno || n > SWEEP_POINTS_MAX ? SWEEP_POINTS_MAX + 1 : (size_t)n;
    return 1;
}

/* `part` is LO, HI and N. */
static sgdmft_status read_range(sgdmft_context *ctx, const char *key, const char *text, char *const *part, range *out)
{
    if (number_read(part[0], &out->low) != NUMBER_OK)
        return fail_range(ctx, key, text, "LO is not a finite number");
    if (number_read(part[1], &out->high) != NUMBER_OK)
        return fail_range(ctx, key, text, "HI is not a finite number");
    if (!read_count(part[2], out))
        return fail_range(ctx, key, text, "N is not a whole number");
    if (out->n > SWEEP_POINTS_MAX)
        return fail_too_many(ctx, key);
    if (out->n < 1)
        return fail_range(ctx, key, text, "no values at all");
    if (out->logarithmic && !(out->low > 0 && out->high > 0))
        return fail_range(ctx, key, text, "equal ratios need positive ends");
    if (out->n == 1 && out->low != out->high)
        return fail_range(ctx, key, text, "one value cannot be both ends");
    if (out->n > 1 && out->low == out->high)
        return fail_range(ctx, key, text, "the ends are equal");
    return SGDMFT_OK;
}

static double round_digits(double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.11e", value);
    return strtod(text, NULL); /* same locale on both sides */
}

/* Rounded where the user did not give the number, so that 0.1:0.7:7 holds 0.3 and not 0.30000000000000004. */
static double range_value(const range *r, size_t i)
{
    if (i == 0 || i + 1 == r->n)
        return i == 0 ? r->low : r->high;
    long double share = (long double)i / (long double)(r->n - 1);
    if (r->logarithmic)
        return round_digits((double)expl((1 - share) * logl(r->low) + share * logl(r->high)));
    double value = (double)((1 - share) * r->low + share * r->high);
    return fabs(value) < 1e-12 * fmax(fabs(r->low), fabs(r->high)) ? 0.0 : round_digits(value);
}

/* As one would type it: 2, not 2.0, which a whole number needs too. */
static char *write_value(double value)
{
    number_text text = number_write(value);
    size_t length = strlen(text.text);
    if (length > 2 && strcmp(text.text + length - 2, ".0") == 0)
        length -= 2;
    return strndup(text.text, length);
}

static sgdmft_status fill_range(sgdmft_context *ctx, const range *r, sweep_axis *out)
{
    sgdmft_status status = make_room(ctx, r->n, out);
    for (size_t i = 0; i < r->n && status == SGDMFT_OK; i++) {
        out->value[i] = write_value(range_value(r, i));
        if (!out->value[i])
            return context_out_of_memory(ctx, "the values of a sweep", 0);
        out->n = i + 1;
    }
    return status;
}

static sgdmft_status take_range(sgdmft_context *ctx, const char *text, sweep_axis *out)
{
    const char *first = find_outside(text, ':'), *second = find_outside(first + 1, ':');
    if (!*second || strchr(second + 1, ':'))
        return fail_range(ctx, out->key, text, *second ? "too many colons" : "N is missing");
    char *part[3] = {copy_trimmed(text, (size_t)(first - text)), copy_trimmed(first + 1, (size_t)(second - first - 1)),
                     copy_trimmed(second + 1, strlen(second + 1))};
    range r;
    sgdmft_status status = SGDMFT_OK;
    if (!part[0] || !part[1] || !part[2])
        status = context_out_of_memory(ctx, "a sweep", 0);
    if (status == SGDMFT_OK)
        status = read_range(ctx, out->key, text, part, &r);
    if (status == SGDMFT_OK)
        status = fill_range(ctx, &r, out);
    for (size_t i = 0; i < 3; i++)
        free(part[i]);
    return status;
}

sgdmft_status sweep_axis_parse(sgdmft_context *ctx, const char *text, sweep_axis *out)
{
    *out = (sweep_axis){0};
    const char *equals = strchr(text, '=');
    sgdmft_status status = take_key(ctx, text, equals, out);
    if (status != SGDMFT_OK)
        return status;
    int is_range = *find_outside(equals + 1, ':') && !*find_outside(equals + 1, ',');
    return is_range ? take_range(ctx, equals + 1, out) : take_list(ctx, equals + 1, out);
}
