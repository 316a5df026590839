/* The exact method as a solver: what it is asked, and which of its routes answers (model.h).

     spectrum.h        independent visits, small batches: integrals over the spectral law, one Volterra equation
     batches.h         batches of a fraction of the data: the recursion of discrete.h
     small_batches.h   small batches in epochs or with momentum: the limit of the same recursion */
#include "solvers/linear/linear.h"

#include <stdlib.h>

#include "solvers/linear/batches.h"
#include "solvers/linear/plan.h"
#include "solvers/linear/small_batches.h"
#include "solvers/linear/spectrum.h"

static sgdmft_status prepare(sgdmft_context *ctx, const sgdmft_problem *problem, void **plan)
{
    linear_plan *made = calloc(1, sizeof *made);
    if (!made)
        return context_out_of_memory(ctx, "the exact method", sizeof *made);
    sgdmft_status status = linear_plan_init(ctx, problem, made);
    if (status)
        free(made);
    else
        *plan = made;
    return status;
}

static void release(void *plan)
{
    linear_plan_clear(plan);
    free(plan);
}

static void cost(const void *plan, int threads, int ranks, sgdmft_cost *out)
{
    (void)ranks;
    linear_plan_cost(plan, threads, out);
}

static sgdmft_status run(sgdmft_context *ctx, const void *prepared, sgdmft_solution **out)
{
    const linear_plan *plan = prepared;
    switch (plan->model.route) {
    case ROUTE_SPECTRUM: return spectrum_solve(ctx, plan, out);
    case ROUTE_BATCHES: return batches_solve(ctx, plan, out);
    case ROUTE_SMALL_BATCHES: return small_batches_solve(ctx, plan, out);
    }
    return SGDMFT_ERR_UNSUPPORTED;
}

static const char *cannot_solve(const sgdmft_problem *problem)
{
    return problem->numerics.method == METHOD_LINEAR ? NULL : "numerics.method is not linear";
}

const solver linear_solver = {.name = "exact linear",
                              .cannot_solve = cannot_solve,
                              .prepare = prepare,
                              .release = release,
                              .cost = cost,
                              .run = run};

int linear_applies(const sgdmft_problem *problem)
{
    sgdmft_context *ctx = NULL;
    linear_model unused;
    int applies = sgdmft_context_new(&ctx) == SGDMFT_OK && linear_model_init(ctx, problem, &unused) == SGDMFT_OK;
    sgdmft_context_free(ctx);
    return applies;
}
