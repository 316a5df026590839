#include "expr/asymptotic.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Sums below this size relative to their terms are rounding of a zero. */
#define ROUNDING 1e-12

/* Powers of the relative remainder that expansions of functions keep. */
#define DEGREE 4

static const growth_order one = {.p = 0};

/* --- orders ------------------------------------------------------------------------------------------------------ */

growth_order order_of_power(double p)
{
    return (growth_order){.p = p};
}

static int differ(double a, double b)
{
    return !(fabs(a - b) <= ROUNDING * (fabs(a) + fabs(b)));
}

static int is_tower(const growth_order *a)
{
    return isinf(a->power[0]);
}

static double power_at(const growth_order *a, int i)
{
    return i < ASYMPTOTIC_RATES ? a->power[i] : 0;
}

/* Steps through the exponents of both orders, largest power first: the power and both rates; 0 at the end. */
static int next_rates(const growth_order *a, const growth_order *b, int *i, int *j, double *power, double rates[2])
{
    double pa = power_at(a, *i), pb = power_at(b, *j);
    if (pa == 0 && pb == 0)
        return 0;
    int same = pa == pb || (isfinite(pa) && isfinite(pb) && !differ(pa, pb));
    *power = fmax(pa, pb);
    rates[0] = same || pa > pb ? a->rate[(*i)++] : 0;
    rates[1] = same || pb > pa ? b->rate[(*j)++] : 0;
    return 1;
}

int order_compare(const growth_order *a, const growth_order *b)
{
    int i = 0, j = 0;
    double power, rate[2];
    while (next_rates(a, b, &i, &j, &power, rate))
        if (differ(rate[0], rate[1]))
            return rate[0] > rate[1] ? 1 : -1;
    if (differ(a->p, b->p))
        return a->p > b->p ? 1 : -1;
    return differ(a->q, b->q) ? (a->q > b->q ? 1 : -1) : 0;
}

int order_is_exponential(const growth_order *a)
{
    return a->power[0] > 0 && a->rate[0] > 0;
}

/* 0 if the product cannot be represented. */
static int order_times(const growth_order *a, const growth_order *b, growth_order *out)
{
    growth_order product = {.p = a->p + b->p, .q = a->q + b->q};
    if (is_tower(a) || is_tower(b)) {
        const growth_order *tower = is_tower(a) ? a : b;
        *out = *tower;
        return !(is_tower(a) && is_tower(b)) || a->rate[0] == b->rate[0];
    }
    int i = 0, j = 0, n = 0;
    double power, rate[2];
    while (next_rates(a, b, &i, &j, &power, rate)) {
        if (!differ(rate[0], -rate[1]))
            continue;
        if (n == ASYMPTOTIC_RATES)
            return 0;
        product.rate[n] = rate[0] + rate[1];
        product.power[n++] = power;
    }
    if (!differ(a->p, -b->p))
        product.p = 0;
    if (!differ(a->q, -b->q))
        product.q = 0;
    *out = product;
    return 1;
}

static growth_order order_power(const growth_order *a, double power)
{
    growth_order out = *a;
    for (int i = 0; i < ASYMPTOTIC_RATES; i++)
        out.rate[i] *= isinf(a->power[i]) ? (power > 0 ? 1 : -1) : power;
    out.p *= power;
    out.q *= power;
    return out;
}

static void put_power(char *out, size_t room, const char *x, double power)
{
    size_t used = strlen(out);
    if (power == 1)
        snprintf(out + used, room - used, "%s", x);
    else
        snprintf(out + used, room - used, "%s^%.3g", x, power);
}

void order_text(const growth_order *a, const char *x, char *out, size_t room)
{
    snprintf(out, room, "%s", "");
    if (is_tower(a)) {
        snprintf(out, room, "exp(%sexp(%s)) or faster", a->rate[0] > 0 ? "" : "-", x);
        return;
    }
    if (a->power[0] > 0) {
        double rate = a->rate[0];
        snprintf(out, room, rate == 1 ? "exp(" : rate == -1 ? "exp(-" : "exp(%.3g ", rate);
        put_power(out, room, x, a->power[0]);
        snprintf(out + strlen(out), room - strlen(out), ")");
        return;
    }
    if (a->p != 0)
        put_power(out, room, x, a->p);
    if (a->q != 0) {
        size_t used = strlen(out);
        snprintf(out + used, room - used, "%slog(%s)", used ? " " : "", x);
        if (a->q != 1)
            snprintf(out + strlen(out), room - strlen(out), "^%.3g", a->q);
    }
    if (!out[0])
        snprintf(out, room, "a constant");
}

