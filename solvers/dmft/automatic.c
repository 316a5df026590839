#include "solvers/dmft/automatic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/ranks.h"
#include "paths/purposes.h"
#include "solvers/common/replica_pool.h"
#include "solvers/dmft/choice.h"
#include "solvers/dmft/cost.h"
#include "solvers/dmft/statistics.h"

/* How often pilots and the run proper are begun at most. */
enum { PILOTS_MOST = 12, RUNS_MOST = 7, FAILED_MOST = 3 };

/* Replicas of the run proper after which the steps are judged. */
enum { PROBE = 4 };

/* Without a time limit, the most work in estimated CPU seconds (cost.h), which do not depend on the machine: a solve
   ends in some minutes even where an accuracy is out of reach. */
static const double WORK_MOST = 240;

/* The pilots count as this part of the whole work. */
static const double PILOT_PART = 0.1;

/* A solve with given numbers, which can go on with more replicas. */
typedef struct trial {
    choice of;
    sgdmft_problem problem; /* the problem with these numbers; its texts belong to the original */
    dmft_plan plan;
    replica_axes axes;
    replica_set set;
    curve_errors errors;       /* rank 0 */
    sgdmft_solution *solution; /* rank 0 */
    accuracy_view view;        /* the same on all ranks */
} trial;

/* The result of an earlier trial that reached the horizon. It is handed out if a later one is cut short. */
typedef struct kept_result {
    int valid;              /* the same on all ranks */
    sgdmft_problem problem; /* with its numbers */
    accuracy_view view;
    sgdmft_solution *solution; /* rank 0 */
} kept_result;

/* The whole solve. */
typedef struct automatic {
    sgdmft_context *ctx;
    choice_task task;
    char *wanted; /* [columns] which are to meet the accuracy */
    double deadline;
    double work, work_most; /* done and allowed, in estimated CPU seconds */
    uint32_t next_stream;   /* of pilots */
    trial now;
    kept_result kept;
} automatic;

static void trial_clear(trial *t)
{
    curve_errors_clear(&t->errors);
    sgdmft_solution_free(t->solution);
    replica_set_clear(&t->set);
    replica_axes_clear(&t->axes);
    dmft_plan_clear(&t->plan);
    *t = (trial){.of = {0}};
}

/* Keeps the result of the trial if it is whole. */
static void keep(automatic *a)
{
    trial *t = &a->now;
    if (t->set.solved == 0 || t->view.ended || t->of.horizon > 0)
        return;
    sgdmft_solution_free(a->kept.solution);
    a->kept = (kept_result){1, t->problem, t->view, t->solution};
    t->solution = NULL;
}

/* SGDMFT_ERR_MEMORY if the trial would not fit. */
static sgdmft_status check_memory(sgdmft_context *ctx, const dmft_plan *plan)
{
    sgdmft_cost cost;
    dmft_cost(plan, sgdmft_context_threads(ctx), ranks_size(ctx->ranks), &cost);
    return sgdmft_check_memory(ctx, &cost);
}

/* Makes the plan of a trial in place of the one before. */
static sgdmft_status begin(automatic *a, const choice *of, int is_pilot)
{
    trial *t = &a->now;
    sgdmft_log_fn log = a->ctx->log;
    keep(a);
    trial_clear(t);
    t->of = *of;
    sgdmft_status status = choice_plan(a->ctx, &a->task, of, &t->problem, &t->plan);
    if (!status)
        status = check_memory(a->ctx, &t->plan);
    status = ranks_agree(a->ctx, a->ctx->ranks, status);
    a->ctx->log = NULL;
    if (!status)
        status = replica_axes_find(a->ctx, &t->plan, &t->axes);
    a->ctx->log = log;
    replica_axes_use(&t->axes, &t->plan);
    if (!status)
        status = ranks_agree(a->ctx, a->ctx->ranks, replica_set_new(a->ctx, 0, &t->set));
    t->set.deadline = a->deadline;
    if (is_pilot) {
        t->set.stream = a->next_stream;
        a->next_stream += (uint32_t)of->replicas;
    }
    return status;
}

/* Tells what a trial showed, for those who want to know how the numbers were chosen. */
static void tell(const automatic *a)
{
    const trial *t = &a->now;
    context_log(
        a->ctx, SGDMFT_LOG_INFO,
        "%s of %d steps, %lld paths in each of %d replicas: noise %.2g, step error %.2g, largest standard error "
        "%.2g of the scale of %s at t = %.4g%s%s",
        t->set.stream ? "pilot" : "run", t->of.steps, (long long)t->of.paths, t->set.count, t->view.noise, t->view.step,
        t->view.worst, t->solution->curves[t->view.curve].name,
        t->solution->n_times ? t->solution->times[t->view.time] : 0, t->view.ended ? "; ended early: " : "",
        t->view.ended ? sgdmft_status_word(t->view.ended) : "");
}

