#include "solvers/dmft/picard.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "kernels/response_joint.h"
#include "kernels/response_midpoint.h"
#include "solvers/dmft/identity.h"

/* The state of the iteration. */
typedef struct sweeper {
    replica *rep;
    double **averages;  /* [N+1] averages just before every node */
    double **after;     /* [N+1] averages just after it: the same array unless an epoch begins there */
    double *correction; /* of one node, for the last visit (replica_advance); NULL if it is not integrated over */
} sweeper;

static void sweeper_clear(sweeper *s)
{
    for (int i = 0; s->averages && i <= s->rep->grid->steps; i++) {
        if (s->after && s->after[i] != s->averages[i])
            free(s->after[i]);
        free(s->averages[i]);
    }
    free(s->averages);
    free(s->after);
    free(s->correction);
}

static sgdmft_status sweeper_init(sgdmft_context *ctx, replica *rep, sweeper *s)
{
    s->rep = rep;
    s->averages = calloc((size_t)rep->grid->steps + 1, sizeof *s->averages);
    s->after = calloc((size_t)rep->grid->steps + 1, sizeof *s->after);
    s->correction = rep->plan->last_visit ? memory_doubles(rep->plan->at.size) : NULL;
    if (!s->averages || !s->after || (rep->plan->last_visit && !s->correction))
        return context_out_of_memory(ctx, "the averages over paths", 8.0 * (double)rep->plan->at.size);
    for (int i = 0; i <= rep->grid->steps; i++) {
        size_t used = averages_used(&rep->plan->at, i);
        s->averages[i] = memory_doubles(used);
        s->after[i] = i > 0 && rep->grid->renewal[i] ? memory_doubles(used) : s->averages[i];
        if (!s->averages[i] || !s->after[i])
            return context_out_of_memory(ctx, "the averages over paths", 8.0 * (double)used);
    }
    return SGDMFT_OK;
}

/* The first guess: averages as at t = 0, and no memory. */
static void guess(sweeper *s)
{
    const averages_layout *at = &s->rep->plan->at;
    for (int i = 1; i <= s->rep->grid->steps; i++) {
        memcpy(s->averages[i], s->averages[0], sizeof(double) * at->rows);
        if (s->after[i] != s->averages[i])
            memcpy(s->after[i], s->averages[0], sizeof(double) * at->rows);
        if (at->response->midpoint)
            response_midpoint_force(s->rep->kern, i - 1, at, s->averages[i], s->averages[i]);
    }
}

/* Computes all kernel rows from the averages. Returns the largest residual of a node, or NaN. */
static double rebuild(sweeper *s)
{
    replica *rep = s->rep;
    double worst = 0;
    replica_rows_start(rep, s->averages[0]);
    for (int i = 0; i < rep->grid->steps; i++) {
        double residual = replica_rows(rep, i, s->after[i], s->averages[i + 1]);
        rep->out->residual[i + 1] = residual;
        if (isnan(residual))
            return NAN;
        worst = fmax(worst, residual);
        replica_rows_accept(rep);
        if (rep->grid->renewal[i + 1])
            replica_rows_renew(rep, i + 1, s->after[i + 1]);
    }
    return worst;
}

/* The averages are not complete: the caller asked to stop, or a call-back of the model did. */
static int stop_incomplete(replica *rep)
{
    if (rep->monitor.report(rep->monitor.user, 0, 0))
        replica_stop(rep, SGDMFT_ERR_INTERRUPTED, "interrupted in a sweep");
    else
        replica_stop(rep, SGDMFT_ERR_PLUGIN, "model: the loss call-back asked to stop");
    return -1;
}

/* Computes the averages at node cell + 1. */
static int advance(sweeper *s, int cell)
{
    double *averages = s->averages[cell + 1];
    if (replica_advance(s->rep, cell, averages, s->correction))
        return -1;
    for (size_t c = 0; s->correction && c < averages_used(&s->rep->plan->at, cell + 1); c++)
        averages[c] += s->correction[c];
    if (s->rep->plan->at.response->midpoint) {
        response_joint(s->rep->kern, cell, &s->rep->plan->at, averages);
        response_midpoint_force(s->rep->kern, cell, &s->rep->plan->at, averages, averages);
    }
    return 0;
}

/* Carries all paths from 0 to T with the kernels as they are. */
static int sweep(sweeper *s, int observe)
{
    replica *rep = s->rep;
    if (replica_start(rep, s->averages[0]))
        return stop_incomplete(rep);
    for (int i = -1; i < rep->grid->steps; i++) {
        if (i >= 0 && advance(s, i))
            return stop_incomplete(rep);
        if (observe && replica_observe(rep, i + 1))
            return stop_incomplete(rep);
        replica_accept(rep, NULL, NULL);
        if (i >= 0 && rep->grid->renewal[i + 1] && replica_renew(rep, i + 1, s->after[i + 1]))
            return stop_incomplete(rep);
    }
    return 0;
}

/* Repeats sweeps up to self-consistency; non-zero, with the reason, if that is not reached. */
static int iterate(sweeper *s)
{
    replica *rep = s->rep;
    double residual = INFINITY, T = rep->grid->t[rep->grid->steps];
    int count = 0;
    while (residual > rep->tolerance && count < rep->passes_max) {
        count++;
        if (sweep(s, 0))
            return -1;
        residual = rebuild(s);
        if (isnan(residual))
            break;
        if (rep->monitor.report(rep->monitor.user, 0, T)) {
            replica_stop(rep, SGDMFT_ERR_INTERRUPTED, "interrupted after %d sweeps", count);
            return -1;
        }
    }
    rep->out->passes = (double)count * rep->grid->steps;
    rep->out->steps = rep->grid->steps;
    rep->out->passes_max = count;
    if (residual <= rep->tolerance)
        return 0;
    replica_stop(rep, SGDMFT_ERR_NO_CONVERGENCE,
                 "the global iteration did not converge: residual %.3g after %d sweeps, allowed %.3g; hint: use "
                 "numerics.method: march, raise numerics.passes or shorten horizon",
                 residual, count, rep->tolerance);
    return -1;
}

/* With converged kernels: computes observables and identities, and checks that nothing diverged. */
static void finish(sweeper *s)
{
    replica *rep = s->rep;
    if (sweep(s, 1))
        return;
    rep->out->nodes = 1;
    replica_record(rep, 0);
    for (int i = 0; i < rep->grid->steps; i++) {
        if (replica_diverged(rep, i + 1, s->averages[i + 1]))
            break;
        identity_cell(rep, i, s->after[i], s->averages[i + 1]);
        replica_record(rep, i + 1);
        rep->out->nodes = i + 2;
        rep->monitor.report(rep->monitor.user, i + 1, rep->grid->t[i + 1]);
    }
    identity_finish(rep, rep->out->nodes - 1);
}

sgdmft_status picard_solve(sgdmft_context *ctx, replica *rep)
{
    sweeper s = {0};
    sgdmft_status status = replica_agree(ctx, rep, sweeper_init(ctx, rep, &s));
    if (!status && replica_start(rep, s.averages[0])) {
        stop_incomplete(rep);
    } else if (!status) {
        replica_set_scales(rep, s.averages[0]);
        guess(&s);
        rebuild(&s);
        if (!iterate(&s))
            finish(&s);
    }
    sweeper_clear(&s);
    return status;
}