/* --- expansions -------------------------------------------------------------------------------------------------- */

asymptotic asymptotic_unknown(void)
{
    return (asymptotic){.unknown = 1};
}

asymptotic asymptotic_constant(double c)
{
    if (!isfinite(c))
        return asymptotic_unknown();
    return (asymptotic){.n = c != 0, .c = {c}};
}

asymptotic asymptotic_ray(double c)
{
    return (asymptotic){.n = c != 0, .c = {c}, .order = {order_of_power(1)}};
}

asymptotic asymptotic_bounded(void)
{
    return (asymptotic){.rest = 1};
}

int asymptotic_sign(const asymptotic *a)
{
    if (a->unknown)
        return 2;
    if (a->n > 0)
        return a->c[0] > 0 ? 1 : -1;
    return a->rest ? 2 : 0;
}

int asymptotic_growth(const asymptotic *a, growth_order *out)
{
    if (a->unknown || (a->n == 0 && !a->rest))
        return 0;
    *out = a->n > 0 ? a->order[0] : a->bound;
    return 1;
}

static int is_zero(const asymptotic *a)
{
    return !a->unknown && a->n == 0 && !a->rest;
}

static void add_bound(asymptotic *a, const growth_order *bound)
{
    if (!a->rest || order_compare(bound, &a->bound) > 0)
        a->bound = *bound;
    a->rest = 1;
    while (a->n > 0 && order_compare(&a->order[a->n - 1], &a->bound) <= 0)
        a->n--;
}

static void remove_term(asymptotic *a, int at)
{
    a->n--;
    for (int i = at; i < a->n; i++) {
        a->c[i] = a->c[i + 1];
        a->order[i] = a->order[i + 1];
    }
}

/* Adds to the coefficient of a term of the same order. Terms that cancel up to rounding are gone; two orders beyond
   all exp(x^power) count as equal but need not be, so that they may not cancel. */
static void add_like(asymptotic *a, int at, double c)
{
    double sum = a->c[at] + c, size = fabs(a->c[at]) + fabs(c);
    if (is_tower(&a->order[at]) && (a->c[at] > 0) != (c > 0))
        *a = asymptotic_unknown();
    else if (!isfinite(sum))
        *a = asymptotic_unknown();
    else if (fabs(sum) <= ROUNDING * size)
        remove_term(a, at);
    else
        a->c[at] = sum;
}

static void insert_term(asymptotic *a, int at, double c, const growth_order *order)
{
    if (at == ASYMPTOTIC_TERMS) {
        add_bound(a, order);
        return;
    }
    if (a->n == ASYMPTOTIC_TERMS) {
        growth_order least = a->order[a->n - 1];
        add_bound(a, &least);
    }
    for (int i = a->n; i > at; i--) {
        a->c[i] = a->c[i - 1];
        a->order[i] = a->order[i - 1];
    }
    a->c[at] = c;
    a->order[at] = *order;
    a->n++;
}

static void add_term(asymptotic *a, double c, const growth_order *order)
{
    if (a->unknown || c == 0 || (a->rest && order_compare(order, &a->bound) <= 0))
        return;
    if (!isfinite(c)) {
        *a = asymptotic_unknown();
        return;
    }
    int at = 0, comparison = 1;
    while (at < a->n && (comparison = order_compare(&a->order[at], order)) > 0)
        at++;
    if (at < a->n && comparison == 0)
        add_like(a, at, c);
    else
        insert_term(a, at, c, order);
}

asymptotic asymptotic_add(const asymptotic *a, const asymptotic *b)
{
    if (a->unknown || b->unknown)
        return asymptotic_unknown();
    asymptotic sum = *a;
    if (b->rest)
        add_bound(&sum, &b->bound);
    for (int i = 0; i < b->n; i++)
        add_term(&sum, b->c[i], &b->order[i]);
    return sum;
}

asymptotic asymptotic_times(double factor, const asymptotic *a)
{
    if (factor == 0)
        return asymptotic_constant(0);
    asymptotic out = *a;
    for (int i = 0; i < out.n; i++) {
        out.c[i] *= factor;
        if (!isfinite(out.c[i]) || out.c[i] == 0)
            return asymptotic_unknown();
    }
    return out;
}

