/* Online solves with a penalty other than the ridge, where the moments of theta do not close: replicas of sampled
   coordinates (coordinates.h), marched over two grids. */
#ifndef SGDMFT_SOLVERS_ONLINE_MARCH_H
#define SGDMFT_SOLVERS_ONLINE_MARCH_H

#include "sgdmft/solve.h"
#include "solvers/common/replica_pool.h"
#include "solvers/online/quadrature.h"
#include "solvers/online/result.h"

/* A quick march without losses and two-time arrays: few coordinates on the coarse grid, averages by `law`. */
sgdmft_status online_march_pilot(sgdmft_context *ctx, const online_plan *plan, online_law *law, solve_stage *stage,
                                 online_result **out);

/* Solves all replicas into all->result. Averages over a fresh sample are by quadrature with these orders, except those
   of the curves marked in sampled[columns], unless NULL; or, without orders (NULL), by the randomised points of the
   replica. */
sgdmft_status online_march_replicas(sgdmft_context *ctx, const online_plan *plan, const online_orders *orders,
                                    const char *sampled, solve_progress *progress, online_results *all);

/* Adds memory and time of the coordinates, with averages of this many points. */
void online_march_cost(const online_plan *plan, double points, int threads, sgdmft_cost *out);

#endif
