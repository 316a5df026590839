/* Online solves with a penalty other than the ridge: replicas of sampled coordinates on two grids. */
#ifndef SGDMFT_SOLVERS_ONLINE_PENALTY_H
#define SGDMFT_SOLVERS_ONLINE_PENALTY_H

#include "sgdmft/solve.h"
#include "solvers/online/flow.h"
#include "solvers/online/outcome.h"
#include "solvers/online/rule.h"

/* A quick trajectory without losses: few coordinates on the coarse grid, averages by `law`. */
sgdmft_status online_penalty_pilot(sgdmft_context *ctx, const online_setting *s, online_law *law,
                                   const online_monitor *monitor, online_run **out);

/* One run for each replica. Averages of a fresh sample by the quadrature `rule`, but for the curves in sampled[columns],
   unless NULL; or, without a rule (NULL), by the randomised points of the replica. */
sgdmft_status online_penalty_replicas(sgdmft_context *ctx, const online_setting *s, const online_rule *rule,
                                      const char *sampled, online_progress *progress, online_outcome *out);

/* Memory and time that the coordinates add, with averages of that many points. */
void online_penalty_cost(const online_setting *s, double points, int threads, sgdmft_cost *out);

#endif
