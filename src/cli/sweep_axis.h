/* What --over says: a key of the problem file and the values it takes in turn.

       KEY=V1,V2,...      values as --set takes them; commas inside (...), [...], {...} and quotes do not separate
       KEY=LO:HI:N        N equally spaced numbers from LO to HI, both included
       KEY=LO:HI:Nlog     the same with equal ratios */
#ifndef SGDMFT_CLI_SWEEP_AXIS_H
#define SGDMFT_CLI_SWEEP_AXIS_H

#include <stddef.h>

#include "core/context.h"

#define SWEEP_POINTS_MAX 10000

typedef struct sweep_axis {
    char *key;
    size_t n; /* at least 1 */
    char **value;
} sweep_axis;

/* Numbers between the ends of a range are rounded to 12 significant digits. Errors: SGDMFT_ERR_YAML (not KEY=...),
   _UNKNOWN_KEY, _MISSING (an empty value), _RANGE (a bad range, too many values), _DUPLICATE_KEY (a value given
   twice), _MEMORY. The axis is to be freed on failure too. */
sgdmft_status sweep_axis_parse(sgdmft_context *ctx, const char *text, sweep_axis *out);
void sweep_axis_free(sweep_axis *axis);

#endif
