#include "solvers/online/factor_rule.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "numerics/gauss.h"
#include "solvers/online/tilted.h"

/* Up to this order rules are those of Gauss and Hermite, which are exact for polynomials. Beyond it they are trapezoid
   rules, whose error for a function with poles at a distance y from the real axis is exp(- 2 pi y / h), with steps that
   Gauss rules reach with several times as many nodes: E (tanh'(z))^2 is good to 2e-8 with 49 nodes, and to 2e-7 with 96
   of Gauss. The steps end at a distance that follows the order. */
enum { GAUSS_MOST = 16 };
static const double LEAST_REACH = 5.5, MOST_REACH = 8.5, REACH_PER_ORDER = 1.0 / 24;

/* Points of a tensor rule whose weight is below this part of the largest are left out; of trapezoid rules all beyond
   their reach. */
static const double LEAST_WEIGHT = 1e-17;

/* Points of a core that are worked on together, for the values of an outer function to stay in cache. */
enum { LANES = 128 };

/* A variance below this part of the variable's own is rounding error: the variable is a function of the others. */
static const double ROUNDING = 1e-15;

/* Terms of Mehler's sum below this part of the largest coefficients are left out. */
static const double NEGLIGIBLE = 1e-15;

/* Pairs of trapezoid rules: Mehler's sum is for correlations up to the first number. Beyond it the coefficients of
   functions with poles near the axis decay too slowly, and the joint density is summed over both sets of nodes, if the
   deviation of one variable given the other is this many steps (then the error is below 1e-9) and otherwise small, so
   that at most NESTED nodes of Gauss average over it: n of them leave about (deviation / 1.2)^(2 n). */
static const double MEHLER_MOST = 0.6, LATTICE_STEPS = 1.06;
enum { NESTED = 10 };

/* A joint density below this part of its largest value is left out. */
static const double LEAST_DENSITY = 1e-15;

/* A further thread pays from this many multiplications on. */
static const double WORK_PER_THREAD = 1e6;

typedef enum pair_rule { PAIR_MEHLER, PAIR_LATTICE, PAIR_NESTED } pair_rule;

/* A group given the covariance. */
typedef struct group_geometry {
    double root[FACTOR_CORE * FACTOR_CORE];     /* core variables = root z */
    double onto[FACTOR_VARIABLES][FACTOR_CORE]; /* mean of a variable given z */
    double rest[FACTOR_VARIABLES];              /* its conditional standard deviation */
} group_geometry;

typedef struct rule_workspace {
    double *space;
    double *x;           /* [FACTOR_CORE][LANES] core variables */
    double *core;        /* [core functions][LANES] times the weight */
    double *argument;    /* [order][LANES] of an outer function */
    double *nested;      /* [2][order][LANES] averages over one variable of a pair given the other */
    double *value;       /* [outer functions][order][LANES] at the nodes */
    double *mean;        /* [outer functions][LANES] conditional means */
    double *coefficient; /* [outer functions][order][LANES] */
    double *largest;     /* [outer functions][order] */
    int *rows;           /* [outer functions] coefficients wanted */
    double *kappa;       /* [terms] */
    double *density;     /* [terms][order][order] weights of pairs of nodes, where PAIR_LATTICE */
    double *scratch;     /* of the programs */
} rule_workspace;

/* Points of a core of some dimensions. */
typedef struct core_grid {
    size_t n;
    double *point; /* [dims + 1][n] coordinates and weights */
} core_grid;

struct factor_rule {
    const online_factors *factors;
    int order, threads;
    double *node, *weight;              /* [order] */
    double *project;                    /* [order][order] weight times h_n at the nodes */
    core_grid grid[2][FACTOR_CORE + 1]; /* [half][dims]: all points, and one of z and -z with twice the weight; those
                                              without use are empty */
    double nested_node[NESTED + 1][NESTED], nested_weight[NESTED + 1][NESTED]; /* of each number of nodes */
    signed char *parity;       /* [functions] 1 even, -1 odd, 0 neither */
    rule_workspace *workspace; /* [threads] */
    double *term;              /* values of all general terms of a set */
    char *identity;            /* [functions] 1 if f(x) = x */
};

