/* Reading curves back: comment lines, one header line, rows of numbers. Strict, with positions in every message. */
#ifndef SGDMFT_IO_CSV_TABLE_H
#define SGDMFT_IO_CSV_TABLE_H

#include <stddef.h>

#include "core/context.h"

typedef struct csv_column {
    char *name;
    double *value; /* [n_rows] */
} csv_column;

/* `t` is one of the columns; it is finite and strictly increasing. */
typedef struct csv_table {
    char *path;
    char *comments; /* the comment lines without "# ", each ended by '\n' */
    size_t n_rows, n_columns;
    csv_column *columns;
} csv_table;

/* *out is owned by the caller. Errors: SGDMFT_ERR_IO if the file cannot be read; SGDMFT_ERR_SHAPE, _TYPE, _RANGE,
   _MISSING or _DUPLICATE_KEY if it is not a curves file. */
sgdmft_status csv_table_read(sgdmft_context *ctx, const char *path, csv_table **out);

/* The same from text in memory, which is not empty; `name` stands for the file in messages. */
sgdmft_status csv_table_parse(sgdmft_context *ctx, const char *name, const char *text, csv_table **out);

void csv_table_free(csv_table *table);

/* 1 if a column of that name holds a quantity, neither t nor standard errors. */
int csv_table_is_quantity(const char *name);

/* Values of the column, or NULL. */
const double *csv_table_values(const csv_table *table, const char *name);

#endif
