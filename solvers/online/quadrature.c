#include "solvers/online/quadrature.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "solvers/online/factor_rule.h"

/* Close enough for the error to fall by a good factor from each to the next. */
static const int orders_list[] = {2,  3,  4,  6,  8,   10,  12,  16,  20,  24,  32, 40,
                                  48, 64, 80, 96, 128, 160, 200, 256, 320, 400, 512};
enum { ORDERS = sizeof orders_list / sizeof *orders_list };

/* Noises often enter a label as a polynomial, which few nodes integrate exactly. */
enum { FIRST = 4, FIRST_OF_NOISE = 1 };

enum { TEACHERS = 0, STUDENTS = 1, NOISES = 2 };

/* Of sums of products (solvers/online/factor_rule.h). */
static const int factor_orders[] = {6, 8, 12, 16, 24, 32, 40, 48, 60, 72, 96, 128, 192};
enum { FACTOR_ORDERS = sizeof factor_orders / sizeof *factor_orders };

/* Multiplications of one evaluation that are not too many, and that are worth an accuracy better than the second
   number. */
static const double FACTOR_WORK = 6e9, FACTOR_CHEAP = 2e8, FACTOR_TOLERANCE = 1e-6;

online_orders online_orders_first(int by_factors)
{
    online_orders orders = {.by_factors = by_factors};
    for (int group = 0; group < ONLINE_ORDER_GROUPS && !by_factors; group++)
        orders.index[group] = group < NOISES ? FIRST : FIRST_OF_NOISE;
    return orders;
}

int online_factors_help(const online_plan *plan)
{
    const online_factors *f = plan->factors;
    return f->usable && f->motion.most_variables < f->n_variables;
}

online_orders online_orders_next(const online_orders *orders)
{
    online_orders next = *orders;
    for (int group = 0; group < ONLINE_ORDER_GROUPS; group++)
        next.index[group]++;
    return next;
}

/* Order of each coordinate of (z*, eps, z). Returns their number. */
static int list_orders(model_shape shape, const online_orders *orders, int *order)
{
    int dims = 0;
    for (int i = 0; i < shape.kstar; i++)
        order[dims++] = orders_list[orders->index[TEACHERS]];
    for (int i = 0; i < shape.noises; i++)
        order[dims++] = orders_list[orders->index[NOISES + i]];
    for (int i = 0; i < shape.k; i++)
        order[dims++] = orders_list[orders->index[STUDENTS]];
    return dims;
}

/* *fits = 1 if the orders are in the list and the points not too many. */
static sgdmft_status check_size(sgdmft_context *ctx, model_shape shape, const online_orders *orders, int *fits)
{
    int order[ONLINE_DIMS_MAX];
    size_t n;
    *fits = 0;
    for (int group = 0; group < NOISES + shape.noises; group++)
        if (orders->index[group] >= ORDERS)
            return SGDMFT_OK;
    int dims = list_orders(shape, orders, order);
    sgdmft_status status = online_points_count(ctx, dims, order, ONLINE_RULE_POINTS, &n);
    *fits = n <= ONLINE_RULE_POINTS;
    return status;
}

sgdmft_status online_law_of_orders(sgdmft_context *ctx, const online_plan *plan, const online_orders *orders,
                                   int threads, online_law **out)
{
    if (orders->by_factors)
        return online_law_of_factors(ctx, plan, factor_orders[orders->index[0]], threads, out);
    int order[ONLINE_DIMS_MAX], dims = list_orders(plan->shape, orders, order);
    online_points points;
    sgdmft_status status = online_points_hermite(ctx, dims, order, &points);
    return status ? status : online_law_new(ctx, plan, &points, threads, out);
}

typedef struct search {
    sgdmft_context *ctx;
    const online_plan *plan;
    const online_state *states;
    size_t n;
    int threads;
    online_averages *base, *other; /* [n] with the present orders, and with one of them raised */
} search;

