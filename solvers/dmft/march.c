#include "solvers/dmft/march.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "kernels/response_joint.h"
#include "kernels/response_midpoint.h"
#include "numerics/anderson.h"
#include "solvers/dmft/identity.h"
#include "solvers/dmft/predict.h"

/* Bounds within which the estimated contraction rate of the passes is used. A faster one counts as FASTEST; with a
   slower one than SLOWEST, the change in the last pass is taken for the distance that is left. */
static const double FASTEST = 0.05, SLOWEST = 0.5;

/* Above this residual the passes diverge; below they may merely converge slowly. */
static const double DIVERGING = 10;

/* The difference is taken again when the rows have moved by more than CORRECTION_KEPT and by more than TOLERANCES_KEPT
   tolerances. */
static const double CORRECTION_KEPT = 3e-4, TOLERANCES_KEPT = 100;

/* Where the gradient or its derivative jumps, averages jump by 1 / paths when a path changes sides, and passes may
   cycle between such values instead of ending at the tolerance. A residual that has not halved in STALLED passes, or
   has not ended in SLOW passes, is accepted if it is at most RESIDUAL_JUMPS / paths and the rows change by at most
   CHANGE_JUMPS / paths. That is far below the noise of averages, which is of the order of one over the root of the
   number of paths. */
static const int STALLED = 5, SLOW = 25;
static const double RESIDUAL_JUMPS = 2, CHANGE_JUMPS = 4;

/* Where paths of gradient flow leave a minimum of their own that vanishes, a change of the rows by a little decides
   which one does, and with long cells one path moves the averages by many times 1 / paths. After UNSETTLED passes a
   residual of this part of the noise of an average, 1 / sqrt(paths), is accepted: replicas end at different ones, and
   their spread shows it. RESTARTED is the number of passes after which differences of earlier ones are forgotten. */
static const double RESIDUAL_NOISE = 1;
static const int RESTARTED = 16, UNSETTLED = 40;

/* Differences of earlier passes that the accelerated iteration keeps. Passes of long cells of gradient flow converge
   slowly, in several directions. */
enum { DEPTH = 2, DEPTH_CELLS = ANDERSON_DEPTH_MOST };

/* The state of the march at the step from node i. */
struct marcher {
    replica *rep;
    int node, ended;             /* steps done; non-zero if the march is over */
    double *space;               /* owns the arrays below */
    double *before, *now, *next; /* averages at nodes i - 1, i, i + 1 */
    double *used;                /* the averages from which the kernel rows of the pass were made */
    double *correction;          /* averages integrated over the last visit minus plain ones, when last taken */
    double moved;                /* sum of the changes of the rows since then */
    anderson mixing;
    double rate; /* at which the last passes contracted; 1 if not known */
};

/* Reports progress; non-zero, with the reason, if the caller asked to stop. */
static int interrupted(replica *rep, double work, double t)
{
    if (!rep->monitor.report(rep->monitor.user, work, t))
        return 0;
    replica_stop(rep, SGDMFT_ERR_INTERRUPTED, "interrupted at t = %.6g", t);
    return -1;
}

/* The distance from self-consistency after a pass that changed the rows by `change`. The pass before changed them by
   `earlier`, which is 0 if there was none. */
static double distance_left(marcher *m, double change, double earlier)
{
    if (isnan(change))
        return NAN;
    if (earlier > 0)
        m->rate = change / earlier;
    double rate = fmax(m->rate, FASTEST);
    return rate < SLOWEST ? change * rate / (1 - rate) : change;
}

/* One pass: the averages at node i + 1 from the current kernel rows. */
static int pass_to(marcher *m, int i)
{
    replica *rep = m->rep;
    int correct = rep->plan->last_visit;
    int again = correct && m->moved > fmax(CORRECTION_KEPT, TOLERANCES_KEPT * rep->tolerance);
    if (replica_advance(rep, i, m->next, again ? m->correction : NULL))
        return -1;
    for (size_t c = 0; correct && c < replica_averages(rep, i + 1); c++)
        m->next[c] += m->correction[c];
    if (again)
        m->moved = 0;
    return 0;
}

