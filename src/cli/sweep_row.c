#include "cli/sweep_row.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "io/csv_table.h"

sweep_row sweep_row_empty(void)
{
    return (sweep_row){.status = "not run", .t = NAN};
}

void sweep_row_free(sweep_row *row)
{
    for (size_t i = 0; i < row->n; i++)
        free(row->value[i].name);
    free(row->value);
    *row = sweep_row_empty();
}

static sgdmft_status make_room(sgdmft_context *ctx, size_t n, sweep_row *row)
{
    row->value = calloc(n + 1, sizeof *row->value);
    return row->value ? SGDMFT_OK : context_out_of_memory(ctx, "a row of a sweep", (double)(n * sizeof *row->value));
}

static sgdmft_status add(sgdmft_context *ctx, const char *name, double value, double se, sweep_row *row)
{
    char *copy = strdup(name);
    if (!copy)
        return context_out_of_memory(ctx, "a row of a sweep", 0);
    row->value[row->n++] = (sweep_value){copy, value, se};
    return SGDMFT_OK;
}

sgdmft_status sweep_row_take(sgdmft_context *ctx, const sgdmft_solution *solution, sweep_row *row)
{
    row->status = sgdmft_status_word(solution->status);
    if (solution->n_times == 0)
        return SGDMFT_OK;
    size_t last = solution->n_times - 1;
    row->t = solution->times[last];
    sgdmft_status status = make_room(ctx, solution->n_curves, row);
    for (size_t i = 0; i < solution->n_curves && status == SGDMFT_OK; i++) {
        const sgdmft_curve *curve = &solution->curves[i];
        status = add(ctx, curve->name, curve->value[last], curve->se[last], row);
    }
    return status;
}

/* Values of the column of standard errors, or NULL. */
static const double *errors_of(const csv_table *curves, const char *name)
{
    char *full = NULL;
    if (asprintf(&full, "%s_se", name) < 0)
        return NULL;
    const double *se = csv_table_values(curves, full);
    free(full);
    return se;
}

sgdmft_status sweep_row_read(sgdmft_context *ctx, const csv_table *curves, sgdmft_status ended, sweep_row *row)
{
    size_t last = curves->n_rows - 1;
    row->status = sgdmft_status_word(ended);
    row->t = csv_table_values(curves, "t")[last];
    sgdmft_status status = make_room(ctx, curves->n_columns, row);
    for (size_t c = 0; c < curves->n_columns && status == SGDMFT_OK; c++) {
        const csv_column *column = &curves->columns[c];
        if (!csv_table_is_quantity(column->name))
            continue;
        const double *se = errors_of(curves, column->name);
        status = add(ctx, column->name, column->value[last], se ? se[last] : 0.0, row);
    }
    return status;
}

int sweep_row_trusted(const sweep_row *row)
{
    return strcmp(row->status, sgdmft_status_word(SGDMFT_OK)) == 0;
}

const sweep_value *sweep_row_find(const sweep_row *row, const char *name)
{
    for (size_t i = 0; i < row->n; i++)
        if (strcmp(row->value[i].name, name) == 0)
            return &row->value[i];
    return NULL;
}
