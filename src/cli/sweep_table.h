/* The table of a sweep, one row per point: as a CSV file, and in short on standard output. */
#ifndef SGDMFT_CLI_SWEEP_TABLE_H
#define SGDMFT_CLI_SWEEP_TABLE_H

#include "cli/sweep_grid.h"
#include "cli/sweep_row.h"

/* Columns: point (from 1), the swept keys, status, t, and X, X_se for each curve that some point has; nan where a point
   has no value. `rows` has one entry for each point of the grid; `source` is the problem file. An existing file is
   replaced only if `force` is non-zero. Errors: SGDMFT_ERR_IO, _EXISTS, _MEMORY. */
sgdmft_status sweep_table_write(sgdmft_context *ctx, const sweep_grid *grid, const sweep_row *const *rows,
                                const char *source, const char *command, const char *path, int force);

/* 1 if the file looks like such a table. */
int sweep_table_recognise(const char *path);

/* On standard output: the header, and the row of a point; `kept`: it was solved before. */
void sweep_table_print_header(const sweep_grid *grid);
void sweep_table_print_row(const sweep_grid *grid, size_t point, const sweep_row *row, int kept);

#endif
