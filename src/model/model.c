#include "model/model.h"

#include <stdlib.h>
#include <string.h>

#include "model/callbacks.h"
#include "model/limit.h"
#include "model/model_programs.h"

struct model {
    model_shape shape;
    callbacks *external; /* label and loss, or NULL: then they are programs */
    model_programs program;
};

struct model_work {
    double *scratch; /* of the programs */
    double **out;    /* [outputs of the largest program] where they go */
};

static sgdmft_status check_count(sgdmft_context *ctx, const sgdmft_problem *problem, const char *key, int count)
{
    if (count >= 1 && count <= MODEL_MOST)
        return SGDMFT_OK;
    return context_fail(ctx, SGDMFT_ERR_RANGE, "%s: model.%s: value %d; allowed: 1 to %d",
                        problem->source ? problem->source : "problem", key, count, MODEL_MOST);
}

static sgdmft_status build(sgdmft_context *ctx, const sgdmft_problem *problem, model *m)
{
    sgdmft_status status = check_count(ctx, problem, "students", problem->model.students);
    if (status == SGDMFT_OK)
        status = check_count(ctx, problem, "teachers", problem->model.teachers);
    if (status != SGDMFT_OK)
        return status;
    m->shape = (model_shape){.k = problem->model.students,
                             .kstar = problem->model.teachers,
                             .labels = (int)problem->model.label.n,
                             .observables = (int)problem->observables.n};
    if (callbacks_wanted(problem)) {
        status = callbacks_new(ctx, problem, &m->external);
        if (status != SGDMFT_OK)
            return status;
        m->shape.labels = m->external->table.labels;
        m->shape.noises = m->external->table.noises;
    }
    return model_programs_build(ctx, problem, m->external != NULL, &m->shape, &m->program);
}

sgdmft_status model_new(sgdmft_context *ctx, const sgdmft_problem *problem, model **out)
{
    model *m = calloc(1, sizeof *m);
    if (!m)
        return context_out_of_memory(ctx, "the model", sizeof *m);
    sgdmft_status status = build(ctx, problem, m);
    if (status != SGDMFT_OK) {
        model_free(m);
        return status;
    }
    *out = m;
    return SGDMFT_OK;
}

sgdmft_status model_check_smooth(sgdmft_context *ctx, const model *m, const sgdmft_problem *problem)
{
    return m->shape.jumps ? model_kink_refuse(ctx, problem, &m->program.kink) : SGDMFT_OK;
}

sgdmft_status model_check_limit(sgdmft_context *ctx, const model *m, const sgdmft_problem *problem)
{
    limit_obstacle obstacle;
    if (m->external || !limit_obstacle_find(problem, &m->program, &obstacle))
        return SGDMFT_OK;
    return origin_fail_at(ctx, SGDMFT_ERR_NO_LIMIT, &obstacle.of->where, obstacle.of->text, 0, "%s", obstacle.text);
}

void model_warn_of_limit(sgdmft_context *ctx, const model *m, const sgdmft_problem *problem)
{
    limit_obstacle obstacle;
    if (m->external || !limit_obstacle_find(problem, &m->program, &obstacle))
        return;
    const origin *at = &obstacle.of->where;
    context_log(ctx, SGDMFT_LOG_WARNING, "%s:%d:%d: %s: the curves of larger d do not tend to a limit: %s", at->source,
                at->line, at->column, at->key, obstacle.text);
}

void model_free(model *m)
{
    if (!m)
        return;
    model_programs_clear(&m->program);
    callbacks_free(m->external);
    free(m);
}

model_shape model_get_shape(const model *m)
{
    return m->shape;
}

sgdmft_status model_work_new(sgdmft_context *ctx, const model *m, size_t max_lanes, model_work **out)
{
    size_t doubles = model_programs_work(&m->program), outputs = MODEL_MOST * (MODEL_MOST + 1);
    if ((size_t)m->shape.observables > outputs)
        outputs = (size_t)m->shape.observables;
    model_work *work = calloc(1, sizeof *work);
    if (work) {
        work->scratch = calloc(doubles + 1, sizeof *work->scratch);
        work->out = calloc(outputs, sizeof *work->out);
    }
    if (!work || !work->scratch || !work->out) {
        model_work_free(work);
        return context_out_of_memory(ctx, "the work space of the model", 8.0 * (double)(doubles + outputs));
    }
    *out = work;
    return SGDMFT_OK;
}

void model_work_free(model_work *work)
{
    if (!work)
        return;
    free(work->scratch);
    free(work->out);
    free(work);
}

