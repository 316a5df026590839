#include "cli/sweep_grid.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/messages.h"

#define EXPECTED "expected KEY=V1,V2,... or KEY=LO:HI:N, for example --over eta=0.5,1,2"

/* The text without blanks at its ends; NULL if out of memory. */
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

/* The first `separator` outside brackets and quotes, or the end of the text. */
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

static int too_many_values(const struct command *cmd, const char *key)
{
    return usage_error(cmd, "--over %s: more than %d values; allowed: 1 to %d", key, SWEEP_POINTS_MAX,
                       SWEEP_POINTS_MAX);
}

static int allocate_values(size_t n, sweep_axis *axis)
{
    axis->value = calloc(n, sizeof *axis->value);
    return axis->value ? 0 : report_out_of_memory();
}

/* Appends a value that was allocated, or NULL if there was no memory for it. */
static int add_value(char *value, sweep_axis *axis)
{
    if (!value)
        return report_out_of_memory();
    axis->value[axis->n++] = value;
    return 0;
}

/* --- lists ------------------------------------------------------------------------------------------------------- */

static size_t count_items(const char *text)
{
    size_t n = 1;
    for (const char *end = find_outside(text, ','); *end; end = find_outside(end + 1, ','))
        n++;
    return n;
}

static int check_last_item(const struct command *cmd, const sweep_axis *axis)
{
    size_t last = axis->n - 1;
    const char *value = axis->value[last];
    if (value[0] == '\0')
        return usage_error(cmd, "--over %s: value %zu is empty; " EXPECTED, axis->key, last + 1);
    if (*find_outside(value, ':'))
        return usage_error(cmd, "--over %s: '%s' is a range in a list; give one range, %s=LO:HI:N, or values only",
                           axis->key, value, axis->key);
    for (size_t i = 0; i < last; i++)
        if (strcmp(axis->value[i], value) == 0)
            return usage_error(cmd, "--over %s: the value '%s' is given twice", axis->key, value);
    return 0;
}

static int parse_list(const struct command *cmd, const char *text, sweep_axis *axis)
{
    size_t n = count_items(text);
    if (n > SWEEP_POINTS_MAX)
        return too_many_values(cmd, axis->key);
    int code = allocate_values(n, axis);
    for (size_t i = 0; i < n && code == 0; i++) {
        const char *end = find_outside(text, ',');
        code = add_value(copy_trimmed(text, (size_t)(end - text)), axis);
        if (code == 0)
            code = check_last_item(cmd, axis);
        text = end + (*end != '\0');
    }
    return code;
}

/* --- ranges ------------------------------------------------------------------------------------------------------ */

typedef struct range {
    char *low_text, *high_text, *count_text;
    double low, high;
    size_t n;
    int logarithmic;
} range;

static int range_error(const struct command *cmd, const char *key, const char *text, const char *reason)
{
    return usage_error(cmd,
                       "--over %s: '%s': %s; a range is LO:HI:N with N >= 2, or LO:HI:Nlog with positive LO and HI, "
                       "for example 0.1:10:5log",
                       key, text, reason);
}

static int read_number(const char *text, double *out)
{
    char *end = NULL;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*out);
}

/* Reads N or Nlog; 0 if the text is neither. */
static int read_count(range *r)
{
    char *text = r->count_text;
    size_t length = strlen(text);
    r->logarithmic = length > 3 && strcmp(text + length - 3, "log") == 0;
    if (r->logarithmic)
        text[length - 3] = '\0';
    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
        return 0;
    errno = 0;
    unsigned long long n = strtoull(text, NULL, 10);
    r->n = errno || n > SWEEP_POINTS_MAX ? SWEEP_POINTS_MAX + 1 : (size_t)n;
    return 1;
}

static int read_range(const struct command *cmd, const char *key, const char *text, range *r)
{
    if (!read_number(r->low_text, &r->low))
        return range_error(cmd, key, text, "LO is not a finite number");
    if (!read_number(r->high_text, &r->high))
        return range_error(cmd, key, text, "HI is not a finite number");
    if (!read_count(r))
        return range_error(cmd, key, text, "N is not a whole number");
    if (r->n > SWEEP_POINTS_MAX)
        return too_many_values(cmd, key);
    if (r->n < 1)
        return range_error(cmd, key, text, "no values at all");
    if (r->logarithmic && !(r->low > 0 && r->high > 0))
        return range_error(cmd, key, text, "equal ratios need positive ends");
    if (r->n == 1 && r->low != r->high)
        return range_error(cmd, key, text, "one value cannot be both ends");
    if (r->n > 1 && r->low == r->high)
        return range_error(cmd, key, text, "the ends are equal");
    return 0;
}

/* The ends keep the text that was given. The numbers between them are rounded, so that 0.1:0.7:7 contains 0.3 and not
   0.30000000000000004. NULL if out of memory. */
static char *range_value(const range *r, size_t i)
{
    if (i == 0 || i + 1 == r->n)
        return strdup(i == 0 ? r->low_text : r->high_text);
    long double share = (long double)i / (long double)(r->n - 1), value;
    if (r->logarithmic) {
        value = expl((1 - share) * logl(r->low) + share * logl(r->high));
    } else {
        value = (1 - share) * r->low + share * r->high;
        if (fabsl(value) < 1e-12L * fmaxl(fabsl(r->low), fabsl(r->high)))
            value = 0; /* what rounding leaves of it */
    }
    char *text = NULL;
    return asprintf(&text, "%.12g", (double)value) < 0 ? NULL : text;
}

