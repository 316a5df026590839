#include "solvers/online/factor_terms.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "expr/simplify.h"
#include "numerics/gauss.h"

/* Outer functions of a general term. */
enum { OUTER = 2 };

/* Orders of the two rules that average a function of a noise, and the difference, relative to its mean square, above
   which it stays in the term. */
enum { NOISE_ORDER = 40, NOISE_CHECK = 56 };
static const double NOISE_TOLERANCE = 1e-12;

void term_sorter_init(term_sorter *sorter, expr_graph *graph, const expr_node *field, int n_variables, int noises)
{
    *sorter = (term_sorter){.graph = graph, .field = field, .n_variables = n_variables, .noises = noises};
}

void term_sorter_clear(term_sorter *sorter)
{
    free(sorter->function);
    *sorter = (term_sorter){.graph = NULL};
}

/* Room for one more item, in powers of two. */
static void *grown(void *items, size_t n, size_t size)
{
    if (n & (n - 1) || (n == 0 && items))
        return items;
    return realloc(items, (n ? 2 * n : 1) * size);
}

/* Appends to an array of `n` items; 0 if there is no memory. */
#define APPEND(items, n, item)                                                                                         \
    do {                                                                                                               \
        void *room_ = grown(items, (size_t)(n), sizeof *(items));                                                      \
        if (!room_)                                                                                                    \
            return -1;                                                                                                 \
        (items) = room_;                                                                                               \
        (items)[(n)++] = (item);                                                                                       \
    } while (0)

static uint64_t bit_of(const term_sorter *s, int variable)
{
    return s->graph->node[s->field[variable]].depends;
}

/* The only variable that a node depends on, -1 if there are several. */
static int only_variable(const term_sorter *s, expr_node node)
{
    for (int v = 0; v < s->n_variables; v++)
        if (s->graph->node[node].depends == bit_of(s, v))
            return v;
    return -1;
}

/* --- closed terms ------------------------------------------------------------------------------------------------ */

/* node = factor x^power for one variable x. Returns 0 if it is something else. */
static int monomial(const term_sorter *s, expr_node node, double *factor, int *power)
{
    double left, right;
    int p, q;
    const expr_graph *g = s->graph;
    switch (graph_op(g, node)) {
    case OP_CONSTANT:
        *factor = g->node[node].constant;
        *power = 0;
        return 1;
    case OP_VARIABLE:
        *factor = 1;
        *power = 1;
        return 1;
    case OP_NEG:
        if (!monomial(s, graph_arg(g, node, 0), factor, power))
            return 0;
        *factor = -*factor;
        return 1;
    case OP_MUL:
    case OP_DIV:
        if (!monomial(s, graph_arg(g, node, 0), &left, &p) || !monomial(s, graph_arg(g, node, 1), &right, &q))
            return 0;
        if (graph_op(g, node) == OP_DIV && q > 0)
            return 0;
        *factor = graph_op(g, node) == OP_MUL ? left * right : left / right;
        *power = p + q;
        return 1;
    default: return 0;
    }
}

/* What has been read of a term that may be closed. */
typedef struct closed_parts {
    closed_group tilt;
    double coefficient;
    int odd; /* factors x and erf, of which only the first two are kept */
    int is_erf[2], variable[2];
    double rate[2];
} closed_parts;

static void add_odd(closed_parts *c, int is_erf, int variable, double rate)
{
    if (c->odd < 2) {
        c->is_erf[c->odd] = is_erf;
        c->variable[c->odd] = variable;
        c->rate[c->odd] = rate;
    }
    c->odd++;
}

/* Keeps the variables of the exponential in ascending order. */
static int add_tilt(closed_group *tilt, int variable, double rate)
{
    int i = 0;
    while (i < tilt->n && tilt->variable[i] < variable)
        i++;
    if (i < tilt->n && tilt->variable[i] == variable) {
        tilt->rate[i] += rate;
        return 1;
    }
    if (tilt->n == FACTOR_TILT)
        return 0;
    for (int j = tilt->n++; j > i; j--) {
        tilt->variable[j] = tilt->variable[j - 1];
        tilt->rate[j] = tilt->rate[j - 1];
    }
    tilt->variable[i] = variable;
    tilt->rate[i] = rate;
    return 1;
}

