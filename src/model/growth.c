/* Expressions are expanded along rays (expr/growth.h) for a few random labels. Whatever that finds has a second
   witness, the numbers themselves: the map r -> r - eta g(r, y) is iterated, or the gradient is evaluated along the
   ray. A factor eta R(t, v) of order one does not change which function grows faster, so STEP stands for all of them.

   Samples are drawn, and rays leave, where the dynamics come: given the signal, the field has the covariance
   P = q - m rho^-1 m^T at the start, and the directions of g at the first visits are added to it. Students that are
   equal and stay so, or that stay where they are because their gradient vanishes, have no limit to lose. */
#include "model/growth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "model/model_programs.h"

/* Purpose and seed of the random labels and rays, the same in every run. */
#define PURPOSE_GROWTH 0x67726f77u
#define SEED UINT64_C(20260217)

/* No round number, so that nothing cancels by chance. */
#define STEP 0.7318

enum {
    SUPPORT_SAMPLES = 16, /* random samples for the first visits */
    LABELS = 8,           /* random labels for which visits are followed */
    MOMENT_LABELS = 3,    /* and for which second moments are looked at */
    RAYS = 6,             /* random rays if there is more than one direction */
    FOLLOWED = 6,         /* visits that a ray is followed for */
    ITERATES = 12,        /* of the map, in numbers */
    MOST_DIRECTIONS = 2 * MODEL_MOST
};

typedef struct search {
    const growth_question *q;
    growth_walk *gradient, *label;
    uint64_t draws;
    double *work;
    double value[MODEL_VARIABLES];          /* r, s, eps, y, t of the present draw */
    double start[MODEL_MOST][MODEL_MOST];   /* P */
    double support[MODEL_MOST][MODEL_MOST]; /* P + E g g^T/|g|^2 */
} search;

static double normal(search *s)
{
    double z;
    random_normals((random_key){.seed = SEED, .purpose = PURPOSE_GROWTH}, 0, s->draws++, 1, &z);
    return z;
}

static double uniform(search *s)
{
    double u;
    random_uniforms((random_key){.seed = SEED, .purpose = PURPOSE_GROWTH}, 1, s->draws++, 1, &u);
    return u;
}

/* --- numbers ----------------------------------------------------------------------------------------------------- */

static void evaluate(search *s, const expr_program *program, int n, double *out)
{
    const double *in[MODEL_VARIABLES];
    double *outputs[MODEL_MOST];
    for (int v = 0; v < MODEL_VARIABLES; v++)
        in[v] = &s->value[v];
    for (int i = 0; i < n; i++)
        outputs[i] = &out[i];
    expr_eval(program, s->work, 1, in, outputs);
}

static void set_labels(search *s)
{
    evaluate(s, s->q->label_of, s->q->labels, s->value + MODEL_Y);
}

static double norm(const double *x, int n)
{
    double square = 0;
    for (int i = 0; i < n; i++)
        square += x[i] * x[i];
    return sqrt(square);
}

/* 0 if the vector has no direction. */
static int normalise(double *u, int n)
{
    double length = norm(u, n);
    for (int i = 0; i < n; i++)
        u[i] /= length;
    return isfinite(length) && length > 0;
}

/* --- where the dynamics come ------------------------------------------------------------------------------------- */

/* x^T A^-1 x for the positive definite n x n matrix A, by elimination. */
static double inverse_form(const double *A, const double *x, int n)
{
    double m[MODEL_MOST][MODEL_MOST], b[MODEL_MOST], form = 0;
    for (int i = 0; i < n; i++) {
        memcpy(m[i], A + (size_t)i * (size_t)n, sizeof **m * (size_t)n);
        b[i] = x[i];
    }
    for (int i = 0; i < n; i++) {
        form += b[i] * b[i] / m[i][i];
        for (int j = i + 1; j < n; j++) {
            double factor = m[j][i] / m[i][i];
            b[j] -= factor * b[i];
            for (int l = i; l < n; l++)
                m[j][l] -= factor * m[i][l];
        }
    }
    return form;
}

