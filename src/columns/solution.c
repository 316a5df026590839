#include "columns/solution.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "columns/coordinate_arrays.h"

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
    free(solution->message);
    free(solution->times);
    free(solution->t);
    free(solution->C);
    free(solution->R);
    free(solution->m);
    free(solution->residual);
    solution_drop_histograms(solution);
    coordinate_arrays_free(solution);
    free(solution);
}

const sgdmft_curve *sgdmft_solution_curve(const sgdmft_solution *solution, const char *name)
{
    for (size_t c = 0; c < solution->n_curves; c++)
        if (strcmp(solution->curves[c].name, name) == 0)
            return &solution->curves[c];
    return NULL;
}

solution_columns solution_columns_of(const solution_shape *shape)
{
    size_t k = (size_t)shape->k, kstar = (size_t)shape->kstar;
    solution_columns at = {.train_loss = 0, .test_loss = 1, .q = 2};
    at.m = at.q + k * (k + 1) / 2;
    at.observables = at.m + k * kstar;
    at.response = at.observables + 2 * shape->n_observables;
    at.count = at.response + (shape->response ? k * k : 0);
    return at;
}

/* Appends curves one after the other; stays failed once an allocation failed. */
typedef struct curve_maker {
    sgdmft_solution *solution;
    size_t next;
    int failed;
} curve_maker;

static void make_curve(curve_maker *maker, char *name)
{
    sgdmft_curve *curve = &maker->solution->curves[maker->next++];
    size_t n = maker->solution->n_times;
    curve->name = name;
    curve->value = memory_doubles(n);
    curve->se = memory_doubles(n);
    curve->step_error = memory_doubles(n);
    if (!curve->name || !curve->value || !curve->se || !curve->step_error)
        maker->failed = 1;
}

static void make_entry(curve_maker *maker, const char *symbol, int a, int b)
{
    char *name = NULL;
    if (asprintf(&name, "%s%d%d", symbol, a + 1, b + 1) < 0)
        name = NULL;
    make_curve(maker, name);
}

static void make_observable(curve_maker *maker, const char *law, const char *observable)
{
    char *name = NULL;
    if (asprintf(&name, "%s_%s", law, observable) < 0)
        name = NULL;
    make_curve(maker, name);
}

static int make_curves(sgdmft_solution *solution, const solution_shape *shape)
{
    curve_maker maker = {.solution = solution};
    make_curve(&maker, strdup("train_loss"));
    make_curve(&maker, strdup("test_loss"));
    for (int a = 0; a < shape->k; a++)
        for (int b = 0; b <= a; b++)
            make_entry(&maker, "q", a, b);
    for (int a = 0; a < shape->k; a++)
        for (int b = 0; b < shape->kstar; b++)
            make_entry(&maker, "m", a, b);
    for (size_t i = 0; i < shape->n_observables; i++) {
        make_observable(&maker, "train", shape->observables[i]);
        make_observable(&maker, "test", shape->observables[i]);
    }
    for (int a = 0; shape->response && a < shape->k; a++)
        for (int b = 0; b < shape->k; b++)
            make_entry(&maker, "R", a, b);
    return !maker.failed;
}

static int make_two_time(sgdmft_solution *solution)
{
    size_t n = solution->n_grid, k = (size_t)solution->k, kstar = (size_t)solution->kstar, square;
    if (__builtin_mul_overflow(n, n, &square) || __builtin_mul_overflow(square, k * k, &square))
        return 0;
    solution->t = memory_doubles(n);
    solution->C = memory_doubles(square);
    solution->R = memory_doubles(square);
    solution->m = memory_doubles(n * k * kstar);
    solution->residual = memory_doubles(n);
    return solution->t && solution->C && solution->R && solution->m && solution->residual;
}

sgdmft_status solution_new(sgdmft_context *ctx, const solution_shape *shape, sgdmft_solution **out)
{
    *out = NULL;
    size_t n_curves = solution_columns_of(shape).count;
    double n_grid = (double)shape->n_grid;
    double bytes = sizeof(double) * (3.0 * (double)n_curves * (double)shape->n_times +
                                     2.0 * n_grid * n_grid * shape->k * shape->k);
    sgdmft_solution *solution = calloc(1, sizeof *solution);
    if (!solution)
        return context_out_of_memory(ctx, "a solution", bytes);
    solution->k = shape->k;
    solution->kstar = shape->kstar;
    solution->n_times = shape->n_times;
    solution->n_grid = shape->n_grid;
    solution->n_curves = n_curves;
    solution->message = strdup("");
    solution->times = memory_doubles(shape->n_times);
    solution->curves = calloc(n_curves, sizeof *solution->curves);
    int made = solution->message && solution->times && solution->curves && make_curves(solution, shape) &&
               (shape->n_grid == 0 || make_two_time(solution));
    if (!made) {
        sgdmft_solution_free(solution);
        return context_out_of_memory(ctx, "a solution", bytes);
    }
    *out = solution;
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

sgdmft_status solution_add_identity(sgdmft_context *ctx, sgdmft_solution *solution, const sgdmft_identity *identity)
{
    size_t n = solution->n_identities;
    double bytes = (double)((n + 1) * sizeof *solution->identities);
    sgdmft_identity *grown = realloc(solution->identities, (n + 1) * sizeof *grown);
    if (!grown)
        return context_out_of_memory(ctx, "identities", bytes);
    solution->identities = grown;
    grown[n] = *identity;
    grown[n].name = strdup(identity->name);
    if (!grown[n].name)
        return context_out_of_memory(ctx, "identities", bytes);
    solution->n_identities = n + 1;
    return SGDMFT_OK;
}

void solution_drop_histograms(sgdmft_solution *solution)
{
    sgdmft_histograms *h = solution->histograms;
    if (!h)
        return;
    free(h->t);
    free(h->edges);
    free(h->density);
    free(h->se);
    free(h);
    solution->histograms = NULL;
}

sgdmft_status solution_add_histograms(sgdmft_context *ctx, sgdmft_solution *solution, size_t n_times, size_t n_bins)
{
    size_t k = (size_t)solution->k;
    sgdmft_histograms *h = calloc(1, sizeof *h);
    solution_drop_histograms(solution);
    solution->histograms = h;
    if (h) {
        *h = (sgdmft_histograms){.n_times = n_times, .n_bins = n_bins};
        h->t = memory_doubles(n_times);
        h->edges = memory_doubles(k * (n_bins + 1));
        h->density = memory_doubles(n_times * k * n_bins);
    }
    return h && h->t && h->edges && h->density
               ? SGDMFT_OK
               : context_out_of_memory(ctx, "histograms", 8.0 * (double)(n_times * k * n_bins));
}

sgdmft_status solution_add_histogram_errors(sgdmft_context *ctx, sgdmft_solution *solution)
{
    sgdmft_histograms *h = solution->histograms;
    size_t n = h->n_times * (size_t)solution->k * h->n_bins;
    h->se = memory_doubles(n);
    return h->se ? SGDMFT_OK : context_out_of_memory(ctx, "histograms", 8.0 * (double)n);
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

sgdmft_status solution_check_names(sgdmft_context *ctx, const sgdmft_solution *solution)
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
    }
    return SGDMFT_OK;
}

double solution_curve_scale(const sgdmft_solution *solution, const sgdmft_curve *curve)
{
    double scale = 0.0;
    for (size_t i = 0; i < solution->n_times; i++)
        scale = fmax(scale, fabs(curve->value[i]));
    return scale;
}
