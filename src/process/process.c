#include "process/process.h"

#include <string.h>

#include "process/batches.h"
#include "process/brownian.h"
#include "process/drift.h"
#include "process/poisson.h"
#include "process/reshuffle.h"

static const sample_process table[] = {
    {.dynamics = "sgd",
     .sampling = "replacement",
     .doc = "every step draws its samples anew, so that a sample is visited at the times of a Poisson process",
     .events = EVENTS_VISITS,
     .kicks = KICKS_UNBOUNDED,
     .white_noise = 1,
     .visits = &poisson_visits,
     .last_visit = &poisson_last_visit},
    {.dynamics = "sgd",
     .sampling = "reshuffle",
     .doc = "a new random order in every epoch, as data loaders do, so that a sample is visited once in every unit of "
            "time",
     .events = EVENTS_VISITS,
     .kicks = KICKS_BOUNDED,
     .white_noise = 1,
     .visits = &reshuffle_visits},
    {.dynamics = "sgd",
     .sampling = "cyclic",
     .doc = "one random order, kept in all epochs, so that a sample is visited once in every unit of time, at the same "
            "place",
     .events = EVENTS_BATCHES,
     .kicks = KICKS_BOUNDED,
     .white_noise = 1,
     .visits = &kept_batches},
    {.dynamics = "sgd",
     .sampling = "replacement",
     .doc = "batches of a fraction of the data, drawn anew for every step",
     .events = EVENTS_BATCHES,
     .batch = BATCH_FRACTION,
     .kicks = KICKS_BOUNDED,
     .white_noise = 1,
     .visits = &new_batches},
    {.dynamics = "sgd",
     .sampling = "reshuffle",
     .doc = "batches of a fraction of the data, cut from a new random order in every epoch",
     .events = EVENTS_BATCHES,
     .batch = BATCH_FRACTION,
     .kicks = KICKS_BOUNDED,
     .white_noise = 1,
     .visits = &shuffled_batches},
    {.dynamics = "sgd",
     .sampling = "cyclic",
     .doc = "batches of a fraction of the data, cut from one random order",
     .events = EVENTS_BATCHES,
     .batch = BATCH_FRACTION,
     .kicks = KICKS_BOUNDED,
     .white_noise = 1,
     .visits = &kept_batches},
    {.dynamics = "sgd",
     .sampling = "replacement",
     .doc = "full-batch gradient descent",
     .events = EVENTS_BATCHES,
     .batch = BATCH_FULL,
     .kicks = KICKS_BOUNDED,
     .visits = &full_batches},
    {.dynamics = "sme",
     .doc = "the stochastic modified equation: Brownian motion instead of visits",
     .events = EVENTS_STEPS,
     .kicks = KICKS_DIFFUSE,
     .white_noise = 1,
     .diffuses = 1,
     .kick = brownian_kick,
     .sample_step = 0.02,
     .no_pathwise = "derivatives along its paths grow with the Brownian motion"},
    {.dynamics = "gradient-flow",
     .doc = "the limit of small steps",
     .events = EVENTS_STEPS,
     .kicks = KICKS_SMOOTH,
     .kick = drift_kick,
     .midpoint = midpoint_kick,
     .sample_step = 0.05,
     .no_stein = "its field has no white noise",
     .default_steps = 40},
    {.dynamics = "online",
     .doc = "every sample is visited once",
     .events = EVENTS_FRESH,
     .kicks = KICKS_ONE,
     .white_noise = 1},
};

enum { ROWS = sizeof table / sizeof *table };

const sample_process *process_at(size_t index)
{
    return index < ROWS ? &table[index] : NULL;
}

/* The value of a key in a row, or NULL. */
typedef const char *(*key_of)(const sample_process *p);

static const char *dynamics_of(const sample_process *p)
{
    return p->dynamics;
}

static const char *sampling_of(const sample_process *p)
{
    return p->sampling;
}

/* The first row with value number `index` of the key, where equal values count once; NULL past the end. */
static const sample_process *row_of_value(key_of key, size_t index)
{
    for (size_t row = 0; row < ROWS; row++) {
        int is_new = key(&table[row]) != NULL;
        for (size_t other = 0; other < row && is_new; other++)
            is_new = !key(&table[other]) || strcmp(key(&table[other]), key(&table[row])) != 0;
        if (is_new && index-- == 0)
            return &table[row];
    }
    return NULL;
}

const char *process_dynamics(size_t index)
{
    const sample_process *p = row_of_value(dynamics_of, index);
    return p ? p->dynamics : NULL;
}

const char *process_sampling(size_t index)
{
    const sample_process *p = row_of_value(sampling_of, index);
    return p ? p->sampling : NULL;
}

/* Rows that have the dynamics in common and differ in their sampling are described under `sampling`. */
const char *process_dynamics_doc(size_t index)
{
    const sample_process *p = row_of_value(dynamics_of, index);
    if (p && p->sampling)
        return "stochastic gradient descent, see `sampling`";
    return p ? p->doc : NULL;
}

const char *process_sampling_doc(size_t index)
{
    const sample_process *p = row_of_value(sampling_of, index);
    return p ? p->doc : NULL;
}

const sample_process *process_find(size_t dynamics, size_t sampling, batch_size batch)
{
    const char *dynamics_name = process_dynamics(dynamics), *sampling_name = process_sampling(sampling);
    for (size_t row = 0; dynamics_name && sampling_name && row < ROWS; row++) {
        const sample_process *p = &table[row];
        int any = p->batch == BATCH_FULL;
        if (p->batch == batch && strcmp(p->dynamics, dynamics_name) == 0 &&
            (any || (p->sampling ? strcmp(p->sampling, sampling_name) == 0 : sampling == 0)))
            return p;
    }
    return NULL;
}

int process_is_independent(const sample_process *p)
{
    return !p->visits || p->visits->epoch == 0;
}

int process_keeps_places(const sample_process *p)
{
    return p->visits && p->visits->kept;
}
