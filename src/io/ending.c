#include "io/ending.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/number.h"

/* Times of a file are rounded. */
static const double TIME_ROUNDING = 1e-9;

/* The horizon of an effective problem, a key of its own line; 0 if there is none. */
static double horizon_of(const char *problem)
{
    static const char key[] = "horizon: ";
    for (const char *line = problem; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, sizeof key - 1) == 0)
            return number_value(line + sizeof key - 1);
    }
    return 0;
}

sgdmft_status ending_describe(sgdmft_context *ctx, const sgdmft_solution *solution, char **out)
{
    double end = solution->n_times > 0 ? solution->times[solution->n_times - 1] : 0;
    double horizon = horizon_of(solution->problem);
    int short_of_it = end < horizon * (1 - TIME_ROUNDING), length = 0;
    *out = NULL;
    if (solution->status && short_of_it)
        length = asprintf(out, "%s: ends at t = %.6g, and its problem at %.6g", sgdmft_status_word(solution->status),
                          end, horizon);
    else if (solution->status)
        length = asprintf(out, "%s: ends at t = %.6g", sgdmft_status_word(solution->status), end);
    else if (short_of_it)
        length = asprintf(out, "rows are missing: ends at t = %.6g, and its problem at %.6g", end, horizon);
    return length < 0 ? context_out_of_memory(ctx, "a comparison", 100) : SGDMFT_OK;
}
