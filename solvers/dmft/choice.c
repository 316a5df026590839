#include "solvers/dmft/choice.h"

#include <math.h>

#include "solvers/common/step_errors.h"

/* Pilots. */
enum { PILOT_STEPS = 16, PILOT_STEPS_LONG = 24, PILOT_STEPS_MOST = 72, PILOT_REPLICAS = 4, PILOT_PATHS = 512 };
static const double LONG_HORIZON = 10;

/* The run proper: replicas to begin with and at most, paths of a replica at most, steps at most. */
enum { REPLICAS = 8, REPLICAS_MOST = 1024, PATHS_MOST = 65536, STEPS_MOST = 4096 };

/* Paths of a replica for each pair of normals, or for each normal if that is less; and, over the accuracy, for each
   student. */
static const double PATHS_PER_PAIR = 0.66, PATHS_PER_NORMAL = 64, PATHS_OVER_ACCURACY = 8;

/* Where a sample keeps its place, the averages of a step run over the paths of one batch. With T = 30, 16 batches in an
   epoch and 8 paths for each step, curves ended in noise; with 34 they had errors of 0.5 %. */
static const double PATHS_PER_KEPT_STEP = 32;

/* The longest step in units of the fastest relaxation. */
static const double STIFFEST = 1.5;

/* The same for batches, where a step is explicit, and also stable on the coarsest grid. */
static const double STIFFEST_BATCHES = 0.4;

/* Below this bar, or this multiple of the accuracy, the power law of the step error holds. */
static const double SMALL_STEP_ERROR = 6e-3, SMALL_IN_ACCURACIES = 5;

/* The step error aimed at and the one that is tolerated, in units of the accuracy, and the noise aimed at. */
static const double STEP_AIM = 0.45, STEP_TOLERATED = 0.9, NOISE_AIM = 0.85;

/* With few replicas, whose bars are uncertain, a step error must be larger to count. */
static const double STEP_PROBED = 2;

/* The variance of pseudo-random points falls with the first power of their number, that of quasi-random points faster:
   the power that is seen between pilots and runs. */
static const double NOISE_POWER = 1.8;

/* The tolerance of self-consistency in units of the accuracy, and its largest value. Residuals of all steps add up to
   an error that no bar shows: with 1e-4 at an accuracy of 5e-3 curves of the linear model were off by 0.3 % with z = 4,
   with half of it by 0.02 %. */
static const double TOLERANCE_PART = 4e-3, TOLERANCE_MOST = 2e-5;

/* The same with a merged history, where recent cells are predicted so well that what is left has no sign of its own: at
   T = 100, a tolerance of 1e-4 instead of 1e-6 moved curves by 0.2 % on root mean square average, half of the noise. */
static const double MERGED_TOLERANCE_PART = 1e-2, MERGED_TOLERANCE_MOST = 1e-4;

/* If more replicas than this would be needed, replicas with more paths are better. */
static const double REPLICAS_MANY = 32;

/* Variances and step errors that are root mean squares over times may be exceeded at single times by these factors. */
static const double WORST_VARIANCE = 2, WORST_STEP = 1.6;

/* For a guess: steps at an accuracy and a horizon, and how many times more where step errors fall slowly, because the
   gradient jumps or kicks follow a Brownian motion; paths in units of their least number where the response is found by
   Stein's lemma. */
static const double GUESS_STEPS = 32, GUESS_ACCURACY = 5e-3, GUESS_HORIZON = 5, GUESS_SLOW = 3, GUESS_PATHS = 2;

/* With a merged history: the pilot ends early, as it is there for the rate of the fastest relaxation alone; the longest
   step in units of that, and the accuracy at which it is that long, with the order of the step error; cells of equal
   length late, where visits set the time scale. */
static const double MERGED_PILOT = 12, MERGED_STIFFEST = 1.25, MERGED_ACCURACY = 1e-2, MERGED_ORDER = 3.5,
                    MERGED_GRADING = 1.2;
enum { MERGED_STEPS = 48 };

/* The bar of a step error is large because the coarsest grid is too coarse, and soon small. */
static const double MERGED_GROWTH = 1.4;

/* Noise of the response makes a bias that falls with the number of paths of a replica and grows with the horizon: q of
   the tanh problem was 0.8 % too small at T = 100 with 4096 paths, 0.4 % with 8192, and at T = 400 5 % with 4096 and
   1.3 % with 16384. So many paths times the accuracy at this horizon for each student, and the power with which they
   grow; and the most replicas before it is better to begin again. */
static const double MERGED_PATHS = 80, MERGED_HORIZON_PATHS = 100, MERGED_PATHS_POWER = 1.25,
                    MERGED_REPLICAS_MANY = 512;

/* From this horizon on a history is merged whatever the steps; before, if the full one takes more than so many. */
static const double MERGED_ALWAYS = 40;
enum { FULL_STEPS = 100 };