/* x^T rho^-1 y */
static double over_rho(const search *s, const double *x, const double *y)
{
    int n = s->q->kstar;
    double sum[MODEL_MOST], difference[MODEL_MOST];
    for (int i = 0; i < n; i++) {
        sum[i] = x[i] + y[i];
        difference[i] = x[i] - y[i];
    }
    return 0.25 * (inverse_form(s->q->rho, sum, n) - inverse_form(s->q->rho, difference, n));
}

static int moments_known(const growth_question *q)
{
    return q->q && q->m && q->rho;
}

static void set_start(search *s)
{
    const growth_question *q = s->q;
    int k = q->k, kstar = q->kstar;
    for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) {
            double full = moments_known(q) ? q->q[a * k + b] : a == b;
            double known = moments_known(q) ? over_rho(s, q->m + a * kstar, q->m + b * kstar) : 0;
            double rest = full - known;
            s->start[a][b] = fabs(rest) > 1e-12 * (fabs(full) + fabs(known)) ? rest : 0;
        }
}

/* A random vector of the range of a covariance, of its size. */
static void random_in_range(search *s, double covariance[MODEL_MOST][MODEL_MOST], double *out)
{
    int k = s->q->k;
    double z[MODEL_MOST], trace = 0;
    for (int a = 0; a < k; a++) {
        z[a] = normal(s);
        trace += covariance[a][a];
    }
    for (int a = 0; a < k; a++) {
        out[a] = 0;
        for (int b = 0; b < k && trace > 0; b++)
            out[a] += covariance[a][b] * z[b] / sqrt(trace);
    }
}

/* Draws a random sample and time, with r as at the start plus noise of the given covariance. 0 if its label is not
   finite. */
static int draw_with(search *s, double covariance[MODEL_MOST][MODEL_MOST])
{
    const growth_question *q = s->q;
    for (int v = MODEL_S; v < MODEL_Y; v++)
        s->value[v] = normal(s);
    random_in_range(s, covariance, s->value + MODEL_R);
    for (int a = 0; a < q->k && moments_known(q); a++)
        s->value[MODEL_R + a] += over_rho(s, q->m + a * q->kstar, s->value + MODEL_S);
    s->value[MODEL_T] = q->horizon * uniform(s);
    set_labels(s);
    return isfinite(norm(s->value + MODEL_Y, q->labels));
}

static int draw_sample(search *s)
{
    return draw_with(s, s->support);
}

/* g at the sample just drawn. Where it is rounding of a zero, as the gradient elsewhere tells, it is zero. */
static void gradient_of_sample(search *s, double *g)
{
    int k = s->q->k;
    double elsewhere[MODEL_MOST];
    evaluate(s, s->q->gradient_of, k, g);
    for (int a = 0; a < k; a++)
        s->value[MODEL_R + a] += normal(s);
    evaluate(s, s->q->gradient_of, k, elsewhere);
    if (norm(g, k) <= 1e-9 * norm(elsewhere, k))
        memset(g, 0, sizeof *g * (size_t)k);
}

/* P + E g g^T/|g|^2. 0 if it vanishes: then nothing ever moves. */
static int set_support(search *s)
{
    int k = s->q->k;
    double g[MODEL_MOST], trace = 0;
    set_start(s);
    memcpy(s->support, s->start, sizeof s->support);
    for (int i = 0; i < SUPPORT_SAMPLES; i++) {
        if (!draw_with(s, s->start))
            continue;
        gradient_of_sample(s, g);
        int moves = normalise(g, k); /* its direction alone matters */
        for (int a = 0; a < k && moves; a++)
            for (int b = 0; b < k; b++)
                s->support[a][b] += g[a] * g[b] / SUPPORT_SAMPLES;
    }
    for (int a = 0; a < k; a++)
        trace += s->support[a][a];
    return trace > 0 && isfinite(trace);
}

/* --- rays -------------------------------------------------------------------------------------------------------- */

/* Number `ray` of the directions of s and eps in n dimensions that are looked at; 0 past the last. */
static int direction(search *s, int n, int ray, double *u)
{
    if (ray >= (n == 1 ? 2 : RAYS))
        return 0;
    for (int i = 0; i < n; i++)
        u[i] = n == 1 ? 1 - 2 * ray : normal(s);
    return normalise(u, n);
}