static sgdmft_status evaluate(const search *f, const online_orders *orders, online_averages *out)
{
    online_law *law = NULL;
    sgdmft_status status = online_law_of_orders(f->ctx, f->plan, orders, f->threads, &law);
    int code = 0;
    for (size_t i = 0; i < f->n && !status && !code; i++)
        code = online_law_averages(law, &f->states[i], 1, &out[i]);
    online_law_free(law);
    return status ? status : online_plugin_status(f->ctx, f->plan, code);
}

static double largest(const double *x)
{
    double most = 0;
    for (int i = 0; i < MATRIX_MAX * MATRIX_MAX; i++)
        most = fmax(most, fabs(x[i]));
    return most;
}

static double largest_change(const double *x, const double *y)
{
    double most = 0;
    for (int i = 0; i < MATRIX_MAX * MATRIX_MAX; i++)
        most = isfinite(x[i] - y[i]) ? fmax(most, fabs(x[i] - y[i])) : INFINITY;
    return most;
}

/* Largest change of an average, relative to the size of that average along the curve. E|g|^2 sets the scale of g. */
static double difference(const search *f)
{
    double change[4] = {0}, square = 0, hessian = 0, rho = 0;
    for (size_t i = 0; i < f->n; i++) {
        const online_averages *x = &f->base[i], *y = &f->other[i];
        change[0] = fmax(change[0], largest_change(x->gz, y->gz));
        change[1] = fmax(change[1], largest_change(x->gs, y->gs));
        change[2] = fmax(change[2], largest_change(x->gg, y->gg));
        change[3] = fmax(change[3], largest_change(x->G, y->G));
        square = fmax(square, largest(x->gg));
        hessian = fmax(hessian, largest(x->G));
    }
    for (int a = 0; a < f->plan->shape.kstar; a++)
        rho = fmax(rho, f->plan->problem->initial.rho[a * (f->plan->shape.kstar + 1)]);
    double scale[4] = {sqrt(square), sqrt(square * rho), square, hessian}, worst = 0;
    for (int i = 0; i < 4; i++)
        if (change[i] > 0)
            worst = fmax(worst, change[i] / scale[i]);
    return worst;
}

/* Difference made by raising each group alone. */
static sgdmft_status differences(const search *f, const online_orders *orders, double change[ONLINE_ORDER_GROUPS])
{
    sgdmft_status status = evaluate(f, orders, f->base);
    for (int group = 0; group < NOISES + f->plan->shape.noises && !status; group++) {
        online_orders raised = *orders;
        raised.index[group]++;
        status = evaluate(f, &raised, f->other);
        change[group] = difference(f);
    }
    return status;
}

static sgdmft_status refine(const search *f, double tolerance, online_orders *orders, online_refinement *out)
{
    for (*out = ORDERS_KEPT;; *out = ORDERS_RAISED) {
        online_orders next = online_orders_next(orders);
        double change[ONLINE_ORDER_GROUPS] = {0}, worst = 0;
        int fits;
        sgdmft_status status = check_size(f->ctx, f->plan->shape, &next, &fits);
        if (!status && fits)
            status = differences(f, orders, change);
        for (int group = 0; group < ONLINE_ORDER_GROUPS; group++)
            worst = fmax(worst, change[group]);
        if (status || !fits || !isfinite(worst)) {
            *out = ORDERS_NOT_FOUND;
            return status;
        }
        if (worst <= tolerance)
            return SGDMFT_OK;
        for (int group = 0; group < ONLINE_ORDER_GROUPS; group++)
            orders->index[group] += change[group] > tolerance;
    }
}

/* --- sums of products --- */

/* Coefficients of the motion at the states. */
static sgdmft_status rates(const search *f, int index, online_rates *out)
{
    online_law *law = NULL;
    sgdmft_status status = online_law_of_factors(f->ctx, f->plan, factor_orders[index], f->threads, &law);
    int code;
    for (size_t i = 0; i < f->n && !status; i++)
        online_law_rates(law, f->states[i].t, f->states[i].moments.m, f->states[i].moments.C, &out[i], &code);
    online_law_free(law);
    return status;
}

