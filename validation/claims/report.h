/* The output of a validation: lines for the terminal, a table, data of figures, and a page that shows everything.
   Functions that return a text return a string that the caller frees, or NULL if out of memory. */
#ifndef SGDMFT_VALIDATION_CLAIMS_REPORT_H
#define SGDMFT_VALIDATION_CLAIMS_REPORT_H

#include <stdio.h>

#include "validation/claims/claim.h"

const char *verdict_word(verdict v); /* "holds", "FAILS", "not run" */

/* The head of the table on the terminal, and its rows for one claim. Rows that do not hold are followed by the
   reason. */
void report_print_head(FILE *to);
void report_print_rows(FILE *to, const claim *c);

/* All rows as CSV: claim,problem,statistic,value,low,high,verdict,detail. */
char *report_table(const claim *claims, size_t n);

/* The series of the figure: comments "# panel: number|title|x|y|scale of x|scale of y" and
   "# series: number|panel|style|colour|label", then series,x,y,y_se. */
char *report_series(const claim *c);

/* The page. It shows the figure NAME.svg of claims with has_figure[i], and links to the data NAME.csv, both in the
   directory of the page. `heading` describes the run. */
char *report_page(const claim *claims, size_t n, const int *has_figure, const char *heading);

#endif
