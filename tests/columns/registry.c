/* Prints the tables of columns, arrays and facts, a row each with tabs between the fields, for
   scripts/check-registry.py:

     column  KEY  NAMES  PATTERNS  DOC
     array   NAME  SHAPE
     fact    KEY */
#include <stdio.h>

#include "columns/columns.h"
#include "columns/solution.h"
#include "columns/solution_arrays.h"
#include "io/provenance.h"

int main(void)
{
    const sgdmft_solution nothing = {.k = 1};
    const column_kind *column;
    solution_array array;
    fact_kind kind;
    const char *key;
    for (size_t i = 0; (column = columns_kind(i)); i++)
        printf("column\t%s\t%s\t%s%s%s\t%s\n", column->key, column->names, column->patterns[0],
               column->patterns[1] ? " " : "", column->patterns[1] ? column->patterns[1] : "", column->doc);
    for (size_t i = 0; solution_arrays_get(&nothing, i, &array); i++) {
        char shape[32];
        solution_arrays_describe_shape(array.kind, shape);
        printf("array\t%s\t%s\n", array.kind->name, shape);
    }
    for (size_t i = 0; (key = provenance_key(i, &kind)); i++)
        printf("fact\t%s\n", key);
    return 0;
}
