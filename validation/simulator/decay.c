/* The penalty in dynamics of many small steps, each of which has its share of it.

   Ridge: a factor, kept beside theta until it is worth a pass over theta. Any other penalty costs such a pass each
   time, so it acts in kicks, not more than KICK_TIME apart (each step, if steps are longer): one amid each of equal
   parts of the time between two stops. */
#include <math.h>

#include "validation/simulator/repetition.h"

static const double LEAST_SCALE = 0.01; /* below, it goes into theta */
static const double KICK_TIME = 1e-3;   /* between kicks of a penalty, at most */

void scale_theta(repetition *rep, double scale)
{
    size_t count = (size_t)rep->set->shape.k * rep->set->length;
    for (size_t j = 0; scale != 1 && j < count; j++)
        rep->theta[j] = (float)(scale * rep->theta[j]);
}

void settle_scale(repetition *rep)
{
    scale_theta(rep, rep->scale);
    rep->scale = 1;
}

void decay(repetition *rep)
{
    if (rep->set->penalty)
        return;
    rep->scale *= 1 - rep->set->problem->lambda * rep->set->duration;
    if (rep->scale < LEAST_SCALE)
        settle_scale(rep);
}

void kick_penalty(repetition *rep, double weight)
{
    simulator_penalty_add(rep->set->penalty, rep->set->shape.k, rep->penalty, rep->set->d, rep->set->length, -weight, rep->theta,
                          rep->theta);
}

/* Steps before window w; the steps are shared out as evenly as whole numbers can be. */
static uint64_t window_start(const kick_plan *plan, uint64_t w)
{
    return plan->steps / plan->windows * w + plan->steps % plan->windows * w / plan->windows;
}

kick_plan kick_plan_of(const simulator_setting *set, uint64_t first, uint64_t last)
{
    kick_plan plan = {.first = first, .steps = last - first, .duration = set->duration};
    double each = floor(KICK_TIME / set->duration);
    plan.windows = plan.steps;
    if (each > 1)
        plan.windows = (uint64_t)ceil((double)plan.steps / each);
    plan.at = plan.windows > 0 ? first + window_start(&plan, 1) / 2 : last;
    return plan;
}

void kick_when_due(repetition *rep, kick_plan *plan, uint64_t step)
{
    if (!rep->set->penalty || step != plan->at || plan->next >= plan->windows)
        return;
    uint64_t begin = window_start(plan, plan->next), end = window_start(plan, plan->next + 1);
    kick_penalty(rep, (double)(end - begin) * plan->duration);
    plan->next++;
    if (plan->next < plan->windows)
        plan->at = plan->first + (end + window_start(plan, plan->next + 1)) / 2;
}