/* Statistics and view of what is solved, on rank 0, and the view on all ranks. */
static sgdmft_status look(automatic *a)
{
    trial *t = &a->now;
    sgdmft_status status = SGDMFT_OK;
    if (ranks_rank(a->ctx->ranks) == 0) {
        curve_errors_clear(&t->errors);
        sgdmft_solution_free(t->solution);
        t->solution = NULL;
        status = replica_statistics(a->ctx, &t->plan, &t->set, &t->errors, &t->solution);
        if (!status) {
            t->view = accuracy_look(&t->errors, a->wanted, a->task.accuracy, &t->set, &t->plan, t->solution);
            tell(a);
        }
    }
    status = ranks_agree(a->ctx, a->ctx->ranks, status);
    return status ? status : ranks_broadcast(a->ctx, a->ctx->ranks, &t->view, sizeof t->view);
}

/* The work of one replica of the trial. */
static double replica_work(const trial *t)
{
    sgdmft_cost cost;
    dmft_cost(&t->plan, 1, 1, &cost);
    return cost.cpu_seconds / t->problem.numerics.replicas;
}

/* 1 if there is work left for another run. */
static int can_afford(const automatic *a, const choice *next)
{
    const trial *t = &a->now;
    double paths = (double)next->paths / (double)t->of.paths, steps = (double)next->steps / t->of.steps;
    double longer = t->plan.merged ? steps : steps * steps;
    return a->work + replica_work(t) * paths * longer * next->replicas <= a->work_most;
}

/* Solves up to `replicas` replicas of the trial, which are the part [from, to] of the whole work. */
static sgdmft_status go_on(automatic *a, int replicas, double from, double to)
{
    trial *t = &a->now;
    sgdmft_status status = ranks_agree(a->ctx, a->ctx->ranks, replica_set_grow(a->ctx, replicas, &t->set));
    t->set.begin = from;
    t->set.part = to - from;
    t->of.replicas = t->problem.numerics.replicas = replicas;
    a->work += replica_work(t) * (replicas - t->set.solved);
    if (!status)
        status = replica_set_continue(a->ctx, &t->plan, &t->set);
    return status ? status : look(a);
}

/* 1 if the time is over, by the clock of this rank. */
static int is_over(const automatic *a)
{
    return a->deadline > 0 && clock_seconds() >= a->deadline;
}

/* 1 if the time is over, for all ranks. */
static sgdmft_status is_late(automatic *a, int *late)
{
    *late = is_over(a);
    return ranks_broadcast(a->ctx, a->ctx->ranks, late, sizeof *late);
}

/* Pilots, until the numbers of the run proper are known. *done becomes 1 if the last pilot is all there will be: its
   solve ended early, however fine it was, or was interrupted. */
static sgdmft_status pilots(automatic *a, choice *run, int *done)
{
    choice pilot = choice_first(&a->task);
    int failed = 0;
    for (int i = 0; i < PILOTS_MOST; i++) {
        double from = PILOT_PART * (1 - 1 / (1.0 + i)), to = PILOT_PART * (1 - 1 / (2.0 + i));
        sgdmft_status status = begin(a, &pilot, 1);
        if (!status)
            status = go_on(a, pilot.replicas, from, to);
        if (status)
            return status;
        const accuracy_view *seen = &a->now.view;
        *done = seen->ended == SGDMFT_ERR_INTERRUPTED || seen->ended == SGDMFT_ERR_PLUGIN ||
                (seen->ended && ++failed > FAILED_MOST);
        if (*done)
            return SGDMFT_OK;
        if (seen->ended) {
            pilot = choice_finer(&a->task, &pilot);
            choice_merge(&a->task, seen, &a->now.of, &pilot);
            continue;
        }
        int more = choice_after_pilot(&a->task, seen, &a->now.of, run);
        if (choice_merge(&a->task, seen, &a->now.of, run) || !more)
            return SGDMFT_OK;
        pilot = *run;
    }
    *run = pilot;
    return SGDMFT_OK;
}

/* Adds replicas until the accuracy is met, or the run had better begin again with *next: then *again is 1. */
static sgdmft_status add_replicas(automatic *a, int may_begin_again, choice *next, int *again)
{
    trial *t = &a->now;
    for (;;) {
        int late = 0, replicas;
        sgdmft_status status = is_late(a, &late);
        if (status || late || t->view.ended)
            return status;
        replicas = choice_replicas(&a->task, &t->view, &t->of);
        if (t->view.worst <= a->task.accuracy && replicas <= t->set.solved)
            return SGDMFT_OK;
        *again = may_begin_again && choice_again(&a->task, &t->view, &t->of, next) && can_afford(a, next);
        if (*again)
            choice_merge(&a->task, &t->view, &t->of, next);
        double most = t->set.solved + (a->work_most - a->work) / replica_work(t);
        replicas = replicas < most ? replicas : (int)fmax(most, t->set.solved);
        if (*again || replicas <= t->set.solved)
            return SGDMFT_OK;
        double done = PILOT_PART + (1 - PILOT_PART) * t->set.solved / replicas;
        status = go_on(a, replicas, done, 1);
        if (status)
            return status;
    }
}