/* Gradient flow: the grading in units of the logarithm of the horizon, in relaxations, beyond RELAXED. A grading of the
   logarithm itself makes early cells shortest in units of the relaxation, and late ones are grading / steps of their
   time; somewhat less makes both equally good, as what relaxes is damped, while slow curves are smooth. */
static const double GRADING_PER_LOG = 0.8, RELAXED = 1, GRADING_MOST = 12, STEPS_PER_GRADING = 4.5;

static int leaves(const choice_task *task, numerics_pin pin)
{
    return problem_leaves(task->problem, pin);
}

static double merged_grading(const sgdmft_problem *problem)
{
    return problem_leaves(problem, PIN_GRADING) ? MERGED_GRADING : 0;
}

static double grading_of(const sgdmft_problem *problem, const dmft_plan *plan)
{
    if (!(plan->fastest > 0) || !problem_leaves(problem, PIN_GRADING))
        return 0;
    double grading = GRADING_PER_LOG * (log(plan->fastest * problem->horizon) - RELAXED);
    return fmin(fmax(grading, problem->numerics.grading), GRADING_MOST);
}

choice_task choice_task_of(const sgdmft_problem *problem, const dmft_plan *plan)
{
    int merged = plan->merged && (problem->numerics.history == HISTORY_MERGED || problem->horizon > MERGED_ALWAYS);
    model_shape shape = plan->on_grid[GRID_FINE].shape;
    return (choice_task){.problem = problem,
                         .accuracy = problem->numerics.accuracy,
                         .students = shape.k,
                         .grading = merged ? merged_grading(problem) : grading_of(problem, plan),
                         .may_merge = plan->merged && problem->numerics.history == HISTORY_AUTO,
                         .merged = merged,
                         .steps_least = plan->steps_least,
                         .stein = !problem->process->no_stein && problem->numerics.response != RESPONSE_BY_PATHS &&
                                  !(plan->grid[GRID_FINE]->discrete && plan->on_grid[GRID_FINE].at.response->pathwise),
                         .jumps = shape.jumps,
                         .kept = process_keeps_places(problem->process),
                         .batches = plan->grid[GRID_FINE]->discrete};
}

/* Rounded up to what nested grids need. */
static int whole_steps(const choice_task *task, double steps)
{
    int unit = steps > 48 ? 8 : 4, most = STEPS_MOST;
    int up = unit * (int)ceil(fmin(steps, most) / unit - 1e-9);
    return up > task->steps_least ? up : task->steps_least;
}

static double power_of_two(double x)
{
    return exp2(ceil(log2(fmax(x, 64)) - 1e-9));
}

int64_t choice_response_paths(const choice_task *task, int steps)
{
    if (task->merged)
        return (int64_t)power_of_two(4.0 * PILOT_PATHS * task->students);
    double normals = (double)steps * task->students, base = (double)PILOT_PATHS * task->students;
    if (task->kept)
        base = fmax(base, PATHS_PER_KEPT_STEP * normals);
    double stein = fmin(PATHS_PER_PAIR * normals * normals, PATHS_PER_NORMAL * normals);
    return (int64_t)power_of_two(task->stein ? fmax(base, stein) : base);
}

/* The least number of paths of a replica with a merged history. */
static int64_t merged_paths(const choice_task *task)
{
    double paths = MERGED_PATHS / task->accuracy * task->students;
    paths *= pow(task->problem->horizon / MERGED_HORIZON_PATHS, MERGED_PATHS_POWER);
    return (int64_t)fmin(power_of_two(fmax(paths, 4.0 * PILOT_PATHS * task->students)), PATHS_MOST);
}

int64_t choice_least_paths(const choice_task *task, int steps)
{
    if (task->merged)
        return merged_paths(task);
    double least = power_of_two(PATHS_OVER_ACCURACY * task->students / task->accuracy);
    return (int64_t)fmax((double)choice_response_paths(task, steps), fmin(least, PATHS_MOST));
}

/* Replaces what the user gave. */
static choice pinned(const choice_task *task, choice x)
{
    const sgdmft_problem *problem = task->problem;
    if (!leaves(task, PIN_STEPS))
        x.steps = problem->numerics.steps;
    if (!leaves(task, PIN_PATHS))
        x.paths = problem->numerics.paths;
    if (!leaves(task, PIN_REPLICAS))
        x.replicas = problem->numerics.replicas;
    return x;
}

