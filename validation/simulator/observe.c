/* Averages over samples at the output times: train_loss, test_loss and the observables.

   One output time would need one pass over all rows, and 50 of them more time than the dynamics. So the thetas of many
   output times wait, and one pass forms the products of all rows with all of them, at the speed of a matrix product.
   Fresh samples are made a block at a time, for this pass only. */
#include "validation/simulator/observe.h"

#include <math.h>

#include "validation/simulator/repetition.h"

/* Work space: each component of a block of lanes follows the one before. */
typedef struct lanes {
    double *t, *r, *y, *s, *eps, *loss, *out;
} lanes;

size_t observe_lanes(const simulator_setting *set)
{
    const model_shape *shape = &set->shape;
    return OBSERVE_LANES * (size_t)(2 + shape->k + shape->labels + shape->kstar + shape->noises + shape->observables);
}

static lanes lanes_of(const repetition *rep)
{
    const model_shape *shape = &rep->set->shape;
    lanes l = {.t = rep->observed};
    l.r = l.t + OBSERVE_LANES;
    l.y = l.r + (size_t)shape->k * OBSERVE_LANES;
    l.s = l.y + (size_t)shape->labels * OBSERVE_LANES;
    l.eps = l.s + (size_t)shape->kstar * OBSERVE_LANES;
    l.loss = l.eps + (size_t)shape->noises * OBSERVE_LANES;
    l.out = l.loss + OBSERVE_LANES;
    return l;
}

/* The components of `count` samples from number `first` on, repeated for every snapshot. */
static void repeat(size_t components, size_t first, size_t count, size_t snapshots, const double *from, size_t room,
                   double *to)
{
    for (size_t c = 0; c < components; c++)
        for (size_t s = 0; s < snapshots; s++)
            for (size_t i = 0; i < count; i++)
                *to++ = from[c * room + first + i];
}

/* Lane s * count + i is sample i under snapshot from + s. */
static void fill_lanes(const repetition *rep, const samples *x, size_t first, size_t count, size_t from,
                       size_t snapshots, const lanes *l)
{
    const model_shape *shape = &rep->set->shape;
    size_t k = (size_t)shape->k, columns = rep->n_seen * k;
    for (size_t s = 0; s < snapshots; s++)
        for (size_t i = 0; i < count; i++)
            l->t[s * count + i] = rep->seen[from + s].t;
    for (size_t a = 0; a < k; a++)
        for (size_t s = 0; s < snapshots; s++)
            for (size_t i = 0; i < count; i++)
                l->r[(a * snapshots + s) * count + i] = rep->projection[i * columns + (from + s) * k + a];
    repeat((size_t)shape->labels, first, count, snapshots, x->y, x->room, l->y);
    if (shape->observables == 0)
        return;
    repeat((size_t)shape->kstar, first, count, snapshots, x->s, x->room, l->s);
    repeat((size_t)shape->noises, first, count, snapshots, x->eps, x->room, l->eps);
}

/* Adds the sum of each snapshot's lanes, times `weight` and the weight of its stop, to a curve. */
static void add_sums(const repetition *rep, size_t from, size_t snapshots, size_t count, double weight,
                     const double *values, size_t curve)
{
    for (size_t s = 0; s < snapshots; s++) {
        const simulator_stop *stop = &rep->seen[from + s];
        double sum = 0;
        for (size_t i = 0; i < count; i++)
            sum += values[s * count + i];
        rep->curves[stop->time * rep->set->columns.count + curve] += weight * stop->weight * sum;
    }
}

/* `test` is 1 for fresh samples. */
static int add_block(repetition *rep, const samples *x, size_t first, size_t count, double weight, size_t test)
{
    const simulator_setting *set = rep->set;
    lanes l = lanes_of(rep);
    size_t at_once = OBSERVE_LANES / count;
    for (size_t i = 0; i < count; i++)
        rep->row[i] = x->row + (first + i) * set->length;
    set->kernels->project(count, rep->row, set->length, rep->n_seen * (size_t)set->shape.k, rep->snapshot,
                          rep->projection);
    for (size_t from = 0; from < rep->n_seen; from += at_once) {
        size_t snapshots = rep->n_seen - from < at_once ? rep->n_seen - from : at_once, n = snapshots * count;
        fill_lanes(rep, x, first, count, from, snapshots, &l);
        if (model_loss(set->m, rep->model, n, l.t, l.r, l.y, l.loss) ||
            model_observables(set->m, rep->model, n, l.t, l.r, l.s, l.eps, l.y, l.out)) {
            rep->status = SGDMFT_ERR_PLUGIN;
            return 1;
        }
        add_sums(rep, from, snapshots, count, weight, l.loss, test ? set->columns.test_loss : set->columns.train_loss);
        for (size_t o = 0; o < (size_t)set->shape.observables; o++)
            add_sums(rep, from, snapshots, count, weight, l.out + o * n, set->columns.observables + 2 * o + test);
    }
    return 0;
}

static int add_training(repetition *rep)
{
    const simulator_setting *set = rep->set;
    for (size_t first = 0; first < set->n; first += set->block) {
        size_t count = set->n - first < set->block ? set->n - first : set->block;
        if (add_block(rep, &rep->train, first, count, 1 / (double)set->n, 0))
            return 1;
    }
    return 0;
}

/* The same fresh samples for every snapshot of a repetition, however many passes there are. */
static int add_tests(repetition *rep)
{
    const simulator_setting *set = rep->set;
    sample_source source =
        sample_source_of(set, rep->number, SIMULATOR_TEST_ENTRIES, SIMULATOR_TEST_NOISE, rep->teacher);
    for (size_t first = 0; first < set->tests; first += set->block) {
        size_t count = set->tests - first < set->block ? set->tests - first : set->block;
        if (samples_draw(&source, &rep->desk, 0, count, &rep->fresh)) {
            rep->status = SGDMFT_ERR_PLUGIN;
            return 1;
        }
        if (add_block(rep, &rep->fresh, 0, count, 1 / (double)set->tests, 1))
            return 1;
    }
    return 0;
}

/* Online, a sample that theta has not seen yet is a training sample and a test sample alike. */
static void copy_tests(repetition *rep)
{
    const solution_columns *at = &rep->set->columns;
    for (size_t s = 0; s < rep->n_seen; s++) {
        double *row = rep->curves + rep->seen[s].time * at->count;
        row[at->train_loss] = row[at->test_loss];
        for (size_t o = 0; o < (size_t)rep->set->shape.observables; o++)
            row[at->observables + 2 * o] = row[at->observables + 2 * o + 1];
    }
}

/* A loss may overflow or leave its domain before theta does. */
static void check_losses(repetition *rep)
{
    const solution_columns *at = &rep->set->columns;
    for (size_t s = 0; s < rep->n_seen; s++) {
        size_t time = rep->seen[s].time;
        const double *row = rep->curves + time * at->count;
        if (time >= rep->reached || (isfinite(row[at->train_loss]) && isfinite(row[at->test_loss])))
            continue;
        rep->reached = time;
        rep->status = SGDMFT_ERR_NON_FINITE;
    }
}

int repetition_observe(repetition *rep)
{
    double begin = repetition_seconds();
    int failed = rep->n_seen > 0 && (add_training(rep) || add_tests(rep));
    if (!failed && rep->set->n == 0)
        copy_tests(rep);
    if (!failed)
        check_losses(rep);
    rep->n_seen = 0;
    rep->observe_seconds += repetition_seconds() - begin;
    return failed;
}
