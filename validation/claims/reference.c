#include "validation/claims/reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/compare.h"
#include "io/csv_read.h"
#include "validation/claims/texts.h"

static double *copy(const double *x, size_t n)
{
    double *y = calloc(n + 1, sizeof *y);
    if (y && x)
        memcpy(y, x, n * sizeof *y);
    return y;
}

/* 0, or non-zero if out of memory. */
static int add_curve(const csv_table *table, const csv_column *column, sgdmft_solution *s)
{
    char *se_name = NULL;
    if (asprintf(&se_name, "%s_se", column->name) < 0)
        return 1;
    sgdmft_curve *curve = &s->curves[s->n_curves++];
    *curve = (sgdmft_curve){.name = strdup(column->name),
                            .value = copy(column->value, table->n_rows),
                            .se = copy(csv_values(table, se_name), table->n_rows),
                            .step_error = copy(NULL, table->n_rows)};
    free(se_name);
    return !curve->name || !curve->value || !curve->se || !curve->step_error;
}

/* The number after "reps=", or 0. */
static size_t repetitions_in(const char *comments)
{
    const char *found = strstr(comments, "reps=");
    return found ? strtoul(found + strlen("reps="), NULL, 10) : 0;
}

static sgdmft_status convert(sgdmft_context *ctx, const csv_table *table, sgdmft_solution **out)
{
    sgdmft_solution *s = calloc(1, sizeof *s);
    int failed = !s;
    if (s) {
        s->n_times = table->n_rows;
        s->info.simulated = 1;
        s->info.replicas = repetitions_in(table->comments);
        s->message = strdup("");
        s->times = copy(csv_values(table, "t"), table->n_rows);
        s->curves = calloc(table->n_columns, sizeof *s->curves);
        failed = !s->message || !s->times || !s->curves;
    }
    for (size_t c = 0; c < table->n_columns && !failed; c++)
        if (compare_is_quantity(table->columns[c].name))
            failed = add_curve(table, &table->columns[c], s);
    if (!failed) {
        *out = s;
        return SGDMFT_OK;
    }
    sgdmft_solution_free(s);
    return context_out_of_memory(ctx, "reference curves", 8.0 * (double)(table->n_rows * table->n_columns));
}

sgdmft_status reference_curves(sgdmft_context *ctx, const char *name, sgdmft_solution **out)
{
    const char *text = embedded_find(name, ".csv");
    csv_table *table = NULL;
    *out = NULL;
    if (!text)
        return context_fail(ctx, SGDMFT_ERR_ARGUMENT, "there are no reference curves '%s' in the program", name);
    sgdmft_status status = csv_parse(ctx, name, text, &table);
    if (!status)
        status = convert(ctx, table, out);
    csv_free(table);
    return status;
}
