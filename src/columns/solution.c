#include "columns/solution.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution_arrays.h"
#include "core/memory.h"
#include "problem/echo.h"
#include "sgdmft/version.h"

void sgdmft_solution_free(sgdmft_solution *solution)
{
    if (!solution)
        return;
    for (size_t c = 0; solution->curves && c < solution->n_curves; c++) {
        free(solution->curves[c].name);
        free(solution->curves[c].value);
        free(solution->curves[c].se);
        free(solution->curves[c].step_error);
    }
    free(solution->curves);
    for (size_t i = 0; i < solution->n_identities; i++)
        free(solution->identities[i].name);
    free(solution->identities);
    for (array_owner owner = 0; owner < OWNERS; owner++)
        solution_arrays_free(solution, owner);
    free(solution->histograms);
    free(solution->coordinates);
    free(solution->message);
    free(solution->problem);
    free(solution->version);
    free(solution->build);
    free(solution->command);
    free(solution->title);
    free(solution->times);
    free(solution);
}

static int make_curve(sgdmft_curve *curve, size_t n_times)
{
    curve->value = memory_doubles(n_times);
    curve->se = memory_doubles(n_times);
    curve->step_error = memory_doubles(n_times);
    return curve->value && curve->se && curve->step_error;
}

static int make_curves(sgdmft_solution *solution, size_t n_curves)
{
    int made = (solution->curves = calloc(n_curves + 1, sizeof *solution->curves)) != NULL;
    solution->n_curves = n_curves;
    for (size_t c = 0; c < n_curves && made; c++)
        made = make_curve(&solution->curves[c], solution->n_times);
    return made;
}

sgdmft_status solution_new_nameless(sgdmft_context *ctx, const solution_shape *shape, size_t n_curves,
                                    sgdmft_solution **out)
{
    *out = NULL;
    double bytes = 24.0 * (double)n_curves * (double)shape->n_times;
    sgdmft_solution *solution = calloc(1, sizeof *solution);
    if (!solution)
        return context_out_of_memory(ctx, "a solution", bytes);
    solution->k = shape->k;
    solution->kstar = shape->kstar;
    solution->n_times = shape->n_times;
    solution->n_grid = shape->n_grid;
    char **texts[] = {&solution->message, &solution->problem, &solution->version,
                      &solution->build,   &solution->command, &solution->title};
    solution->times = memory_doubles(shape->n_times);
    int made = solution->times && make_curves(solution, n_curves);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        made = made && (*texts[i] = strdup(""));
    sgdmft_status status = made ? SGDMFT_OK : context_out_of_memory(ctx, "a solution", bytes);
    if (!status && shape->n_grid > 0)
        status = solution_arrays_allocate(ctx, solution, OWNER_GRID, 0, "a solution");
    if (status)
        sgdmft_solution_free(solution);
    else
        *out = solution;
    return status;
}

sgdmft_status solution_name_curve(sgdmft_context *ctx, sgdmft_solution *solution, size_t index, const char *name)
{
    sgdmft_curve *curve = &solution->curves[index];
    curve->kind = columns_kind_of(name);
    curve->name = strdup(name);
    return curve->name ? SGDMFT_OK : context_out_of_memory(ctx, "the name of a curve", (double)strlen(name));
}

/* In the order of the table of kinds. Returns 0 if out of memory. */
static int name_curves(sgdmft_solution *solution, const solution_shape *shape)
{
    sgdmft_curve *curve = solution->curves;
    const column_kind *kind;
    for (size_t row = 0; (kind = columns_kind(row)); row++)
        for (size_t i = 0; i < kind->count(shape); i++, curve++) {
            curve->kind = kind;
            curve->name = kind->name(shape, i);
            if (!curve->name)
                return 0;
        }
    return 1;
}

/* Made by this library. Returns 0 if out of memory. */
static int sign(sgdmft_solution *solution)
{
    free(solution->version);
    free(solution->build);
    solution->version = strdup(sgdmft_version());
    solution->build = strdup(sgdmft_build_info());
    return solution->version && solution->build;
}

sgdmft_status solution_new(sgdmft_context *ctx, const solution_shape *shape, sgdmft_solution **out)
{
    sgdmft_status status = solution_new_nameless(ctx, shape, solution_columns_of(shape).count, out);
    if (status || (name_curves(*out, shape) && sign(*out)))
        return status;
    sgdmft_solution_free(*out);
    *out = NULL;
    return context_out_of_memory(ctx, "a solution", 0);
}

sgdmft_status solution_set_problem(sgdmft_context *ctx, sgdmft_solution *solution, const sgdmft_problem *problem)
{
    char *text = NULL;
    sgdmft_status status = problem_echo(ctx, problem, &text);
    if (status)
        return status;
    free(solution->problem);
    solution->problem = text;
    solution->seed = problem->numerics.seed;
    return SGDMFT_OK;
}