/* The run proper. It begins again with more steps or paths if those that were chosen will not do. */
static sgdmft_status run_proper(automatic *a, choice run)
{
    int again = 1;
    for (int i = 0; i < RUNS_MOST && again; i++) {
        choice next = run;
        int probe = run.replicas < PROBE ? run.replicas : PROBE;
        sgdmft_status status = begin(a, &run, 0);
        again = 0;
        if (!status)
            status = go_on(a, probe, PILOT_PART, PILOT_PART + (1 - PILOT_PART) * probe / run.replicas);
        if (!status)
            status = add_replicas(a, i + 1 < RUNS_MOST, &next, &again);
        if (status)
            return status;
        run = next;
    }
    return SGDMFT_OK;
}

/* 1 if the last trial was cut short by a limit, by the caller or by passes that did not become consistent, or would not
   have fit into memory, and an earlier one was whole. */
static int use_kept(const automatic *a, sgdmft_status cut_short)
{
    sgdmft_status ended = cut_short ? cut_short : a->now.view.ended;
    return a->kept.valid &&
           (ended == SGDMFT_ERR_INTERRUPTED || ended == SGDMFT_ERR_NO_CONVERGENCE || ended == SGDMFT_ERR_MEMORY);
}

/* Why the work ended before the accuracy was reached, or NULL. */
static const char *limit_of(const automatic *a, int kept, sgdmft_status cut_short)
{
    if (kept && cut_short == SGDMFT_ERR_MEMORY)
        return "the memory is too small for a larger run";
    if (is_over(a))
        return "numerics.time_limit is over";
    if (kept)
        return "a run with more steps was cut short";
    return a->work + replica_work(&a->now) > a->work_most ? "a numerics.time_limit would allow more work" : NULL;
}

/* Hands out the solution with the problem that was solved in the end. `cut_short` says how the last trial failed. */
static sgdmft_status finish(automatic *a, sgdmft_status cut_short, sgdmft_solution **out)
{
    trial *t = &a->now;
    int kept = use_kept(a, cut_short),
        interrupted = kept && !is_over(a) && (cut_short ? cut_short : t->view.ended) == SGDMFT_ERR_INTERRUPTED;
    const sgdmft_problem *problem = kept ? &a->kept.problem : &t->problem;
    sgdmft_solution **from = kept ? &a->kept.solution : &t->solution;
    accuracy_call call = problem_asks_accuracy(a->task.problem) ? ACCURACY_ASKED : ACCURACY_WANTED;
    if (ranks_rank(a->ctx->ranks) > 0)
        return SGDMFT_OK;
    sgdmft_status status =
        accuracy_record(a->ctx, problem, kept ? &a->kept.view : &t->view, call, limit_of(a, kept, cut_short), *from);
    if (!status && interrupted)
        status = solution_set_status(a->ctx, *from, SGDMFT_ERR_INTERRUPTED,
                                     "interrupted: the curves are those of the last run that was complete");
    if (!status)
        status = solution_set_problem(a->ctx, *from, problem);
    if (status)
        return status;
    *out = *from;
    *from = NULL;
    return SGDMFT_OK;
}

sgdmft_status automatic_solve(sgdmft_context *ctx, const sgdmft_problem *problem, const dmft_plan *first,
                              sgdmft_solution **out)
{
    model_shape shape = first->on_grid[GRID_FINE].shape;
    automatic a = {.ctx = ctx, .task = choice_task_of(problem, first), .next_stream = PURPOSE_TRIAL_REPLICA};
    choice run = {0};
    int done = 0;
    a.work_most = problem->numerics.time_limit > 0 ? HUGE_VAL : WORK_MOST;
    if (problem->numerics.time_limit > 0)
        a.deadline = clock_seconds() + problem->numerics.time_limit;
    sgdmft_status status = ranks_agree(ctx, ctx->ranks, accuracy_columns(ctx, problem, &shape, &a.wanted));
    if (!status)
        status = pilots(&a, &run, &done);
    if (!status && !done)
        status = run_proper(&a, run);
    if (!status || use_kept(&a, status))
        status = finish(&a, status, out);
    trial_clear(&a.now);
    sgdmft_solution_free(a.kept.solution);
    free(a.wanted);
    return status;
}
