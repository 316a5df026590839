#include "sgdmft/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "sgdmft/io.h"

#define TIME_TOLERANCE 1e-9
#define STENCIL 4

typedef struct name_list {
    size_t n;
    char **name;
} name_list;

/* One side of the result: copies, so that the solutions may go. */
typedef struct side {
    char *source, *title;
    name_list only; /* curves that the other side lacks */
} side;

struct sgdmft_comparison {
    int agrees;
    sgdmft_compared_times times;
    size_t n_curves;
    sgdmft_compared_curve *curves; /* they own their names */
    side a, b;
};

typedef struct limits {
    double sigma, rtol;
} limits;

/* A solution with the name it has in messages. */
typedef struct subject {
    const sgdmft_solution *solution;
    const char *source;
} subject;

/* Where one compared time is found in one table: rows first .. first + n - 1 with weights. n = 1: the row itself. */
typedef struct place {
    size_t first, n;
    double weight[STENCIL];
} place;

typedef struct pair {
    double t;
    place a, b;
} pair;

static void name_list_clear(name_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->name[i]);
    free(list->name);
}

static void side_clear(side *s)
{
    free(s->source);
    free(s->title);
    name_list_clear(&s->only);
}

void sgdmft_comparison_free(sgdmft_comparison *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_curves; i++)
        free((char *)c->curves[i].name);
    free(c->curves);
    side_clear(&c->a);
    side_clear(&c->b);
    free(c);
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

/* The place of time t among the times `other`. Returns 0 if it has no place there. */
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

/* Pairs the times of `base` with places in `other`; fills pairs and the counts. */
static void match_times(const sgdmft_solution *base, const sgdmft_solution *other, int base_is_a, int interpolate,
                        pair *pairs, sgdmft_compared_times *out)
{
    for (size_t i = 0; i < base->n_times; i++) {
        place there;
        if (!find_place(other->times, other->n_times, base->times[i], interpolate, &there)) {
            out->n_outside++;
            continue;
        }
        place here = exact_place(i);
        out->n_interpolated += there.n > 1;
        pairs[out->n++] = (pair){base->times[i], base_is_a ? here : there, base_is_a ? there : here};
    }
    if (out->n > 0) {
        out->first = pairs[0].t;
        out->last = pairs[out->n - 1].t;
    }
}

static sgdmft_status pair_times(sgdmft_context *ctx, subject a, subject b, pair *pairs, sgdmft_compared_times *out)
{
    const sgdmft_solution *sa = a.solution, *sb = b.solution;
    size_t common = count_common(sa->times, sa->n_times, sb->times, sb->n_times);
    int base_is_a = sa->n_times <= sb->n_times;
    int interpolate = common < sa->n_times && common < sb->n_times;
    out->interpolated = base_is_a ? 'B' : 'A';
    match_times(base_is_a ? sa : sb, base_is_a ? sb : sa, base_is_a, interpolate, pairs, out);
    if (out->n == 0)
        return context_fail(
            ctx, SGDMFT_ERR_MISSING, "'%s' (t = %.6g to %.6g) and '%s' (t = %.6g to %.6g) have no times in common",
            a.source, sa->times[0], sa->times[sa->n_times - 1], b.source, sb->times[0], sb->times[sb->n_times - 1]);
    return SGDMFT_OK;
}

