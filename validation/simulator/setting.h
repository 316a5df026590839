/* What all repetitions of a simulation share. Immutable while they run. */
#ifndef SGDMFT_VALIDATION_SIMULATOR_SETTING_H
#define SGDMFT_VALIDATION_SIMULATOR_SETTING_H

#include <stddef.h>
#include <stdint.h>

#include "core/random.h"
#include "columns/solution.h"
#include "model/coordinates_law.h"
#include "model/initial.h"
#include "model/model.h"
#include "problem/problem.h"
#include "model/schedule.h"
#include "validation/simulator/loops.h"
#include "validation/simulator/penalty.h"

/* One use of random numbers each; the solver's are below 100. */
enum {
    SIMULATOR_START = 100,
    SIMULATOR_ENTRIES,
    SIMULATOR_NOISE,
    SIMULATOR_TEST_ENTRIES,
    SIMULATOR_TEST_NOISE,
    SIMULATOR_ORDER,
    SIMULATOR_DRIVER
};

enum { SIMULATOR_BLOCK_MOST = 256 }; /* rows at a time, at most */

/* A moment at which theta is looked at, for output time number `time`. An output time between two steps takes its
   values from both, by linear interpolation; otherwise the weight is 1. */
typedef struct simulator_stop {
    double t;
    uint64_t step; /* steps done (sgd, online) */
    size_t time;
    double weight;
} simulator_stop;

typedef struct simulator_setting {
    const sgdmft_problem *problem;
    const simulator_loops *kernels;
    model *m;
    model_shape shape;
    initial_law law;
    coordinates_law *coordinates; /* NULL: second moments alone are given */
    schedule *eta;
    penalty *penalty; /* NULL: the ridge */
    size_t d, length;           /* coordinates; with padding */
    size_t n;                   /* training samples; online: 0 */
    size_t tests;               /* fresh samples of test averages */
    size_t batch;
    size_t block;    /* rows at a time: what the second cache level holds */
    double duration; /* of one step of sgd and online dynamics */
    size_t stops;
    simulator_stop *stop;     /* [stops] in order */
    size_t snapshots;         /* thetas kept before they are averaged over samples together */
    solution_columns columns; /* of a repetition's curves */
} simulator_setting;

sgdmft_status simulator_setting_init(sgdmft_context *ctx, const sgdmft_problem *problem, simulator_setting *out);
void simulator_setting_clear(simulator_setting *set);

random_key simulator_key(const simulator_setting *set, uint32_t repetition, uint32_t purpose);

/* Output time number i. */
double simulator_time(const sgdmft_problem *problem, size_t i);

#endif