/* The same of r, where the dynamics come. */
static int direction_of_r(search *s, int ray, double *u)
{
    int k = s->q->k;
    if (k == 1)
        return direction(s, 1, ray, u);
    random_in_range(s, s->support, u);
    return ray < RAYS && normalise(u, k);
}

/* |g| at x u, and g in *g. */
static double gradient_at(search *s, const double *u, double x, double *g)
{
    for (int a = 0; a < s->q->k; a++)
        s->value[MODEL_R + a] = x * u[a];
    evaluate(s, s->q->gradient_of, s->q->k, g);
    return norm(g, s->q->k);
}

/* Iterates r -> r - STEP g(r) from x u. 1 if log |r| grows by more at every step, until numbers end. */
static int runs_away(search *s, const double *u, double x)
{
    int k = s->q->k, grown = 0;
    double r[MODEL_MOST], g[MODEL_MOST], log_r = log(x), gain = 0;
    for (int a = 0; a < k; a++)
        r[a] = x * u[a];
    for (int step = 0; step < ITERATES; step++) {
        gradient_at(s, r, 1, g);
        for (int a = 0; a < k; a++)
            r[a] -= STEP * g[a];
        double largest = 0;
        for (int a = 0; a < k; a++)
            largest = isnan(r[a]) ? NAN : fmax(largest, fabs(r[a]));
        if (!isfinite(largest))
            return isnan(largest) ? grown >= 2 : grown >= 1;
        double now = log(largest);
        if (!(now - log_r > gain))
            return 0;
        gain = now - log_r;
        log_r = now;
        grown++;
    }
    return 1;
}

/* The same from far enough out: from two neighbouring distances. */
static int iterates_run_away(search *s, const double *u)
{
    static const double from[] = {3, 5, 10, 20, 30, 100, 1e3, 1e4, 1e6};
    int in_a_row = 0;
    for (size_t i = 0; i < sizeof from / sizeof *from && in_a_row < 2; i++)
        in_a_row = runs_away(s, u, from[i]) ? in_a_row + 1 : 0;
    return in_a_row == 2;
}

/* 1 if |g(x u)|/x grows all along the ray. */
static int outgrows_line(search *s, const double *u)
{
    double g[MODEL_MOST], before = 0;
    for (double x = 100; x < 1e7; x *= 10) {
        double now = gradient_at(s, u, x, g) / x;
        if (isinf(now))
            return 1;
        if (!(now > 1.05 * before))
            return 0;
        before = now;
    }
    return 1;
}

/* --- visits along rays ------------------------------------------------------------------------------------------- */

/* All variables at the present draw, as constants. */
static void constants(const search *s, asymptotic *variable)
{
    for (int v = 0; v < MODEL_VARIABLES; v++)
        variable[v] = asymptotic_constant(s->value[v]);
}

/* The leading order of a vector, with its coefficients; 0 if a component that may be larger is not known. */
static int leading(const asymptotic *g, int k, growth_order *order, double *coefficient)
{
    int found = 0;
    for (int a = 0; a < k; a++) {
        growth_order here;
        if (g[a].unknown)
            return 0;
        if (asymptotic_growth(&g[a], &here) && (!found || order_compare(&here, order) > 0)) {
            *order = here;
            found = 1;
        }
    }
    for (int a = 0; found && a < k; a++) {
        growth_order here;
        coefficient[a] = 0;
        if (!asymptotic_growth(&g[a], &here) || order_compare(&here, order) < 0)
            continue;
        if (g[a].n == 0)
            return 0;
        coefficient[a] = g[a].c[0];
    }
    return found;
}

/* Growth of g along the ray u that is certain and faster than linear, by more than the root of a logarithm: 1, with the
   order and the direction of -g. */
