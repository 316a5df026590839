#include "validation/claims/reference.h"

#include <stdlib.h>
#include <string.h>

#include "columns/solution.h"
#include "io/csv_read.h"
#include "validation/claims/texts.h"

/* The number after "reps=", or 0. */
static size_t repetitions_in(const char *comments)
{
    const char *found = strstr(comments, "reps=");
    return found ? strtoul(found + strlen("reps="), NULL, 10) : 0;
}

sgdmft_status reference_curves(sgdmft_context *ctx, const char *name, sgdmft_solution **out)
{
    const char *text = embedded_find(name, ".csv");
    *out = NULL;
    if (!text)
        return context_fail(ctx, SGDMFT_ERR_ARGUMENT, "there are no reference curves '%s' in the program", name);
    sgdmft_status status = csv_read_text(ctx, name, text, out);
    if (status)
        return status;
    (*out)->info.simulated = 1;
    (*out)->info.replicas = repetitions_in((*out)->title);
    return SGDMFT_OK;
}
