#include "model/limit.h"

#include <math.h>
#include <stdio.h>

enum { ORDER_ROOM = 64 };

static const char helps[] = "a loss whose gradient grows at most linearly, e.g. (r^2 - y)^2/(1 + r^2 + y) for "
                            "(r^2 - y)^2, or a gradient that is clipped";

/* The visits of a path in the time of the problem, at most. */
static double most_visits(const sgdmft_problem *problem)
{
    const sample_process *process = problem->process;
    switch (process->kicks) {
    case KICKS_BOUNDED: return ceil(process->visits->count(problem->horizon, INFINITY, problem->batch_fraction));
    case KICKS_UNBOUNDED: return INFINITY;
    default: return 1;
    }
}

/* x log x is faster than linear, but too slow for what continuous processes do with larger powers. */
static int beats_a_power(const found_growth *growth)
{
    return growth->found && (growth->order.p > 1 || order_is_exponential(&growth->order));
}

static const char *place_of(const found_growth *growth)
{
    return growth->side > 0 ? " for r > 0" : growth->side < 0 ? " for r < 0" : "";
}

static int blame_loss(const sgdmft_problem *problem, limit_obstacle *out)
{
    out->of = &problem->model.loss.item[0];
    return 1;
}

static int repeated(const sgdmft_problem *problem, const found_growth *growth, limit_obstacle *out)
{
    char order[ORDER_ROOM];
    order_text(&growth->order, "|r|", order, sizeof order);
    snprintf(
        out->text, sizeof out->text,
        "its gradient in r grows like %s, and a kick lands where it does so again: each visit enlarges r faster than "
        "linearly, and %s, so the mean square of the gradient is infinite and there are no limiting curves, "
        "whatever eta; what helps: %s, or, where the loss is bounded from below, dynamics: gradient-flow",
        order,
        problem->process->kicks == KICKS_UNBOUNDED ? "a sample can have any number of visits in a unit of time"
                                                   : "the Brownian motion of these dynamics never ceases to kick",
        helps);
    return blame_loss(problem, out);
}

static int one_side(const sgdmft_problem *problem, const found_growth *growth, limit_obstacle *out)
{
    char order[ORDER_ROOM];
    order_text(&growth->order, "|r|", order, sizeof order);
    snprintf(
        out->text, sizeof out->text,
        "its gradient g in r grows like %s%s, faster than linearly: the Brownian motion of these dynamics then "
        "gives r a density that falls like 1/g^2, so that the mean square of g is infinite at any t > 0 and there "
        "are no limiting curves, whatever eta; what helps: %s, or, where the loss is bounded from below, dynamics: "
        "gradient-flow",
        order, place_of(growth), helps);
    return blame_loss(problem, out);
}

static int outward(const sgdmft_problem *problem, const found_growth *growth, limit_obstacle *out)
{
    char order[ORDER_ROOM];
    order_text(&growth->order, "|r|", order, sizeof order);
    snprintf(
        out->text, sizeof out->text,
        "it falls without bound%s, with a gradient that grows like %s: samples far out run away to infinity in finite "
        "time, at any t > 0 some of them, so there are no limiting curves; what helps: a loss that is bounded from "
        "below",
        place_of(growth), order);
    return blame_loss(problem, out);
}

static int moment(const sgdmft_problem *problem, const char *x, int visits, const growth_order *growth,
                  limit_obstacle *out)
{
    char order[ORDER_ROOM], after[ORDER_ROOM] = "";
    order_text(growth, x, order, sizeof order);
    if (visits > 1)
        snprintf(after, sizeof after, " at visit %d of a sample", visits);
    snprintf(
        out->text, sizeof out->text,
        "the gradient of the loss grows like %s%s, faster than the Gaussian density of %s falls: its mean square is "
        "infinite, so there are no limiting curves; what helps: %s",
        order, after, x[1] == 'r' ? "r" : "s and eps", x[1] == 'r' ? helps : "a bounded label, e.g. tanh of it");
    blame_loss(problem, out);
    if (x[1] == 's' && visits == 1)
        out->of = &problem->model.label.item[0];
    return 1;
}

static int pole(const sgdmft_problem *problem, const expr_pole *pole, limit_obstacle *out)
{
    char power[ORDER_ROOM] = "faster than any power of 1/h";
    if (isfinite(pole->power))
        snprintf(power, sizeof power, "like h^-%.2g", pole->power);
    snprintf(
        out->text, sizeof out->text,
        "the gradient of the loss has a pole where s and eps come arbitrarily close to it (from the function or "
        "operator %s): at distance h it grows %s, so its mean square is infinite and there are no limiting curves; "
        "what helps: a label that stays bounded, e.g. s/(s^2 + 0.01) for 1/s",
        pole->function, power);
    out->of = &problem->model.label.item[0];
    return 1;
}

int limit_obstacle_find(const sgdmft_problem *problem, const model_programs *programs, limit_obstacle *out)
{
    const model_growth *growth = &programs->growth;
    kick_number kicks = problem->process->kicks;
    double visits = most_visits(problem);
    if (programs->pole.found)
        return pole(problem, &programs->pole, out);
    if (growth->visits_in_s == 1)
        return moment(problem, "|s|", 1, &growth->order_in_s, out);
    if (growth->repeated.found && (kicks == KICKS_UNBOUNDED || kicks == KICKS_DIFFUSE))
        return repeated(problem, &growth->repeated, out);
    if (kicks == KICKS_DIFFUSE && beats_a_power(&growth->one_side))
        return one_side(problem, &growth->one_side, out);
    if (kicks == KICKS_SMOOTH && beats_a_power(&growth->outward))
        return outward(problem, &growth->outward, out);
    if (growth->visits_in_r > 0 && growth->visits_in_r <= visits)
        return moment(problem, "|r|", growth->visits_in_r, &growth->order_in_r, out);
    if (growth->visits_in_s > 0 && growth->visits_in_s <= visits)
        return moment(problem, "|s|", growth->visits_in_s, &growth->order_in_s, out);
    return 0;
}
