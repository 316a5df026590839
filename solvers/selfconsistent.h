/* Self-consistent Monte-Carlo solution by independent replicas on two grids. */
#ifndef SGDMFT_SELFCONSISTENT_H
#define SGDMFT_SELFCONSISTENT_H

#include "sgdmft/solve.h"
#include "solvers/setting.h"
#include "solvers/trajectory.h"
#include "solvers/way.h"

/* The setup is a solve_setting. */
extern const solve_way selfconsistent_way;

/* One replica: the same paths on both grids. */
typedef struct replica_pair {
    trajectory *level[LEVELS];
    double visits;
} replica_pair;

/* Solves all replicas. pair[replicas] is filled by the caller with zeros and freed by replica_pair_clear. */
sgdmft_status selfconsistent_replicas(sgdmft_context *ctx, const solve_setting *s, replica_pair *pair);
void replica_pair_clear(replica_pair *pair);

/* Statistics over replicas: curves with error bars, two-time arrays, identities. */
sgdmft_status selfconsistent_solution(sgdmft_context *ctx, const solve_setting *s, const replica_pair *pair,
                                      sgdmft_solution **out);

/* Memory and time of a solve. */
void selfconsistent_cost(const solve_setting *s, int threads, sgdmft_cost *out);

#endif
