/* Search for jumps and poles. A graph of smooth functions can jump only where something switches (a comparison, sign,
   relu, ...) or is singular (a zero denominator, the root of zero, ...). Each such node gives a scalar function, its
   switch, whose zeros are followed along random lines in the moving variables; at a zero, one-sided values are
   compared.

   With steps h, h/10 on both sides, v(+h) - v(-h) = jump + slope * 2h + ... is extrapolated to h = 0. A jump gives the
   same number for several h; a steep but continuous function, a kink or rounding errors do not. A pole shows in the
   growth of |v| from one h to the next, on either side. */
#include "expr/kink.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "expr/functions.h"
#include "expr/program.h"
#include "expr/simplify.h"

/* Purpose of the random lines, see random.h. */
#define PURPOSE_JUMPS 0x6a756d70u

/* Points of a line, and lines per length scale. */
#define POINTS 128
#define LINES 24
/* Half-lengths of the lines: from the size of a preactivation to far tails. */
static const double half_lengths[] = {2, 8, 40, 1000};

/* Distances from the switching point, relative to its size: the first STEPS for jumps, those from POLE_FROM on for
   poles, which finite parts of the node hide further away. */
#define ALL_STEPS 7
#define STEPS 4
#define POLE_FROM (ALL_STEPS - STEPS)
static const double steps[ALL_STEPS] = {1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9};
/* Where a node that overflows at all of them comes from. */
static const double wide_steps[STEPS] = {0.3, 0.1, 1e-2, 1e-3};

/* Two extrapolations agree if they differ by less than AGREEMENT of their size. A jump below SMALLEST_JUMP of the size
   of the node is rounding. */
#define AGREEMENT 0.1
#define SMALLEST_JUMP 1e-7

/* A minimum of |switch| this far below its neighbours counts as a zero without change of sign. */
#define TOUCHING 1e-9

/* The smallest power of a pole whose square is not integrable is 1/2. Measured powers are accurate to POWER_ERROR. */
#define LEAST_POWER 0.5
#define POWER_ERROR 1e-3
#define CERTAIN_POWER 0.75

/* Decides at a zero of the switch, of a random line: keeps what it finds. */
typedef struct search search;
typedef void (*judge)(search *s, double tau);

struct search {
    const expr_graph *graph;
    expr_program *program;   /* outputs: the switch, the searched node */
    const expr_node *moving; /* [n_normal], of which the first n_moving move */
    size_t n_moving, n_normal;
    random_key key;
    uint64_t draws; /* made so far */
    double *work;
    double base[EXPR_MAX_VARIABLES], direction[EXPR_MAX_VARIABLES];
    double lane[EXPR_MAX_VARIABLES][POINTS];
    double tau[POINTS], switch_value[POINTS], node_value[POINTS];
    judge look;     /* at zeros */
    double largest; /* jump or power met at zeros of the present switch */
};

static double uniform(search *s)
{
    double u;
    random_uniforms(s->key, 0, s->draws++, 1, &u);
    return u;
}

static double normal(search *s)
{
    return normal_quantile(uniform(s));
}

/* A value for a variable of unknown law, such as a label: often normal, often a small integer, as classes have. */
static double random_value(search *s)
{
    static const double classes[] = {-1, 1, 0, 1, -1, 2, 3, 4};
    int kind = (int)(16 * uniform(s));
    return kind < 8 ? classes[kind] : normal(s) * (kind < 12 ? 1 : 4);
}

static void random_line(search *s)
{
    for (int v = 0; v < s->graph->n_variables; v++) {
        s->base[v] = random_value(s);
        s->direction[v] = 0;
    }
    double square = 0;
    for (size_t i = 0; i < s->n_normal; i++) {
        int v = (int)s->graph->node[s->moving[i]].constant;
        s->base[v] = normal(s);
        s->direction[v] = i < s->n_moving ? normal(s) : 0;
        square += s->direction[v] * s->direction[v];
    }
    for (int v = 0; v < s->graph->n_variables; v++)
        s->direction[v] /= sqrt(square);
}

/* Values of both outputs at tau[0 .. n - 1]. */
static void evaluate(search *s, size_t n)
{
    const double *in[EXPR_MAX_VARIABLES];
    for (int v = 0; v < s->graph->n_variables; v++) {
        in[v] = s->lane[v];
        for (size_t p = 0; p < n; p++)
            s->lane[v][p] = s->base[v] + s->direction[v] * s->tau[p];
    }
    expr_eval(s->program, s->work, n, in, (double *[]){s->switch_value, s->node_value});
}

static void place_points(search *s, double from, double to)
{
    for (int p = 0; p < POINTS; p++)
        s->tau[p] = from + (to - from) * p / (POINTS - 1);
}

static int sign_class(double x)
{
    return (x > 0) - (x < 0);
}