/* Returns 0 if the factor is not one of a closed term. */
static int read_factor(const term_sorter *s, expr_node node, closed_parts *c)
{
    int variable = only_variable(s, node), power;
    double factor;
    if (variable < 0)
        return 0;
    if (monomial(s, node, &factor, &power)) {
        c->coefficient *= factor;
        for (int i = 0; i < power; i++)
            add_odd(c, 0, variable, 0);
        return 1;
    }
    expr_op op = graph_op(s->graph, node);
    if ((op != OP_ERF && op != OP_EXP) || !monomial(s, graph_arg(s->graph, node, 0), &factor, &power))
        return 0;
    if (op == OP_ERF && power == 1) {
        add_odd(c, 1, variable, factor);
        return 1;
    }
    return op == OP_EXP && power == 2 && factor < 0 && add_tilt(&c->tilt, variable, -factor);
}

static int read_closed(const term_sorter *s, const expr_term *term, closed_parts *c)
{
    *c = (closed_parts){.coefficient = term->coefficient};
    for (int i = 0; i < term->n; i++)
        if (!read_factor(s, term->factor[i], c))
            return 0;
    return c->odd <= 2 || c->odd % 2 == 1;
}

static closed_group *find_closed(factor_set *set, const closed_group *tilt)
{
    for (size_t i = 0; i < set->n_closed; i++) {
        closed_group *g = &set->closed[i];
        if (g->n == tilt->n && memcmp(g->variable, tilt->variable, sizeof g->variable) == 0 &&
            memcmp(g->rate, tilt->rate, sizeof g->rate) == 0)
            return g;
    }
    return NULL;
}

static int add_closed(factor_set *set, const closed_parts *c, int target)
{
    if (c->odd % 2 == 1)
        return 0;
    closed_group *group = find_closed(set, &c->tilt);
    if (!group) {
        APPEND(set->closed, set->n_closed, c->tilt);
        group = &set->closed[set->n_closed - 1];
    }
    int erfs = c->odd ? c->is_erf[0] + c->is_erf[1] : 0, swap = erfs == 1 && c->is_erf[0];
    closed_term term = {.coefficient = c->coefficient, .target = target};
    term.kind = !c->odd ? CLOSED_ONE : erfs == 2 ? CLOSED_ERF_ERF : erfs == 1 ? CLOSED_X_ERF : CLOSED_X_X;
    for (int i = 0; i < c->odd; i++) {
        term.variable[i] = c->variable[i ^ swap];
        term.rate[i] = c->rate[i ^ swap];
    }
    APPEND(group->term, group->n_terms, term);
    return 0;
}

/* --- general terms ----------------------------------------------------------------------------------------------- */

/* E f(eps) for a function of one noise by a rule; *square is E f^2. */
static int noise_average(const expr_program *program, int input, int order, double *mean, double *square)
{
    double node[GAUSS_ORDER_MAX], weight[GAUSS_ORDER_MAX], value[GAUSS_ORDER_MAX];
    const double *in[EXPR_MAX_VARIABLES] = {NULL};
    double *work = memory_doubles(expr_program_work(program));
    if (!work || gauss_hermite(order, node, weight)) {
        free(work);
        return -1;
    }
    in[input] = node;
    expr_eval(program, work, (size_t)order, in, (double *[]){value});
    *mean = *square = 0;
    for (int i = 0; i < order; i++) {
        *mean += weight[i] * value[i];
        *square += weight[i] * value[i] * value[i];
    }
    free(work);
    return 0;
}

/* The parts of a general term: for each variable the product of the functions of it alone, and the product of all
   others. EXPR_NONE stands for 1. */
typedef struct general_parts {
    double coefficient;
    expr_node alone[FACTOR_VARIABLES];
    expr_node joint;
    uint64_t joint_depends;
} general_parts;

