/* Using the library: reads a problem file, solves it, prints the losses with their standard errors.

       cc -o library library.c $(pkg-config --cflags --libs sgdmft)
       ./library library.yaml */
#include <sgdmft/sgdmft.h>
#include <stdio.h>

static void print_losses(const sgdmft_solution *solution)
{
    const double *t = sgdmft_solution_times(solution);
    const sgdmft_curve *train = sgdmft_solution_curve(solution, "train_loss");
    const sgdmft_curve *test = sgdmft_solution_curve(solution, "test_loss");
    printf("%8s  %-21s  %-21s\n", "t", "train loss", "test loss");
    for (size_t i = 0; i < sgdmft_solution_n_times(solution); i++)
        printf("%8.3f  %.5f +- %.5f    %.5f +- %.5f\n", t[i], sgdmft_curve_value(train)[i], sgdmft_curve_se(train)[i],
               sgdmft_curve_value(test)[i], sgdmft_curve_se(test)[i]);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PROBLEM.yaml\n", argv[0]);
        return 2;
    }
    sgdmft_context *ctx = NULL;
    sgdmft_problem *problem = NULL;
    sgdmft_solution *solution = NULL;

    sgdmft_status status = sgdmft_context_new(&ctx);
    if (status == SGDMFT_OK)
        status = sgdmft_problem_read(ctx, argv[1], NULL, 0, &problem);
    if (status == SGDMFT_OK)
        status = sgdmft_solve(ctx, problem, &solution);
    if (solution) /* there may be one to look at even when the solve did not reach its end */
        print_losses(solution);
    if (status != SGDMFT_OK)
        fprintf(stderr, "%s %s\n", sgdmft_status_string(status), ctx ? sgdmft_context_message(ctx) : "");

    sgdmft_solution_free(solution);
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
    return status != SGDMFT_OK;
}
