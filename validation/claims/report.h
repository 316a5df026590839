/* What is left of a validation: lines for the terminal, tables, data of figures, one page that shows it all. Makers of
   text return a string that the caller frees, or NULL if out of memory. */
#ifndef SGDMFT_VALIDATION_CLAIMS_REPORT_H
#define SGDMFT_VALIDATION_CLAIMS_REPORT_H

#include <stdio.h>

#include "validation/claims/claim.h"

const char *verdict_word(verdict v); /* "holds", "FAILS", "not run" */

/* Head of the table, and the rows of a claim: claim, problem, statistic, value, bound, verdict. Rows that do not hold
   are followed by the reason. */
void report_print_head(FILE *to);
void report_print_rows(FILE *to, const claim *c);

/* All rows as CSV: claim,problem,statistic,value,low,high,verdict,detail. */
char *report_table(const claim *claims, size_t n);

/* The series of the figure: comments "# panel: number|title|x|y|scale of x|scale of y" and
   "# series: number|panel|style|colour|label", then series,x,y,y_se. */
char *report_series(const claim *c);

/* The page. Figures are NAME.svg beside it, shown for claims with has_figure[i], data are NAME.csv. `heading` says what
   was run. */
char *report_page(const claim *claims, size_t n, const int *has_figure, const char *heading);

#endif
