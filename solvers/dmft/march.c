#include "solvers/dmft/march.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "numerics/anderson.h"

/* Contraction that is trusted: never faster than that; slower, the change itself is the measure of what is left. */
static const double FASTEST = 0.05, SLOWEST = 0.5;

/* A residual beyond this is no slow convergence. */
static const double APART = 10;

/* How far the rows may move before the difference is taken anew: so far, or so many tolerances. */
static const double CORRECTION_KEPT = 3e-4, TOLERANCES_KEPT = 100;

/* Averages at node i + 1 from those at i (`now`) and i - 1 (`before`): linear in t, or constant where an epoch begins and the
   averages jump. The row of a cell, but the first, changes from node to node as that of the cell before did one node earlier. */
static void predict(const replica *rep, int i, const double *before, const double *now, double *next)
{
    const averages_layout *at = &rep->plan->at;
    size_t row = at->kinds * (size_t)(at->k * at->k), newest = averages_used(at, i);
    size_t linear = i > 1 ? at->rows + row : at->rows; /* in t; node i - 1 has i - 1 rows */
    double ratio = i > 0 ? rep->grid->h[i] / rep->grid->h[i - 1] : 0;
    memcpy(next, now, sizeof(double) * newest);
    memset(next + newest, 0, sizeof(double) * row);
    if (i == 0 || rep->grid->renewal[i])
        return;
    for (size_t c = 0; c < linear; c++)
        next[c] += ratio * (now[c] - before[c]);
    memcpy(next + newest, now + newest - row, sizeof(double) * row);
    if (i == 1)
        return;
    for (size_t c = linear; c < newest; c++)
        next[c] += ratio * (now[c - row] - before[c - row]);
    for (size_t c = newest; c < newest + row; c++)
        next[c] += ratio * (now[c - row] - before[c - 2 * row]);
}

typedef struct marcher {
    replica *rep;
    double *before, *now, *next; /* averages at nodes i - 1, i, i + 1 */
    double *used;                /* the averages from which the kernel rows of the pass were made */
    double *correction;          /* averages integrated over the last visit, less plain ones, when last taken */
    double moved;                /* by how much the rows have changed since */
    anderson mixing;
    double rate; /* by which the last passes contracted; 1 if not known */
} marcher;

static int interrupted(replica *rep, double work, double t)
{
    if (!rep->monitor.report(rep->monitor.user, work, t))
        return 0;
    replica_stop(rep, SGDMFT_ERR_INTERRUPTED, "interrupted at t = %.6g", t);
    return -1;
}

/* What is left after a pass that changed the rows by `change`, the pass before by `earlier` (0: there was none). */
static double distance_left(marcher *m, double change, double earlier)
{
    if (isnan(change))
        return NAN;
    if (earlier > 0)
        m->rate = change / earlier;
    double rate = fmax(m->rate, FASTEST);
    return rate < SLOWEST ? change * rate / (1 - rate) : change;
}

/* One pass: averages at node i + 1 from the kernel rows as they are. */
static int pass_to(marcher *m, int i)
{
    replica *rep = m->rep;
    int correct = rep->plan->last_visit;
    int anew = correct && m->moved > fmax(CORRECTION_KEPT, TOLERANCES_KEPT * rep->tolerance);
    if (replica_advance(rep, i, m->next, anew ? m->correction : NULL))
        return -1;
    for (size_t c = 0; correct && c < averages_used(&rep->plan->at, i + 1); c++)
        m->next[c] += m->correction[c];
    if (anew)
        m->moved = 0;
    return 0;
}

static void stop_by_plugin(replica *rep, double t)
{
    replica_stop(rep, SGDMFT_ERR_PLUGIN, "model: the loss call-back asked to stop near t = %.6g", t);
}

/* The passes of a step to time t did not agree. */
static void stop_apart(replica *rep, double t, double residual, int pass)
{
    if (residual > APART)
        replica_stop(rep, SGDMFT_ERR_DIVERGED,
                     "the dynamics diverge: the passes of the step to t = %.6g move ever further apart (residual %.3g "
                     "after %d); hint: lower eta, or raise numerics.steps",
                     t, residual, pass);
    else
        replica_stop(rep, SGDMFT_ERR_NO_CONVERGENCE,
                     "the step to t = %.6g is not self-consistent: residual %.3g after %d passes, allowed %.3g; hint: "
                     "raise numerics.steps or numerics.passes",
                     t, residual, pass, rep->tolerance);
}

