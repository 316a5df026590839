/* Self-consistent Monte-Carlo solution by independent replicas, on nested grids. */
#ifndef SGDMFT_SELFCONSISTENT_H
#define SGDMFT_SELFCONSISTENT_H

#include "sgdmft/solve.h"
#include "solvers/setting.h"
#include "solvers/spread.h"
#include "solvers/trajectory.h"
#include "solvers/way.h"

/* The setup is a solve_setting. */
extern const solve_way selfconsistent_way;

/* One replica: the same paths on all grids that it solves, see solve_setting_levels. */
typedef struct replica_result {
    trajectory *level[LEVELS]; /* NULL if not solved */
    double visits;
} replica_result;

/* Replicas that are averaged: all of them, unless the caller interrupted. */
typedef struct replica_set {
    replica_result *result; /* [asked], the first `count` are used */
    int count, asked;
} replica_set;

/* Solves all replicas into set->result[asked], which the caller provides zeroed and frees with replica_result_clear, and
   sets `count`. Together with the ranks of the context: rank 0 gets all replicas, the others a count of 0. After an
   interrupt the complete replicas are used if there are two, otherwise all that were begun. */
sgdmft_status selfconsistent_replicas(sgdmft_context *ctx, const solve_setting *s, replica_set *set);
void replica_result_clear(replica_result *result);

/* A trajectory of the given grid without anything in it; with a record of coordinates if there is a penalty. */
sgdmft_status selfconsistent_trajectory(sgdmft_context *ctx, const solve_setting *s, int level, trajectory **out);

/* Statistics over replicas: curves with error bars, two-time arrays, identities. */
sgdmft_status selfconsistent_solution(sgdmft_context *ctx, const solve_setting *s, const replica_set *set,
                                      sgdmft_solution **out);

/* For a penalty other than the ridge: histograms, and the process of the coordinates. */
sgdmft_status selfconsistent_coordinates(sgdmft_context *ctx, const solve_setting *s, const replica_set *set,
                                         sgdmft_solution *solution);

/* How replicas and paths are spread over ranks. */
rank_spread selfconsistent_spread(const solve_setting *s, int ranks);

/* Memory of each rank and time of a solve. */
void selfconsistent_cost(const solve_setting *s, int threads, int ranks, sgdmft_cost *out);

#endif
