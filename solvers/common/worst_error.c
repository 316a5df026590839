#include "solvers/common/worst_error.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/context.h"
#include "core/memory.h"

sgdmft_status worst_error_find(sgdmft_context *ctx, const sgdmft_solution *solution, const double *rho,
                               worst_error *out)
{
    *out = (worst_error){0};
    double *scale = memory_doubles(solution->n_times + 1);
    if (!scale)
        return context_out_of_memory(ctx, "the scales of curves", 8.0 * (double)solution->n_times);
    for (size_t c = 0; c < solution->n_curves; c++) {
        const double *se = solution->curves[c].se;
        solution_natural_scale(solution, rho, c, scale);
        for (size_t i = 0; i < solution->n_times; i++)
            if (scale[i] > 0 && se[i] / scale[i] > out->relative)
                *out = (worst_error){.relative = se[i] / scale[i], .curve = c, .time = i};
    }
    free(scale);
    return SGDMFT_OK;
}

char *worst_error_message(const sgdmft_solution *solution, const worst_error *worst, double asked, const char *limit,
                          const char *cause)
{
    char *text = NULL;
    int length = asprintf(&text,
                          "accuracy not reached: the standard error of %s at t = %.6g is %.2g of its natural scale, "
                          "asked was %.2g; %s%s%s",
                          solution->curves[worst->curve].name, solution->times[worst->time], worst->relative, asked,
                          limit ? limit : "", limit ? "; " : "", cause);
    return length < 0 ? NULL : text;
}