/* Adds O(bound) times the order `by` to the product. */
static void add_product_bound(asymptotic *product, const growth_order *bound, const growth_order *by)
{
    growth_order order;
    if (product->unknown)
        return;
    if (order_times(bound, by, &order))
        add_bound(product, &order);
    else
        *product = asymptotic_unknown();
}

/* 1 if the leading product is beyond all exp(x^power): the other products, many of them of the same order as far as
   orders tell, are smaller, and are left out. */
static int leads_beyond(const asymptotic *a, const asymptotic *b, asymptotic *out)
{
    *out = (asymptotic){.n = 1, .c = {a->c[0] * b->c[0]}};
    return a->n > 0 && b->n > 0 && order_times(&a->order[0], &b->order[0], &out->order[0]) &&
           is_tower(&out->order[0]) && out->order[0].rate[0] > 0;
}

asymptotic asymptotic_mul(const asymptotic *a, const asymptotic *b)
{
    if (is_zero(a) || is_zero(b))
        return asymptotic_constant(0);
    if (a->unknown || b->unknown)
        return asymptotic_unknown();
    asymptotic product;
    if (leads_beyond(a, b, &product))
        return isfinite(product.c[0]) && product.c[0] != 0 ? product : asymptotic_unknown();
    product = asymptotic_constant(0);
    growth_order most_a, most_b, order;
    asymptotic_growth(a, &most_a);
    asymptotic_growth(b, &most_b);
    if (a->rest)
        add_product_bound(&product, &a->bound, &most_b);
    if (b->rest)
        add_product_bound(&product, &b->bound, &most_a);
    for (int i = 0; i < a->n; i++)
        for (int j = 0; j < b->n; j++) {
            double c = a->c[i] * b->c[j];
            if (c == 0 || !order_times(&a->order[i], &b->order[j], &order))
                return asymptotic_unknown();
            add_term(&product, c, &order);
        }
    return product;
}

asymptotic asymptotic_either(const asymptotic *a, const asymptotic *b)
{
    growth_order order;
    if (a->unknown || b->unknown)
        return asymptotic_unknown();
    asymptotic out = asymptotic_constant(0);
    if (asymptotic_growth(a, &order))
        add_bound(&out, &order);
    if (asymptotic_growth(b, &order))
        add_bound(&out, &order);
    return out;
}

int asymptotic_limit(const asymptotic *a, double *limit, asymptotic *rest)
{
    growth_order order;
    *limit = 0;
    *rest = *a;
    if (a->unknown)
        return 0;
    if (!asymptotic_growth(a, &order))
        return 1;
    int comparison = order_compare(&order, &one);
    if (comparison > 0 || (comparison == 0 && a->n == 0))
        return 0;
    if (comparison == 0) {
        *limit = a->c[0];
        remove_term(rest, 0);
    }
    return 1;
}

/* sum_j factor[j] small^j for j = 0 .. DEGREE, plus O(small^(DEGREE + 1)) unless the series ends there. `small` tends
   to zero. */
static asymptotic polynomial(const asymptotic *small, const double factor[DEGREE + 1], int ends)
{
    asymptotic sum = asymptotic_constant(factor[0]), power = asymptotic_constant(1);
    growth_order order;
    if (small->unknown)
        return asymptotic_unknown();
    if (!asymptotic_growth(small, &order))
        return sum;
    if (is_tower(&order)) {
        add_bound(&sum, &order);
        return sum;
    }
    if (!ends) {
        order = order_power(&order, DEGREE + 1);
        add_bound(&sum, &order);
    }
    for (int j = 1; j <= DEGREE; j++) {
        power = asymptotic_mul(&power, small);
        asymptotic term = asymptotic_times(factor[j], &power);
        sum = asymptotic_add(&sum, &term);
    }
    return sum;
}

/* a = c E (1 + small) with the leading term c E; a has terms. */
static asymptotic relative_rest(const asymptotic *a)
{
    growth_order inverse = order_power(&a->order[0], -1), order;
    asymptotic small = asymptotic_constant(0);
    if (is_tower(&a->order[0])) { /* all else is smaller by more than any known order */
        int alone = a->n == 1 && !a->rest;
        return alone ? small : asymptotic_unknown();
    }
    if (a->rest) {
        if (!order_times(&a->bound, &inverse, &order))
            return asymptotic_unknown();
        add_bound(&small, &order);
    }
    for (int i = 1; i < a->n; i++) {
        if (!order_times(&a->order[i], &inverse, &order))
            return asymptotic_unknown();
        add_term(&small, a->c[i] / a->c[0], &order);
    }
    return small;
}