typedef struct rule_sizes {
    int core, outer;
    size_t terms, group_terms;
    int used[FACTOR_CORE + 1];
} rule_sizes;

static double reach_of(int order)
{
    return fmin(LEAST_REACH + REACH_PER_ORDER * order, MOST_REACH);
}

static void measure(const factor_set *set, rule_sizes *out)
{
    size_t terms = 0;
    for (size_t i = 0; i < set->n_general; i++) {
        const general_group *g = &set->general[i];
        terms += g->n_terms;
        out->core = g->n_core > out->core ? g->n_core : out->core;
        out->outer = g->n_outer > out->outer ? g->n_outer : out->outer;
        out->group_terms = g->n_terms > out->group_terms ? g->n_terms : out->group_terms;
        out->used[g->n] = 1;
    }
    out->terms = terms > out->terms ? terms : out->terms;
}

/* Exactly symmetric. */
static int make_nodes(factor_rule *rule)
{
    int order = rule->order;
    if (order <= GAUSS_MOST)
        return gauss_hermite(order, rule->node, rule->weight);
    double step = 2 * reach_of(order) / (order - 1), sum = 0;
    for (int i = 0; i < order; i++) {
        rule->node[i] = (i - 0.5 * (order - 1)) * step;
        rule->weight[i] = exp(-0.5 * rule->node[i] * rule->node[i]);
        sum += rule->weight[i];
    }
    for (int i = 0; i < order; i++)
        rule->weight[i] /= sum;
    return 0;
}

/* project[n][j] = weight_j h_n(node_j), h_n the normalised Hermite polynomials. */
static void make_projection(factor_rule *rule)
{
    int order = rule->order;
    for (int j = 0; j < order; j++) {
        double x = rule->node[j], before = 0, now = 1;
        for (int n = 0; n < order; n++) {
            rule->project[n * order + j] = rule->weight[j] * now;
            double next = (x * now - sqrt(n) * before) / sqrt(n + 1.0);
            before = now;
            now = next;
        }
    }
}

/* Lists the points of a grid, or only counts them if `point` is NULL. */
static size_t list_points(const factor_rule *rule, int dims, int half, size_t n, double *point)
{
    int order = rule->order, at[FACTOR_CORE] = {0};
    size_t count = 0, all = 1;
    double reach = reach_of(order), most = rule->weight[order / 2];
    for (int d = 0; d < dims; d++)
        all *= (size_t)order;
    for (size_t i = 0; i < all; i++) {
        double weight = 1, relative = 1, square = 0, sign = 0;
        size_t rest = i;
        for (int d = 0; d < dims; d++, rest /= (size_t)order) {
            at[d] = (int)(rest % (size_t)order);
            double z = rule->node[at[d]];
            weight *= rule->weight[at[d]];
            relative *= rule->weight[at[d]] / most;
            square += z * z;
            sign = sign == 0 ? z : sign;
        }
        int far = order <= GAUSS_MOST ? relative < LEAST_WEIGHT : square > reach * reach;
        if (far || (half && sign < 0))
            continue;
        for (int d = 0; d < dims && point; d++)
            point[(size_t)d * n + count] = rule->node[at[d]];
        if (point)
            point[(size_t)dims * n + count] = half && sign > 0 ? 2 * weight : weight;
        count++;
    }
    return count;
}

static size_t program_work(const online_factors *factors)
{
    size_t most = 1;
    for (int i = 0; i < factors->n_functions; i++) {
        size_t work = expr_program_work(factors->function[i]);
        most = work > most ? work : most;
    }
    return most;
}

