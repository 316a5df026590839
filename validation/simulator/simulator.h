/* Direct simulation of the finite system of docs/theory.md, section 1, on synthetic data: what the limiting equations
   are checked against. Repetitions are independent (data, start, order of visits); curves are their mean and its
   standard error. Repetition r is a function of (numerics.seed, r) alone, whatever the number of threads. */
#ifndef SGDMFT_VALIDATION_SIMULATOR_SIMULATOR_H
#define SGDMFT_VALIDATION_SIMULATOR_SIMULATOR_H

#include <stddef.h>

#include "sgdmft/context.h"
#include "sgdmft/problem.h"
#include "sgdmft/solution.h"
#include "sgdmft/solve.h"

typedef struct simulator_report {
    size_t d, n;         /* coordinates, samples of a repetition (online: 0) */
    size_t tests;        /* fresh samples of a repetition on which test averages are taken */
    int concurrent;      /* repetitions that ran at the same time */
    const char *kernels; /* instruction set of the inner loops; static storage */
    double visits;       /* rows that theta was moved along, all repetitions together */
    /* CPU time of making the samples that are learnt from, of the dynamics, and of the averages at output times */
    double data_seconds, run_seconds, observe_seconds;
} simulator_report;

/* Memory and rough time; errors as simulator_run, found before anything is computed. */
sgdmft_status simulator_cost(sgdmft_context *ctx, const sgdmft_problem *problem, sgdmft_cost *out);

/* *out is owned by the caller (sgdmft_solution_free); it has no response curves and no two-time arrays. When a
   repetition diverges (SGDMFT_ERR_DIVERGED), a loss is not finite (SGDMFT_ERR_NON_FINITE) or the caller interrupts,
   *out holds the output times that all repetitions reached; an interrupted run keeps the finished repetitions alone if
   there are two of them. Other errors leave *out NULL: SGDMFT_ERR_RANGE and SGDMFT_ERR_CONFLICT for sizes that make no
   system, 300..304, SGDMFT_ERR_MEMORY if not even one repetition fits. `report` may be NULL. */
sgdmft_status simulator_run(sgdmft_context *ctx, const sgdmft_problem *problem, simulator_report *report,
                            sgdmft_solution **out);

#endif