/* Narrows an interval at whose ends the switch has different signs to neighbouring numbers; returns its middle. */
static double zoom_on_change(search *s, double from, double to)
{
    for (int round = 0; round < 12; round++) {
        place_points(s, from, to);
        evaluate(s, POINTS);
        int p = 1;
        while (p < POINTS - 1 && sign_class(s->switch_value[p]) == sign_class(s->switch_value[0]))
            p++;
        from = s->tau[p - 1];
        to = s->tau[p];
    }
    return 0.5 * (from + to);
}

/* Narrows an interval around a local minimum of |switch|; the depth of the minimum goes to *least. */
static double zoom_on_minimum(search *s, double from, double to, double *least)
{
    for (int round = 0; round < 8; round++) {
        place_points(s, from, to);
        evaluate(s, POINTS);
        int best = 0;
        for (int p = 1; p < POINTS; p++)
            if (fabs(s->switch_value[p]) < fabs(s->switch_value[best]))
                best = p;
        *least = fabs(s->switch_value[best]);
        from = s->tau[best > 0 ? best - 1 : 0];
        to = s->tau[best < POINTS - 1 ? best + 1 : best];
    }
    return 0.5 * (from + to);
}

static double largest_of(const double *x, int n)
{
    double largest = 0;
    for (int i = 0; i < n; i++)
        largest = fmax(largest, isfinite(x[i]) ? fabs(x[i]) : 0);
    return largest;
}

/* Values of the node at tau - step and tau + step go to node_value[2 h] and node_value[2 h + 1], step = from[h]. */
static void evaluate_beside(search *s, double tau, const double from[STEPS])
{
    double size = fmax(1, fabs(tau));
    for (int h = 0; h < STEPS; h++) {
        s->tau[2 * h] = tau - from[h] * size;
        s->tau[2 * h + 1] = tau + from[h] * size;
    }
    evaluate(s, 2 * STEPS);
}

/* Size of the jump of the node at `tau`; 0 if there is none. A pole gives infinity. */
static double jump_at(search *s, double tau)
{
    double difference[STEPS], estimate[STEPS - 1];
    evaluate_beside(s, tau, steps);
    for (int h = 0; h < STEPS; h++)
        difference[h] = s->node_value[2 * h + 1] - s->node_value[2 * h];
    for (int h = 0; h + 1 < STEPS; h++)
        estimate[h] = (10 * difference[h + 1] - difference[h]) / 9;
    double scale = SMALLEST_JUMP * (largest_of(s->node_value, 2 * STEPS) + 1e-3);
    for (int h = STEPS - 2; h > 0; h--) {
        double now = estimate[h], before = estimate[h - 1];
        if (fabs(now) > scale && fabs(now - before) <= AGREEMENT * fabs(now))
            return fabs(now);
    }
    int pole = fabs(difference[0]) > scale;
    for (int h = 0; h + 1 < STEPS; h++)
        pole = pole && difference[h + 1] / difference[h] > 5;
    return pole ? INFINITY : 0;
}

/* The power of the pole at `tau` on one side, from the values there; 0 if there is none. Three estimates p, one for
   each step to the next h, are extrapolated to h = 0; they differ where the node has finite parts beside the pole. */
static double power_on_side(const search *s, int side)
{
    double p[STEPS - 1];
    for (int h = 0; h + 1 < STEPS; h++) {
        double far = fabs(s->node_value[2 * h + side]), near = fabs(s->node_value[2 * (h + 1) + side]);
        if (!isfinite(near) || !(near > far) || far == 0)
            return 0;
        p[h] = log10(near / far);
    }
    double last = p[2] - p[1], curvature = last - (p[1] - p[0]);
    double correction = fabs(curvature) > 1e-9 ? -last * last / curvature : 0;
    if (fabs(last) < 0.02 && fabs(correction) < 0.02)
        return p[2] + correction;
    return fmin(fmin(p[0], p[1]), p[2]) > CERTAIN_POWER ? p[2] : 0; /* no power, but beyond doubt */
}

/* 1 if the node overflows on the way to the zero, from finite numbers that ascend. */
static int overflows_on_side(const search *s, int side)
{
    for (int h = 0; h + 1 < STEPS; h++)
        if (!(fabs(s->node_value[2 * (h + 1) + side]) >= fabs(s->node_value[2 * h + side])))
            return 0;
    return isfinite(s->node_value[side]) && isinf(s->node_value[2 * (STEPS - 1) + side]);
}

static void look_for_jump(search *s, double tau)
{
    s->largest = fmax(s->largest, jump_at(s, tau));
}