static int grows_fast(const search *s, const double *u, growth_order *order, double *towards)
{
    int k = s->q->k;
    asymptotic variable[MODEL_VARIABLES], g[MODEL_MOST];
    growth_order line = {.p = 1, .q = 0.5}; /* below it, the probability of n visits falls faster than r_n^2 grows */
    constants(s, variable);
    for (int a = 0; a < k; a++)
        variable[MODEL_R + a] = asymptotic_ray(u[a]);
    growth_walk_expand(s->gradient, variable, g);
    if (!leading(g, k, order, towards) || order_compare(order, &line) <= 0)
        return 0;
    int known = normalise(towards, k);
    for (int a = 0; a < k; a++)
        towards[a] = -towards[a];
    return known;
}

/* Keeps the faster growth of two. */
static void keep(found_growth *known, const growth_order *order, int side)
{
    if (!known->found || order_compare(order, &known->order) > 0)
        *known = (found_growth){1, *order, side};
}

static int side_of(const search *s, const double *u)
{
    return s->q->k > 1 ? 0 : u[0] > 0 ? 1 : -1;
}

/* Follows visits from the ray u: each kick lands on the ray of -g. */
static void follow(search *s, const double *start, model_growth *out)
{
    int k = s->q->k, fast = 1;
    double u[MODEL_MOST], towards[MODEL_MOST];
    growth_order order, slowest = {.p = 0};
    memcpy(u, start, sizeof *u * (size_t)k);
    for (int visit = 0; visit < FOLLOWED && fast; visit++) {
        fast = grows_fast(s, u, &order, towards);
        if (visit == 0 && fast && k == 1 && outgrows_line(s, u)) {
            keep(&out->one_side, &order, side_of(s, u));
            if (towards[0] * u[0] > 0 && (order.p > 1 || order_is_exponential(&order)))
                keep(&out->outward, &order, side_of(s, u));
        }
        if (visit == 0 || order_compare(&order, &slowest) < 0)
            slowest = order;
        memcpy(u, towards, sizeof *u * (size_t)k);
    }
    if (fast && iterates_run_away(s, start))
        keep(&out->repeated, &slowest, side_of(s, start));
}

static void find_repeated(search *s, model_growth *out)
{
    double u[MODEL_MOST];
    for (int i = 0; i < LABELS; i++)
        for (int ray = 0; draw_sample(s) && direction_of_r(s, ray, u); ray++)
            follow(s, u, out);
}

/* --- second moments ---------------------------------------------------------------------------------------------- */

/* Variables `at` [n] go to infinity along u; the density there falls like exp(-form x^2/2). */
typedef struct moment_ray {
    int n, at[MOST_DIRECTIONS];
    double u[MOST_DIRECTIONS], form;
    int known_form; /* 0: the variance is that of the solution; form is a guess */
} moment_ray;

/* 1 if the square of that order has no average. Only the first visit of a path is at a known Gaussian position. */
static int beats_gaussian(const growth_order *order, const moment_ray *ray, int visit)
{
    double power = order->power[0];
    if (!order_is_exponential(order))
        return 0;
    return power > 2 || (power == 2 && visit == 1 && ray->known_form && 4 * order->rate[0] > 1.000001 * ray->form);
}

/* The number for |g| at visit `visit` along the ray: 1 if its square times the density grows. */
static int square_outgrows_density(search *s, const moment_ray *ray, int visit)
{
    static const double along[] = {2, 3, 4, 6, 8, 12, 16, 24, 32};
    double g[MODEL_MOST], before = -INFINITY, start[MODEL_Y];
    memcpy(start, s->value, sizeof start);
    int grows = 0, k = s->q->k;
    for (size_t i = 0; i < sizeof along / sizeof *along; i++) {
        double x = along[i], most;
        memcpy(s->value, start, sizeof start);
        for (int v = 0; v < ray->n; v++)
            s->value[ray->at[v]] = x * ray->u[v];
        set_labels(s);
        evaluate(s, s->q->gradient_of, k, g);
        for (int done = 1; done < visit && isfinite(norm(g, k)); done++) {
            for (int a = 0; a < k; a++)
                s->value[MODEL_R + a] -= STEP * g[a];
            evaluate(s, s->q->gradient_of, k, g);
        }
        most = 0;
        for (int a = 0; a < k; a++)
            most = isnan(g[a]) ? INFINITY : fmax(most, fabs(g[a]));
        if (isinf(most)) { /* beyond numbers: enough if it is there where the density is not yet small */
            grows = 1400 > 0.5 * ray->form * x * x + 20;
            break;
        }
        double now = 2 * log(most) - 0.5 * ray->form * x * x;
        grows = now > before;
        before = now;
    }
    memcpy(s->value, start, sizeof start);
    set_labels(s);
    return grows;
}

