#include "columns/columns.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static double largest_magnitude(const double *value, size_t n)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(value[i])); /* fmax passes over what is not a number */
    return largest;
}

static size_t one(const solution_shape *shape)
{
    return 1;
}

static char *train_loss(const solution_shape *shape, size_t i)
{
    return strdup("train_loss");
}

static char *test_loss(const solution_shape *shape, size_t i)
{
    return strdup("test_loss");
}

static char *matrix_entry(char symbol, size_t row, size_t column)
{
    char *name = NULL;
    return asprintf(&name, "%c%zu%zu", symbol, row + 1, column + 1) < 0 ? NULL : name;
}

static size_t q_count(const solution_shape *shape)
{
    return (size_t)(shape->k * (shape->k + 1) / 2);
}

static char *q_name(const solution_shape *shape, size_t i)
{
    size_t row = 0;
    while ((row + 1) * (row + 2) / 2 <= i)
        row++;
    return matrix_entry('q', row, i - row * (row + 1) / 2);
}

static size_t m_count(const solution_shape *shape)
{
    return (size_t)(shape->k * shape->kstar);
}

static char *m_name(const solution_shape *shape, size_t i)
{
    return matrix_entry('m', i / (size_t)shape->kstar, i % (size_t)shape->kstar);
}

static size_t observables_count(const solution_shape *shape)
{
    return 2 * shape->n_observables;
}

static char *observable_name(const solution_shape *shape, size_t i)
{
    char *name = NULL;
    return asprintf(&name, "%s_%s", i % 2 ? "test" : "train", shape->observables[i / 2]) < 0 ? NULL : name;
}

static size_t response_count(const solution_shape *shape)
{
    return shape->response ? (size_t)(shape->k * shape->k) : 0;
}

static char *response_name(const solution_shape *shape, size_t i)
{
    return matrix_entry('R', i / (size_t)shape->k, i % (size_t)shape->k);
}

static const column_kind kinds[] = {
    {
        .key = "train_loss",
        .names = "train_loss",
        .patterns = {"train_loss"},
        .doc = "E loss(r, y) over the training samples",
        .first = offsetof(solution_columns, train_loss),
        .count = one,
        .name = train_loss,
        .scale = largest_magnitude,
    },
    {
        .key = "test_loss",
        .names = "test_loss",
        .patterns = {"test_loss"},
        .doc = "E loss(w, y) over fresh samples",
        .first = offsetof(solution_columns, test_loss),
        .count = one,
        .name = test_loss,
        .scale = largest_magnitude,
    },
    {
        .key = "q",
        .names = "q11, q21, q22, ...",
        .patterns = {"q[1-8][1-8]"},
        .doc = "overlaps of students, lower triangle of q = C(t,t) row by row",
        .first = offsetof(solution_columns, q),
        .count = q_count,
        .name = q_name,
        .scale = largest_magnitude,
    },
    {
        .key = "m",
        .names = "m11, m12, ...",
        .patterns = {"m[1-8][1-8]"},
        .doc = "overlaps of students (first index) with teachers, row by row",
        .first = offsetof(solution_columns, m),
        .count = m_count,
        .name = m_name,
        .scale = largest_magnitude,
    },
    {
        .key = "observables",
        .names = "train_NAME, test_NAME",
        .patterns = {"train_*", "test_*"},
        .doc = "averages of each observable of the problem file, in its order, over the training samples and over "
               "fresh ones",
        .first = offsetof(solution_columns, observables),
        .count = observables_count,
        .name = observable_name,
        .scale = largest_magnitude,
    },
    {
        .key = "R",
        .names = "R11, R12, ...",
        .patterns = {"R[1-8][1-8]"},
        .doc =
            "response R(t,0) row by row; not known to simulations, which leave it out, nor online for a penalty whose "
            "gradient jumps",
        .first = offsetof(solution_columns, response),
        .count = response_count,
        .name = response_name,
        .scale = largest_magnitude,
    },
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

const column_kind *columns_kind(size_t index)
{
    return index < KINDS ? &kinds[index] : NULL;
}

const column_kind *columns_kind_of(const char *name)
{
    for (size_t i = 0; i < KINDS; i++)
        for (int p = 0; p < 2 && kinds[i].patterns[p]; p++)
            if (fnmatch(kinds[i].patterns[p], name, 0) == 0)
                return &kinds[i];
    return NULL;
}

solution_columns solution_columns_of(const solution_shape *shape)
{
    solution_columns at = {.count = 0};
    for (size_t i = 0; i < KINDS; i++) {
        *(size_t *)((char *)&at + kinds[i].first) = at.count;
        at.count += kinds[i].count(shape);
    }
    return at;
}

void columns_infer_shape(size_t n, const char *const *names, int *k, int *kstar)
{
    int q = 0, m = 0;
    for (size_t i = 0; i < n; i++) {
        const column_kind *kind = columns_kind_of(names[i]);
        q += kind && kind->name == q_name;
        m += kind && kind->name == m_name;
    }
    *k = *kstar = 0;
    while (*k * (*k + 1) / 2 < q)
        ++*k;
    if (*k > 0)
        *kstar = m / *k;
}

double columns_scale(const column_kind *kind, const double *value, size_t n)
{
    return kind ? kind->scale(value, n) : largest_magnitude(value, n);
}
