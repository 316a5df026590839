#include "solvers/online/factor_rule.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "numerics/gauss.h"
#include "solvers/online/points.h"
#include "solvers/online/tilted.h"

/* Points of a core that are worked on together, for the values of an outer function to stay in cache. */
enum { LANES = 128 };

/* A variance below this part of the variable's own is rounding error: the variable is a function of the others. */
static const double ROUNDING = 1e-15;

/* Terms of Mehler's sum below this part of the largest coefficients are left out. */
static const double NEGLIGIBLE = 1e-15;

/* A further thread pays from this many multiplications on. */
static const double WORK_PER_THREAD = 1e6;

/* A group given the covariance. */
typedef struct group_geometry {
    double root[FACTOR_CORE * FACTOR_CORE];      /* core variables = root z */
    double onto[FACTOR_VARIABLES][FACTOR_CORE]; /* mean of a variable given z */
    double rest[FACTOR_VARIABLES];              /* its conditional standard deviation */
} group_geometry;

typedef struct rule_workspace {
    double *space;
    double *x;           /* [FACTOR_CORE][LANES] core variables */
    double *core;        /* [core functions][LANES] times the weight */
    double *argument;    /* [order][LANES] of an outer function */
    double *value;       /* [order][LANES] */
    double *coefficient; /* [outer functions][order][LANES] */
    double *largest;     /* [outer functions][order] */
    int *rows;           /* [outer functions] coefficients wanted */
    double *kappa;       /* [terms] */
    double *scratch;     /* of the programs */
} rule_workspace;

struct factor_rule {
    const online_factors *factors;
    int order, threads;
    double *node;                          /* [order] */
    double *project;                       /* [order][order] weight times h_n at the nodes */
    online_points grid[FACTOR_CORE + 1];   /* cores of n variables; those without use are empty */
    rule_workspace *workspace;             /* [threads] */
    double *term;                          /* values of all general terms of a set */
    char *identity;                        /* [functions] 1 if f(x) = x */
};

typedef struct rule_sizes {
    int core, outer;
    size_t terms, group_terms;
    int used[FACTOR_CORE + 1];
} rule_sizes;

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

/* project[n][j] = weight_j h_n(node_j), h_n the normalised Hermite polynomials. */
static int make_projection(factor_rule *rule)
{
    int order = rule->order;
    double weight[GAUSS_ORDER_MAX];
    if (gauss_hermite(order, rule->node, weight))
        return -1;
    for (int j = 0; j < order; j++) {
        double x = rule->node[j], before = 0, now = 1;
        for (int n = 0; n < order; n++) {
            rule->project[n * order + j] = weight[j] * now;
            double next = (x * now - sqrt(n) * before) / sqrt(n + 1.0);
            before = now;
            now = next;
        }
    }
    return 0;
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
    size_t total = FACTOR_CORE * LANES + (size_t)size->core * LANES + 2 * rule_lanes + outer * rule_lanes +
                   outer * (size_t)rule->order + size->group_terms + program_work(rule->factors);
    ws->space = memory_doubles(total);
    ws->rows = memory_zeroed(outer, sizeof *ws->rows);
    if (!ws->space || !ws->rows)
        return -1;
    ws->x = ws->space;
    ws->core = ws->x + FACTOR_CORE * LANES;
    ws->argument = ws->core + (size_t)size->core * LANES;
    ws->value = ws->argument + rule_lanes;
    ws->coefficient = ws->value + rule_lanes;
    ws->largest = ws->coefficient + outer * rule_lanes;
    ws->kappa = ws->largest + outer * (size_t)rule->order;
    ws->scratch = ws->kappa + size->group_terms;
    return 0;
}

/* f(x) = x is told by its values. */
static void find_identities(factor_rule *rule)
{
    static const double at[4] = {-1.7, 0.3, 0.9, 2.4};
    const double *in[EXPR_MAX_VARIABLES];
    double out[4];
    for (int v = 0; v < EXPR_MAX_VARIABLES; v++)
        in[v] = at;
    for (int i = 0; i < rule->factors->n_functions; i++) {
        expr_eval(rule->factors->function[i], rule->workspace[0].scratch, 4, in, (double *[]){out});
        rule->identity[i] = memcmp(out, at, sizeof at) == 0;
    }
}

