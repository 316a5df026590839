#include "io/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIME_TOLERANCE 1e-9
#define STENCIL 4

/* Where one compared time is found in one table: rows first .. first + n - 1 with weights. n = 1: the row itself. */
typedef struct place {
    size_t first, n;
    double weight[STENCIL];
} place;

typedef struct pair {
    double t;
    place a, b;
} pair;

/* One quantity of one table. */
typedef struct quantity {
    const double *value, *se;
} quantity;

void comparison_free(comparison *c)
{
    if (!c)
        return;
    free(c->columns);
    free(c);
}

int compare_is_quantity(const char *name)
{
    size_t length = strlen(name);
    return strcmp(name, "t") != 0 && !(length > 3 && strcmp(name + length - 3, "_se") == 0);
}

static int same_time(double x, double y)
{
    return fabs(x - y) <= TIME_TOLERANCE * fmax(fabs(x), fabs(y));
}

/* First row whose time is not before t (times that count as equal are not before). */
static size_t row_at_or_after(const double *times, size_t n, double t)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (times[middle] < t && !same_time(times[middle], t))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int has_time(const double *times, size_t n, double t, size_t *row)
{
    *row = row_at_or_after(times, n, t);
    return *row < n && same_time(times[*row], t);
}

static size_t count_common(const double *of, size_t n, const double *in, size_t m)
{
    size_t common = 0, row;
    for (size_t i = 0; i < n; i++)
        common += (size_t)has_time(in, m, of[i], &row);
    return common;
}

static place exact_place(size_t row)
{
    return (place){.first = row, .n = 1, .weight = {1.0}};
}

/* Lagrange weights on the four rows around t, or on all of fewer rows; times[0] < t < times[n - 1]. */
static place cubic_place(const double *times, size_t n, double t)
{
    size_t after = row_at_or_after(times, n, t);
    place p = {.first = after < 2 ? 0 : after - 2, .n = n < STENCIL ? n : STENCIL};
    if (p.first + p.n > n)
        p.first = n - p.n;
    const double *x = times + p.first;
    for (size_t i = 0; i < p.n; i++) {
        p.weight[i] = 1.0;
        for (size_t j = 0; j < p.n; j++)
            if (j != i)
                p.weight[i] *= (t - x[j]) / (x[i] - x[j]);
    }
    return p;
}

/* Where the time t stands in the table with times `other`. Returns 0 if it has no place there. */
static int find_place(const double *other, size_t n, double t, int interpolate, place *out)
{
    size_t row;
    if (has_time(other, n, t, &row)) {
        *out = exact_place(row);
        return 1;
    }
    if (!interpolate || t < other[0] || t > other[n - 1])
        return 0;
    *out = cubic_place(other, n, t);
    return 1;
}

/* Pairs the times of `base` with places in `other`; fills pairs and the counts of c. */
static void match_times(const csv_table *base, const csv_table *other, int base_is_a, int interpolate, pair *pairs,
                        comparison *c)
{
    const double *times = csv_values(base, "t"), *others = csv_values(other, "t");
    for (size_t i = 0; i < base->n_rows; i++) {
        place there;
        if (!find_place(others, other->n_rows, times[i], interpolate, &there)) {
            c->n_outside++;
            continue;
        }
        place here = exact_place(i);
        c->n_interpolated += there.n > 1;
        pairs[c->n_times++] = (pair){times[i], base_is_a ? here : there, base_is_a ? there : here};
    }
    if (c->n_times > 0) {
        c->t_first = pairs[0].t;
        c->t_last = pairs[c->n_times - 1].t;
    }
}

static sgdmft_status pair_times(sgdmft_context *ctx, const csv_table *a, const csv_table *b, pair *pairs,
                                comparison *c)
{
    const double *ta = csv_values(a, "t"), *tb = csv_values(b, "t");
    size_t common = count_common(ta, a->n_rows, tb, b->n_rows);
    int base_is_a = a->n_rows <= b->n_rows;
    int interpolate = common < a->n_rows && common < b->n_rows;
    const csv_table *base = base_is_a ? a : b, *other = base_is_a ? b : a;
    c->interpolated_a = interpolate && !base_is_a;
    match_times(base, other, base_is_a, interpolate, pairs, c);
    if (c->n_times == 0)
        return context_fail(ctx, SGDMFT_ERR_MISSING,
                            "'%s' (t = %.6g to %.6g) and '%s' (t = %.6g to %.6g) have no times in common", a->path,
                            ta[0], ta[a->n_rows - 1], b->path, tb[0], tb[b->n_rows - 1]);
    return SGDMFT_OK;
}

static sgdmft_status find_quantity(sgdmft_context *ctx, const csv_table *table, const char *name, quantity *out)
{
    char *se_name = NULL;
    if (asprintf(&se_name, "%s_se", name) < 0)
        return context_out_of_memory(ctx, "a column name", 64.0);
    *out = (quantity){csv_values(table, name), csv_values(table, se_name)};
    free(se_name);
    if (!out->se)
        return context_fail(ctx, SGDMFT_ERR_MISSING,
                            "%s: column '%s' has no column '%s_se' beside it; write 0 there for exact values",
                            table->path, name, name);
    for (size_t i = 0; i < table->n_rows; i++)
        if (out->se[i] < 0.0)
            return context_fail(ctx, SGDMFT_ERR_RANGE, "%s: '%s_se' is %g at row %zu; a standard error is not negative",
                                table->path, name, out->se[i], i + 1);
    return SGDMFT_OK;
}

