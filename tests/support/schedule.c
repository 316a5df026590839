#include "schedule.h"

#include <stdlib.h>
#include <string.h>

#include "problem/problem.h"

sgdmft_status schedule_of(sgdmft_context *ctx, const char *text, double horizon, schedule **out)
{
    struct sgdmft_problem problem = {.horizon = horizon};
    char *copy = strdup(text);
    problem.eta.text = copy;
    problem.eta.where = (origin){"schedule.yaml", 7, 11, "eta"};
    sgdmft_status status = copy ? schedule_new(ctx, &problem, out) : SGDMFT_ERR_MEMORY;
    free(copy);
    return status;
}