static sgdmft_status make_grids(sgdmft_context *ctx, factor_rule *rule, const rule_sizes *size)
{
    int order[FACTOR_CORE] = {rule->order, rule->order, rule->order};
    sgdmft_status status = SGDMFT_OK;
    for (int d = 1; d <= FACTOR_CORE && !status; d++)
        if (size->used[d])
            status = online_points_hermite(ctx, d, order, &rule->grid[d]);
    return status;
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
    rule->identity = memory_zeroed((size_t)rule->factors->n_functions, 1);
    int failed = !rule->node || !rule->project || !rule->workspace || !rule->term || !rule->identity;
    for (int i = 0; i < rule->threads && !failed; i++)
        failed = workspace_init(rule, &size, &rule->workspace[i]);
    if (failed || make_projection(rule))
        return context_out_of_memory(ctx, "Gaussian averages", 8.0 * (double)(size.outer + 2) * LANES * rule->order);
    find_identities(rule);
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
    }
    for (int d = 0; d <= FACTOR_CORE; d++)
        online_points_clear(&rule->grid[d]);
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
        most = rule->grid[d].n > most ? rule->grid[d].n : most;
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
        int rows = rows_needed(rule->order, ws->kappa[i]);
        if (rule->identity[f->function] || rule->identity[h->function])
            rows = rows < 2 ? rows : 2;
        for (int s = 0; s < 2; s++)
            ws->rows[o[s]] = rows > ws->rows[o[s]] ? rows : ws->rows[o[s]];
    }
}

/* Lanes of a core: their variables, and its functions times the weights. Core points are those of `grid`, block b, from
   `first` on; a core without variables is one point. */
static void set_core(const factor_rule *rule, const general_group *g, const group_geometry *at, const double *block,
                     size_t block_lanes, size_t first, size_t n, rule_workspace *ws)
{
    const double *in[EXPR_MAX_VARIABLES] = {NULL}, *weight = block + (size_t)g->n * block_lanes + first;
    for (int i = 0; i < g->n; i++) {
        double *x = ws->x + i * LANES;
        memset(x, 0, n * sizeof *x);
        for (int j = 0; j <= i; j++)
            for (size_t p = 0; p < n; p++)
                x[p] += at->root[i * FACTOR_CORE + j] * block[(size_t)j * block_lanes + first + p];
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
static void set_coefficients(const factor_rule *rule, const general_group *g, const group_geometry *at,
                             const double *z, size_t z_lanes, size_t n, int o, rule_workspace *ws)
{
    const outer_function *f = &g->outer[o];
    const double *in[EXPR_MAX_VARIABLES] = {NULL};
    double rest = at->rest[f->variable], *a = ws->coefficient + (size_t)o * rule->order * LANES, mean[LANES] = {0};
    int rows = ws->rows[o], order = rule->order;
    for (int i = 0; i < g->n; i++)
        for (size_t p = 0; p < n; p++)
            mean[p] += at->onto[f->variable][i] * z[(size_t)i * z_lanes + p];
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
    expr_eval(rule->factors->function[f->function], ws->scratch, n * (size_t)order, in, (double *[]){ws->value});
    if (rest == 0) {
        memcpy(a, ws->value, n * sizeof *a);
        return;
    }
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < order; j++) {
            double factor = rule->project[i * order + j];
            const double *value = ws->value + (size_t)j * n;
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
    const double *a = ws->coefficient + (size_t)o[0] * order * LANES, *b = ws->coefficient + (size_t)o[1] * order * LANES;
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

/* Adds the lanes to the values of all terms. */
static void add_terms(const factor_rule *rule, const general_group *g, const double *weight, size_t n,
                      const rule_workspace *ws, double *value)
{
    double average[LANES];
    for (size_t i = 0; i < g->n_terms; i++) {
        const general_term *term = &g->term[i];
        const double *core = term->core < 0 ? weight : ws->core + term->core * LANES, *outer = average;
        double sum = 0;
        if (term->outer[1] >= 0)
            pair_average(rule, term->outer, ws->kappa[i], n, ws, average);
        else if (term->outer[0] >= 0)
            outer = ws->coefficient + (size_t)term->outer[0] * rule->order * LANES;
        for (size_t p = 0; p < n; p++)
            sum += core[p] * (term->outer[0] < 0 ? 1 : outer[p]);
        value[i] += sum;
    }
}

static void average_group(const factor_rule *rule, const general_group *g, int n, const double *cov,
                          rule_workspace *ws, double *value)
{
    static const double one = 1;
    const online_points *grid = &rule->grid[g->n];
    group_geometry at;
    set_geometry(g, n, cov, &at);
    set_pairs(rule, g, n, cov, &at, ws);
    memset(value, 0, sizeof *value * g->n_terms);
    size_t blocks = g->n ? grid->n_blocks : 1;
    for (size_t b = 0; b < blocks; b++) {
        const double *block = g->n ? grid->block[b] : &one;
        size_t lanes = g->n ? grid->lanes[b] : 1;
        for (size_t first = 0; first < lanes; first += LANES) {
            size_t here = lanes - first < LANES ? lanes - first : LANES;
            set_core(rule, g, &at, block, lanes, first, here, ws);
            for (int o = 0; o < g->n_outer; o++) {
                set_coefficients(rule, g, &at, block + first, lanes, here, o, ws);
                set_largest(rule, here, o, ws);
            }
            add_terms(rule, g, block + (size_t)g->n * lanes + first, here, ws, value);
        }
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
