/* Reading a run back: prints the content of a file of `sgdmft solve`, solves its problem again with another seed, and
   compares.

       sgdmft solve library.yaml -o run.h5
       cc -o read_run read_run.c $(pkg-config --cflags --libs sgdmft) -lm
       ./read_run run.h5 */
#include <math.h>
#include <sgdmft/sgdmft.h>
#include <stdio.h>
#include <stdlib.h>

static void print_setting(sgdmft_context *ctx, sgdmft_problem *problem, const char *key)
{
    char *value = NULL;
    if (sgdmft_problem_get(ctx, problem, key, &value) == SGDMFT_OK && value)
        printf("  %-16s %s\n", key, value);
    free(value);
}

static void print_run(const sgdmft_solution *run)
{
    const sgdmft_solve_info *info = sgdmft_solution_info(run);
    printf("  made by          version %s, %zu replicas of %zu paths, %.2g s\n", sgdmft_solution_version(run),
           info->replicas, info->paths, info->wall_seconds);
    printf("  ended            %s\n", sgdmft_status_word(sgdmft_solution_status(run)));
    size_t last = sgdmft_solution_n_times(run) - 1;
    printf("at t = %g:\n", sgdmft_solution_times(run)[last]);
    for (size_t c = 0; c < sgdmft_solution_n_curves(run); c++) {
        const sgdmft_curve *curve = sgdmft_solution_curve_at(run, c);
        printf("  %-16s %.5f +- %.5f  %s\n", sgdmft_curve_name(curve), sgdmft_curve_value(curve)[last],
               sgdmft_curve_se(curve)[last], sgdmft_curve_doc(curve));
    }
}

/* How alike the first student is at the end and before: C_11(T,t) / sqrt(C_11(T,T) C_11(t,t)). */
static void print_memory(const sgdmft_solution *run)
{
    size_t n = sgdmft_solution_n_grid(run), k = (size_t)sgdmft_solution_students(run), last = n - 1;
    const double *t = sgdmft_solution_grid(run), *C = sgdmft_solution_C(run);
    if (n == 0) /* a CSV file, or a simulation */
        return;
    puts("correlation of the student at the end with itself before:");
    for (size_t i = 0; i < n; i += (n + 4) / 5) {
        double end = C[(last * n + last) * k * k], here = C[(i * n + i) * k * k];
        printf("  t = %-12.4g %.4f\n", t[i], C[(last * n + i) * k * k] / sqrt(end * here));
    }
}

/* Solves the problem with another seed: *agrees is 1 if the curves are those of the run within 6 standard
   errors. */
static sgdmft_status solve_again(sgdmft_context *ctx, sgdmft_problem *problem, const sgdmft_solution *run, int *agrees)
{
    sgdmft_solution *again = NULL;
    sgdmft_comparison *comparison = NULL;
    sgdmft_status status = sgdmft_problem_set(ctx, problem, "numerics.seed", "20");
    if (status == SGDMFT_OK)
        status = sgdmft_solve(ctx, problem, &again);
    if (status == SGDMFT_OK)
        status = sgdmft_compare(ctx, run, again, 6, -1, &comparison);
    if (status == SGDMFT_OK) {
        *agrees = sgdmft_comparison_agrees(comparison);
        puts("solved again with another seed, difference in standard errors at worst:");
        for (size_t i = 0; i < sgdmft_comparison_n_curves(comparison); i++) {
            const sgdmft_compared_curve *curve = sgdmft_comparison_curve(comparison, i);
            printf("  %-16s %.1f\n", curve->name, curve->z);
        }
    }
    sgdmft_comparison_free(comparison);
    sgdmft_solution_free(again);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s RUN.h5\n", argv[0]);
        return 2;
    }
    sgdmft_context *ctx = NULL;
    sgdmft_problem *problem = NULL;
    sgdmft_solution *run = NULL;
    int agrees = 0;
    sgdmft_status status = sgdmft_context_new(&ctx);
    if (status == SGDMFT_OK)
        status = sgdmft_solution_read(ctx, argv[1], &problem, &run);
    if (status == SGDMFT_OK) {
        printf("%s:\n", argv[1]);
        print_setting(ctx, problem, "dynamics");
        print_setting(ctx, problem, "delta");
        print_setting(ctx, problem, "eta");
        print_setting(ctx, problem, "model.label");
        print_run(run);
        print_memory(run);
        status = solve_again(ctx, problem, run, &agrees);
    }
    if (status != SGDMFT_OK)
        fprintf(stderr, "%s %s\n", sgdmft_status_string(status), ctx ? sgdmft_context_message(ctx) : "");
    sgdmft_solution_free(run);
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
    return status != SGDMFT_OK || !agrees;
}