static sgdmft_status check_errors(sgdmft_context *ctx, subject s, const sgdmft_curve *curve)
{
    if (!curve->se)
        return context_fail(ctx, SGDMFT_ERR_MISSING,
                            "%s: column '%s' has no column '%s_se' beside it; write 0 there for exact values", s.source,
                            curve->name, curve->name);
    for (size_t i = 0; i < s.solution->n_times; i++)
        if (curve->se[i] < 0.0)
            return context_fail(ctx, SGDMFT_ERR_RANGE, "%s: '%s_se' is %g at row %zu; a standard error is not negative",
                                s.source, curve->name, curve->se[i], i + 1);
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

/* Returns 1 if A and B agree at one time, and their distance in standard errors. */
static int judge(double a, double b, double se, double scale, limits limit, double *z)
{
    double distance = fabs(a - b);
    int exact = se == 0.0;
    double rtol = limit.rtol >= 0.0 ? limit.rtol : exact ? SGDMFT_COMPARE_RTOL_EXACT : -1.0;
    int close = rtol >= 0.0 && distance <= rtol * scale;
    if (isnan(distance) || isnan(se))
        *z = NAN;
    else if (exact)
        *z = close ? 0.0 : INFINITY;
    else
        *z = distance / se;
    return !isnan(*z) && (close || *z <= limit.sigma);
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

static sgdmft_compared_curve compare_curve(const sgdmft_curve *ca, const sgdmft_curve *cb, double scale,
                                           const pair *pairs, size_t n, limits limit)
{
    sgdmft_compared_curve out = {.agrees = 1, .z = -1.0};
    double sum = 0.0;
    size_t with_error = 0;
    for (size_t i = 0; i < n; i++) {
        double a = value_at(ca->value, &pairs[i].a), b = value_at(cb->value, &pairs[i].b), z;
        double se = hypot(error_at(ca->se, &pairs[i].a), error_at(cb->se, &pairs[i].b));
        int agree = judge(a, b, se, scale, limit, &z);
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

static sgdmft_status copy_text(sgdmft_context *ctx, const char *text, char **out)
{
    *out = strdup(text);
    return *out ? SGDMFT_OK : context_out_of_memory(ctx, "a comparison", (double)strlen(text));
}

static sgdmft_status compare_common(sgdmft_context *ctx, subject a, subject b, const pair *pairs, limits limit,
                                    sgdmft_comparison *c)
{
    c->agrees = 1;
    for (size_t i = 0; i < a.solution->n_curves; i++) {
        const sgdmft_curve *ca = &a.solution->curves[i], *cb = sgdmft_solution_curve(b.solution, ca->name);
        if (!cb)
            continue;
        sgdmft_status status = check_errors(ctx, a, ca);
        if (!status)
            status = check_errors(ctx, b, cb);
        char *name = NULL;
        if (!status)
            status = copy_text(ctx, ca->name, &name);
        if (status)
            return status;
        double scale = solution_curve_scale(b.solution, cb);
        sgdmft_compared_curve *out = &c->curves[c->n_curves++];
        *out = compare_curve(ca, cb, scale, pairs, c->times.n, limit);
        out->name = name;
        c->agrees &= out->agrees;
    }
    if (c->n_curves == 0)
        return context_fail(ctx, SGDMFT_ERR_MISSING, "'%s' and '%s' have no columns in common besides t", a.source,
                            b.source);
    return SGDMFT_OK;
}

static sgdmft_status describe_side(sgdmft_context *ctx, subject s, subject other, side *out)
{
    const sgdmft_solution *solution = s.solution;
    const char *title = solution->info.simulated ? "program: simulate" : "program: solve";
    sgdmft_status status = copy_text(ctx, s.source, &out->source);
    if (!status)
        status = copy_text(ctx, solution->title[0] ? solution->title : title, &out->title);
    out->only.name = calloc(solution->n_curves + 1, sizeof *out->only.name);
    if (!status && !out->only.name)
        return context_out_of_memory(ctx, "a comparison", 8.0 * (double)solution->n_curves);
    for (size_t i = 0; i < solution->n_curves && !status; i++)
        if (!sgdmft_solution_curve(other.solution, solution->curves[i].name)) {
            status = copy_text(ctx, solution->curves[i].name, &out->only.name[out->only.n]);
            out->only.n += !status;
        }
    return status;
}

static sgdmft_status fill(sgdmft_context *ctx, subject a, subject b, limits limit, pair *pairs, sgdmft_comparison *c)
{
    sgdmft_status status = pair_times(ctx, a, b, pairs, &c->times);
    if (!status)
        status = compare_common(ctx, a, b, pairs, limit, c);
    if (!status)
        status = describe_side(ctx, a, b, &c->a);
    return status ? status : describe_side(ctx, b, a, &c->b);
}

static sgdmft_status compare(sgdmft_context *ctx, subject a, subject b, limits limit, sgdmft_comparison **out)
{
    *out = NULL;
    if (!a.solution || !b.solution)
        return context_fail(ctx, SGDMFT_ERR_ARGUMENT, "compare: a solution is NULL");
    if (!(limit.sigma > 0))
        return context_fail(ctx, SGDMFT_ERR_ARGUMENT, "compare: sigma is %g; allowed: > 0", limit.sigma);
    if (a.solution->n_times == 0 || b.solution->n_times == 0)
        return context_fail(ctx, SGDMFT_ERR_MISSING, "%s: there are no output times to compare",
                            a.solution->n_times == 0 ? a.source : b.source);
    size_t n_pairs = a.solution->n_times < b.solution->n_times ? a.solution->n_times : b.solution->n_times;
    sgdmft_comparison *c = calloc(1, sizeof *c);
    pair *pairs = calloc(n_pairs, sizeof *pairs);
    if (c)
        c->curves = calloc(a.solution->n_curves + 1, sizeof *c->curves);
    sgdmft_status status;
    if (!c || !c->curves || !pairs)
        status = context_out_of_memory(ctx, "a comparison", (double)(n_pairs * sizeof *pairs));
    else
        status = fill(ctx, a, b, limit, pairs, c);
    free(pairs);
    if (status)
        sgdmft_comparison_free(c);
    else
        *out = c;
    return status;
}

sgdmft_status sgdmft_compare(sgdmft_context *ctx, const sgdmft_solution *a, const sgdmft_solution *b, double sigma,
                             double rtol, sgdmft_comparison **out)
{
    return compare(ctx, (subject){a, "A"}, (subject){b, "B"}, (limits){sigma, rtol}, out);
}

sgdmft_status sgdmft_compare_files(sgdmft_context *ctx, const char *a, const char *b, double sigma, double rtol,
                                   sgdmft_comparison **out)
{
    sgdmft_solution *sa = NULL, *sb = NULL;
    *out = NULL;
    sgdmft_status status = sgdmft_solution_read(ctx, a, NULL, &sa);
    if (!status)
        status = sgdmft_solution_read(ctx, b, NULL, &sb);
    if (!status)
        status = compare(ctx, (subject){sa, a}, (subject){sb, b}, (limits){sigma, rtol}, out);
    sgdmft_solution_free(sa);
    sgdmft_solution_free(sb);
    return status;
}

int sgdmft_comparison_agrees(const sgdmft_comparison *comparison)
{
    return comparison->agrees;
}

const sgdmft_compared_times *sgdmft_comparison_times(const sgdmft_comparison *comparison)
{
    return &comparison->times;
}

size_t sgdmft_comparison_n_curves(const sgdmft_comparison *comparison)
{
    return comparison->n_curves;
}

const sgdmft_compared_curve *sgdmft_comparison_curve(const sgdmft_comparison *comparison, size_t index)
{
    return index < comparison->n_curves ? &comparison->curves[index] : NULL;
}

static const side *side_of(const sgdmft_comparison *comparison, char which)
{
    return which == 'A' ? &comparison->a : &comparison->b;
}

const char *sgdmft_comparison_only_in(const sgdmft_comparison *comparison, char which, size_t index)
{
    const name_list *only = &side_of(comparison, which)->only;
    return index < only->n ? only->name[index] : NULL;
}

const char *sgdmft_comparison_source(const sgdmft_comparison *comparison, char which)
{
    return side_of(comparison, which)->source;
}

const char *sgdmft_comparison_title(const sgdmft_comparison *comparison, char which)
{
    return side_of(comparison, which)->title;
}
