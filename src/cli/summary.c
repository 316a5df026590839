#include "cli/summary.h"

#include "columns/solution.h"

#include <math.h>

static void put_bytes(FILE *to, double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    int i = 0;
    while (bytes >= 1000.0 && i < 5) {
        bytes /= 1024.0;
        i++;
    }
    fprintf(to, "%.3g %s", bytes, units[i]);
}

static void put_seconds(FILE *to, double seconds)
{
    if (seconds < 60.0)
        fprintf(to, "%.2g s", seconds);
    else if (seconds < 3600.0)
        fprintf(to, "%.0f min %02.0f s", floor(seconds / 60.0), floor(fmod(seconds, 60.0)));
    else
        fprintf(to, "%.0f h %02.0f min", floor(seconds / 3600.0), floor(fmod(seconds / 60.0, 60.0)));
}

void put_cost(FILE *to, const sgdmft_cost *cost)
{
    put_bytes(to, cost->memory_bytes);
    fputs(" of memory", to);
    if (cost->path_bytes > 0.0) {
        fputs(": ", to);
        put_bytes(to, cost->path_bytes);
        fputs(" a path, ", to);
        put_bytes(to, cost->pair_bytes);
        fputs(" a pair of time steps", to);
    }
    if (cost->available_bytes > 0.0) {
        fputs(" (", to);
        put_bytes(to, cost->available_bytes);
        fputs(" available)", to);
    }
    fputs(", about ", to);
    put_seconds(to, cost->wall_seconds);
}

void announce_cost(const sgdmft_cost *cost)
{
    fputs("estimated ", stdout);
    put_cost(stdout, cost);
    putchar('\n');
    fflush(stdout); /* the reader sees it while the work is done */
}

static void print_identity(const sgdmft_identity *x)
{
    printf("  identity %-15s t = %.4g: defect %.2e, se %.2e", x->name, x->t, x->defect, x->se);
    if (x->se > 0.0)
        printf(", z = %.1f", fabs(x->defect) / x->se);
    if (x->scale > 0.0)
        printf(" (%.2g %% of its terms)", 100.0 * fabs(x->defect) / x->scale);
    putchar('\n');
}

void print_summary(const sgdmft_solution *solution)
{
    const sgdmft_solve_info *info = &solution->info;
    printf("  paths                   %zu in each of %zu replicas\n", info->paths, info->replicas);
    printf("  visits                  %.0f\n", info->visits);
    printf("  steps                   %zu%s\n", info->steps, info->extrapolated ? ", extrapolated to zero step" : "");
    printf("  passes per step         %.2f on average, at most %zu\n", info->passes, info->passes_max);
    printf("  largest residual        %.1e\n", info->residual_max);
    printf("  largest standard error  %.2g %% of the scale of its curve\n", 100.0 * info->se_max);
    printf("  largest step error      %.2g %% of the scale of its curve, part of the standard error\n",
           100.0 * info->step_error_max);
    for (size_t i = 0; i < solution->n_identities; i++)
        print_identity(&solution->identities[i]);
    fputs("  memory                  ", stdout);
    put_bytes(stdout, info->memory_bytes);
    fputs("\n  time                    ", stdout);
    put_seconds(stdout, info->wall_seconds);
    fputs(" wall, ", stdout);
    put_seconds(stdout, info->cpu_seconds);
    fputs(" CPU\n", stdout);
}
