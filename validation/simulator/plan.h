/* The plan of a simulation: what all its repetitions share, derived from the problem and immutable while they run. */
#ifndef SGDMFT_VALIDATION_SIMULATOR_PLAN_H
#define SGDMFT_VALIDATION_SIMULATOR_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "columns/solution.h"
#include "core/random.h"
#include "model/coordinates_law.h"
#include "model/initial.h"
#include "model/model.h"
#include "model/penalty.h"
#include "model/schedule.h"
#include "problem/problem.h"
#include "validation/simulator/loops.h"
#include "validation/simulator/order.h"

/* Purposes of random numbers; those of the solver are below 100. */
enum {
    SIMULATOR_START = 100,
    SIMULATOR_ENTRIES,
    SIMULATOR_NOISE,
    SIMULATOR_TEST_ENTRIES,
    SIMULATOR_TEST_NOISE,
    SIMULATOR_ORDER,
    SIMULATOR_BROWNIAN
};

enum { SIMULATOR_BLOCK_MAX = 256 }; /* rows in a block */

/* A time at which theta is observed, for output time number `time`. An output time between two steps has two stops, at
   the step before and at the step after; their weights are those of linear interpolation. Otherwise the weight is 1. */
typedef struct simulator_stop {
    double t;
    uint64_t step; /* number of steps made until then; 0 in continuous time */
    size_t time;
    double weight;
} simulator_stop;

typedef struct simulator_plan {
    const sgdmft_problem *problem;
    instruction_set instructions;
    const simulator_loops *loops; /* for these instructions */
    model *model;
    model_shape shape;
    initial_law law;
    coordinates_law *coordinates; /* NULL if only second moments of the start are given */
    schedule *eta;
    penalty *penalty; /* NULL for the ridge */
    size_t d;         /* coordinates */
    size_t length;    /* d with padding: the distance between vectors */
    size_t n;         /* training samples; 0 if every sample is used once only */
    size_t tests;     /* fresh samples for test averages */
    size_t batch;     /* samples of a step; of the largest one, if epochs are cut */
    size_t cuts;      /* steps into which an epoch is cut; 0 if it is not */
    double duration;  /* of a step; 0 in continuous time */
    order_kind order; /* of visits, if n > 0 and duration > 0 */
    double brake;     /* part of the velocity that a step takes away; 1 without momentum */
    double push;      /* part of the force of a step that the velocity gains */
    size_t block;     /* rows that are worked on together: as many as the second-level cache holds */
    size_t stops;
    simulator_stop *stop;     /* [stops] in ascending order */
    size_t snapshots;         /* thetas that are kept until their averages over samples are taken together */
    solution_columns columns; /* of the curves of a repetition */
} simulator_plan;

/* Errors: SGDMFT_ERR_RANGE and SGDMFT_ERR_CONFLICT for sizes that make no system, 300..304, SGDMFT_ERR_MEMORY. */
sgdmft_status simulator_plan_init(sgdmft_context *ctx, const sgdmft_problem *problem, simulator_plan *out);
void simulator_plan_clear(simulator_plan *plan);

/* The random numbers of a repetition for one purpose. */
random_key simulator_key(const simulator_plan *plan, uint32_t repetition, uint32_t purpose);

#endif
