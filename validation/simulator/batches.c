/* SGD with batches, and online dynamics:

       theta <- theta - eta sum_{i in batch} x_i g_i^T - duration grad penalty(theta)

   All gradients of a batch are taken at the same theta. SGD takes batch / n as the duration of a step, and batches
   without replacement: the first entries of a list of all samples that is shuffled as far as needed. Online, every
   sample is new, and the duration is batch / d. */
#include <string.h>

#include "validation/simulator/repetition.h"

/* The next batch to the front of the list. Whatever order the list is in, the first `batch` entries after this are a
   uniform choice. */
static void shuffle(repetition *rep, uint64_t step)
{
    enum { CHUNK = 256 };
    const simulator_setting *set = rep->set;
    random_key key = simulator_key(set, rep->number, SIMULATOR_ORDER);
    for (size_t first = 0; first < set->batch; first += CHUNK) {
        size_t count = set->batch - first < CHUNK ? set->batch - first : CHUNK;
        double u[CHUNK];
        random_uniforms(key, step, first, count, u);
        for (size_t i = 0; i < count; i++) {
            size_t left = set->n - (first + i), jump = (size_t)(u[i] * (double)left);
            size_t other = first + i + (jump < left ? jump : left - 1);
            uint32_t sample = rep->order[first + i];
            rep->order[first + i] = rep->order[other];
            rep->order[other] = sample;
        }
    }
}

static int draw_online(repetition *rep)
{
    double begin = repetition_seconds();
    rep->used = 0;
    rep->drawn = rep->set->block;
    int failed = samples_draw(&rep->source, &rep->desk, 0, rep->drawn, &rep->train);
    rep->data_seconds += repetition_seconds() - begin;
    if (failed)
        rep->status = SGDMFT_ERR_PLUGIN;
    return failed;
}

/* Gradients of the next samples of the batch, of which `done` are done: sets *count and the coefficients. */
static int next_part(repetition *rep, size_t done, double t, double eta, size_t *count)
{
    const simulator_setting *set = rep->set;
    size_t wanted = set->batch - done;
    const uint32_t *which = set->n > 0 ? rep->order + done : NULL;
    if (!which && rep->used == rep->drawn && draw_online(rep))
        return 1;
    size_t most = which ? set->block : rep->drawn - rep->used;
    *count = wanted < most ? wanted : most;
    for (size_t i = 0; i < *count; i++)
        rep->row[i] = rep->train.row + (which ? which[i] : rep->used + i) * set->length;
    const double *y = rep->train.y + (which ? 0 : rep->used);
    rep->used += which ? 0 : *count;
    return block_gradients(rep, *count, t, eta, rep->theta, y, rep->train.room, which);
}

static void apply_penalty(repetition *rep, kick_plan *plan, uint64_t step)
{
    kick_when_due(rep, plan, step);
    decay(rep);
}

/* A batch that fits one block needs no sum aside. What moves the stored theta is divided by the scale that the ridge
   of this step leaves. */
static int step_once(repetition *rep, uint64_t step, kick_plan *plan)
{
    const simulator_setting *set = rep->set;
    double t = (double)step * set->duration, eta = eta_at(rep, t);
    size_t count, done = 0, k = (size_t)set->shape.k, size = k * set->length;
    if (next_part(rep, 0, t, eta, &count))
        return 1;
    if (count == set->batch) {
        apply_penalty(rep, plan, step);
        for (size_t i = 0; i < count * k; i++)
            rep->coef[i] = (float)(rep->coef[i] / rep->scale);
        set->kernels->accumulate(count, rep->row, set->length, set->shape.k, rep->coef, rep->theta);
        return 0;
    }
    memset(rep->moved, 0, size * sizeof *rep->moved);
    for (;;) {
        set->kernels->accumulate(count, rep->row, set->length, set->shape.k, rep->coef, rep->moved);
        done += count;
        if (done == set->batch)
            break;
        if (next_part(rep, done, t, eta, &count))
            return 1;
    }
    apply_penalty(rep, plan, step);
    for (size_t j = 0; j < size; j++)
        rep->theta[j] += (float)(rep->moved[j] / rep->scale);
    return 0;
}

int advance_batches(repetition *rep, const simulator_stop *from, const simulator_stop *to)
{
    enum { REPORT = 64 }; /* steps between reports */
    const simulator_setting *set = rep->set;
    kick_plan plan = kick_plan_of(set, from->step, to->step);
    for (uint64_t step = from->step; step < to->step; step++) {
        if (set->n > 0)
            shuffle(rep, step);
        if (step_once(rep, step, &plan))
            return 1;
        rep->visits += (double)set->batch;
        if (step % REPORT == 0 && repetition_report(rep, rep->fraction, (double)step * set->duration))
            return 1;
    }
    settle_scale(rep);
    return 0;
}