static int workspace_init(const factor_rule *rule, const rule_sizes *size, rule_workspace *ws)
{
    size_t rule_lanes = (size_t)rule->order * LANES, outer = (size_t)size->outer;
    size_t total = FACTOR_CORE * LANES + (size_t)size->core * LANES + 3 * rule_lanes + 2 * outer * rule_lanes +
                   outer * (LANES + (size_t)rule->order) + size->group_terms + program_work(rule->factors);
    ws->space = memory_doubles(total);
    ws->rows = memory_zeroed(outer, sizeof *ws->rows);
    ws->density = memory_raw(size->group_terms * (size_t)(rule->order * rule->order), sizeof *ws->density);
    if (!ws->space || !ws->rows || !ws->density)
        return -1;
    ws->x = ws->space;
    ws->core = ws->x + FACTOR_CORE * LANES;
    ws->argument = ws->core + (size_t)size->core * LANES;
    ws->nested = ws->argument + rule_lanes;
    ws->value = ws->nested + 2 * rule_lanes;
    ws->mean = ws->value + outer * rule_lanes;
    ws->coefficient = ws->mean + outer * LANES;
    ws->largest = ws->coefficient + outer * rule_lanes;
    ws->kappa = ws->largest + outer * (size_t)rule->order;
    ws->scratch = ws->kappa + size->group_terms;
    return 0;
}

/* What is told of a function by its values: f(x) = x, even, odd. */
static void find_symmetries(factor_rule *rule)
{
    enum { SAMPLES = 8 };
    static const double scale = 0.61, AGREEMENT = 1e-14;
    double at[EXPR_MAX_VARIABLES][SAMPLES], out[SAMPLES];
    const double *in[EXPR_MAX_VARIABLES];
    for (int v = 0; v < EXPR_MAX_VARIABLES; v++) {
        in[v] = at[v];
        for (int i = 0; i < SAMPLES / 2; i++) {
            at[v][i] = scale * (1 + i) * cos(v + 0.3 * i);
            at[v][SAMPLES / 2 + i] = -at[v][i];
        }
    }
    for (int f = 0; f < rule->factors->n_functions; f++) {
        int even = 1, odd = 1, identity = 0;
        expr_eval(rule->factors->function[f], rule->workspace[0].scratch, SAMPLES, in, (double *[]){out});
        for (int v = 0; v < EXPR_MAX_VARIABLES; v++)
            identity |= memcmp(out, at[v], sizeof out) == 0;
        for (int i = 0; i < SAMPLES / 2; i++) {
            double x = out[i], y = out[SAMPLES / 2 + i], close = AGREEMENT * fabs(x);
            even &= fabs(x - y) <= close;
            odd &= fabs(x + y) <= close;
        }
        rule->identity[f] = (char)identity;
        rule->parity[f] = (signed char)(even ? 1 : odd ? -1 : 0);
    }
}

static sgdmft_status make_grids(sgdmft_context *ctx, factor_rule *rule, const rule_sizes *size)
{
    for (int half = 0; half < 2; half++)
        for (int d = 1; d <= FACTOR_CORE; d++) {
            core_grid *grid = &rule->grid[half][d];
            if (!size->used[d])
                continue;
            grid->n = list_points(rule, d, half, 0, NULL);
            grid->point = memory_doubles(((size_t)d + 1) * grid->n);
            if (!grid->point)
                return context_out_of_memory(ctx, "Gaussian averages", 8.0 * (d + 1) * (double)grid->n);
            list_points(rule, d, half, grid->n, grid->point);
        }
    return SGDMFT_OK;
}