static void look_for_pole(search *s, double tau)
{
    int overflow = 0;
    evaluate_beside(s, tau, steps + POLE_FROM);
    for (int side = 0; side < 2; side++) {
        double power = power_on_side(s, side);
        if (power > LEAST_POWER - POWER_ERROR)
            s->largest = fmax(s->largest, power);
        overflow |= isinf(s->node_value[side]);
    }
    if (!overflow)
        return;
    evaluate_beside(s, tau, wide_steps);
    if (overflows_on_side(s, 0) || overflows_on_side(s, 1))
        s->largest = INFINITY;
}

/* Follows the random line now set from -half to half. */
static void search_line(search *s, double half)
{
    double value[POINTS], tau[POINTS];
    place_points(s, -half, half);
    evaluate(s, POINTS);
    memcpy(value, s->switch_value, sizeof value);
    memcpy(tau, s->tau, sizeof tau);
    for (int p = 1; p < POINTS; p++) {
        if (sign_class(value[p]) != sign_class(value[p - 1])) {
            s->look(s, zoom_on_change(s, tau[p - 1], tau[p]));
        } else if (p + 1 < POINTS && fabs(value[p]) < fabs(value[p - 1]) && fabs(value[p]) <= fabs(value[p + 1])) {
            double least, at = zoom_on_minimum(s, tau[p - 1], tau[p + 1], &least);
            if (least <= TOUCHING * fmin(1, fabs(value[p - 1])))
                s->look(s, at);
        }
    }
}

/* Looks at zeros of one switch; s->largest is what is found. */
static sgdmft_status search_switch(sgdmft_context *ctx, search *s, expr_node zero_of, expr_node node)
{
    s->largest = 0;
    sgdmft_status status = expr_compile(ctx, s->graph, (expr_node[]){zero_of, node}, 2, &s->program);
    if (status != SGDMFT_OK)
        return status;
    s->work = calloc(expr_program_work(s->program), sizeof *s->work);
    if (!s->work)
        status = context_out_of_memory(ctx, "the search for jumps", 8.0 * (double)expr_program_work(s->program));
    /* the shortest lines that meet a jump show its typical size */
    for (size_t h = 0; status == SGDMFT_OK && s->largest == 0 && h < sizeof half_lengths / sizeof *half_lengths; h++)
        for (int line = 0; line < LINES; line++) {
            random_line(s);
            search_line(s, half_lengths[h]);
        }
    free(s->work);
    expr_program_free(s->program);
    return status;
}

/* The function whose zeros are the switching surface of a node, or EXPR_NONE for smooth nodes. == and != differ from
   their surroundings in single points only, and `if` switches where something in its condition does. */
static expr_node switch_function(expr_graph *g, expr_node node)
{
    const graph_node *n = &g->node[node];
    expr_node a = n->n_args > 0 ? graph_arg(g, node, 0) : EXPR_NONE;
    expr_node b = n->n_args > 1 ? graph_arg(g, node, 1) : EXPR_NONE;
    switch (n->op) {
    case OP_SIGN:
    case OP_ABS:
    case OP_RELU:
    case OP_SQRT:
    case OP_LOG:
    case OP_POW: return a;
    case OP_LT:
    case OP_LE:
    case OP_MIN:
    case OP_MAX: return node_sub(g, a, b);
    case OP_DIV: return b;
    case OP_LOG1P: return node_add(g, a, node_constant(g, 1));
    case OP_TAN: return node_unary(g, OP_COS, a);
    default: return EXPR_NONE;
    }
}

static expr_node switch_of(expr_graph *g, expr_node node)
{
    expr_node zero_of = switch_function(g, node);
    int negated = zero_of != EXPR_NONE && graph_op(g, zero_of) == OP_NEG;
    return negated ? graph_arg(g, zero_of, 0) : zero_of;
}

/* 1 if some node of the graph applies `op` to (a, b), in this order or the other, or to a alone if b is EXPR_NONE. */
static int applied(const expr_graph *g, expr_op op, expr_node a, expr_node b)
{
    for (int i = 0; i < g->n_nodes; i++) {
        if (g->node[i].op != op)
            continue;
        expr_node x = graph_arg(g, i, 0), y = g->node[i].n_args > 1 ? graph_arg(g, i, 1) : EXPR_NONE;
        if ((x == a && y == b) || (x == b && y == a))
            return 1;
    }
    return 0;
}

static int chooses(const expr_graph *g, expr_node condition)
{
    for (int i = 0; i < g->n_nodes; i++)
        if (g->node[i].op == OP_IF && graph_arg(g, i, 0) == condition)
            return 1;
    return 0;
}

