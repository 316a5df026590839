/* What the table of a sweep says about one point: how its solve ended, and the curves at the last time reached. */
#ifndef SGDMFT_CLI_SWEEP_ROW_H
#define SGDMFT_CLI_SWEEP_ROW_H

#include <stddef.h>

#include "core/context.h"
#include "io/csv_table.h"
#include "sgdmft/solution.h"

typedef struct sweep_value {
    char *name; /* of the curve */
    double value, se;
} sweep_value;

typedef struct sweep_row {
    const char *status; /* one word for the table, static; "not run" until the row is filled */
    double t;           /* of the values; not a number if there are none */
    size_t n;
    sweep_value *value; /* in the order of the columns of the curves */
} sweep_row;

/* A row without values. */
sweep_row sweep_row_empty(void);
void sweep_row_free(sweep_row *row);

/* Fill an empty row; from a solution, or from the CSV file it was written to, which gives the same table. A row is to
   be freed on failure too. Error: SGDMFT_ERR_MEMORY. */
sgdmft_status sweep_row_take(sgdmft_context *ctx, const sgdmft_solution *solution, sweep_row *row);
sgdmft_status sweep_row_read(sgdmft_context *ctx, const csv_table *curves, sgdmft_status ended, sweep_row *row);

/* 1 unless the solve ended early or with something not to be trusted. */
int sweep_row_trusted(const sweep_row *row);

/* The value of that name, or NULL. */
const sweep_value *sweep_row_find(const sweep_row *row, const char *name);

#endif
