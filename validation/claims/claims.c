#include "validation/claims/claims.h"

#include "validation/claims/batch_claims.h"
#include "validation/claims/equation_claims.h"
#include "validation/claims/order_claims.h"
#include "validation/claims/simulation_claims.h"

const claim_spec claims_all[] = {
    {.name = "sgd-simulation",
     .title = "The SGD limit is what large simulations converge to",
     .text = "Curves of the limiting equations and means over finite simulations agree within combined standard errors "
             "in every column at every time: one student and two, with and without ridge. In small systems the spread "
             "of single repetitions falls like d^(-1/2) and the bias of their mean like 1/d.",
     .check = check_sgd_simulation},
    {.name = "batch",
     .title = "Sub-linear batches have the same limit",
     .text =
         "Batches differ from the limit by O(batch/n). Single samples agree with it within standard errors; batches "
         "of n^0.5, which are 1 to 2% of the samples here, do so once this share is extrapolated to zero. Batches "
         "of n^0.8 are still 15 to 30% of the samples; their distance to the limit is proportional to batch/n, and "
         "falls with d in the same proportion. Single samples and batches of n^0.5 that are cut from a new order in "
         "every "
         "epoch agree with the limit of reshuffling in the same way.",
     .check = check_batch},
    {.name = "sme",
     .title = "SGD, SME and gradient flow have different limits, except for the linear model",
     .text =
         "The limit of the diffusion approximation (SME) agrees with its simulation. For a tanh model at eta = 2 any "
         "two of SGD, SME and gradient flow differ by more than ten standard errors, in the limit and in "
         "simulations. For the linear model SGD and SME have the same curves, and gradient flow has different "
         "ones.",
     .check = check_sme},
    {.name = "linear",
     .title = "The linear model is reproduced exactly",
     .text = "The exact Volterra equation of least squares gives the published closed form of the train loss to 8 "
             "digits. The sampled solver, which does not know that the model is linear, and simulations agree with it "
             "within standard errors, under SGD, SME and gradient flow and with ridge.",
     .check = check_linear},
    {.name = "eta-to-zero",
     .title = "Small steps: SGD and SME become gradient flow",
     .text = "At fixed eta t the distance of SGD and of SME to gradient flow, root mean square over all columns and "
             "times, is proportional to eta: without noise for the linear model, and by the sampled solver for a tanh "
             "model.",
     .check = check_eta_to_zero},
    {.name = "delta-to-infinity",
     .title = "Many samples: SGD becomes one-pass SGD",
     .text = "At fixed tau = delta t the distance of multi-pass SGD to the ordinary differential equations of one-pass "
             "(online) SGD is proportional to 1/delta: without noise for the linear model, and by the sampled solver "
             "for a tanh model.",
     .check = check_delta_to_infinity},
    {.name = "orders",
     .title = "With replacement, reshuffled and cyclic: different limits",
     .text =
         "Limits of reshuffled and of cyclic orders agree with simulations, for one student and for two. Any two of "
         "sampling with replacement, reshuffling and a cyclic order differ by more than ten standard errors, in the "
         "limit and in simulations, for a tanh model and for the linear model.",
     .check = check_orders},
    {.name = "first-epoch",
     .title = "The first epoch without replacement is one-pass SGD",
     .text =
         "Until t = 1 no sample is visited twice, and reshuffled and cyclic orders have the curves of one-pass "
         "(online) SGD at tau = delta t, with and without ridge; only the train loss, which knows the samples, has "
         "another meaning there, and is the same for both orders. In the second epoch curves leave those of one-pass "
         "SGD.",
     .check = check_first_epoch},
    {.name = "batch-fraction",
     .title = "Batches that are a fraction of the data, and their limit of small batches",
     .text = "Batches of the fraction b of the data have limits that agree with simulations under every sampling. As b "
             "goes to 0, their distance to the limit of sub-linear batches, root mean square over all columns and "
             "times, is proportional to b: without noise for the linear model, and by the sampled solver for a tanh "
             "model.",
     .check = check_batch_fraction},
    {.name = "momentum",
     .title = "Momentum, and its limit of short memory",
     .text = "Limits with momentum agree with simulations: sub-linear batches whose velocity remembers 1/gamma epochs, "
             "and batches of a fraction of the data, full batches included, with a fixed beta. The distance to plain "
             "SGD is proportional to 1/gamma. With a fixed beta, b -> 0 is SGD with the step eta / (1 - beta).",
     .check = check_momentum},
    {.name = "gradient-descent",
     .title = "Full-batch gradient descent, and its limit of small steps",
     .text =
         "Gradient descent agrees with simulations, and its distance to gradient flow at fixed eta t is proportional "
         "to eta: without noise for the linear model, and by the sampled solver for a tanh model.",
     .check = check_gradient_descent},
    {.name = "universality",
     .title = "The law of the entries of the data does not matter",
     .text =
         "Simulations with entries +-1/sqrt(d) and with uniform entries of the same variance give the curves of the "
         "limit, which is derived for Gaussian entries.",
     .check = check_universality},
    {.name = "identities",
     .title = "Stein's identities hold, and C is a covariance",
     .text = "The derivatives of C(t,t) and C(t,0) follow from Stein's lemma, which the solver does not use for them: "
             "their defects vanish within the stated error (standard error and 1/paths). C(t,s) over the time grid has "
             "no eigenvalue below minus the stated error of q (standard error and time-step error).",
     .check = check_identities},
    {.name = "reference",
     .title = "Curves of an independent simulator are reproduced",
     .text = "All curves of validation/reference, by a simulator that shares no code with this program, agree at every "
             "time and column. Two of them have a known bias from Euler steps, which is allowed for: 1.5% (SME) and "
             "0.3% (gradient flow). For these two, and for relu, whose gradient jumps, the curves are compared with "
             "the simulator of this program, too, which has no such bias.",
     .check = check_reference},
    {.name = NULL},
};