/* The averages at time t are not complete: the caller asked to stop, or a call-back of the model did. */
static void stop_incomplete(replica *rep, double t)
{
    if (!interrupted(rep, 0, t))
        replica_stop(rep, SGDMFT_ERR_PLUGIN, "model: the loss call-back asked to stop near t = %.6g", t);
}

/* Ends the solve because the passes of the step to time t did not become consistent. */
static void stop_inconsistent(replica *rep, double t, double residual, int pass)
{
    if (residual > DIVERGING)
        replica_stop(
            rep, SGDMFT_ERR_DIVERGED,
            "the dynamics diverge: the corrector passes of the step to t = %.6g move apart (residual %.3g after "
            "%d passes); hint: lower eta, or raise numerics.steps",
            t, residual, pass);
    else
        replica_stop(rep, SGDMFT_ERR_NO_CONVERGENCE,
                     "the step to t = %.6g is not self-consistent: residual %.3g after %d passes, allowed %.3g; hint: "
                     "raise numerics.steps or numerics.passes",
                     t, residual, pass, rep->tolerance);
}

/* The passes since the residual of a step was last halved. */
typedef struct progress {
    double best;
    int since, passes;
} progress;

/* Counts a pass. Returns 1 if the residual stalls where jumps of averages can hold it. */
static int stalls(progress *p, const replica *rep, double residual, double change)
{
    p->passes++;
    p->since = residual < 0.5 * p->best ? 0 : p->since + 1;
    p->best = p->since ? p->best : residual;
    double jump = 1 / (double)rep->paths;
    int stalled = p->since >= STALLED || p->passes >= SLOW;
    if (rep->plan->at.response->midpoint && p->passes >= UNSETTLED && residual <= RESIDUAL_NOISE * sqrt(jump))
        return 1;
    return stalled && residual <= RESIDUAL_JUMPS * jump && change <= CHANGE_JUMPS * jump;
}

/* The weights of the averages of cell i in the norm of the accelerated iteration: with them rows are those of g and G,
   which do not depend on the lengths of the cells. */
static void weigh(const replica *rep, int i, double *weight)
{
    const averages_layout *at = &rep->plan->at;
    size_t kk = (size_t)(at->k * at->k);
    const double *h = rep->grid->h;
    for (int l = 0; l <= i; l++)
        for (size_t c = 0; c < kk; c++) {
            weight[averages_used(at, l) + VISITS * kk + c] = 1 / (h[i] * h[l]);
            weight[averages_used(at, l) + RESPONSE_CELL * kk + c] = 1 / h[i];
            weight[averages_used(at, l) + CELL_SQUARE * kk + c] = weight[averages_used(at, l) + CELL_NORMAL * kk + c] =
                0;
        }
}

/* Rows of cells from the averages of a pass as they are. How far these rows are from those with which paths were moved
   tells how far the pass is from self-consistency; two rows that are both mixed may be near each other anywhere. In the
   end they are the rows of the kicks that the paths keep, which the factor of later innovations relies on. */
static double rows_of_pass(marcher *m, int i)
{
    replica *rep = m->rep;
    response_joint(rep->kern, i, &rep->plan->at, m->next);
    response_midpoint_force(rep->kern, i, &rep->plan->at, m->used, m->next);
    return replica_rows(rep, i, m->now, m->next);
}

/* The rows of the next pass. */
static void mix_cells(marcher *m, int i, int pass)
{
    replica *rep = m->rep;
    if (pass % RESTARTED == 0)
        anderson_restart(&m->mixing, averages_used(&rep->plan->at, i + 1));
    anderson_next(&m->mixing, m->used, m->next);
    replica_rows(rep, i, m->now, m->next);
}