static sgdmft_status fill(sgdmft_context *ctx, factor_rule *rule)
{
    rule_sizes size = {.core = 0};
    size_t order = (size_t)rule->order;
    measure(&rule->factors->motion, &size);
    measure(&rule->factors->seen, &size);
    rule->node = memory_doubles(order);
    rule->project = memory_doubles(order * order);
    rule->workspace = memory_zeroed((size_t)rule->threads, sizeof *rule->workspace);
    rule->term = memory_doubles(size.terms);
    rule->weight = memory_doubles(order);
    rule->identity = memory_zeroed((size_t)rule->factors->n_functions, 1);
    rule->parity = memory_zeroed((size_t)rule->factors->n_functions, 1);
    int failed = !rule->node || !rule->project || !rule->workspace || !rule->term || !rule->identity || !rule->weight ||
                 !rule->parity;
    for (int i = 0; i < rule->threads && !failed; i++)
        failed = workspace_init(rule, &size, &rule->workspace[i]);
    for (int n = 1; n <= NESTED && !failed; n++)
        failed = gauss_hermite(n, rule->nested_node[n], rule->nested_weight[n]);
    if (failed || make_nodes(rule))
        return context_out_of_memory(ctx, "Gaussian averages", 8.0 * (double)(size.outer + 2) * LANES * rule->order);
    make_projection(rule);
    find_symmetries(rule);
    return make_grids(ctx, rule, &size);
}

sgdmft_status factor_rule_new(sgdmft_context *ctx, const online_factors *factors, int order, int threads,
                              factor_rule **out)
{
    factor_rule *rule = calloc(1, sizeof *rule);
    if (!rule)
        return context_out_of_memory(ctx, "Gaussian averages", sizeof *rule);
    double useful = 1 + factor_rule_work(&factors->motion, order) / WORK_PER_THREAD;
    rule->factors = factors;
    rule->order = order;
    rule->threads = threads < useful ? threads : (int)useful;
    sgdmft_status status = fill(ctx, rule);
    if (status)
        factor_rule_free(rule);
    else
        *out = rule;
    return status;
}

void factor_rule_free(factor_rule *rule)
{
    if (!rule)
        return;
    for (int i = 0; rule->workspace && i < rule->threads; i++) {
        free(rule->workspace[i].space);
        free(rule->workspace[i].rows);
        free(rule->workspace[i].density);
    }
    for (int d = 0; d <= FACTOR_CORE; d++) {
        free(rule->grid[0][d].point);
        free(rule->grid[1][d].point);
    }
    free(rule->weight);
    free(rule->parity);
    free(rule->workspace);
    free(rule->node);
    free(rule->project);
    free(rule->term);
    free(rule->identity);
    free(rule);
}

size_t factor_rule_points(const factor_rule *rule)
{
    size_t most = 0;
    for (int d = 0; d <= FACTOR_CORE; d++)
        most = rule->grid[0][d].n > most ? rule->grid[0][d].n : most;
    if (rule->factors->motion.n_general + rule->factors->seen.n_general == 0)
        return 1;
    return (most ? most : 1) * (size_t)rule->order;
}

double factor_rule_work(const factor_set *set, int order)
{
    double sum = 0;
    for (size_t i = 0; i < set->n_closed; i++)
        sum += 50 * (double)set->closed[i].n_terms;
    for (size_t i = 0; i < set->n_general; i++) {
        const general_group *g = &set->general[i];
        double points = pow(order, g->n), rows = order < 24 ? order : 24;
        sum += points * (10 * g->n_core + g->n_outer * order * (10 + rows) + rows * (double)g->n_terms);
    }
    return sum;
}

/* The regression of variable v on the first `d` directions z of the core, and its conditional standard deviation. */
static double regress(const general_group *g, int d, int n, const double *cov, const group_geometry *at, int v,
                      double *onto)
{
    double rest = cov[v * n + v], least = ROUNDING * rest;
    for (int i = 0; i < d; i++) {
        double pivot = at->root[i * FACTOR_CORE + i], x = cov[v * n + g->variable[i]];
        for (int j = 0; j < i; j++)
            x -= onto[j] * at->root[i * FACTOR_CORE + j];
        double most = sqrt(rest);
        onto[i] = pivot > 0 ? fmax(fmin(x / pivot, most), -most) : 0;
        rest = fmax(rest - onto[i] * onto[i], 0);
    }
    return rest > least ? sqrt(rest) : 0;
}

