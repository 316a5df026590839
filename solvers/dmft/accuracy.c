#include "solvers/dmft/accuracy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "core/memory.h"
#include "core/origin.h"
#include "solvers/common/step_errors.h"
#include "solvers/common/worst_error.h"

const double IDENTITY_TRUSTED = 0.02;

/* The number of replicas with which a solve ends at least. */
enum { ENOUGH_REPLICAS = 8 };

/* The column of that name, or `count`. */
static size_t find_column(const solution_shape *shape, const char *name, size_t count)
{
    solution_columns at = solution_columns_of(shape);
    const column_kind *kind;
    for (size_t k = 0; (kind = columns_kind(k)); k++)
        for (size_t i = 0; i < kind->count(shape); i++) {
            char *own = kind->name(shape, i);
            int same = own && strcmp(own, name) == 0;
            free(own);
            if (same)
                return *(const size_t *)(const void *)((const char *)&at + kind->first) + i;
        }
    return count;
}

sgdmft_status accuracy_columns(sgdmft_context *ctx, const sgdmft_problem *problem, const model_shape *of, char **wanted)
{
    size_t observables = problem->observables.n;
    const char **names = calloc(observables + 1, sizeof *names);
    solution_shape shape = {
        .k = of->k, .kstar = of->kstar, .n_observables = observables, .observables = names, .response = 1};
    solution_columns at = solution_columns_of(&shape);
    char *out = memory_zeroed(at.count, 1);
    sgdmft_status status = names && out ? SGDMFT_OK : context_out_of_memory(ctx, "the columns", (double)at.count);
    for (size_t i = 0; i < observables && !status; i++)
        names[i] = problem->observables.item[i].name;
    for (size_t c = 0; c < at.response && !status; c++)
        out[c] = 1;
    for (size_t i = 0; i < problem->numerics.control.n && !status; i++) {
        const problem_text *item = &problem->numerics.control.item[i];
        size_t column = find_column(&shape, item->text, at.count);
        if (column < at.count)
            out[column] = 1;
        else
            status = origin_fail(ctx, SGDMFT_ERR_RANGE, &item->where,
                                 "value %s is not a column of the output; allowed: names of columns, such as R11",
                                 item->text);
    }
    free(names);
    if (status)
        free(out);
    else
        *wanted = out;
    return status;
}

/* The longest step of a cell in units of the fastest relaxation, h (eta E[G] (1 + sqrt(delta))^2 + lambda): in a linear
   model, eta times the largest eigenvalue of X^T X plus the ridge. E[G] is Q(t, t); for several students its largest
   sum over a row stands for its norm. */
static double stiffness_of(const grid_solution *solved, const dmft_plan *plan)
{
    const time_grid *grid = plan->grid[GRID_FINE];
    int k = solved->shape.k;
    double root = 1 + sqrt(plan->problem->delta), edge = root * root, most = 0, lambda = plan->problem->lambda;
    for (int i = 0; i + 1 < solved->nodes; i++) {
        double norm = 0;
        for (int a = 0; a < k; a++) {
            double sum = 0;
            for (int b = 0; b < k; b++)
                sum += fabs(solved->Q[(i * k + a) * k + b]);
            norm = fmax(norm, sum);
        }
        most = fmax(most, grid->h[i] * (fmax(grid->eta_start[i], grid->eta_end[i]) * norm * edge + lambda));
    }
    return most;
}

/* Takes one column into account. */
static void look_at_column(const curve_errors *errors, size_t c, double accuracy, double widening, accuracy_view *view)
{
    double more = fmin(noise_widening(ENOUGH_REPLICAS) / widening, 1);
    size_t n = errors->n;
    double squares = 0, steps = 0, times = 0;
    for (size_t i = 0; i < n; i++) {
        double scale = errors->scale[c * n + i];
        if (!(scale > 0))
            continue;
        double noise = errors->noise[c * n + i] / scale, step = errors->step[c * n + i] / scale;
        double all = hypot(noise, step), left = accuracy * accuracy - step * step;
        if (all > view->worst) {
            view->worst = all;
            view->curve = c;
            view->time = i;
            view->by_step = step > noise;
        }
        view->step = fmax(view->step, step);
        double later = noise * more; /* as wide as bars of enough replicas are */
        view->missing = fmax(view->missing, left > 0 ? later * later / left : noise > 0 || step > 0 ? HUGE_VAL : 0);
        squares += noise * noise;
        steps += errors->own_step[c * n + i] * errors->own_step[c * n + i] / (scale * scale);
        times++;
    }
    if (times > 0) {
        view->noise = fmax(view->noise, sqrt(squares / times) / widening);
        view->step_rms = fmax(view->step_rms, sqrt(steps / times));
    }
}

