#include "columns/columns.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What counts as small in a column that decays, as a part of its largest value. */
static const double SMALL_PART = 0.01;

double columns_largest(const double *value, size_t n)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(value[i])); /* fmax passes over what is not a number */
    return largest;
}

/* |value|, but at least the small part of the largest one. */
static void decaying_scale(const double *value, size_t n, double *scale)
{
    double least = SMALL_PART * columns_largest(value, n);
    for (size_t t = 0; t < n; t++)
        scale[t] = fmax(least, fabs(value[t]));
}

static void scale_of_itself(const column_surroundings *in, size_t i, double *scale)
{
    decaying_scale(in->value, in->n, scale);
}

static void scale_of_largest(const column_surroundings *in, size_t i, double *scale)
{
    double largest = columns_largest(in->value, in->n);
    for (size_t t = 0; t < in->n; t++)
        scale[t] = largest;
}

static void scale_of_response(const column_surroundings *in, size_t i, double *scale)
{
    for (size_t t = 0; t < in->n; t++)
        scale[t] = 1;
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

/* The row of entry i in a lower triangle, and its column in *column. */
static size_t triangle_row(size_t i, size_t *column)
{
    size_t row = 0;
    while ((row + 1) * (row + 2) / 2 <= i)
        row++;
    *column = i - row * (row + 1) / 2;
    return row;
}

static size_t q_count(const solution_shape *shape)
{
    return (size_t)(shape->k * (shape->k + 1) / 2);
}

static char *q_name(const solution_shape *shape, size_t i)
{
    size_t column, row = triangle_row(i, &column);
    return matrix_entry('q', row, column);
}

static void q_scale(const column_surroundings *in, size_t i, double *scale)
{
    size_t column, row = triangle_row(i, &column);
    const double *q = in->q[row], *other = in->q[column];
    double least = SMALL_PART * columns_largest(other, in->n);
    decaying_scale(q, in->n, scale);
    for (size_t t = 0; row != column && t < in->n; t++)
        scale[t] = sqrt(scale[t] * fmax(least, fabs(other[t])));
}

static size_t m_count(const solution_shape *shape)
{
    return (size_t)(shape->k * shape->kstar);
}

static char *m_name(const solution_shape *shape, size_t i)
{
    return matrix_entry('m', i / (size_t)shape->kstar, i % (size_t)shape->kstar);
}

static void m_scale(const column_surroundings *in, size_t i, double *scale)
{
    size_t kstar = (size_t)in->kstar, teacher = i % kstar;
    double rho = in->rho[teacher * kstar + teacher];
    decaying_scale(in->q[i / kstar], in->n, scale);
    for (size_t t = 0; t < in->n; t++)
        scale[t] = sqrt(scale[t] * rho);
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
        .scale = scale_of_itself,
    },
    {
        .key = "test_loss",
        .names = "test_loss",
        .patterns = {"test_loss"},
        .doc = "E loss(w, y) over fresh samples",
        .first = offsetof(solution_columns, test_loss),
        .count = one,
        .name = test_loss,
        .scale = scale_of_itself,
    },
    {
        .key = "q",
        .names = "q11, q21, q22, ...",
        .patterns = {"q[1-8][1-8]"},
        .doc = "overlaps of students, lower triangle of q = C(t,t) row by row",
        .first = offsetof(solution_columns, q),
        .count = q_count,
        .name = q_name,
        .scale = q_scale,
    },
    {
        .key = "m",
        .names = "m11, m12, ...",
        .patterns = {"m[1-8][1-8]"},
        .doc = "overlaps of students (first index) with teachers, row by row",
        .first = offsetof(solution_columns, m),
        .count = m_count,
        .name = m_name,
        .scale = m_scale,
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
        .scale = scale_of_largest,
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
        .scale = scale_of_response,
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

void columns_natural_scale(const column_kind *kind, const column_surroundings *in, size_t i, double *scale)
{
    (kind ? kind->scale : scale_of_largest)(in, i, scale);
}
