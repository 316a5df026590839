/* SGD with batches of one sample:

       theta <- (1 - lambda/n) theta - eta x_i g_i^T,    i uniform,    t <- t + 1/n

   A visit needs r_i = theta^T x_i, then moves theta along x_i. Both at once cost one pass over theta: the pass that
   makes visit v also forms r for visit v + 1, while the row of visit v + 2 is on its way from memory. The ridge is a
   number: theta is rep->scale times what is stored. */
#include "validation/simulator/visits.h"

#include "validation/simulator/repetition.h"

/* The samples of visits first .. first + count - 1, by number, so that any of them can be asked for again. */
static void draw_order(repetition *rep, uint64_t first, size_t count)
{
    double u[VISIT_ORDER];
    size_t n = rep->set->n;
    random_uniforms(simulator_key(rep->set, rep->number, SIMULATOR_ORDER), 0, first, count, u);
    for (size_t i = 0; i < count; i++) {
        size_t sample = (size_t)(u[i] * (double)n);
        rep->order[i] = (uint32_t)(sample < n ? sample : n - 1);
    }
}

/* Numbers of a chunk of visits, and the state of the pass. */
typedef struct walk {
    repetition *rep;
    double t[VISIT_CHUNK], eta[VISIT_CHUNK];
    float r[SIMULATOR_STUDENTS]; /* theta_a . x of the next visit, as stored */
} walk;

/* eta times the gradient at the sample of visit i. */
static int visit_gradient(walk *w, size_t i, double *g)
{
    repetition *rep = w->rep;
    const simulator_setting *set = rep->set;
    double r[SIMULATOR_STUDENTS], y[SIMULATOR_STUDENTS];
    for (int a = 0; a < set->shape.k; a++)
        r[a] = rep->scale * w->r[a];
    for (int c = 0; c < set->shape.labels; c++)
        y[c] = rep->train.y[(size_t)c * rep->train.room + rep->order[i]];
    if (model_gradient(set->m, rep->model, 1, &w->t[i], r, y, g, NULL)) {
        rep->status = SGDMFT_ERR_PLUGIN;
        return 1;
    }
    for (int a = 0; a < set->shape.k; a++)
        g[a] *= w->eta[i];
    return 0;
}

static const float *row_of(const repetition *rep, size_t i)
{
    return rep->train.row + rep->order[i] * rep->set->length;
}

static int walk_chunk(walk *w, uint64_t first, size_t count, kick_plan *plan)
{
    repetition *rep = w->rep;
    const simulator_setting *set = rep->set;
    draw_order(rep, first, count + 2);
    for (size_t i = 0; i < count; i++)
        w->t[i] = (double)(first + i) * set->duration;
    schedule_values(set->eta, rep->schedule, count, w->t, w->eta);
    for (size_t i = 0; i < count; i++) {
        double g[SIMULATOR_STUDENTS];
        float coef[SIMULATOR_STUDENTS];
        if (visit_gradient(w, i, g))
            return 1;
        kick_when_due(rep, plan, first + i);
        decay(rep);
        for (int a = 0; a < set->shape.k; a++)
            coef[a] = (float)(g[a] / rep->scale);
        set->kernels->visit(set->shape.k, set->length, row_of(rep, i), coef, row_of(rep, i + 1), row_of(rep, i + 2),
                            rep->theta, w->r);
    }
    rep->visits += (double)count;
    return 0;
}

int advance_visits(repetition *rep, const simulator_stop *from, const simulator_stop *to)
{
    const simulator_setting *set = rep->set;
    walk w = {.rep = rep};
    kick_plan plan = kick_plan_of(set, from->step, to->step);
    draw_order(rep, from->step, 1);
    const float *row = row_of(rep, 0);
    set->kernels->project(1, &row, set->length, (size_t)set->shape.k, rep->theta, w.r);
    for (uint64_t step = from->step; step < to->step; step += VISIT_CHUNK) {
        size_t count = to->step - step < VISIT_CHUNK ? (size_t)(to->step - step) : VISIT_CHUNK;
        if (walk_chunk(&w, step, count, &plan) || repetition_report(rep, rep->fraction, (double)step * set->duration))
            return 1;
    }
    settle_scale(rep);
    return 0;
}