/* The name that the user wrote for the switch: derivatives turn relu, abs, min and max into comparisons and signs. */
static const char *user_name(const expr_graph *g, expr_node node)
{
    expr_op op = graph_op(g, node);
    expr_node a = graph_arg(g, node, 0), b = g->node[node].n_args > 1 ? graph_arg(g, node, 1) : EXPR_NONE;
    if (op == OP_SIGN && applied(g, OP_ABS, a, EXPR_NONE))
        return "abs";
    if (op == OP_LT && graph_is(g, a, 0) && applied(g, OP_RELU, b, EXPR_NONE))
        return "relu";
    if (op == OP_LE && applied(g, OP_MAX, a, b))
        return "max";
    if (op == OP_LE && applied(g, OP_MIN, a, b))
        return "min";
    if ((op == OP_LT || op == OP_LE || op == OP_EQ || op == OP_NE) && chooses(g, node))
        return "if";
    return function_of(op)->name;
}

static void mark_below(const expr_graph *graph, expr_node node, char *below)
{
    below[node] = 1;
    for (expr_node i = node; i >= 0; i--)
        for (int a = 0; below[i] && a < graph->node[i].n_args; a++)
            below[graph_arg(graph, i, a)] = 1;
}

static int contains(const expr_node *list, int n, expr_node node)
{
    for (int i = 0; i < n; i++)
        if (list[i] == node)
            return 1;
    return 0;
}

/* Collects the switches below `node` that move, each once, and the nodes they belong to; returns their number. */
static int collect_switches(expr_graph *graph, expr_node node, uint64_t moving, const char *below, expr_node *zero_of,
                            expr_node *owner)
{
    int n = 0;
    for (expr_node i = 0; i <= node; i++) {
        if (!below[i] || !(graph->node[i].depends & moving))
            continue;
        expr_node zero = switch_of(graph, i);
        if (zero == EXPR_NONE || !(graph->node[zero].depends & moving) || contains(zero_of, n, zero))
            continue;
        zero_of[n] = zero;
        owner[n++] = i;
    }
    return n;
}

static sgdmft_status search_all(sgdmft_context *ctx, search *s, expr_node node, const expr_node *zero_of,
                                const expr_node *owner, int n, expr_jump *jump)
{
    for (int i = 0; i < n; i++) {
        sgdmft_status status = search_switch(ctx, s, zero_of[i], node);
        if (status != SGDMFT_OK)
            return status;
        if (s->largest <= jump->size)
            continue;
        *jump = (expr_jump){.found = 1, .size = s->largest};
        strncpy(jump->function, user_name(s->graph, owner[i]), sizeof jump->function - 1);
    }
    return SGDMFT_OK;
}

/* Searches at zeros of all switches of `node` that move. */
static sgdmft_status search_node(sgdmft_context *ctx, expr_graph *graph, expr_node node, const expr_node *moving,
                                 size_t n_moving, size_t n_normal, uint64_t seed, judge look, expr_jump *out)
{
    *out = (expr_jump){0};
    uint64_t mask = 0;
    for (size_t i = 0; i < n_moving; i++)
        mask |= graph->node[moving[i]].depends;
    size_t n = (size_t)node + 1;
    char *below = calloc(n, sizeof *below);
    expr_node *zero_of = calloc(n, sizeof *zero_of), *owner = calloc(n, sizeof *owner);
    search *s = calloc(1, sizeof *s);
    sgdmft_status status = SGDMFT_OK;
    if (!below || !zero_of || !owner || !s) {
        status = context_out_of_memory(ctx, "the search for jumps", (double)sizeof *s + 9.0 * (double)n);
    } else {
        mark_below(graph, node, below);
        int switches = collect_switches(graph, node, mask, below, zero_of, owner);
        status = graph_report(ctx, graph, "in the search for jumps");
        *s = (search){.graph = graph,
                      .moving = moving,
                      .n_moving = n_moving,
                      .n_normal = n_normal,
                      .key = {seed, 0, PURPOSE_JUMPS},
                      .look = look};
        if (status == SGDMFT_OK)
            status = search_all(ctx, s, node, zero_of, owner, switches, out);
    }
    free(below);
    free(zero_of);
    free(owner);
    free(s);
    return status;
}

sgdmft_status expr_find_jump(sgdmft_context *ctx, expr_graph *graph, expr_node node, const expr_node *moving,
                             size_t n_moving, size_t n_normal, uint64_t seed, expr_jump *out)
{
    return search_node(ctx, graph, node, moving, n_moving, n_normal, seed, look_for_jump, out);
}

sgdmft_status expr_find_pole(sgdmft_context *ctx, expr_graph *graph, expr_node node, const expr_node *moving,
                             size_t n_moving, size_t n_normal, uint64_t seed, expr_pole *out)
{
    expr_jump found;
    sgdmft_status status = search_node(ctx, graph, node, moving, n_moving, n_normal, seed, look_for_pole, &found);
    *out = (expr_pole){.found = found.found, .power = found.size};
    memcpy(out->function, found.function, sizeof out->function);
    return status;
}