choice choice_guess(const choice_task *task)
{
    const sample_process *process = task->problem->process;
    int slow = task->jumps || (process->events == EVENTS_STEPS && process->white_noise);
    double steps = GUESS_STEPS * cbrt(task->problem->horizon / GUESS_HORIZON) * (slow ? GUESS_SLOW : 1);
    steps *= pow(GUESS_ACCURACY / task->accuracy, slow ? 0.5 : 1 / 3.5);
    choice x = pinned(task, (choice){.steps = whole_steps(task, fmax(steps, PILOT_STEPS)), .replicas = REPLICAS});
    if (leaves(task, PIN_PATHS)) {
        double more = fmax(GUESS_ACCURACY / task->accuracy, 1); /* the least number grows with the first power */
        x.paths = (int64_t)fmin((task->stein ? GUESS_PATHS : 1) * more * (double)choice_least_paths(task, x.steps),
                                PATHS_MOST);
    }
    return x;
}

static choice pilot_of(const choice_task *task, double steps)
{
    choice x = {.steps = whole_steps(task, steps), .replicas = PILOT_REPLICAS};
    if (!leaves(task, PIN_STEPS))
        x.steps = task->problem->numerics.steps;
    x.paths = choice_response_paths(task, x.steps);
    if (!leaves(task, PIN_PATHS) && x.paths > task->problem->numerics.paths)
        x.paths = task->problem->numerics.paths;
    return x;
}

choice choice_first(const choice_task *task)
{
    if (task->merged && leaves(task, PIN_STEPS)) {
        choice x = pilot_of(task, PILOT_STEPS_LONG);
        x.horizon = fmin(MERGED_PILOT, task->problem->horizon);
        return x;
    }
    int steps = task->problem->horizon < LONG_HORIZON ? PILOT_STEPS : PILOT_STEPS_LONG;
    return pilot_of(task, fmax(steps, STEPS_PER_GRADING * task->grading));
}

choice choice_finer(const choice_task *task, const choice *pilot)
{
    choice next = pilot_of(task, 2.0 * pilot->steps);
    if (next.steps <= pilot->steps && leaves(task, PIN_PATHS))
        next.paths = 4 * pilot->paths;
    next.horizon = pilot->horizon;
    return next;
}

/* The bar of the step error at its worst time. With few replicas the largest one over times would be noise. */
static double step_of(const accuracy_view *seen)
{
    return WORST_STEP * seen->step_rms;
}

/* The factor by which the number of steps must grow for a bar of `step` to become `aim`. */
static double growth(const choice_task *task, double step, double aim)
{
    double order = !task->problem->numerics.extrapolate || task->batches ? 2
                   : task->jumps                                         ? 1.2
                   : step > SMALL_STEP_ERROR / 2                         ? 3
                                                                         : 3.5;
    return pow(step / aim, 1 / order);
}

/* The number of paths for which the variance seen with `before` becomes that of the aim, with `replicas` replicas. */
static double paths_for(const choice_task *task, double variance, const choice *before, int replicas)
{
    double aim = NOISE_AIM * task->accuracy / noise_widening((size_t)replicas),
           all = (double)before->paths * before->replicas;
    double more = variance / (aim * aim);
    return all * pow(more, more > 1 ? 1 / NOISE_POWER : 1) / replicas;
}

/* The run proper with a merged history, whose steps follow from the fastest relaxation that a pilot has seen. */
static choice merged_run(const choice_task *task, const accuracy_view *seen, const choice *pilot)
{
    double longer = pilot->horizon > 0 ? task->problem->horizon / pilot->horizon : 1,
           finer = MERGED_ACCURACY / task->accuracy;
    double steps = pilot->steps * seen->stiffness / MERGED_STIFFEST * longer * pow(finer, 1 / MERGED_ORDER);
    choice x = {.steps = whole_steps(task, fmax(steps, MERGED_STEPS)), .replicas = REPLICAS};
    x.paths = merged_paths(task);
    return pinned(task, x);
}

/* The run proper with that many steps, given a noise that was seen with `before`. */
static choice run_of(const choice_task *task, double steps, double noise, const choice *before)
{
    choice x = pinned(task, (choice){.steps = whole_steps(task, steps), .replicas = REPLICAS});
    /* rather too few paths than too many, as replicas are added where they are missing */
    double paths = power_of_two(0.5 * paths_for(task, WORST_VARIANCE * noise * noise, before, x.replicas));
    if (leaves(task, PIN_PATHS))
        x.paths = (int64_t)fmin(fmax(paths, (double)choice_least_paths(task, x.steps)),
                                fmax(PATHS_MOST, (double)choice_response_paths(task, x.steps)));
    return x;
}

