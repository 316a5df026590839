#include "validation/simulator/repetition.h"

#include <stdlib.h>

#include "validation/simulator/diffusion.h"
#include "validation/simulator/flow.h"
#include "validation/simulator/visits.h"

/* Progress of a repetition when its dynamics begin and when they end; the rest is for the averages over samples. */
static const double RUN_BEGINS = 0.2, RUN_ENDS = 0.8;

const integrator *integrator_of(const simulator_plan *plan)
{
    if (plan->duration > 0)
        return &integrator_visits;
    return plan->problem->process->diffuses ? &integrator_diffusion : &integrator_flow;
}

double repetition_bytes(const simulator_plan *plan)
{
    return system_bytes(plan) + integrator_of(plan)->bytes(plan) + observer_bytes(plan);
}

sgdmft_status repetition_init(sgdmft_context *ctx, const simulator_plan *plan, repetitions_shared *shared,
                              repetition *rep)
{
    *rep = (repetition){.plan = plan, .shared = shared, .integrator = integrator_of(plan)};
    rep->state = rep->integrator->create(plan);
    if (!rep->state)
        return context_out_of_memory(ctx, "the dynamics of a repetition", rep->integrator->bytes(plan));
    sgdmft_status status = system_init(ctx, plan, &rep->system);
    return status ? status : observer_init(ctx, plan, &rep->observer);
}

void repetition_clear(repetition *rep)
{
    system_clear(&rep->system);
    observer_clear(&rep->observer);
    free(rep->state);
    *rep = (repetition){.plan = NULL};
}

int repetition_start(repetition *rep, uint32_t number)
{
    observer_start(&rep->observer);
    return system_start(&rep->system, number, &rep->shared->progress) ||
           rep->integrator->start(rep->state, &rep->system);
}

int repetition_advance(repetition *rep, const simulator_stop *from, const simulator_stop *to)
{
    return rep->integrator->advance(rep->state, &rep->system, from, to);
}

/* An output time that another repetition did not reach is not needed. Trouble at the very time where the other one
   stopped is still met, so that messages do not depend on which of them was first. */
static int is_needed(const repetition *rep, size_t time)
{
    size_t needed;
#pragma omp atomic read
    needed = rep->shared->needed;
    return time <= needed;
}

static int report(repetition *rep, double t)
{
    double fraction = RUN_BEGINS + (RUN_ENDS - RUN_BEGINS) * t / rep->plan->problem->horizon;
    return solve_stage_report(&rep->system.stage, fraction, t);
}

static void run(repetition *rep)
{
    const simulator_plan *plan = rep->plan;
    const simulator_stop start = {.t = 0}, *from = &start;
    for (size_t i = 0; i < plan->stops; i++) {
        const simulator_stop *to = &plan->stop[i];
        double t = to->t < plan->problem->horizon ? to->t : plan->problem->horizon;
        int stopped =
            !is_needed(rep, to->time) || report(rep, t) || (to->t > from->t && repetition_advance(rep, from, to));
        if (stopped)
            observer_lower(&rep->observer, to->time);
        if (stopped || observer_take(&rep->observer, &rep->system, to))
            return;
        from = to;
    }
}

void repetition_do(repetition *rep, uint32_t number)
{
    double begin = system_seconds();
    if (repetition_start(rep, number))
        rep->observer.reached = 0;
    else
        run(rep);
    if (rep->system.status != SGDMFT_ERR_PLUGIN)
        observer_finish(&rep->observer, &rep->system); /* of all stops that were reached */
    rep->run_seconds = system_seconds() - begin - rep->system.data_seconds - rep->observer.seconds;
    solve_stage_report(&rep->system.stage, 1.0, rep->plan->problem->horizon);
}
