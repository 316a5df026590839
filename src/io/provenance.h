/* Provenance: how a solution was made, as one list of facts, which CSV files hold as comments and HDF5 files as
   attributes. The table behind it drives both writing and reading. */
#ifndef SGDMFT_IO_PROVENANCE_H
#define SGDMFT_IO_PROVENANCE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/context.h"
#include "sgdmft/solution.h"

typedef enum fact_kind { FACT_TEXT, FACT_COUNT, FACT_NUMBER } fact_kind;

typedef struct fact {
    fact_kind kind;
    const char *text; /* FACT_TEXT, borrowed */
    uint64_t count;   /* FACT_COUNT */
    double number;    /* FACT_NUMBER */
} fact;

/* Key of fact number `index` and the kind of its value. Returns NULL beyond the last. */
const char *provenance_key(size_t index, fact_kind *kind);

/* Its value for a solution; `command` replaces the recorded command line, if it is not NULL. */
fact provenance_get(const sgdmft_solution *solution, const char *command, size_t index);

/* Gives the solution the value that a file has, which must be of the fact's kind. */
sgdmft_status provenance_set(sgdmft_context *ctx, sgdmft_solution *solution, size_t index, const fact *value);

/* One comment line of a CSV file; line breaks inside `text` become blanks, or they would end the comment. */
void provenance_put_comment(FILE *to, const char *key, const char *text);

#endif