accuracy_view accuracy_look(const curve_errors *errors, const char *wanted, double accuracy, const replica_set *set,
                            const dmft_plan *plan, const sgdmft_solution *solution)
{
    accuracy_view view = {.identity = errors->identity_defect, .ended = solution->status};
    double widening = noise_widening((size_t)set->count);
    for (size_t c = 0; c < errors->count; c++)
        if (wanted[c])
            look_at_column(errors, c, accuracy, widening, &view);
    if (plan->problem->process->white_noise && set->count > 0)
        view.stiffness = stiffness_of(set->result[0].on_grid[GRID_FINE], plan);
    view.reached = solution->n_times > 0 ? solution->times[solution->n_times - 1] : 0;
    return view;
}

/* Says what was missed: the horizon, if a limit ended the solve before it; the accuracy, with the worst column and its
   time; or the identity. The caller frees the text; NULL if out of memory. */
static char *missed(const sgdmft_problem *problem, const accuracy_view *view, int untrusted, const char *limit,
                    const sgdmft_solution *solution)
{
    static const char *const by[2] = {"it is noise; hint: more numerics.paths or numerics.replicas",
                                      "it is the error of the time step; hint: more numerics.steps"};
    double asked = problem->numerics.accuracy;
    worst_error worst = {view->worst, view->curve, view->time};
    if (!untrusted && !(view->ended && limit))
        return worst_error_message(solution, &worst, asked, limit, by[view->by_step]);
    char *text = NULL;
    int length;
    if (view->ended && limit && view->reached < problem->horizon)
        length = asprintf(&text,
                          "accuracy not reached: %s: the curves end at t = %.6g of %.6g; hint: more "
                          "numerics.time_limit or numerics.accuracy",
                          limit, view->reached, problem->horizon);
    else
        length = asprintf(&text,
                          "accuracy not reached: the identity for dC(t,t)/dt fails by %.2g of its terms up to t = "
                          "%.6g, where %.2g is trusted, so response or step are not resolved; hint: more "
                          "numerics.steps and numerics.paths",
                          view->identity, problem->horizon, IDENTITY_TRUSTED);
    return length < 0 ? NULL : text;
}

sgdmft_status accuracy_record(sgdmft_context *ctx, const sgdmft_problem *problem, const accuracy_view *view,
                              accuracy_call call, const char *limit, sgdmft_solution *solution)
{
    int untrusted = view->identity > IDENTITY_TRUSTED;
    solution->info.accuracy = problem->numerics.accuracy;
    solution->info.accuracy_reached = view->worst;
    if (solution->status && !(limit && solution->status == SGDMFT_ERR_INTERRUPTED))
        return SGDMFT_OK;
    if (call == ACCURACY_UNASKED && !untrusted && !limit)
        return SGDMFT_OK;
    if (!untrusted && view->worst <= problem->numerics.accuracy && !solution->status)
        return SGDMFT_OK;
    char *text = missed(problem, view, untrusted, limit, solution);
    sgdmft_status status = SGDMFT_OK;
    if (!text)
        return context_out_of_memory(ctx, "a message", 300);
    if (call == ACCURACY_ASKED || untrusted || limit)
        status = solution_set_status(ctx, solution, SGDMFT_ERR_ACCURACY, text);
    else
        context_log(ctx, SGDMFT_LOG_WARNING, "%s: %s", problem->source, text);
    free(text);
    return status;
}
