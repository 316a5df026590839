/* The curves of validation/reference: independent finite simulations by a program that shares no code with this one. */
#include <math.h>
#include <stdio.h>

#include "validation/claims/claims.h"
#include "validation/claims/claims_parts.h"

static void against_solver(claim *c, const char *name, const char *problem, double allowance)
{
    const run *limit = runs_solve(c->runs, problem, "%s", "");
    const run *reference = runs_reference(c->runs, name);
    char statistic[128] = "max |z|, limit - reference";
    if (allowance > 0)
        snprintf(statistic, sizeof statistic, "max |z|, limit - reference, beyond its bias of %g%%", 100 * allowance);
    gap_options options = {.allowance = allowance};
    claim_row_agree(c, name, statistic, limit, reference, &options, CLAIM_SIGMA);
    part_draw_curves(c, name, limit, reference, 1);
}

static void against_simulator(claim *c, const char *name, const char *problem, const char *changes, double allowance)
{
    const run *ours = runs_simulate(c->runs, problem, "%s", changes);
    const run *reference = runs_reference(c->runs, name);
    char statistic[128] = "max |z|, our simulator - reference";
    if (allowance > 0)
        snprintf(statistic, sizeof statistic, "max |z|, our simulator - reference, beyond its bias of %g%%",
                 100 * allowance);
    gap_options options = {.allowance = allowance};
    claim_row_agree(c, name, statistic, ours, reference, &options, CLAIM_SIGMA);
}

static void solver_against_simulator(claim *c, const char *problem, const char *changes)
{
    claim_row_agree(c, problem, "max |z|, limit - our simulator", runs_solve(c->runs, problem, "%s", ""),
                    runs_simulate(c->runs, problem, "%s", changes), NULL, CLAIM_SIGMA);
}

/* Documented biases of references: Euler steps (docs/simulate.md, validation/reference/README.md). */
static const double SME_BIAS = 0.015, FLOW_BIAS = 0.003;

static void check_reference(claim *c)
{
    static const char *const plain[] = {"tanh_sgd_eta1", "tanh_sgd_eta2", "logistic_sgd_ridge", "erf2_sgd", "relu_sgd"};
    for (int i = 0; i < 5; i++)
        against_solver(c, plain[i], plain[i], 0);
    against_solver(c, "tanh_sgd_eta2_batch60", "tanh_sgd_eta2", 0);
    against_solver(c, "tanh_sme_eta2", "tanh_sme_eta2", SME_BIAS);
    against_simulator(c, "tanh_sme_eta2", "tanh_sme_eta2", "output.times=7", SME_BIAS);
    solver_against_simulator(c, "tanh_sme_eta2", "output.times=7");
    against_solver(c, "tanh_gf", "tanh_gf", FLOW_BIAS);
    against_simulator(c, "tanh_gf", "tanh_gf", "", FLOW_BIAS);
    solver_against_simulator(c, "tanh_gf", "");
    against_simulator(c, "relu_sgd", "relu_sgd", "", 0);
}

const claim_spec claim_reference = {
    .name = "reference",
    .title = "Curves of an independent simulator are reproduced",
    .text = "All curves of validation/reference, by a simulator that shares no code with this program, agree at every "
            "time and column. Two of them have a known bias from Euler steps, which is allowed for: 1.5% (SME) and "
            "0.3% (gradient flow); there the simulator of this program, which has no such bias, is compared too, and "
            "for relu, whose gradient jumps.",
    .check = check_reference,
};