static int parse_range(const struct command *cmd, const char *text, sweep_axis *axis)
{
    const char *first = find_outside(text, ':'), *second = find_outside(first + 1, ':');
    if (!*second || strchr(second + 1, ':'))
        return range_error(cmd, axis->key, text, *second ? "too many colons" : "N is missing");
    range r = {.low_text = copy_trimmed(text, (size_t)(first - text)),
               .high_text = copy_trimmed(first + 1, (size_t)(second - first - 1)),
               .count_text = copy_trimmed(second + 1, strlen(second + 1))};
    int code = r.low_text && r.high_text && r.count_text ? 0 : report_out_of_memory();
    if (code == 0)
        code = read_range(cmd, axis->key, text, &r);
    if (code == 0)
        code = allocate_values(r.n, axis);
    for (size_t i = 0; code == 0 && i < r.n; i++)
        code = add_value(range_value(&r, i), axis);
    free(r.low_text);
    free(r.high_text);
    free(r.count_text);
    return code;
}

/* --- axes and points --------------------------------------------------------------------------------------------- */

static int parse_axis(const struct command *cmd, const char *text, sweep_axis *axis)
{
    const char *equals = strchr(text, '=');
    if (!equals)
        return usage_error(cmd, "--over: '%s' gives no values; " EXPECTED, text);
    axis->key = copy_trimmed(text, (size_t)(equals - text));
    if (!axis->key)
        return report_out_of_memory();
    if (axis->key[0] == '\0')
        return usage_error(cmd, "--over: '%s' has no key before the '='; " EXPECTED, text);
    int is_range = *find_outside(equals + 1, ':') && !*find_outside(equals + 1, ',');
    return is_range ? parse_range(cmd, equals + 1, axis) : parse_list(cmd, equals + 1, axis);
}

/* 1 if the text of a --set sets this key. */
static int sets_key(const char *set, const char *key)
{
    set += strspn(set, " \t");
    size_t length = strlen(key);
    return strncmp(set, key, length) == 0 && set[length + strspn(set + length, " \t")] == '=';
}

static int check_last_key(const struct command *cmd, const sweep_grid *grid, const char *const *sets, size_t n_sets)
{
    size_t last = grid->n_axes - 1;
    const char *key = grid->axis[last].key;
    for (size_t i = 0; i < last; i++)
        if (strcmp(grid->axis[i].key, key) == 0)
            return usage_error(cmd, "--over %s: the key is swept twice; give all its values in one --over", key);
    for (size_t i = 0; i < n_sets; i++)
        if (sets_key(sets[i], key))
            return usage_error(cmd, "--over %s: the key is also given by --set; remove one of the two", key);
    return 0;
}

int sweep_grid_init(const struct command *cmd, const char *const *overs, size_t n_overs, const char *const *sets,
                    size_t n_sets, sweep_grid *out)
{
    *out = (sweep_grid){.n_points = 1};
    out->axis = calloc(n_overs + 1, sizeof *out->axis);
    int code = out->axis ? 0 : report_out_of_memory();
    for (size_t i = 0; i < n_overs && code == 0; i++) {
        sweep_axis *axis = &out->axis[i];
        out->n_axes = i + 1;
        code = parse_axis(cmd, overs[i], axis);
        if (code == 0)
            code = check_last_key(cmd, out, sets, n_sets);
        out->n_points *= axis->n; /* no overflow, as both are at most SWEEP_POINTS_MAX */
        if (code == 0 && out->n_points > SWEEP_POINTS_MAX)
            code = usage_error(cmd, "--over %s: all values combined make more than %d points; sweep fewer values",
                               axis->key, SWEEP_POINTS_MAX);
    }
    return code;
}

void sweep_grid_free(sweep_grid *grid)
{
    for (size_t i = 0; i < grid->n_axes; i++) {
        sweep_axis *axis = &grid->axis[i];
        for (size_t j = 0; j < axis->n; j++)
            free(axis->value[j]);
        free(axis->value);
        free(axis->key);
    }
    free(grid->axis);
    *grid = (sweep_grid){0};
}

const char *sweep_grid_value(const sweep_grid *grid, size_t point, size_t axis)
{
    for (size_t i = grid->n_axes - 1; i > axis; i--)
        point /= grid->axis[i].n;
    return grid->axis[axis].value[point % grid->axis[axis].n];
}

char *sweep_grid_set(const sweep_grid *grid, size_t point, size_t axis)
{
    char *text = NULL;
    return asprintf(&text, "%s=%s", grid->axis[axis].key, sweep_grid_value(grid, point, axis)) < 0 ? NULL : text;
}

char *sweep_grid_label(const sweep_grid *grid, size_t point)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return NULL;
    for (size_t i = 0; i < grid->n_axes; i++)
        fprintf(to, "%s%s=%s", i ? ", " : "", grid->axis[i].key, sweep_grid_value(grid, point, i));
    int failed = ferror(to);
    if (fclose(to) == 0 && !failed)
        return text;
    free(text);
    return NULL;
}
