/* What to try next, from what was seen: the numbers of steps, paths and replicas that reach an accuracy with little
   work. Pure functions but for the last; automatic.c calls them.

   Noise. The variance of the mean over all replicas falls at least like 1/(paths replicas). Paths of a replica are
   better than replicas, because quasi-random points gain from their number, but at least REPLICAS replicas are needed
   for an error bar. Few paths also have a bias, which no bar shows: of order students/paths from the noise of the
   kernels in every curve, and larger where the response by Stein's lemma has few paths for each pair of normals. Both
   set a least number of paths (choice_least_paths).

   Step. The bar of the step error falls with the third to the fourth power of the step when it is small, and more
   slowly when it is large. Pilots with few paths raise the number of steps until the bar is small, and the number for
   the accuracy follows by that power. Steps are no longer than STIFFEST in units of the fastest relaxation, beyond
   which differences between grids say nothing about the error. */
#ifndef SGDMFT_SOLVERS_DMFT_CHOICE_H
#define SGDMFT_SOLVERS_DMFT_CHOICE_H

#include "solvers/dmft/accuracy.h"

typedef struct choice {
    int steps, replicas;
    int64_t paths;
    double horizon; /* of a pilot that ends early; 0: that of the problem */
} choice;

/* What the choice is for. */
typedef struct choice_task {
    const sgdmft_problem *problem; /* its given numerics stay as they are */
    double accuracy;
    int students;
    double grading;  /* that is chosen; 0 if that of the problem stays */
    int may_merge;   /* 1: the history may be merged, or not */
    int merged;      /* 1: it is merged */
    int steps_least; /* of the grid, so that jumps of eta and epochs are nodes */
    int stein;       /* 1: the response may be found by Stein's lemma */
    int jumps;       /* 1: the gradient of the loss jumps */
    int kept;        /* 1: a sample has the same place in every epoch */
    int batches;     /* 1: time is discrete, or the limit of discrete time */
} choice_task;

/* `plan` is a plan of the problem, whatever its numbers. */
choice_task choice_task_of(const sgdmft_problem *problem, const dmft_plan *plan);

/* A guess of the run proper before anything is solved, for estimates of cost. All trials together take about twice as
   long. */
choice choice_guess(const choice_task *task);

/* The least number of paths of a replica with that many steps, for its response alone, and for curves of the
   accuracy. */
int64_t choice_response_paths(const choice_task *task, int steps);
int64_t choice_least_paths(const choice_task *task, int steps);

/* The first pilot. */
choice choice_first(const choice_task *task);

/* After a pilot: 1 and the next pilot, or 0 and the run proper. */
int choice_after_pilot(const choice_task *task, const accuracy_view *seen, const choice *pilot, choice *next);

/* After a pilot that ended before the horizon: a finer one with more paths. */
choice choice_finer(const choice_task *task, const choice *pilot);

/* 1 if a run had better begin again, since its step error is so large, or its paths are so few, that adding replicas
   will not do; *next is then another one. */
int choice_again(const choice_task *task, const accuracy_view *seen, const choice *run, choice *next);

/* Changes to a merged history where that takes less time: if it is allowed and *next has too many steps for a full one,
   returns 1, and task and *next are those of a merged history. `seen` is what the last trial, `of`, showed. */
int choice_merge(choice_task *task, const accuracy_view *seen, const choice *of, choice *next);

/* The number of replicas that reaches the accuracy: that of the run if it is reached, or replicas will not do. */
int choice_replicas(const choice_task *task, const accuracy_view *seen, const choice *run);

/* The tolerance of self-consistency for an accuracy. */
double choice_tolerance(const choice_task *task);

/* The problem of the task with these numbers, in *problem, and the plan of it. The texts belong to the original;
   *problem must outlive the plan. Warnings about numbers are for users who gave them, so the plan is made in silence.
   Fails as dmft_plan_init. */
sgdmft_status choice_plan(sgdmft_context *ctx, const choice_task *task, const choice *of, sgdmft_problem *problem,
                          dmft_plan *plan);

#endif