static void set_geometry(const general_group *g, int n, const double *cov, group_geometry *at)
{
    memset(at->root, 0, sizeof at->root);
    for (int i = 0; i < g->n; i++)
        at->root[i * FACTOR_CORE + i] = regress(g, i, n, cov, at, g->variable[i], at->root + i * FACTOR_CORE);
    for (int o = 0; o < g->n_outer; o++) {
        int v = g->outer[o].variable;
        at->rest[v] = regress(g, g->n, n, cov, at, v, at->onto[v]);
    }
}

static double correlation(const general_group *g, int n, const double *cov, const group_geometry *at, int v, int u)
{
    double c = cov[v * n + u], scale = at->rest[v] * at->rest[u];
    for (int i = 0; i < g->n; i++)
        c -= at->onto[v][i] * at->onto[u][i];
    return scale > 0 ? fmax(fmin(c / scale, 1), -1) : 0;
}

/* Coefficients that a pair with this correlation needs. */
static int rows_needed(int order, double kappa)
{
    double size = fabs(kappa);
    if (size == 0)
        return 1;
    double rows = size < 1 ? 2 + log(NEGLIGIBLE) / log(size) : order;
    return rows < order ? (int)rows : order;
}

static pair_rule rule_of(const factor_rule *rule, double kappa)
{
    double deviation = sqrt((1 - kappa) * (1 + kappa));
    if (rule->order <= GAUSS_MOST || fabs(kappa) <= MEHLER_MOST)
        return PAIR_MEHLER;
    return deviation >= LATTICE_STEPS * (rule->node[1] - rule->node[0]) ? PAIR_LATTICE : PAIR_NESTED;
}

/* out[i][j] = weight of node i of x and node j of y, from the density of two normal variables. */
static void set_density(const factor_rule *rule, double kappa, double *out)
{
    int order = rule->order;
    double rest = (1 - kappa) * (1 + kappa), step = rule->node[1] - rule->node[0];
    for (int i = 0; i < order; i++)
        for (int j = 0; j < order; j++) {
            double x = rule->node[i], d = rule->node[j] - kappa * x, density = exp(-0.5 * d * d / rest);
            out[i * order + j] = density < LEAST_DENSITY ? 0 : rule->weight[i] * density * step / sqrt(2 * M_PI * rest);
        }
}

/* Correlations of all pairs, and how many coefficients each outer function needs. */
static void set_pairs(const factor_rule *rule, const general_group *g, int n, const double *cov,
                      const group_geometry *at, rule_workspace *ws)
{
    for (int o = 0; o < g->n_outer; o++)
        ws->rows[o] = 1;
    for (size_t i = 0; i < g->n_terms; i++) {
        const int *o = g->term[i].outer;
        if (o[1] < 0)
            continue;
        const outer_function *f = &g->outer[o[0]], *h = &g->outer[o[1]];
        ws->kappa[i] = correlation(g, n, cov, at, f->variable, h->variable);
        pair_rule kind = rule_of(rule, ws->kappa[i]);
        int rows = kind == PAIR_MEHLER ? rows_needed(rule->order, ws->kappa[i]) : 1;
        if (rule->identity[f->function] || rule->identity[h->function])
            rows = 2;
        else if (kind == PAIR_LATTICE)
            set_density(rule, ws->kappa[i], ws->density + i * (size_t)(rule->order * rule->order));
        for (int s = 0; s < 2; s++)
            ws->rows[o[s]] = rows > ws->rows[o[s]] ? rows : ws->rows[o[s]];
    }
}

/* The lanes of a core, n of its points from z on, where arrays have the stride `all`: its variables, and its functions
   times the weights. */
