#include "problem/convert_matrix.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/number.h"
#include "core/origin.h"
#include "core/text.h"

/* Larger entries would overflow when multiplied; no coordinate is that large. */
static const double entry_limit = 1e100;
/* Entries of a symmetric matrix may differ by rounding of the program that wrote them. */
static const double symmetry_tolerance = 1e-12;

static int side(const sgdmft_problem *problem, option_side s)
{
    return s == SIDE_STUDENTS ? problem->model.students : problem->model.teachers;
}

static const char *side_words(option_side s)
{
    return s == SIDE_STUDENTS ? "model.students" : "model.teachers";
}

static sgdmft_status read_entry(sgdmft_context *ctx, const origin *outer, const tree_node *node, double *out)
{
    origin where = {outer->source, node->line, node->column, outer->key};
    if (node->kind != TREE_SCALAR || node->style != TREE_PLAIN || tree_is_null(node, 1))
        return origin_fail(ctx, SGDMFT_ERR_TYPE, &where, "a number is needed, found %s",
                            tree_is_null(node, 1) ? "nothing" : tree_kind_name(node));
    number_verdict verdict = number_read(node->text, out);
    if (verdict == NUMBER_NOT_FINITE || (verdict == NUMBER_OK && fabs(*out) > entry_limit))
        return origin_fail(ctx, SGDMFT_ERR_RANGE, &where, "entry %s is out of range; allowed: finite, at most 1e100",
                            text_show(node->text).text);
    if (verdict != NUMBER_OK)
        return origin_fail(ctx, SGDMFT_ERR_TYPE, &where, "entry '%s' is not a number", text_show(node->text).text);
    return SGDMFT_OK;
}

/* "a row of 3 numbers" */
typedef struct found_text {
    char text[80];
} found_text;

static found_text counted(const char *holder, size_t n, const char *what)
{
    found_text found;
    snprintf(found.text, sizeof found.text, "%s of %zu %s%s", holder, n, what, n == 1 ? "" : "s");
    return found;
}

static sgdmft_status fail_shape(sgdmft_context *ctx, const origin *where, const option *o, int rows, int columns,
                                const char *found)
{
    const char *wide = rows > 1 ? "[[a, b], [c, d]]" : "[[a, b]]";
    const char *narrow = rows > 1 ? "[[a], [b]]" : "[[a]], or a number";
    return origin_fail(ctx, SGDMFT_ERR_SHAPE, where,
                        "found %s; needed: a %d x %d matrix (%s x %s), a list of rows in the manner of %s", found, rows,
                        columns, side_words(o->rows), side_words(o->columns), columns > 1 ? wide : narrow);
}

static sgdmft_status read_row(sgdmft_context *ctx, const origin *outer, const tree_node *node, const option *o,
                              int rows, int columns, double *out)
{
    origin where = {outer->source, node->line, node->column, outer->key};
    if (node->kind != TREE_LIST)
        return fail_shape(ctx, &where, o, rows, columns, "a single value in place of a row");
    if (node->n != (size_t)columns)
        return fail_shape(ctx, &where, o, rows, columns, counted("a row", node->n, "number").text);
    sgdmft_status status = SGDMFT_OK;
    for (int j = 0; j < columns && status == SGDMFT_OK; j++)
        status = read_entry(ctx, outer, node->item[j], &out[j]);
    return status;
}

static sgdmft_status read_rows(sgdmft_context *ctx, const origin *where, const tree_node *node, const option *o,
                               int rows, int columns, double *out)
{
    if (node->kind == TREE_SCALAR && rows == 1 && columns == 1)
        return read_entry(ctx, where, node, out);
    if (node->kind != TREE_LIST)
        return fail_shape(ctx, where, o, rows, columns, tree_is_null(node, 1) ? "nothing" : tree_kind_name(node));
    if (node->n != (size_t)rows)
        return fail_shape(ctx, where, o, rows, columns, counted("a list", node->n, "item").text);
    sgdmft_status status = SGDMFT_OK;
    for (int i = 0; i < rows && status == SGDMFT_OK; i++)
        status = read_row(ctx, where, node->item[i], o, rows, columns, out + (size_t)i * (size_t)columns);
    return status;
}

/* Exactly symmetric afterwards. */
static sgdmft_status symmetrise(sgdmft_context *ctx, const origin *outer, const tree_node *node, int n, double *a)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++) {
            double lower = a[i * n + j], upper = a[j * n + i];
            if (fabs(lower - upper) > symmetry_tolerance * fmax(fabs(lower), fabs(upper))) {
                const tree_node *entry = node->item[i]->item[j];
                origin where = {outer->source, entry->line, entry->column, outer->key};
                return origin_fail(ctx, SGDMFT_ERR_RANGE, &where,
                                    "not symmetric: entry (%d,%d) is %s, but entry (%d,%d) is %s; they must be equal",
                                    i + 1, j + 1, number_write(lower).text, j + 1, i + 1, number_write(upper).text);
            }
            a[i * n + j] = a[j * n + i] = lower + (upper - lower) / 2;
        }
    return SGDMFT_OK;
}

sgdmft_status convert_matrix(sgdmft_context *ctx, const origin *where, const tree_node *node, const option *o,
                             const sgdmft_problem *problem, double **out)
{
    int rows = side(problem, o->rows), columns = side(problem, o->columns);
    *out = calloc((size_t)rows * (size_t)columns, sizeof **out);
    if (!*out)
        return context_out_of_memory(ctx, o->key, (double)rows * columns * sizeof **out);
    if (!node) {
        for (int i = 0; i < rows && o->identity; i++)
            (*out)[i * columns + i] = 1;
        return SGDMFT_OK;
    }
    sgdmft_status status = read_rows(ctx, where, node, o, rows, columns, *out);
    if (status == SGDMFT_OK && o->symmetric && rows > 1)
        status = symmetrise(ctx, where, node, rows, *out);
    return status;
}