static double value_at(const double *column, const place *p)
{
    double sum = 0.0;
    for (size_t i = 0; i < p->n; i++)
        sum += p->weight[i] * column[p->first + i];
    return sum;
}

/* Rows of a run share their noise, so the error of an interpolated value is that of its neighbours: the largest. */
static double error_at(const double *se, const place *p)
{
    double largest = 0.0;
    for (size_t i = 0; i < p->n; i++) {
        double here = se[p->first + i];
        if (isnan(here) || here > largest)
            largest = here;
        if (isnan(largest))
            break;
    }
    return largest;
}

static double column_scale(const double *value, size_t n)
{
    double scale = 0.0;
    for (size_t i = 0; i < n; i++)
        scale = fmax(scale, fabs(value[i]));
    return scale;
}

/* Returns 1 if A and B agree at one time, and their distance in standard errors. */
static int judge(double a, double b, double se, double scale, compare_limits limits, double *z)
{
    double distance = fabs(a - b);
    int exact = se == 0.0;
    double rtol = limits.rtol >= 0.0 ? limits.rtol : exact ? COMPARE_RTOL_EXACT : -1.0;
    int close = rtol >= 0.0 && distance <= rtol * scale;
    if (isnan(distance) || isnan(se))
        *z = NAN;
    else if (exact)
        *z = close ? 0.0 : INFINITY;
    else
        *z = distance / se;
    return !isnan(*z) && (close || *z <= limits.sigma);
}

/* Is a time with (agree, z) worse than the worst one so far? Disagreement first, then not-a-number, then z. */
static int is_worse(int agree, double z, int worst_agrees, double worst_z)
{
    if (agree != worst_agrees)
        return !agree;
    if (isnan(worst_z))
        return 0;
    return isnan(z) || z > worst_z;
}

static compare_column compare_quantity(const char *name, quantity qa, quantity qb, double scale, const pair *pairs,
                                       size_t n, compare_limits limits)
{
    compare_column out = {.name = name, .agrees = 1, .z = -1.0};
    double sum = 0.0;
    size_t with_error = 0;
    for (size_t i = 0; i < n; i++) {
        double a = value_at(qa.value, &pairs[i].a), b = value_at(qb.value, &pairs[i].b), z;
        double se = hypot(error_at(qa.se, &pairs[i].a), error_at(qb.se, &pairs[i].b));
        int agree = judge(a, b, se, scale, limits, &z);
        out.n_disagree += !agree;
        if (se > 0.0 && !isnan(z)) {
            sum += z * z;
            with_error++;
        }
        if (is_worse(agree, z, out.agrees, out.z)) {
            out.agrees = agree;
            out.t = pairs[i].t;
            out.a = a;
            out.b = b;
            out.z = z;
            out.relative = a == b ? 0.0 : fabs(a - b) / scale;
        }
    }
    out.rms_z = with_error ? sqrt(sum / (double)with_error) : NAN;
    return out;
}

static sgdmft_status compare_columns(sgdmft_context *ctx, const csv_table *a, const csv_table *b, const pair *pairs,
                                     compare_limits limits, comparison *c)
{
    c->agrees = 1;
    for (size_t i = 0; i < a->n_columns; i++) {
        const char *name = a->columns[i].name;
        if (!compare_is_quantity(name) || !csv_values(b, name))
            continue;
        quantity qa, qb;
        sgdmft_status status = find_quantity(ctx, a, name, &qa);
        if (status == SGDMFT_OK)
            status = find_quantity(ctx, b, name, &qb);
        if (status != SGDMFT_OK)
            return status;
        double scale = column_scale(qb.value, b->n_rows);
        c->columns[c->n_columns] = compare_quantity(name, qa, qb, scale, pairs, c->n_times, limits);
        c->agrees &= c->columns[c->n_columns++].agrees;
    }
    if (c->n_columns == 0)
        return context_fail(ctx, SGDMFT_ERR_MISSING, "'%s' and '%s' have no columns in common besides t", a->path,
                            b->path);
    return SGDMFT_OK;
}

sgdmft_status compare_tables(sgdmft_context *ctx, const csv_table *a, const csv_table *b, compare_limits limits,
                             comparison **out)
{
    *out = NULL;
    size_t n_pairs = a->n_rows < b->n_rows ? a->n_rows : b->n_rows;
    comparison *c = calloc(1, sizeof *c);
    pair *pairs = calloc(n_pairs, sizeof *pairs);
    if (c)
        c->columns = calloc(a->n_columns, sizeof *c->columns);
    sgdmft_status status;
    if (!c || !c->columns || !pairs)
        status = context_out_of_memory(ctx, "a comparison", (double)(n_pairs * sizeof *pairs));
    else
        status = pair_times(ctx, a, b, pairs, c);
    if (status == SGDMFT_OK)
        status = compare_columns(ctx, a, b, pairs, limits, c);
    free(pairs);
    if (status == SGDMFT_OK)
        *out = c;
    else
        comparison_free(c);
    return status;
}
