/* The table of a sweep, with one row for each point: as a CSV file, and in short on standard output. */
#ifndef SGDMFT_CLI_SWEEP_TABLE_H
#define SGDMFT_CLI_SWEEP_TABLE_H

#include <stddef.h>

#include "cli/job.h"
#include "cli/sweep_grid.h"
#include "sgdmft/solution.h"

typedef struct sweep_value {
    char *name; /* of the curve */
    double value, se;
} sweep_value;

/* How the solve of a point ended, and its curves at the last time reached. */
typedef struct sweep_row {
    const char *status; /* static text; "not run" until the row is filled */
    int succeeded;      /* 1: the status is that of a complete solution */
    double t;           /* of the values; not a number if there are none */
    size_t n;
    sweep_value *value; /* in the order of the columns of the curves */
} sweep_row;

/* A row without values. */
sweep_row sweep_row_empty(void);
void sweep_row_free(sweep_row *row);

/* Fills an empty row from a solution, which may have been read from a file. Returns 0 or an exit code; sweep_row_free
   releases the row in either case. */
int sweep_row_from_solution(const sgdmft_solution *solution, sweep_row *row);

/* The row of a point that ended with this status before its first output time. */
sweep_row sweep_row_without_values(sgdmft_status ended);

/* Writes the table: columns point (from 1), the swept keys, status, t, and X, X_se for each curve X of any point; nan
   where a point has no value. rows[grid->n_points]; `command` is the command line to record. An existing file is
   replaced only if `force` is 1. Returns 0 or an exit code. */
int sweep_table_write(const job *j, const sweep_grid *grid, const sweep_row *const *rows, const char *command,
                      const char *path, int force);

/* 1 if the file starts as such a table does. */
int sweep_table_recognise(const char *path);

/* Print the header and the row of a point on standard output; `kept` is 1 if it was solved before. */
void sweep_table_print_header(const sweep_grid *grid);
void sweep_table_print_row(const sweep_grid *grid, size_t point, const sweep_row *row, int kept);

#endif