int choice_after_pilot(const choice_task *task, const accuracy_view *seen, const choice *pilot, choice *next)
{
    if (pilot->horizon > 0) {
        *next = merged_run(task, seen, pilot);
        return 0;
    }
    double small = fmax(SMALL_STEP_ERROR, SMALL_IN_ACCURACIES * task->accuracy);
    double stiff = pilot->steps * seen->stiffness / (task->batches ? STIFFEST_BATCHES : STIFFEST),
           aim = STEP_AIM * task->accuracy;
    int may = leaves(task, PIN_STEPS) && pilot->steps < STEPS_MOST;
    double steps = pilot->steps * fmin(fmax(growth(task, step_of(seen), aim), 0.75), 2.5);
    double finer = pilot->steps * fmin(fmax(pow(step_of(seen) / small, 1 / 2.5), 1.4), 2);
    int coarse = may && step_of(seen) > small && !task->jumps;
    if (may && stiff > 1.1 * pilot->steps) {
        coarse = 1;
        steps = finer = fmin(stiff, 4.0 * pilot->steps);
    }
    /* a pilot of many steps costs as much as the first replicas of a run, which will show the same */
    if (coarse && finer <= PILOT_STEPS_MOST) {
        *next = pilot_of(task, finer);
        return 1;
    }
    *next = run_of(task, fmax(coarse ? finer : steps, stiff), seen->noise, pilot);
    return 0;
}

int choice_again(const choice_task *task, const accuracy_view *seen, const choice *run, choice *next)
{
    double noise = seen->noise * noise_widening(REPLICAS), aim = NOISE_AIM * task->accuracy;
    double replicas = WORST_VARIANCE * run->replicas * noise * noise / (aim * aim), steps = run->steps;
    int probe = run->replicas < REPLICAS;
    double step = probe ? step_of(seen) : seen->step, tolerated = probe ? STEP_PROBED : STEP_TOLERATED;
    int coarse = leaves(task, PIN_STEPS) && run->steps < STEPS_MOST && step > tolerated * task->accuracy;
    int few = leaves(task, PIN_PATHS) && run->paths < PATHS_MOST &&
              replicas > (task->merged ? MERGED_REPLICAS_MANY : REPLICAS_MANY);
    if (coarse)
        steps *= fmin(fmax(growth(task, step, STEP_AIM * task->accuracy), 1.2), task->merged ? MERGED_GROWTH : 2);
    else if (!few)
        return 0;
    *next = run_of(task, steps, seen->noise, run);
    if (task->merged && leaves(task, PIN_PATHS) && !few)
        next->paths = run->paths;
    if (leaves(task, PIN_PATHS))
        next->paths = next->paths < run->paths               ? run->paths
                      : !coarse && next->paths == run->paths ? 2 * run->paths
                                                             : next->paths;
    return 1;
}

int choice_merge(choice_task *task, const accuracy_view *seen, const choice *of, choice *next)
{
    if (!task->may_merge || task->merged || next->steps <= FULL_STEPS)
        return 0;
    task->merged = 1;
    task->grading = merged_grading(task->problem);
    *next = merged_run(task, seen, of);
    return 1;
}

int choice_replicas(const choice_task *task, const accuracy_view *seen, const choice *run)
{
    int least = leaves(task, PIN_REPLICAS) ? REPLICAS : task->problem->numerics.replicas;
    if (run->replicas < least)
        return least;
    /* where a step error alone is too large, more replicas do not help */
    if (!leaves(task, PIN_REPLICAS) || seen->missing <= 1 || !(seen->missing < HUGE_VAL))
        return run->replicas;
    return (int)fmin(fmax(ceil(1.03 * seen->missing * run->replicas), run->replicas + 1),
                     fmin(REPLICAS_MOST, 4.0 * run->replicas));
}

double choice_tolerance(const choice_task *task)
{
    double part = task->merged ? MERGED_TOLERANCE_PART : TOLERANCE_PART;
    double most = task->merged ? MERGED_TOLERANCE_MOST : TOLERANCE_MOST;
    return leaves(task, PIN_TOLERANCE) ? fmin(fmax(part * task->accuracy, 1e-8), most)
                                       : task->problem->numerics.tolerance;
}

sgdmft_status choice_plan(sgdmft_context *ctx, const choice_task *task, const choice *of, sgdmft_problem *problem,
                          dmft_plan *plan)
{
    sgdmft_log_fn log = ctx->log;
    *problem = *task->problem;
    problem->numerics.paths = of->paths;
    problem->numerics.replicas = of->replicas;
    problem->numerics.steps = of->steps;
    problem->numerics.tolerance = choice_tolerance(task);
    if (task->merged || task->may_merge)
        problem->numerics.history = task->merged ? HISTORY_MERGED : HISTORY_FULL;
    if (task->grading > 0)
        problem->numerics.grading = task->grading;
    if (of->horizon > 0) {
        problem->horizon = of->horizon;
        problem->output.histograms.n = 0;
    }
    problem->numerics.given = problem_asks_accuracy(task->problem) ? PIN_ALL : PIN_ALL & ~PIN_ACCURACY;
    ctx->log = NULL;
    sgdmft_status status = dmft_plan_init(ctx, problem, plan);
    ctx->log = log;
    return status;
}
