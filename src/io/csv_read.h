/* A CSV file of curves as a solution. */
#ifndef SGDMFT_IO_CSV_READ_H
#define SGDMFT_IO_CSV_READ_H

#include "core/context.h"
#include "sgdmft/solution.h"

/* The curves are the columns other than t and X_se; a curve without a column X_se has no standard errors (NULL).
   Comments that this library writes give the problem and the provenance, others are passed over. *out is owned by
   the caller. Errors: those of csv_table_read. */
sgdmft_status csv_read(sgdmft_context *ctx, const char *path, sgdmft_solution **out);

/* The same from text in memory; `name` stands for the file in messages. */
sgdmft_status csv_read_text(sgdmft_context *ctx, const char *name, const char *text, sgdmft_solution **out);

#endif
