/* What a file says about its own making: one list of facts, written as comments by CSV and as attributes by HDF5. */
#ifndef SGDMFT_IO_PROVENANCE_H
#define SGDMFT_IO_PROVENANCE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/context.h"
#include "sgdmft/problem.h"
#include "sgdmft/solution.h"

typedef enum fact_kind { FACT_TEXT, FACT_COUNT, FACT_NUMBER } fact_kind;

typedef struct fact {
    const char *key;
    fact_kind kind;
    const char *text; /* FACT_TEXT */
    uint64_t count;   /* FACT_COUNT */
    double number;    /* FACT_NUMBER */
} fact;

#define PROVENANCE_MAX_FACTS 24

/* Borrows from the solution and the command line; owns the problem text. */
typedef struct provenance {
    char *problem; /* the full effective problem as YAML */
    size_t n;
    fact facts[PROVENANCE_MAX_FACTS];
} provenance;

/* `command` may be NULL. */
sgdmft_status provenance_new(sgdmft_context *ctx, const sgdmft_solution *solution, const sgdmft_problem *problem,
                             const char *command, provenance **out);
void provenance_free(provenance *p);

/* One comment line of a CSV file; line breaks inside `text` become blanks, or they would end the comment. */
void provenance_put_comment(FILE *to, const char *key, const char *text);

/* One word for how a solve ended: "ok", "diverged", "not converged", "not finite", "interrupted", "failed". */
const char *provenance_status_word(sgdmft_status status);

#endif
