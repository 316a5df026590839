/* A model by call-backs: robust regression on labels with measured noise.

   The noise of the labels comes from a table of measured values, which no expression can hold: y = tanh(s) + noise,
   where a normal number eps picks the value of the same rank. The student is fitted with the loss of Huber,
   quadratic in x = r - y up to a threshold c and linear beyond it,

       loss = x^2/2          g = x           G = 1      for |x| <= c,
       loss = c |x| - c^2/2  g = c sign(x)   G = 0      beyond,

   whose gradient has a bend but no jump. The program builds the problem without any file and solves it for several
   thresholds. Table and threshold reach the call-backs through the user pointer.

       cc -o callbacks callbacks.c $(pkg-config --cflags --libs sgdmft) -lm
       ./callbacks */
#include <math.h>
#include <sgdmft/sgdmft.h>
#include <stdio.h>

/* Most of the noise is small, some of it is not. In ascending order. */
static const double measured[] = {-4.1, -1.3, -0.42, -0.31, -0.22, -0.14, -0.09, -0.05, -0.02, 0.01,
                                  0.03, 0.06, 0.11,  0.17,  0.24,  0.29,  0.38,  0.51,  1.6,   3.8};

typedef struct robust {
    const double *noise; /* [n_noise], ascending */
    size_t n_noise;
    double threshold;
} robust;

static int label(void *user, size_t n, const double *s, const double *eps, double *y)
{
    const robust *model = user;
    for (size_t p = 0; p < n; p++) {
        double rank = 0.5 * erfc(-eps[p] / sqrt(2)) * (double)model->n_noise; /* uniform on [0, n_noise] */
        size_t at = rank < (double)model->n_noise ? (size_t)rank : model->n_noise - 1;
        y[p] = tanh(s[p]) + model->noise[at];
    }
    return 0;
}

/* loss, g and G are asked for in any combination; the others are NULL. */
static int loss(void *user, size_t n, const double *t, const double *r, const double *y, double *value, double *g,
                double *G)
{
    double c = ((const robust *)user)->threshold;
    (void)t;
    for (size_t p = 0; p < n; p++) {
        double x = r[p] - y[p];
        int near = fabs(x) <= c;
        if (value)
            value[p] = near ? x * x / 2 : c * fabs(x) - c * c / 2;
        if (g)
            g[p] = near ? x : copysign(c, x);
        if (G)
            G[p] = near;
    }
    return 0;
}

/* Everything but the model. */
static sgdmft_status set_up(sgdmft_context *ctx, sgdmft_problem *problem)
{
    static const char *const settings[][2] = {
        {"delta", "3"},
        {"eta", "0.5"},
        {"horizon", "4"},
        {"initial.m", "0.3"},
        {"observables.error", "(r - tanh(s))^2"}, /* distance from the label without noise */
        {"numerics.paths", "2000"},
        {"numerics.steps", "32"},
        {"output.times", "5"},
    };
    sgdmft_status status = SGDMFT_OK;
    for (size_t i = 0; i < sizeof settings / sizeof settings[0] && status == SGDMFT_OK; i++)
        status = sgdmft_problem_set(ctx, problem, settings[i][0], settings[i][1]);
    return status;
}

static sgdmft_status solve_with(sgdmft_context *ctx, sgdmft_problem *problem, double threshold)
{
    robust user = {measured, sizeof measured / sizeof measured[0], threshold};
    sgdmft_model model = {.abi = SGDMFT_MODEL_ABI,
                          .name = "robust regression with measured noise",
                          .students = 1,
                          .teachers = 1,
                          .noises = 1,
                          .labels = 1,
                          .user = &user,
                          .label = label,
                          .loss = loss};
    sgdmft_solution *solution = NULL;
    sgdmft_status status = sgdmft_problem_set_model(ctx, problem, &model);
    if (status == SGDMFT_OK)
        status = sgdmft_solve(ctx, problem, &solution);
    if (status == SGDMFT_OK) {
        const sgdmft_curve *error = sgdmft_solution_curve(solution, "test_error");
        printf("%9.2f ", threshold);
        for (size_t i = 0; i < sgdmft_solution_n_times(solution); i++)
            printf("  %.4f +- %.4f", sgdmft_curve_value(error)[i], sgdmft_curve_se(error)[i]);
        putchar('\n');
    }
    sgdmft_solution_free(solution);
    return status;
}

int main(void)
{
    static const double thresholds[] = {0.25, 1, 4};
    sgdmft_context *ctx = NULL;
    sgdmft_problem *problem = NULL;
    sgdmft_status status = sgdmft_context_new(&ctx);
    if (status == SGDMFT_OK)
        status = sgdmft_problem_new(ctx, &problem);
    if (status == SGDMFT_OK)
        status = set_up(ctx, problem);
    if (status == SGDMFT_OK)
        puts("threshold   test error at t = 0, 1, 2, 3, 4");
    for (size_t i = 0; i < sizeof thresholds / sizeof thresholds[0] && status == SGDMFT_OK; i++)
        status = solve_with(ctx, problem, thresholds[i]);
    if (status != SGDMFT_OK)
        fprintf(stderr, "%s %s\n", sgdmft_status_string(status), ctx ? sgdmft_context_message(ctx) : "");
    sgdmft_problem_free(problem);
    sgdmft_context_free(ctx);
    return status != SGDMFT_OK;
}