/* The fewest visits after which the square of g has no average along the ray. */
static void find_moment(search *s, const moment_ray *ray, int *visits, growth_order *out)
{
    int k = s->q->k, most = *visits > 0 ? *visits - 1 : GROWTH_MOST_VISITS;
    asymptotic variable[MODEL_VARIABLES], g[MODEL_MOST];
    growth_order order;
    double coefficient[MODEL_MOST];
    constants(s, variable);
    for (int v = 0; v < ray->n; v++)
        variable[ray->at[v]] = asymptotic_ray(ray->u[v]);
    growth_walk_expand(s->label, variable, variable + MODEL_Y);
    for (int visit = 1; visit <= most; visit++) {
        growth_walk_expand(s->gradient, variable, g);
        if (!leading(g, k, &order, coefficient))
            return;
        if (beats_gaussian(&order, ray, visit) && square_outgrows_density(s, ray, visit)) {
            *visits = visit;
            *out = order;
            return;
        }
        for (int a = 0; a < k; a++) {
            asymptotic kick = asymptotic_times(-STEP, &g[a]);
            variable[MODEL_R + a] = asymptotic_add(&variable[MODEL_R + a], &kick);
        }
    }
}

static void find_moment_in_r(search *s, model_growth *out)
{
    moment_ray ray = {.n = s->q->k, .form = 1};
    for (int a = 0; a < ray.n; a++)
        ray.at[a] = MODEL_R + a;
    for (int i = 0; direction_of_r(s, i, ray.u); i++)
        find_moment(s, &ray, &out->visits_in_r, &out->order_in_r);
}

static void find_moment_in_s(search *s, model_growth *out)
{
    int kstar = s->q->kstar, noises = s->q->noises;
    moment_ray ray = {.n = kstar + noises, .known_form = s->q->rho != NULL};
    for (int v = 0; v < ray.n; v++)
        ray.at[v] = v < kstar ? MODEL_S + v : MODEL_EPS + v - kstar;
    for (int i = 0; direction(s, ray.n, i, ray.u); i++) {
        double noise = norm(ray.u + kstar, noises);
        ray.form = 1;
        if (ray.known_form)
            ray.form = inverse_form(s->q->rho, ray.u, kstar) + noise * noise;
        find_moment(s, &ray, &out->visits_in_s, &out->order_in_s);
    }
}

static void find_all(search *s, model_growth *out)
{
    find_repeated(s, out);
    for (int i = 0; i < MOMENT_LABELS; i++)
        if (draw_sample(s)) {
            find_moment_in_r(s, out);
            find_moment_in_s(s, out);
        }
}

sgdmft_status model_growth_find(sgdmft_context *ctx, const growth_question *q, model_growth *out)
{
    *out = (model_growth){.visits_in_r = 0};
    size_t work = expr_program_work(q->gradient_of), other = expr_program_work(q->label_of);
    search s = {.q = q};
    s.work = calloc((work > other ? work : other) + 1, sizeof *s.work);
    sgdmft_status status = SGDMFT_OK;
    if (!s.work)
        status = context_out_of_memory(ctx, "the growth of the gradient", 8.0 * (double)(work + other));
    if (!status)
        status = growth_walk_new(ctx, q->graph, q->gradient, (size_t)q->k, &s.gradient);
    if (!status)
        status = growth_walk_new(ctx, q->graph, q->label, (size_t)q->labels, &s.label);
    if (!status && set_support(&s))
        find_all(&s, out);
    growth_walk_free(s.gradient);
    growth_walk_free(s.label);
    free(s.work);
    return status;
}