/* Solves the step to node i + 1; non-zero, with the reason, if the solve ends here. */
static int step_to_consistency(marcher *m, int i)
{
    replica *rep = m->rep;
    double residual = NAN, change = 0, t = rep->grid->t[i + 1];
    int pass = 0, stalled = 0, midpoint = rep->plan->at.response->midpoint;
    progress passes = {INFINITY, 0, 0};
    size_t size = replica_averages(rep, i + 1);
    if (replica_begin_step(rep, i, m->now)) {
        stop_incomplete(rep, t);
        return -1;
    }
    predict_averages(rep, i, m->before, m->now, m->next);
    replica_rows(rep, i, m->now, m->next);
    anderson_restart(&m->mixing, size);
    if (midpoint)
        weigh(rep, i, m->mixing.weight);
    m->moved = INFINITY;
    do {
        pass++;
        memcpy(m->used, m->next, sizeof(double) * size);
        if (pass_to(m, i)) {
            stop_incomplete(rep, t);
            return -1;
        }
        if (interrupted(rep, 0, rep->grid->t[i]))
            return -1;
        if (midpoint) {
            change = residual = rows_of_pass(m, i);
        } else {
            if (rep->white_noise)
                anderson_next(&m->mixing, m->used, m->next);
            double earlier = change;
            change = replica_rows(rep, i, m->now, m->next);
            residual = distance_left(m, change, earlier);
        }
        m->moved += change;
        stalled = stalls(&passes, rep, residual, change);
        if (midpoint && residual > rep->tolerance && !stalled && pass < rep->passes_max)
            mix_cells(m, i, pass);
    } while (residual > rep->tolerance && !stalled && pass < rep->passes_max);
    rep->out->residual[i + 1] = residual;
    rep->out->passes += pass;
    rep->out->steps++;
    if (pass > rep->out->passes_max)
        rep->out->passes_max = pass;
    if (isnan(residual)) {
        replica_stop(rep, SGDMFT_ERR_DIVERGED,
                     "the dynamics diverge: an average over paths is not finite at t = %.6g; hint: lower eta, or "
                     "shorten horizon to below %.6g",
                     t, t);
        return -1;
    }
    if (residual <= rep->tolerance || stalled)
        return 0;
    if (!replica_diverged(rep, i + 1, m->next))
        stop_inconsistent(rep, t, residual, pass);
    return -1;
}

/* The step to node i + 1 in discrete time, where rows follow from the averages at node i, and those at node i + 1 from
   the rows. Returns as above. */
static int step_of_recursion(marcher *m, int i)
{
    replica *rep = m->rep;
    double t = rep->grid->t[i + 1];
    if (isnan(replica_rows(rep, i, m->now, m->now))) {
        replica_stop(rep, SGDMFT_ERR_DIVERGED,
                     "the dynamics diverge: an average over paths is not finite at t = %.6g; hint: lower eta, or "
                     "shorten horizon to below %.6g",
                     t, t);
        return -1;
    }
    if (replica_advance(rep, i, m->next, NULL)) {
        stop_incomplete(rep, t);
        return -1;
    }
    replica_rows_renew(rep, i + 1, m->next);
    rep->out->passes++;
    rep->out->passes_max = 1;
    rep->out->steps++;
    return 0;
}

static void shift_nodes(marcher *m)
{
    double *oldest = m->before;
    m->before = m->now;
    m->now = m->next;
    m->next = oldest;
}

/* Makes the computed node the last accepted one. Where an epoch begins, the averages and rows just after the node
   replace those just before it. */
static int finish_node(marcher *m, int node)
{
    replica *rep = m->rep;
    replica_record(rep, node);
    if (replica_accept(rep, m->now, m->next)) {
        stop_incomplete(rep, rep->grid->t[node]);
        return -1;
    }
    replica_rows_accept(rep);
    rep->out->nodes = node + 1;
    shift_nodes(m);
    if (!rep->grid->renewal[node] || rep->grid->discrete || node == rep->grid->steps)
        return 0;
    if (replica_renew(rep, node, m->now)) {
        stop_incomplete(rep, rep->grid->t[node]);
        return -1;
    }
    replica_rows_renew(rep, node, m->now);
    return 0;
}