/* A block of components as inputs of a program, from variable `first` on. */
static void set_inputs(const double **in, int first, int components, size_t n, const double *block)
{
    for (int c = 0; c < components && block; c++)
        in[first + c] = block + (size_t)c * n;
}

/* A block of components as outputs of a program, from output `first` on. */
static void set_outputs(model_work *work, int first, int components, size_t n, double *block)
{
    for (int c = 0; c < components; c++)
        work->out[first + c] = block + (size_t)c * n;
}

int model_label(const model *m, model_work *work, size_t n, const double *s, const double *eps, double *y)
{
    if (m->external)
        return m->external->table.label(m->external->table.user, n, s, eps, y);
    const double *in[MODEL_VARIABLES] = {NULL};
    set_inputs(in, MODEL_S, m->shape.kstar, n, s);
    set_inputs(in, MODEL_EPS, m->shape.noises, n, eps);
    set_outputs(work, 0, m->shape.labels, n, y);
    expr_eval(m->program.label, work->scratch, n, in, work->out);
    return 0;
}

static void set_loss_inputs(const model *m, const double **in, size_t n, const double *t, const double *r,
                            const double *y)
{
    set_inputs(in, MODEL_R, m->shape.k, n, r);
    set_inputs(in, MODEL_Y, m->shape.labels, n, y);
    set_inputs(in, MODEL_T, 1, n, t);
}

int model_gradient(const model *m, model_work *work, size_t n, const double *t, const double *r, const double *y,
                   double *g, double *G)
{
    if (m->external)
        return m->external->table.loss(m->external->table.user, n, t, r, y, NULL, g, G);
    const double *in[MODEL_VARIABLES] = {NULL};
    set_loss_inputs(m, in, n, t, r, y);
    set_outputs(work, 0, m->shape.k, n, g);
    if (G)
        set_outputs(work, m->shape.k, m->shape.k * m->shape.k, n, G);
    expr_eval(G ? m->program.curvature : m->program.gradient, work->scratch, n, in, work->out);
    return 0;
}

int model_loss_gradient(const model *m, model_work *work, size_t n, const double *t, const double *r, const double *y,
                        double *loss, double *g)
{
    if (m->external)
        return m->external->table.loss(m->external->table.user, n, t, r, y, loss, g, NULL);
    const double *in[MODEL_VARIABLES] = {NULL};
    set_loss_inputs(m, in, n, t, r, y);
    set_outputs(work, 0, 1, n, loss);
    set_outputs(work, 1, m->shape.k, n, g);
    expr_eval(m->program.loss_gradient, work->scratch, n, in, work->out);
    return 0;
}

int model_loss(const model *m, model_work *work, size_t n, const double *t, const double *r, const double *y,
               double *loss)
{
    if (m->external)
        return m->external->table.loss(m->external->table.user, n, t, r, y, loss, NULL, NULL);
    const double *in[MODEL_VARIABLES] = {NULL};
    set_loss_inputs(m, in, n, t, r, y);
    expr_eval(m->program.loss, work->scratch, n, in, &loss);
    return 0;
}

int model_observables(const model *m, model_work *work, size_t n, const double *t, const double *r, const double *s,
                      const double *eps, const double *y, double *out)
{
    if (!m->program.observables)
        return 0;
    const double *in[MODEL_VARIABLES] = {NULL};
    set_loss_inputs(m, in, n, t, r, y);
    set_inputs(in, MODEL_S, m->shape.kstar, n, s);
    set_inputs(in, MODEL_EPS, m->shape.noises, n, eps);
    set_outputs(work, 0, m->shape.observables, n, out);
    expr_eval(m->program.observables, work->scratch, n, in, work->out);
    return 0;
}

sgdmft_status model_explain_observable(sgdmft_context *ctx, const model *m, const sgdmft_problem *problem, size_t index,
                                       const model_sample *sample, char **out)
{
    double values[MODEL_VARIABLES] = {0};
    model_shape shape = m->shape;
    memcpy(values + MODEL_R, sample->r, sizeof *values * (size_t)shape.k);
    memcpy(values + MODEL_S, sample->s, sizeof *values * (size_t)shape.kstar);
    memcpy(values + MODEL_EPS, sample->eps, sizeof *values * (size_t)shape.noises);
    memcpy(values + MODEL_Y, sample->y, sizeof *values * (size_t)shape.labels);
    values[MODEL_T] = sample->t;
    return model_programs_explain(ctx, problem, m->external != NULL, &shape, index, values, out);
}