/* Largest change of a coefficient, relative to its size along the curve. */
static double rates_difference(const search *f, const online_rates *x, const online_rates *y)
{
    double change[4] = {0}, square = 0, hessian = 0, rho = 0, q = 0, worst = 0;
    int k = f->plan->shape.k, ks = f->plan->shape.kstar;
    for (size_t i = 0; i < f->n; i++) {
        change[0] = fmax(change[0], largest_change(x[i].gs, y[i].gs));
        change[1] = fmax(change[1], largest_change(x[i].gw, y[i].gw));
        change[2] = fmax(change[2], largest_change(x[i].gg, y[i].gg));
        change[3] = fmax(change[3], largest_change(x[i].gamma, y[i].gamma));
        square = fmax(square, largest(y[i].gg));
        hessian = fmax(hessian, largest(y[i].gamma));
        for (int a = 0; a < k; a++)
            q = fmax(q, f->states[i].moments.C[a * (k + 1)]);
    }
    for (int a = 0; a < ks; a++)
        rho = fmax(rho, f->plan->problem->initial.rho[a * (ks + 1)]);
    double scale[4] = {sqrt(square * rho), sqrt(square * q), square, hessian};
    for (int i = 0; i < 4; i++)
        if (change[i] > 0)
            worst = fmax(worst, change[i] / scale[i]);
    return worst;
}

/* Accuracy asked of the order with this index. */
static double tolerance_of(const search *f, int index, double tolerance)
{
    double work = factor_rule_work(&f->plan->factors->motion, factor_orders[index]);
    return work < FACTOR_CHEAP ? tolerance : fmax(tolerance, FACTOR_TOLERANCE);
}

/* The next two orders exist and are not too much work. */
static int may_raise(const search *f, int index)
{
    return index + 2 < FACTOR_ORDERS &&
           factor_rule_work(&f->plan->factors->motion, factor_orders[index + 2]) <= FACTOR_WORK;
}

/* Raises the order until the next higher one agrees. x and y have room for the coefficients at the states. */
static sgdmft_status raise_order(const search *f, double tolerance, online_orders *orders, online_refinement *out,
                                 online_rates *x, online_rates *y)
{
    sgdmft_status status = rates(f, orders->index[0], x);
    for (*out = ORDERS_KEPT; !status; *out = ORDERS_RAISED) {
        int next = orders->index[0] + 1;
        status = rates(f, next, y);
        if (status || rates_difference(f, x, y) <= tolerance_of(f, next, tolerance))
            return status;
        if (!may_raise(f, orders->index[0])) {
            *out = ORDERS_NOT_FOUND;
            return SGDMFT_OK;
        }
        orders->index[0] = next;
        memcpy(x, y, f->n * sizeof *x);
    }
    return status;
}

static sgdmft_status refine_factors(const search *f, double tolerance, online_orders *orders, online_refinement *out)
{
    *out = ORDERS_KEPT;
    if (f->plan->factors->motion.n_general == 0) /* everything is closed */
        return SGDMFT_OK;
    online_rates *x = memory_zeroed(2 * f->n, sizeof *x);
    if (!x)
        return context_out_of_memory(f->ctx, "Gaussian averages", 2.0 * (double)f->n * sizeof *x);
    sgdmft_status status = raise_order(f, tolerance, orders, out, x, x + f->n);
    free(x);
    return status;
}

sgdmft_status online_orders_refine(sgdmft_context *ctx, const online_plan *plan, const online_state *states, size_t n,
                                   double tolerance, int threads, online_orders *orders, online_refinement *out)
{
    search f = {.ctx = ctx, .plan = plan, .states = states, .n = n, .threads = threads};
    if (orders->by_factors)
        return refine_factors(&f, tolerance, orders, out);
    f.base = memory_zeroed(2 * n, sizeof *f.base);
    if (!f.base)
        return context_out_of_memory(ctx, "Gaussian averages", 2.0 * (double)n * sizeof *f.base);
    f.other = f.base + n;
    sgdmft_status status = refine(&f, tolerance, orders, out);
    free(f.base);
    return status;
}