static void set_core(const factor_rule *rule, const general_group *g, const group_geometry *at, const double *z,
                     size_t all, size_t n, rule_workspace *ws)
{
    const double *in[EXPR_MAX_VARIABLES] = {NULL}, *weight = z + (size_t)g->n * all;
    for (int i = 0; i < g->n; i++) {
        double *x = ws->x + i * LANES;
        memset(x, 0, n * sizeof *x);
        for (int j = 0; j <= i; j++)
            for (size_t p = 0; p < n; p++)
                x[p] += at->root[i * FACTOR_CORE + j] * z[(size_t)j * all + p];
    }
    model_shape shape = rule->factors->shape;
    for (int i = 0; i < g->n; i++)
        in[factor_input(shape, g->variable[i])] = ws->x + i * LANES;
    for (int c = 0; c < g->n_core; c++) {
        double *value = ws->core + c * LANES;
        expr_eval(rule->factors->function[g->core[c]], ws->scratch, n, in, (double *[]){value});
        for (size_t p = 0; p < n; p++)
            value[p] *= weight[p];
    }
}

/* a_n, n < rows, of outer function o at the lanes. */
static void set_coefficients(const factor_rule *rule, const general_group *g, const group_geometry *at, const double *z,
                             size_t all, size_t n, int o, rule_workspace *ws)
{
    const outer_function *f = &g->outer[o];
    const double *in[EXPR_MAX_VARIABLES] = {NULL};
    double rest = at->rest[f->variable], *a = ws->coefficient + (size_t)o * rule->order * LANES;
    double *mean = ws->mean + o * LANES, *values = ws->value + (size_t)o * rule->order * LANES;
    int rows = ws->rows[o], order = rule->order;
    memset(mean, 0, n * sizeof *mean);
    for (int i = 0; i < g->n; i++)
        for (size_t p = 0; p < n; p++)
            mean[p] += at->onto[f->variable][i] * z[(size_t)i * all + p];
    memset(a, 0, sizeof *a * LANES * (size_t)rows);
    if (rule->identity[f->function]) {
        memcpy(a, mean, n * sizeof *a);
        for (size_t p = 0; p < n && rows > 1; p++)
            a[LANES + p] = rest;
        return;
    }
    in[factor_input(rule->factors->shape, f->variable)] = ws->argument;
    if (rest == 0)
        order = 1;
    for (int j = 0; j < order; j++)
        for (size_t p = 0; p < n; p++)
            ws->argument[(size_t)j * n + p] = mean[p] + rest * rule->node[j];
    expr_eval(rule->factors->function[f->function], ws->scratch, n * (size_t)order, in, (double *[]){values});
    if (rest == 0) {
        memcpy(a, values, n * sizeof *a);
        return;
    }
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < order; j++) {
            double factor = rule->project[i * order + j];
            const double *value = values + (size_t)j * n;
            for (size_t p = 0; p < n; p++)
                a[i * LANES + (int)p] += factor * value[p];
        }
}

/* largest[o][n] of |a_n| over the lanes. */
static void set_largest(const factor_rule *rule, size_t n, int o, rule_workspace *ws)
{
    for (int i = 0; i < ws->rows[o]; i++) {
        const double *a = ws->coefficient + ((size_t)o * rule->order + i) * LANES;
        double most = 0;
        for (size_t p = 0; p < n; p++)
            most = fmax(most, fabs(a[p]));
        ws->largest[o * rule->order + i] = most;
    }
}

/* Mehler's sum at the lanes for a pair of outer functions. */
static void pair_average(const factor_rule *rule, const int *o, double kappa, size_t n, const rule_workspace *ws,
                         double *out)
{
    int order = rule->order, rows = ws->rows[o[0]] < ws->rows[o[1]] ? ws->rows[o[0]] : ws->rows[o[1]];
    const double *a = ws->coefficient + (size_t)o[0] * order * LANES,
                 *b = ws->coefficient + (size_t)o[1] * order * LANES;
    const double *most_a = ws->largest + o[0] * order, *most_b = ws->largest + o[1] * order;
    double norm_a = 0, norm_b = 0, power = 1;
    memset(out, 0, n * sizeof *out);
    for (int i = 0; i < rows; i++) {
        norm_a = fmax(norm_a, most_a[i]);
        norm_b = fmax(norm_b, most_b[i]);
    }
    for (int i = 0; i < rows; i++, power *= kappa, a += LANES, b += LANES)
        if (fabs(power) * most_a[i] * most_b[i] > NEGLIGIBLE * norm_a * norm_b)
            for (size_t p = 0; p < n; p++)
                out[p] += power * a[p] * b[p];
}