static expr_node times(expr_graph *g, expr_node a, expr_node b)
{
    return a == EXPR_NONE ? b : node_mul(g, a, b);
}

/* Returns 0 if a factor depends on something other than the variables of a sample. */
static int read_general(const term_sorter *s, const expr_term *term, general_parts *p)
{
    uint64_t known = 0;
    *p = (general_parts){.coefficient = term->coefficient, .joint = EXPR_NONE};
    for (int v = 0; v < s->n_variables; v++) {
        p->alone[v] = EXPR_NONE;
        known |= bit_of(s, v);
    }
    for (int i = 0; i < term->n; i++) {
        int v = only_variable(s, term->factor[i]);
        if (v >= 0)
            p->alone[v] = times(s->graph, p->alone[v], term->factor[i]);
        else
            p->joint = times(s->graph, p->joint, term->factor[i]);
        p->joint_depends |= v >= 0 ? 0 : s->graph->node[term->factor[i]].depends;
    }
    return !(p->joint_depends & ~known);
}

/* Averages over noises that enter the term by a function of them alone. */
static sgdmft_status average_noises(sgdmft_context *ctx, const term_sorter *s, general_parts *p)
{
    for (int v = s->n_variables - s->noises; v < s->n_variables; v++) {
        if (p->alone[v] == EXPR_NONE || p->joint_depends & bit_of(s, v))
            continue;
        expr_program *program = NULL;
        double mean, square, other, unused;
        int input = (int)s->graph->node[s->field[v]].constant;
        sgdmft_status status = expr_compile(ctx, s->graph, &p->alone[v], 1, &program);
        if (status)
            return status;
        int failed = noise_average(program, input, NOISE_CHECK, &mean, &square) ||
                     noise_average(program, input, NOISE_ORDER, &other, &unused);
        expr_program_free(program);
        if (failed)
            return context_out_of_memory(ctx, "an average over a noise", 8.0 * NOISE_CHECK);
        if (!(fabs(mean - other) <= NOISE_TOLERANCE * sqrt(square)))
            continue;
        p->coefficient *= fabs(mean) <= NOISE_TOLERANCE * sqrt(square) ? 0 : mean;
        p->alone[v] = EXPR_NONE;
    }
    return SGDMFT_OK;
}

/* in_core[v] = 1 for core variables. Returns 0 if there are too many variables. */
static int choose_core(const term_sorter *s, const general_parts *p, const int preferred[2], char *in_core)
{
    int core = 0, outer = 0;
    for (int v = 0; v < s->n_variables; v++) {
        in_core[v] = (p->joint_depends & bit_of(s, v)) != 0;
        core += in_core[v];
        outer += !in_core[v] && p->alone[v] != EXPR_NONE;
    }
    for (int round = 0; round < 2 + s->n_variables && outer > OUTER; round++) {
        int v = round < 2 ? preferred[round] : round - 2;
        if (v < 0 || in_core[v] || p->alone[v] == EXPR_NONE)
            continue;
        in_core[v] = 1;
        core++;
        outer--;
    }
    return core <= FACTOR_CORE && outer <= OUTER;
}

static int function_of_node(term_sorter *s, expr_node node)
{
    for (int i = 0; i < s->n_functions; i++)
        if (s->function[i] == node)
            return i;
    APPEND(s->function, s->n_functions, node);
    return s->n_functions - 1;
}

static general_group *find_general(factor_set *set, const general_group *key)
{
    for (size_t i = 0; i < set->n_general; i++)
        if (set->general[i].n == key->n && memcmp(set->general[i].variable, key->variable, sizeof key->variable) == 0)
            return &set->general[i];
    return NULL;
}

/* Index of a core function of the group. */
static int core_index(general_group *group, int function)
{
    for (int i = 0; i < group->n_core; i++)
        if (group->core[i] == function)
            return i;
    APPEND(group->core, group->n_core, function);
    return group->n_core - 1;
}

