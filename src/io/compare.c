#include "sgdmft/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "core/memory.h"
#include "io/certainty.h"
#include "io/ending.h"
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
    char *ending;   /* how an incomplete run ends; NULL for a complete one */
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
    free(s->ending);
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

/* Rows of a run share their noise, so the error of an interpolated value is that of its neighbours: the largest. The
   same for its noise. */
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

/* Two values and how well they are known. */
typedef struct contest {
    double a, b, se, freedom; /* se of a - b, and its degrees of freedom */
    double scale;
} contest;

/* The outcome: do they agree, their distance in standard errors, and the largest that is allowed. */
typedef struct verdict {
    int agrees;
    double z, limit;
} verdict;

static verdict judge(const contest *x, limits limit)
{
    verdict out = {.z = NAN, .limit = limit.sigma};
    double distance = fabs(x->a - x->b);
    int exact = x->se == 0.0;
    double rtol = limit.rtol >= 0.0 ? limit.rtol : exact ? SGDMFT_COMPARE_RTOL_EXACT : -1.0;
    int close = rtol >= 0.0 && distance <= rtol * x->scale;
    if (isnan(distance) || isnan(x->se))
        return out;
    if (!exact)
        out.limit = certainty_limit(limit.sigma, x->freedom);
    out.z = !exact ? distance / x->se : close ? 0.0 : INFINITY;
    out.agrees = close || (!exact && out.z <= out.limit);
    return out;
}

/* Is the outcome at a time worse than the worst one so far? Disagreement first, then not-a-number, then z in units of
   what is allowed. */
static int is_worse(const verdict *now, const sgdmft_compared_curve *worst)
{
    if (now->agrees != worst->agrees)
        return !now->agrees;
    if (isnan(worst->z))
        return 0;
    return isnan(now->z) || now->z / now->limit > worst->z / worst->limit;
}

/* A curve on both sides, and its noise. */
typedef struct curve_pair {
    const sgdmft_curve *curve[2];
    double *noise[2];  /* [n_times of the side] */
    double freedom[2]; /* of the noise */
    double scale;
} curve_pair;

static contest contest_at(const curve_pair *both, const pair *at)
{
    double noise[2] = {error_at(both->noise[0], &at->a), error_at(both->noise[1], &at->b)};
    contest x = {.a = value_at(both->curve[0]->value, &at->a),
                 .b = value_at(both->curve[1]->value, &at->b),
                 .se = hypot(error_at(both->curve[0]->se, &at->a), error_at(both->curve[1]->se, &at->b)),
                 .scale = both->scale};
    x.freedom = certainty_of_sum(x.se, noise, both->freedom);
    return x;
}

static sgdmft_compared_curve compare_curve(const curve_pair *both, const pair *pairs, size_t n, limits limit)
{
    sgdmft_compared_curve out = {.agrees = 1, .z = -1.0, .limit = limit.sigma};
    double sum = 0.0;
    size_t with_error = 0;
    for (size_t i = 0; i < n; i++) {
        contest x = contest_at(both, &pairs[i]);
        verdict now = judge(&x, limit);
        out.n_disagree += !now.agrees;
        if (x.se > 0.0 && !isnan(now.z)) {
            sum += now.z * now.z;
            with_error++;
        }
        if (is_worse(&now, &out)) {
            out.agrees = now.agrees;
            out.t = pairs[i].t;
            out.a = x.a;
            out.b = x.b;
            out.z = now.z;
            out.limit = now.limit;
            out.relative = x.a == x.b ? 0.0 : fabs(x.a - x.b) / x.scale;
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

/* A curve that both have. `both` has room for its noise. */
static sgdmft_status compare_pair(sgdmft_context *ctx, subject a, subject b, curve_pair *both, const pair *pairs,
                                  limits limit, sgdmft_comparison *c)
{
    const subject of[2] = {a, b};
    sgdmft_status status = SGDMFT_OK;
    char *name = NULL;
    for (int i = 0; i < 2 && !status; i++) {
        status = check_errors(ctx, of[i], both->curve[i]);
        if (!status)
            certainty_noise(of[i].solution, both->curve[i], both->noise[i]);
    }
    if (!status)
        status = copy_text(ctx, both->curve[0]->name, &name);
    if (status)
        return status;
    both->scale = solution_curve_scale(b.solution, both->curve[1]);
    sgdmft_compared_curve *out = &c->curves[c->n_curves++];
    *out = compare_curve(both, pairs, c->times.n, limit);
    out->name = name;
    c->agrees &= out->agrees;
    return SGDMFT_OK;
}

static sgdmft_status compare_common(sgdmft_context *ctx, subject a, subject b, const pair *pairs, limits limit,
                                    sgdmft_comparison *c)
{
    curve_pair both = {.noise = {memory_doubles(a.solution->n_times), memory_doubles(b.solution->n_times)},
                       .freedom = {certainty_freedom(a.solution), certainty_freedom(b.solution)}};
    double bytes = 8.0 * (double)(a.solution->n_times + b.solution->n_times);
    sgdmft_status status =
        both.noise[0] && both.noise[1] ? SGDMFT_OK : context_out_of_memory(ctx, "a comparison", bytes);
    c->agrees = 1;
    for (size_t i = 0; i < a.solution->n_curves && !status; i++) {
        both.curve[0] = &a.solution->curves[i];
        both.curve[1] = sgdmft_solution_curve(b.solution, both.curve[0]->name);
        if (both.curve[1])
            status = compare_pair(ctx, a, b, &both, pairs, limit, c);
    }
    free(both.noise[0]);
    free(both.noise[1]);
    if (!status && c->n_curves == 0)
        return context_fail(ctx, SGDMFT_ERR_MISSING, "'%s' and '%s' have no columns in common besides t", a.source,
                            b.source);
    return status;
}

static sgdmft_status describe_side(sgdmft_context *ctx, subject s, subject other, side *out)
{
    const sgdmft_solution *solution = s.solution;
    const char *title = solution->info.simulated ? "program: simulate" : "program: solve";
    sgdmft_status status = copy_text(ctx, s.source, &out->source);
    if (!status)
        status = copy_text(ctx, solution->title[0] ? solution->title : title, &out->title);
    if (!status)
        status = ending_describe(ctx, solution, &out->ending);
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
    if (!status)
        status = describe_side(ctx, b, a, &c->b);
    c->agrees = c->agrees && !c->a.ending && !c->b.ending;
    return status;
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

const char *sgdmft_comparison_ending(const sgdmft_comparison *comparison, char which)
{
    return side_of(comparison, which)->ending;
}