/* The sum over the nodes of both functions, with the weights density[order][order], at the lanes. */
static void lattice_average(const factor_rule *rule, const int *o, const double *density, size_t n,
                            const rule_workspace *ws, double *out)
{
    size_t order = (size_t)rule->order;
    const double *x = ws->value + (size_t)o[0] * order * LANES, *y = ws->value + (size_t)o[1] * order * LANES;
    double inner[LANES];
    memset(out, 0, n * sizeof *out);
    for (size_t i = 0; i < order; i++) {
        memset(inner, 0, n * sizeof *inner);
        for (size_t j = 0; j < order; j++) {
            double weight = density[i * order + j];
            for (size_t p = 0; p < n && weight != 0; p++)
                inner[p] += weight * y[j * n + p];
        }
        for (size_t p = 0; p < n; p++)
            out[p] += inner[p] * x[i * n + p];
    }
}

static int nested_nodes(double deviation)
{
    static const double ERROR = 1e-12, RADIUS = 1.2;
    double n = deviation > 0 ? ceil(0.5 * log(ERROR) / log(deviation / RADIUS)) : 1;
    return n >= 1 && n < NESTED ? (int)n : NESTED;
}

/* The second function averaged over the little freedom that its variable has given that of the first, at the lanes. */
static void nested_average(const factor_rule *rule, const general_group *g, const group_geometry *at, const int *o,
                           double kappa, size_t n, const rule_workspace *ws, double *out)
{
    size_t order = (size_t)rule->order;
    const outer_function *h = &g->outer[o[1]];
    const double *in[EXPR_MAX_VARIABLES] = {NULL}, *x = ws->value + (size_t)o[0] * order * LANES;
    const double *mean = ws->mean + o[1] * LANES;
    double rest = at->rest[h->variable], deviation = sqrt((1 - kappa) * (1 + kappa));
    int nodes = nested_nodes(deviation);
    double *one = ws->nested, *sum = ws->nested + order * LANES;
    in[factor_input(rule->factors->shape, h->variable)] = ws->argument;
    memset(sum, 0, order * n * sizeof *sum);
    for (int v = 0; v < nodes; v++) {
        for (size_t i = 0; i < order; i++)
            for (size_t p = 0; p < n; p++)
                ws->argument[i * n + p] =
                    mean[p] + rest * (kappa * rule->node[i] + deviation * rule->nested_node[nodes][v]);
        expr_eval(rule->factors->function[h->function], ws->scratch, n * order, in, (double *[]){one});
        for (size_t i = 0; i < order * n; i++)
            sum[i] += rule->nested_weight[nodes][v] * one[i];
    }
    memset(out, 0, n * sizeof *out);
    for (size_t i = 0; i < order; i++)
        for (size_t p = 0; p < n; p++)
            out[p] += rule->weight[i] * x[i * n + p] * sum[i * n + p];
}

/* The average over the outer variables of term i, which has two, at the lanes. */
static void outer_average(const factor_rule *rule, const general_group *g, const group_geometry *at, size_t i, size_t n,
                          const rule_workspace *ws, double *out)
{
    const int *o = g->term[i].outer;
    double kappa = ws->kappa[i];
    int linear = rule->identity[g->outer[o[0]].function] || rule->identity[g->outer[o[1]].function];
    pair_rule kind = linear ? PAIR_MEHLER : rule_of(rule, kappa);
    if (kind == PAIR_MEHLER)
        pair_average(rule, o, kappa, n, ws, out);
    else if (kind == PAIR_LATTICE)
        lattice_average(rule, o, ws->density + i * (size_t)(rule->order * rule->order), n, ws, out);
    else
        nested_average(rule, g, at, o, kappa, n, ws, out);
}