static int outer_index(general_group *group, outer_function outer)
{
    for (int i = 0; i < group->n_outer; i++)
        if (group->outer[i].variable == outer.variable && group->outer[i].function == outer.function)
            return i;
    APPEND(group->outer, group->n_outer, outer);
    return group->n_outer - 1;
}

/* Returns 0, or -1 if there is no memory. */
static int add_to_group(term_sorter *s, const general_parts *p, const char *in_core, general_group *group, int target)
{
    general_term term = {.coefficient = p->coefficient, .target = target, .core = -1, .outer = {-1, -1}};
    expr_node core = p->joint;
    int n = 0;
    for (int v = 0; v < s->n_variables; v++) {
        if (p->alone[v] == EXPR_NONE)
            continue;
        if (in_core[v]) {
            core = times(s->graph, core, p->alone[v]);
            continue;
        }
        int function = function_of_node(s, p->alone[v]);
        term.outer[n] = function < 0 ? -1 : outer_index(group, (outer_function){v, function});
        if (term.outer[n++] < 0)
            return -1;
    }
    if (core != EXPR_NONE) {
        int function = function_of_node(s, core);
        term.core = function < 0 ? -1 : core_index(group, function);
        if (term.core < 0)
            return -1;
    }
    APPEND(group->term, group->n_terms, term);
    return 0;
}

static int add_general(term_sorter *s, factor_set *set, const general_parts *p, const char *in_core, int target)
{
    general_group key = {.n = 0};
    for (int v = 0; v < s->n_variables; v++)
        if (in_core[v])
            key.variable[key.n++] = v;
    general_group *group = find_general(set, &key);
    if (!group) {
        APPEND(set->general, set->n_general, key);
        group = &set->general[set->n_general - 1];
    }
    return add_to_group(s, p, in_core, group, target);
}

static void count_variables(const term_sorter *s, factor_set *set, uint64_t depends)
{
    int n = 0;
    for (int v = 0; v < s->n_variables; v++)
        n += (depends & bit_of(s, v)) != 0;
    set->most_variables = n > set->most_variables ? n : set->most_variables;
}

static sgdmft_status out_of_memory(sgdmft_context *ctx)
{
    return context_out_of_memory(ctx, "the terms of a Gaussian average", sizeof(general_term));
}

sgdmft_status term_sorter_add(sgdmft_context *ctx, term_sorter *s, factor_set *set, const expr_term *term, int target,
                              const int preferred[2], int *fits)
{
    closed_parts closed;
    general_parts general;
    char in_core[FACTOR_VARIABLES] = {0};
    uint64_t depends = 0;
    for (int i = 0; i < term->n; i++)
        depends |= s->graph->node[term->factor[i]].depends;
    *fits = 1;
    if (read_closed(s, term, &closed)) {
        count_variables(s, set, depends);
        return add_closed(set, &closed, target) ? out_of_memory(ctx) : SGDMFT_OK;
    }
    *fits = read_general(s, term, &general);
    sgdmft_status status = *fits ? average_noises(ctx, s, &general) : SGDMFT_OK;
    if (status || !*fits || general.coefficient == 0)
        return status;
    *fits = choose_core(s, &general, preferred, in_core);
    if (!*fits)
        return SGDMFT_OK;
    count_variables(s, set, depends);
    if (add_general(s, set, &general, in_core, target))
        return out_of_memory(ctx);
    return graph_report(ctx, s->graph, "in a product");
}

sgdmft_status term_sorter_compile(sgdmft_context *ctx, const term_sorter *s, online_factors *out)
{
    sgdmft_status status = SGDMFT_OK;
    out->function = memory_zeroed((size_t)s->n_functions, sizeof *out->function);
    if (!out->function)
        return context_out_of_memory(ctx, "the functions of a Gaussian average", 8.0 * s->n_functions);
    out->n_functions = s->n_functions;
    for (int i = 0; i < s->n_functions && !status; i++)
        status = expr_compile(ctx, s->graph, &s->function[i], 1, &out->function[i]);
    return status;
}