/* Rows of `from` blocks become rows of `to` <= `from` blocks; each row moves towards the start, in order. */
static void pack_rows(double *array, size_t from, size_t to, size_t block)
{
    for (size_t i = 1; i < to; i++)
        memmove(array + i * to * block, array + i * from * block, to * block * sizeof *array);
}

void solution_truncate(sgdmft_solution *solution, size_t n_times, size_t n_grid)
{
    if (n_times < solution->n_times)
        solution->n_times = n_times;
    if (n_grid >= solution->n_grid)
        return;
    size_t block = (size_t)solution->k * (size_t)solution->k;
    pack_rows(solution->C, solution->n_grid, n_grid, block);
    pack_rows(solution->R, solution->n_grid, n_grid, block);
    solution->n_grid = n_grid;
}

sgdmft_status solution_set_status(sgdmft_context *ctx, sgdmft_solution *solution, sgdmft_status status,
                                  const char *message)
{
    char *copy = strdup(message ? message : "");
    if (!copy)
        return context_out_of_memory(ctx, "a message", 1.0);
    free(solution->message);
    solution->message = copy;
    solution->status = status;
    return SGDMFT_OK;
}

sgdmft_status solution_add_identity(sgdmft_context *ctx, sgdmft_solution *solution, const sgdmft_identity *identity,
                                    const char *format, ...)
{
    size_t n = solution->n_identities;
    double bytes = (double)((n + 1) * sizeof *solution->identities);
    sgdmft_identity *grown = realloc(solution->identities, (n + 1) * sizeof *grown);
    if (!grown)
        return context_out_of_memory(ctx, "identities", bytes);
    solution->identities = grown;
    grown[n] = *identity;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&grown[n].name, format, args);
    va_end(args);
    if (length < 0)
        return context_out_of_memory(ctx, "identities", bytes);
    solution->n_identities = n + 1;
    return SGDMFT_OK;
}

void solution_drop_histograms(sgdmft_solution *solution)
{
    solution_arrays_free(solution, OWNER_HISTOGRAMS);
    free(solution->histograms);
    solution->histograms = NULL;
}

sgdmft_status solution_add_histograms(sgdmft_context *ctx, sgdmft_solution *solution, size_t n_times, size_t n_bins)
{
    solution_histograms *h = calloc(1, sizeof *h);
    solution_drop_histograms(solution);
    if (!h)
        return context_out_of_memory(ctx, "histograms", sizeof *h);
    *h = (solution_histograms){.n_times = n_times, .n_bins = n_bins};
    solution->histograms = h;
    return solution_arrays_allocate(ctx, solution, OWNER_HISTOGRAMS, 0, "histograms");
}

sgdmft_status solution_add_histogram_errors(sgdmft_context *ctx, sgdmft_solution *solution)
{
    return solution_arrays_allocate(ctx, solution, OWNER_HISTOGRAMS, 1, "histograms");
}

sgdmft_status solution_add_coordinates(sgdmft_context *ctx, sgdmft_solution *solution)
{
    solution->coordinates = calloc(1, sizeof *solution->coordinates);
    if (!solution->coordinates)
        return context_out_of_memory(ctx, "the process of the coordinates", sizeof *solution->coordinates);
    return solution_arrays_allocate(ctx, solution, OWNER_COORDINATES, 0, "the process of the coordinates");
}

sgdmft_status solution_add_renewals(sgdmft_context *ctx, sgdmft_solution *solution)
{
    return solution_arrays_allocate(ctx, solution, OWNER_COORDINATES, 1, "the process of the coordinates");
}

static int is_column_name(const char *name)
{
    if (!isalpha((unsigned char)name[0]) && name[0] != '_')
        return 0;
    for (const char *c = name; *c; c++)
        if (iscntrl((unsigned char)*c) || strchr(" ,;\"'#/", *c))
            return 0;
    return 1;
}

sgdmft_status solution_check_curves(sgdmft_context *ctx, const sgdmft_solution *solution)
{
    for (size_t c = 0; c < solution->n_curves; c++) {
        const char *name = solution->curves[c].name;
        if (!is_column_name(name))
            return context_fail(ctx, SGDMFT_ERR_ARGUMENT,
                                "curve %zu: the name '%s' cannot be a column; allowed: a letter or _ first, then "
                                "anything but spaces, commas, quotes, # and /",
                                c, name);
        if (sgdmft_solution_curve(solution, name) != &solution->curves[c])
            return context_fail(ctx, SGDMFT_ERR_ARGUMENT, "curve %zu: a curve named '%s' exists already", c, name);
        if (!solution->curves[c].se)
            return context_fail(ctx, SGDMFT_ERR_ARGUMENT, "curve %zu: '%s' has no standard errors", c, name);
    }
    return SGDMFT_OK;
}

