#include "io/provenance.h"

#include <stdlib.h>

#include "problem/problem.h"
#include "sgdmft/version.h"

const char *provenance_status_word(sgdmft_status status)
{
    switch (status) {
    case SGDMFT_OK: return "ok";
    case SGDMFT_ERR_DIVERGED: return "diverged";
    case SGDMFT_ERR_NO_CONVERGENCE: return "not converged";
    case SGDMFT_ERR_NON_FINITE: return "not finite";
    case SGDMFT_ERR_INTERRUPTED: return "interrupted";
    default: return "failed";
    }
}

static void add_text(provenance *p, const char *key, const char *text)
{
    p->facts[p->n++] = (fact){.key = key, .kind = FACT_TEXT, .text = text ? text : ""};
}

static void add_count(provenance *p, const char *key, uint64_t count)
{
    p->facts[p->n++] = (fact){.key = key, .kind = FACT_COUNT, .count = count};
}

static void add_number(provenance *p, const char *key, double number)
{
    p->facts[p->n++] = (fact){.key = key, .kind = FACT_NUMBER, .number = number};
}

static void add_solve_info(provenance *p, const sgdmft_solve_info *info)
{
    add_count(p, "paths", info->paths);
    add_count(p, "replicas", info->replicas);
    add_count(p, "steps", info->steps);
    add_count(p, "extrapolated", info->extrapolated != 0);
    add_count(p, "visits", (uint64_t)info->visits);
    add_number(p, "passes", info->passes);
    add_count(p, "passes_max", info->passes_max);
    add_number(p, "residual_max", info->residual_max);
    add_number(p, "se_max", info->se_max);
    add_number(p, "step_error_max", info->step_error_max);
    add_number(p, "memory_bytes", info->memory_bytes);
    add_number(p, "wall_seconds", info->wall_seconds);
    add_number(p, "cpu_seconds", info->cpu_seconds);
}

sgdmft_status provenance_new(sgdmft_context *ctx, const sgdmft_solution *solution, const sgdmft_problem *problem,
                             const char *command, provenance **out)
{
    *out = NULL;
    provenance *p = calloc(1, sizeof *p);
    if (!p)
        return context_out_of_memory(ctx, "provenance", sizeof *p);
    sgdmft_status status = sgdmft_problem_to_yaml(ctx, problem, &p->problem);
    if (status != SGDMFT_OK) {
        provenance_free(p);
        return status;
    }
    add_text(p, "program", solution->info.simulated ? "simulate" : "solve");
    add_text(p, "version", sgdmft_version());
    add_text(p, "build", sgdmft_build_info());
    add_text(p, "command", command);
    add_count(p, "seed", problem->numerics.seed);
    add_text(p, "status", provenance_status_word(solution->status));
    add_count(p, "status_code", (uint64_t)solution->status);
    add_text(p, "message", solution->message);
    add_solve_info(p, &solution->info);
    *out = p;
    return SGDMFT_OK;
}

void provenance_put_comment(FILE *to, const char *key, const char *text)
{
    fprintf(to, "# %s: ", key);
    for (const char *c = text; *c; c++)
        fputc(*c == '\n' || *c == '\r' ? ' ' : *c, to);
    fputc('\n', to);
}

void provenance_free(provenance *p)
{
    if (!p)
        return;
    free(p->problem);
    free(p);
}