static int step_to_consistency(marcher *m, int i)
{
    replica *rep = m->rep;
    double residual = NAN, change = 0, t = rep->grid->t[i + 1];
    int pass = 0;
    size_t size = averages_used(&rep->plan->at, i + 1);
    predict(rep, i, m->before, m->now, m->next);
    replica_rows(rep, i, m->now, m->next);
    anderson_restart(&m->mixing, size);
    m->moved = INFINITY;
    do {
        pass++;
        memcpy(m->used, m->next, sizeof(double) * size);
        if (pass_to(m, i)) {
            stop_by_plugin(rep, t);
            return -1;
        }
        if (interrupted(rep, 0, rep->grid->t[i]))
            return -1;
        if (rep->kern->white_noise)
            anderson_next(&m->mixing, m->used, m->next);
        double earlier = change;
        change = replica_rows(rep, i, m->now, m->next);
        residual = distance_left(m, change, earlier);
        m->moved += change;
    } while (residual > rep->tolerance && pass < rep->passes_max);
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
    if (residual > rep->tolerance && !replica_diverged(rep, i + 1, m->next))
        stop_apart(rep, t, residual, pass);
    return residual > rep->tolerance ? -1 : 0;
}

static void rotate(marcher *m)
{
    double *oldest = m->before;
    m->before = m->now;
    m->now = m->next;
    m->next = oldest;
}

/* Node `node` is final: it becomes the last one. Where an epoch begins at it, the averages and rows just after it take the place of
   those just before. */
static int finish_node(marcher *m, int node)
{
    replica *rep = m->rep;
    replica_accept(rep);
    replica_rows_accept(rep);
    rep->out->nodes = node + 1;
    rotate(m);
    if (!rep->grid->renewal[node] || node == rep->grid->steps)
        return 0;
    if (replica_renew(rep, node, m->now)) {
        stop_by_plugin(rep, rep->grid->t[node]);
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

static void march(marcher *m)
{
    replica *rep = m->rep;
    if (replica_start(rep, m->now) || replica_observe(rep, 0)) {
        stop_by_plugin(rep, 0);
        return;
    }
    replica_rows_start(rep, m->now);
    replica_set_scales(rep, m->now);
    replica_accept(rep);
    rep->out->nodes = 1;
    if (!all_finite(m->now, averages_used(&rep->plan->at, 0))) {
        replica_stop(rep, SGDMFT_ERR_NON_FINITE,
                     "model.loss: its gradient or second derivative is not finite for some samples at t = 0; "
                     "hint: look for divisions, logarithms and powers that leave their domain");
        return;
    }
    for (int i = 0; i < rep->grid->steps; i++) {
        if (step_to_consistency(m, i) || replica_diverged(rep, i + 1, m->next))
            break;
        if (replica_observe(rep, i + 1))
            break;
        replica_identity_cell(rep, i, m->now, m->next);
        if (finish_node(m, i + 1))
            break;
        if (interrupted(rep, i + 1, rep->grid->t[i + 1]))
            break;
    }
    replica_identity_finish(rep, rep->out->nodes - 1);
}

sgdmft_status march_solve(sgdmft_context *ctx, replica *rep)
{
    size_t size = rep->plan->at.size;
    double *space = memory_doubles(5 * size);
    marcher m = {.rep = rep, .rate = 1};
    sgdmft_status status =
        space ? SGDMFT_OK : context_out_of_memory(ctx, "the averages over paths", 40.0 * (double)size);
    if (!status)
        status = anderson_init(ctx, size, &m.mixing);
    status = replica_agree(ctx, rep, status);
    if (!status) {
        m.before = space;
        m.now = space + size;
        m.next = space + 2 * size;
        m.used = space + 3 * size;
        m.correction = space + 4 * size;
        march(&m);
    }
    anderson_clear(&m.mixing);
    free(space);
    return status;
}