double solution_curve_scale(const sgdmft_solution *solution, const sgdmft_curve *curve)
{
    return columns_largest(curve->value, solution->n_times);
}

void solution_natural_scale(const sgdmft_solution *solution, const double *rho, size_t index, double *scale)
{
    solution_shape shape = {.k = solution->k, .kstar = solution->kstar};
    solution_columns at = solution_columns_of(&shape); /* of q; what follows depends on the observables */
    const sgdmft_curve *curve = &solution->curves[index];
    column_surroundings in = {
        .k = solution->k, .kstar = solution->kstar, .n = solution->n_times, .value = curve->value, .rho = rho};
    for (size_t a = 0; a < (size_t)solution->k; a++)
        in.q[a] = solution->curves[at.q + a * (a + 3) / 2].value;
    size_t first = index;
    while (first > 0 && solution->curves[first - 1].kind == curve->kind)
        first--;
    columns_natural_scale(curve->kind, &in, index - first, scale);
}

sgdmft_status sgdmft_solution_status(const sgdmft_solution *solution)
{
    return solution->status;
}

const char *sgdmft_solution_message(const sgdmft_solution *solution)
{
    return solution->message;
}

const char *sgdmft_solution_problem(const sgdmft_solution *solution)
{
    return solution->problem;
}

const char *sgdmft_solution_version(const sgdmft_solution *solution)
{
    return solution->version;
}

int sgdmft_solution_students(const sgdmft_solution *solution)
{
    return solution->k;
}

int sgdmft_solution_teachers(const sgdmft_solution *solution)
{
    return solution->kstar;
}

size_t sgdmft_solution_n_times(const sgdmft_solution *solution)
{
    return solution->n_times;
}

const double *sgdmft_solution_times(const sgdmft_solution *solution)
{
    return solution->times;
}

size_t sgdmft_solution_n_curves(const sgdmft_solution *solution)
{
    return solution->n_curves;
}

const sgdmft_curve *sgdmft_solution_curve(const sgdmft_solution *solution, const char *name)
{
    for (size_t c = 0; c < solution->n_curves; c++)
        if (strcmp(solution->curves[c].name, name) == 0)
            return &solution->curves[c];
    return NULL;
}

const sgdmft_curve *sgdmft_solution_curve_at(const sgdmft_solution *solution, size_t index)
{
    return index < solution->n_curves ? &solution->curves[index] : NULL;
}

const char *sgdmft_curve_name(const sgdmft_curve *curve)
{
    return curve->name;
}

const char *sgdmft_curve_doc(const sgdmft_curve *curve)
{
    return curve->kind ? curve->kind->doc : "";
}

const double *sgdmft_curve_value(const sgdmft_curve *curve)
{
    return curve->value;
}

const double *sgdmft_curve_se(const sgdmft_curve *curve)
{
    return curve->se;
}

const double *sgdmft_curve_step_error(const sgdmft_curve *curve)
{
    return curve->step_error;
}

size_t sgdmft_solution_n_grid(const sgdmft_solution *solution)
{
    return solution->n_grid;
}

const double *sgdmft_solution_grid(const sgdmft_solution *solution)
{
    return solution->n_grid > 0 ? solution->t : NULL;
}

const double *sgdmft_solution_C(const sgdmft_solution *solution)
{
    return solution->n_grid > 0 ? solution->C : NULL;
}

const double *sgdmft_solution_R(const sgdmft_solution *solution)
{
    return solution->n_grid > 0 ? solution->R : NULL;
}

const double *sgdmft_solution_m(const sgdmft_solution *solution)
{
    return solution->n_grid > 0 ? solution->m : NULL;
}

const double *sgdmft_solution_array(const sgdmft_solution *solution, const char *name, int *rank,
                                    size_t extent[SGDMFT_RANK_MAX])
{
    solution_array array;
    for (size_t i = 0; solution_arrays_get(solution, i, &array); i++) {
        if (!array.values || strcmp(array.kind->name, name) != 0)
            continue;
        *rank = array.kind->rank;
        memcpy(extent, array.extent, sizeof array.extent);
        return array.values;
    }
    return NULL;
}

const char *sgdmft_solution_array_name(const sgdmft_solution *solution, size_t index)
{
    solution_array array;
    for (size_t i = 0; solution_arrays_get(solution, i, &array); i++)
        if (array.values && index-- == 0)
            return array.kind->name;
    return NULL;
}

size_t sgdmft_solution_n_identities(const sgdmft_solution *solution)
{
    return solution->n_identities;
}

const sgdmft_identity *sgdmft_solution_identity(const sgdmft_solution *solution, size_t index)
{
    return index < solution->n_identities ? &solution->identities[index] : NULL;
}

const sgdmft_solve_info *sgdmft_solution_info(const sgdmft_solution *solution)
{
    return &solution->info;
}
