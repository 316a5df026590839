/* The problem structure: one field per option of the table in options.c, in the order of the problem file. The
   fields follow from what was given (settings.h) and are filled in by sgdmft_problem_check; solvers see checked
   problems only. */
#ifndef SGDMFT_PROBLEM_PROBLEM_H
#define SGDMFT_PROBLEM_PROBLEM_H

#include <stddef.h>
#include <stdint.h>

#include "core/origin.h"
#include "process/process.h"
#include "sgdmft/model.h"
#include "sgdmft/problem.h"

struct settings;

typedef enum method_kind { METHOD_MARCH, METHOD_PICARD, METHOD_LINEAR } method_kind;
/* How much of the past paths and kernels keep (solvers/dmft/plan.c). */
typedef enum history_choice { HISTORY_AUTO, HISTORY_FULL, HISTORY_MERGED } history_choice;

typedef enum response_choice { RESPONSE_AUTO, RESPONSE_BY_PATHS, RESPONSE_BY_STEIN } response_choice;
typedef enum averages_choice { AVERAGES_AUTO, AVERAGES_SAMPLED } averages_choice;
typedef enum entries_kind { ENTRIES_GAUSSIAN, ENTRIES_RADEMACHER, ENTRIES_UNIFORM } entries_kind;

/* The settings that an accuracy leaves open, as bits. */
typedef enum numerics_pin {
    PIN_ACCURACY = 1,
    PIN_PATHS = 2,
    PIN_REPLICAS = 4,
    PIN_STEPS = 8,
    PIN_TOLERANCE = 16,
    PIN_METHOD = 32,
    PIN_REPETITIONS = 64, /* of a simulation */
    PIN_GRADING = 128,
    PIN_ALL = 255
} numerics_pin;

/* An expression with the place of its first character. */
typedef struct problem_text {
    char *name; /* observables: their name; otherwise NULL */
    char *text;
    origin where;
    char *key; /* observables: owns the dotted key that where.key points to; otherwise NULL */
} problem_text;

typedef struct problem_texts {
    size_t n;
    problem_text *item;
} problem_texts;

/* A list of numbers. */
typedef struct problem_reals {
    size_t n;
    double *value;
} problem_reals;

struct sgdmft_problem {
    char *source; /* file name for messages */

    unsigned dynamics, sampling;   /* indices of process_dynamics and process_sampling */
    double batch_fraction;         /* b; 0: sub-linear batches */
    const sample_process *process; /* the row of the table of processes that they name */
    double delta;                  /* infinite for online dynamics if not given */
    problem_text eta;              /* a number is an expression too */
    double lambda;
    problem_text penalty; /* text NULL if absent */
    double horizon;

    struct {
        double rate; /* gamma; 0: none */
        double beta; /* 0: none */
    } momentum;

    struct {
        int students, teachers;
        problem_texts label, predict, loss; /* loss: exactly one, predict: any number (may be 0) */
        char *plugin;                       /* path as written, or NULL; then label, predict, loss are empty */
        origin plugin_where;
        char *callbacks; /* name of a model by call-backs, or NULL; then label, predict, loss are empty */
        origin callbacks_where;
    } model;

    struct {
        double *q;                      /* [k][k]   symmetric */
        double *m;                      /* [k][k*] */
        double *rho;                    /* [k*][k*] symmetric positive definite */
        problem_texts teacher, student; /* law of the coordinates; n = 0 where not given */
        char *samples;                  /* path as written, or NULL; then teacher and student are empty */
        origin samples_where;
        double moments_se; /* relative standard error of q, m, rho if they are averages of expressions; else 0 */
    } initial;

    problem_texts observables;

    struct {
        double accuracy;       /* of every curve, relative to its natural scale */
        problem_texts control; /* names of columns that are to meet it besides those that always are */
        double time_limit;     /* seconds; 0: none */
        unsigned given;        /* numerics_pin of the values below that the user gave */
        int64_t paths;
        int replicas, steps;
        double tolerance;
        uint64_t seed;
        method_kind method;
        response_choice response;
        history_choice history;
        averages_choice averages; /* of one-pass SGD */
        double grading;           /* nodes t_i = T (i/N)^grading, >= 1 */
        int extrapolate;          /* 1: curves are extrapolated to zero step from steps and steps/2 */
        int passes_max;           /* corrector passes (or sweeps) before giving up */
    } numerics;

    struct {
        int times;
        problem_reals histograms; /* times, ascending */
        int bins;
    } output;

    struct {
        int d;
        int64_t batch;
        int repetitions;
        entries_kind entries;
        double step; /* sme: of a sweep over the samples */
    } simulate;

    struct settings *given; /* owned; NULL for a structure that was filled in by hand */
    sgdmft_model table;     /* the model by call-backs, without its name; abi is 0 if none was given */
    int checked;            /* 1: the fields above follow from these */
};

/* 1 if all fields are filled in. */
static inline int problem_is_checked(const sgdmft_problem *problem)
{
    return problem->checked || !problem->given;
}

/* 1 if theta has a velocity. */
static inline int problem_has_momentum(const sgdmft_problem *problem)
{
    return problem->momentum.rate > 0 || problem->momentum.beta > 0;
}

/* 1 if the dynamics are discrete in time, with a step of batch_fraction. */
static inline int problem_is_discrete(const sgdmft_problem *problem)
{
    return problem->batch_fraction > 0;
}

/* 1 if the self-consistent equations are solved by the recursion of discrete time: for discrete dynamics, and where small
   batches are the limit of larger ones. */
static inline int problem_uses_recursion(const sgdmft_problem *problem)
{
    return problem->process->events == EVENTS_BATCHES || problem_has_momentum(problem);
}

/* The number of steps of discrete dynamics until the horizon, and the time of the last one. */
static inline int64_t problem_discrete_steps(const sgdmft_problem *problem)
{
    return (int64_t)(problem->horizon / problem->batch_fraction * (1 + 1e-12) + 1e-9);
}

/* 1 if the solver is to choose this setting: it was not given, nor were all that determine a solve. Other solvers than
   that of the self-consistent equations have nothing to choose. */
static inline int problem_leaves(const sgdmft_problem *problem, numerics_pin pin)
{
    unsigned given = problem->numerics.given, fixed = PIN_PATHS | PIN_REPLICAS | PIN_STEPS;
    if (problem_is_discrete(problem)) /* steps are those of the dynamics */
        given |= PIN_STEPS | PIN_GRADING;
    return problem->given && problem->numerics.method != METHOD_LINEAR && problem->process->events != EVENTS_FRESH &&
           (given & fixed) != fixed && !(given & pin);
}

/* 1 if a solve that misses the accuracy has failed: the accuracy was given, or nothing else that determines a solve
   was. */
static inline int problem_asks_accuracy(const sgdmft_problem *problem)
{
    unsigned given = problem->numerics.given;
    return given & PIN_ACCURACY || !(given & (PIN_PATHS | PIN_REPLICAS | PIN_STEPS));
}

/* 1 if a simulation is to add repetitions until it has the accuracy, which was asked for in so many words. */
static inline int problem_leaves_repetitions(const sgdmft_problem *problem)
{
    return (problem->numerics.given & (PIN_ACCURACY | PIN_REPETITIONS)) == PIN_ACCURACY;
}

#endif