static int all_finite(const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return 0;
    return 1;
}

/* Node 0; non-zero if the solve ends here. */
static int begin(marcher *m)
{
    replica *rep = m->rep;
    if (replica_start(rep, m->now) || replica_observe(rep, 0)) {
        stop_incomplete(rep, 0);
        return -1;
    }
    replica_rows_start(rep, m->now);
    replica_set_scales(rep, m->now);
    replica_record(rep, 0);
    replica_accept(rep, m->before, m->now);
    rep->out->nodes = 1;
    if (all_finite(m->now, replica_averages(rep, 0)))
        return 0;
    replica_stop(rep, SGDMFT_ERR_NON_FINITE,
                 "model.loss: its gradient or second derivative is not finite for some samples at t = 0; "
                 "hint: look for divisions, logarithms and powers that leave their domain");
    return -1;
}

/* The step from node i; non-zero if the solve ends here. */
static int advance(marcher *m, int i)
{
    replica *rep = m->rep;
    int discrete = m->rep->grid->discrete;
    if (discrete ? step_of_recursion(m, i) : step_to_consistency(m, i))
        return -1;
    if (replica_diverged(rep, i + 1, m->next))
        return -1;
    if (replica_observe(rep, i + 1)) {
        stop_incomplete(rep, rep->grid->t[i + 1]);
        return -1;
    }
    if (!discrete)
        identity_cell(rep, i, m->now, m->next);
    double work = replica_step_work(rep, i);
    return finish_node(m, i + 1) || interrupted(rep, work, rep->grid->t[i + 1]) ? -1 : 0;
}

sgdmft_status marcher_new(sgdmft_context *ctx, replica *rep, marcher **out)
{
    size_t size = rep->plan->at.size;
    marcher *m = calloc(1, sizeof *m);
    double *space = memory_doubles(5 * size);
    sgdmft_status status =
        m && space ? SGDMFT_OK : context_out_of_memory(ctx, "the averages over paths", 40.0 * (double)size);
    if (!status)
        status = anderson_init(ctx, size, rep->plan->at.response->midpoint ? DEPTH_CELLS : DEPTH, &m->mixing);
    status = replica_agree(ctx, rep, status);
    if (status) {
        if (m)
            anderson_clear(&m->mixing);
        free(space);
        free(m);
        return status;
    }
    m->rep = rep;
    m->rate = 1;
    m->space = space;
    m->before = space;
    m->now = space + size;
    m->next = space + 2 * size;
    m->used = space + 3 * size;
    m->correction = space + 4 * size;
    m->ended = begin(m);
    *out = m;
    return SGDMFT_OK;
}

void marcher_step(marcher *m)
{
    if (m->ended)
        return;
    m->ended = advance(m, m->node++);
    m->ended |= m->node == m->rep->grid->steps;
}

void marcher_interrupt(marcher *m)
{
    if (m->ended)
        return;
    replica_stop(m->rep, SGDMFT_ERR_INTERRUPTED, "interrupted at t = %.6g", m->rep->grid->t[m->node]);
    m->ended = 1;
}

void marcher_free(marcher *m)
{
    if (!m)
        return;
    if (m->rep->out->nodes > 0 && !m->rep->grid->discrete)
        identity_finish(m->rep, m->rep->out->nodes - 1);
    anderson_clear(&m->mixing);
    free(m->space);
    free(m);
}

sgdmft_status march_solve(sgdmft_context *ctx, replica *rep)
{
    marcher *m = NULL;
    sgdmft_status status = marcher_new(ctx, rep, &m);
    for (int i = 0; i < rep->grid->steps && !status; i++)
        marcher_step(m);
    marcher_free(m);
    return status;
}