static asymptotic bound_power(const asymptotic *a, double power)
{
    if (power < 0)
        return asymptotic_unknown();
    asymptotic out = asymptotic_constant(0);
    if (a->rest) {
        growth_order order = order_power(&a->bound, power);
        add_bound(&out, &order);
    }
    return out;
}

asymptotic asymptotic_power(const asymptotic *a, double power)
{
    if (power == 0)
        return asymptotic_constant(1);
    if (a->unknown || !isfinite(power))
        return asymptotic_unknown();
    if (a->n == 0)
        return bound_power(a, power);
    if (a->c[0] < 0 && power != rint(power))
        return asymptotic_unknown();
    double factor[DEGREE + 1] = {1};
    for (int j = 1; j <= DEGREE; j++)
        factor[j] = factor[j - 1] * (power - j + 1) / j;
    asymptotic small = relative_rest(a), lead = asymptotic_constant(pow(a->c[0], power));
    if (lead.n == 0)
        return asymptotic_unknown();
    lead.order[0] = order_power(&a->order[0], power);
    if (is_tower(&a->order[0]) &&
        small.unknown) /* the rest is a smaller tower or no tower: a bound is lost, not more */
        return lead;
    asymptotic series = polynomial(&small, factor, power == rint(power) && power > 0 && power <= DEGREE);
    return asymptotic_mul(&lead, &series);
}

/* Moves a growing term c E of an exponent into `order`: c x^p is a rate, c log x a power of x. 0 if it is neither. */
static int raise_order(double c, const growth_order *term, growth_order *order)
{
    growth_order factor = {.p = 0};
    if (term->power[0] > 0)
        return 0;
    if (term->p > 0 && term->q == 0) {
        factor.rate[0] = c;
        factor.power[0] = term->p;
    } else if (term->p == 0 && term->q == 1) {
        factor.p = c;
    } else {
        return 0;
    }
    return order_times(order, &factor, order);
}

/* exp of a leading term that is itself exponential. */
static asymptotic tower(double c)
{
    return (asymptotic){.n = 1, .c = {1}, .order = {{.rate = {c > 0 ? 1 : -1}, .power = {INFINITY}}}};
}

asymptotic asymptotic_exp(const asymptotic *a)
{
    static const double factor[DEGREE + 1] = {1, 1, 1. / 2, 1. / 6, 1. / 24};
    asymptotic rest = *a;
    growth_order order = one;
    if (a->unknown)
        return asymptotic_unknown();
    if (a->n > 0 && order_is_exponential(&a->order[0]))
        return tower(a->c[0]);
    while (rest.n > 0 && order_compare(&rest.order[0], &one) > 0) {
        if (!raise_order(rest.c[0], &rest.order[0], &order))
            return asymptotic_unknown();
        remove_term(&rest, 0);
    }
    double limit;
    asymptotic small, lead = {.n = 1, .c = {1}, .order = {order}};
    if (!asymptotic_limit(&rest, &limit, &small)) {
        if (order_compare(&rest.bound, &one) > 0)
            return asymptotic_unknown();
        asymptotic bounded = asymptotic_bounded();
        return asymptotic_mul(&lead, &bounded);
    }
    lead.c[0] = exp(limit);
    if (lead.c[0] == 0 || !isfinite(lead.c[0]))
        return asymptotic_unknown();
    asymptotic series = polynomial(&small, factor, 0);
    return asymptotic_mul(&lead, &series);
}

asymptotic asymptotic_log(const asymptotic *a)
{
    static const double factor[DEGREE + 1] = {0, 1, -1. / 2, 1. / 3, -1. / 4};
    if (a->unknown || a->n == 0 || a->c[0] < 0 || is_tower(&a->order[0]))
        return asymptotic_unknown();
    asymptotic small = relative_rest(a), log_rest = polynomial(&small, factor, 0);
    asymptotic lead = asymptotic_constant(log(a->c[0]));
    const growth_order *order = &a->order[0];
    if (order->q != 0)
        add_bound(&lead, &(growth_order){.q = 0.5}); /* log log x grows slower than that */
    for (int i = 0; i < ASYMPTOTIC_RATES && order->power[i] > 0; i++) {
        growth_order power = order_of_power(order->power[i]);
        add_term(&lead, order->rate[i], &power);
    }
    add_term(&lead, order->p, &(growth_order){.q = 1});
    return asymptotic_add(&lead, &log_rest);
}