/* Adds the lanes to the values of all terms. */
static void add_terms(const factor_rule *rule, const general_group *g, const group_geometry *at, const double *weight,
                      size_t n, const rule_workspace *ws, double *value)
{
    double average[LANES];
    for (size_t i = 0; i < g->n_terms; i++) {
        const general_term *term = &g->term[i];
        const double *core = term->core < 0 ? weight : ws->core + term->core * LANES, *outer = average;
        double sum = 0;
        if (term->outer[1] >= 0)
            outer_average(rule, g, at, i, n, ws, average);
        else if (term->outer[0] >= 0)
            outer = ws->coefficient + (size_t)term->outer[0] * rule->order * LANES;
        for (size_t p = 0; p < n; p++)
            sum += core[p] * (term->outer[0] < 0 ? 1 : outer[p]);
        value[i] += sum;
    }
}

static int parity_of(const factor_rule *rule, const general_group *g, const general_term *term)
{
    int parity = term->core < 0 ? 1 : rule->parity[g->core[term->core]];
    for (int s = 0; s < 2; s++)
        parity *= term->outer[s] < 0 ? 1 : rule->parity[g->outer[term->outer[s]].function];
    return parity;
}

/* 1 if all terms are even in the variables together, so that half of the points suffice. */
static int is_even(const factor_rule *rule, const general_group *g)
{
    for (size_t i = 0; i < g->n_terms; i++)
        if (parity_of(rule, g, &g->term[i]) != 1)
            return 0;
    return 1;
}

static void average_group(const factor_rule *rule, const general_group *g, int n, const double *cov, rule_workspace *ws,
                          double *value)
{
    static double nowhere[1] = {1}; /* a core without variables is one point */
    core_grid none = {.n = 1, .point = nowhere};
    const core_grid *grid = g->n ? &rule->grid[is_even(rule, g)][g->n] : &none;
    group_geometry at;
    set_geometry(g, n, cov, &at);
    set_pairs(rule, g, n, cov, &at, ws);
    memset(value, 0, sizeof *value * g->n_terms);
    for (size_t first = 0; first < grid->n; first += LANES) {
        size_t here = grid->n - first < LANES ? grid->n - first : LANES;
        const double *z = grid->point + first;
        set_core(rule, g, &at, z, grid->n, here, ws);
        for (int o = 0; o < g->n_outer; o++) {
            set_coefficients(rule, g, &at, z, grid->n, here, o, ws);
            set_largest(rule, here, o, ws);
        }
        add_terms(rule, g, &at, z + (size_t)g->n * grid->n, here, ws, value);
    }
}

void factor_rule_average(factor_rule *rule, const factor_set *set, const double *cov, double *out)
{
    int n = rule->factors->n_variables;
    memset(out, 0, sizeof *out * (size_t)set->n_targets);
    for (size_t i = 0; i < set->n_closed; i++)
        tilted_add(&set->closed[i], n, cov, out);
#pragma omp parallel for schedule(dynamic, 1) num_threads(rule->threads) if (rule->threads > 1)
    for (size_t i = 0; i < set->n_general; i++) {
        size_t before = 0;
        for (size_t j = 0; j < i; j++)
            before += set->general[j].n_terms;
        average_group(rule, &set->general[i], n, cov, &rule->workspace[omp_get_thread_num()], rule->term + before);
    }
    const double *value = rule->term;
    for (size_t i = 0; i < set->n_general; i++)
        for (size_t j = 0; j < set->general[i].n_terms; j++)
            out[set->general[i].term[j].target] += set->general[i].term[j].coefficient * *value++;
}
