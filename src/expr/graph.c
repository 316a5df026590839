#include "expr/graph.h"

#include <stdlib.h>
#include <string.h>

#include "expr/functions.h"

sgdmft_status expr_graph_new(sgdmft_context *ctx, expr_graph **out)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return context_out_of_memory(ctx, "an expression graph", sizeof **out);
    return SGDMFT_OK;
}

void expr_graph_free(expr_graph *graph)
{
    if (!graph)
        return;
    free(graph->node);
    free(graph->arg);
    free(graph->table);
    for (size_t i = 0; i < graph->n_names; i++) {
        free(graph->name[i].name);
        free(graph->name[i].forbidden);
    }
    free(graph->name);
    free(graph);
}

sgdmft_status graph_report(sgdmft_context *ctx, expr_graph *graph, const char *doing)
{
    graph_trouble trouble = graph->trouble;
    graph->trouble = TROUBLE_NONE;
    switch (trouble) {
    case TROUBLE_NONE: return SGDMFT_OK;
    case TROUBLE_MEMORY:
        return context_out_of_memory(ctx, "an expression graph", 3.0 * graph->node_room * sizeof *graph->node);
    case TROUBLE_SIZE: break;
    }
    return context_fail(ctx, SGDMFT_ERR_UNSUPPORTED,
                        "expression too large: more than %d nodes %s; allowed: at most %d distinct subexpressions; "
                        "write it with fewer terms, or use a plug-in (model.plugin)",
                        EXPR_MAX_NODES, doing, EXPR_MAX_NODES);
}

static sgdmft_status check_name(sgdmft_context *ctx, const char *name)
{
    if (function_find(name, strlen(name)) != OP_COUNT || strcmp(name, "pi") == 0)
        return context_fail(ctx, SGDMFT_ERR_ARGUMENT, "expression name \"%s\": reserved for a function or constant",
                            name);
    return SGDMFT_OK;
}

sgdmft_status expr_variable(sgdmft_context *ctx, expr_graph *graph, const char *name, expr_node *out)
{
    if (graph->n_variables == EXPR_MAX_VARIABLES)
        return context_fail(ctx, SGDMFT_ERR_UNSUPPORTED, "expression variable \"%s\": allowed: at most %d variables",
                            name, EXPR_MAX_VARIABLES);
    expr_node node = graph_intern(graph, OP_VARIABLE, NULL, 0, graph->n_variables);
    sgdmft_status status = graph_report(ctx, graph, "while declaring variables");
    if (status == SGDMFT_OK)
        status = expr_bind(ctx, graph, name, node);
    if (status != SGDMFT_OK)
        return status;
    graph->n_variables++;
    *out = node;
    return SGDMFT_OK;
}

const graph_name *graph_find_name(const expr_graph *graph, const char *name, size_t length)
{
    for (size_t i = 0; i < graph->n_names; i++)
        if (strlen(graph->name[i].name) == length && memcmp(graph->name[i].name, name, length) == 0)
            return &graph->name[i];
    return NULL;
}

static graph_name *find_mutable(expr_graph *graph, const char *name)
{
    for (size_t i = 0; i < graph->n_names; i++)
        if (strcmp(graph->name[i].name, name) == 0)
            return &graph->name[i];
    return NULL;
}

static int grow_names(expr_graph *graph)
{
    size_t room = graph->name_room ? 2 * graph->name_room : 16;
    graph_name *name = realloc(graph->name, room * sizeof *name);
    if (!name)
        return -1;
    graph->name = name;
    graph->name_room = room;
    return 0;
}

static int add_name(expr_graph *graph, const char *name, expr_node node)
{
    if (graph->n_names == graph->name_room && grow_names(graph))
        return -1;
    char *copy = strdup(name);
    if (!copy)
        return -1;
    graph->name[graph->n_names++] = (graph_name){copy, node, NULL};
    return 0;
}

sgdmft_status expr_bind(sgdmft_context *ctx, expr_graph *graph, const char *name, expr_node node)
{
    sgdmft_status status = check_name(ctx, name);
    if (status != SGDMFT_OK)
        return status;
    graph_name *old = find_mutable(graph, name);
    if (old)
        old->node = node;
    else if (add_name(graph, name, node))
        return context_out_of_memory(ctx, "the names of an expression", (double)sizeof(graph_name));
    return SGDMFT_OK;
}

void expr_unbind(expr_graph *graph, const char *name)
{
    graph_name *entry = find_mutable(graph, name);
    if (!entry)
        return;
    free(entry->name);
    free(entry->forbidden);
    graph_name *end = graph->name + graph->n_names--;
    memmove(entry, entry + 1, (size_t)(end - entry - 1) * sizeof *entry);
}

sgdmft_status expr_forbid(sgdmft_context *ctx, expr_graph *graph, const char *name, const char *why)
{
    graph_name *entry = find_mutable(graph, name);
    if (!entry)
        return SGDMFT_OK;
    char *copy = why ? strdup(why) : NULL;
    if (why && !copy)
        return context_out_of_memory(ctx, "the names of an expression", (double)strlen(why));
    free(entry->forbidden);
    entry->forbidden = copy;
    return SGDMFT_OK;
}

int expr_depends(const expr_graph *graph, expr_node node, expr_node variable)
{
    return (graph->node[node].depends & graph->node[variable].depends) != 0;
}

int expr_constant(const expr_graph *graph, expr_node node, double *value)
{
    if (graph_op(graph, node) != OP_CONSTANT)
        return 0;
    *value = graph->node[node].constant;
    return 1;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 29);
}

static uint64_t hash_node(expr_op op, const expr_node *args, int n_args, double constant)
{
    uint64_t bits;
    memcpy(&bits, &constant, sizeof bits); /* so that 0 and -0 are two constants */
    uint64_t hash = mix(mix(0, (uint64_t)op), bits);
    for (int i = 0; i < n_args; i++)
        hash = mix(hash, (uint64_t)args[i]);
    return hash;
}

static uint64_t hash_existing(const expr_graph *graph, int index)
{
    const graph_node *node = &graph->node[index];
    return hash_node(node->op, graph->arg + node->first, node->n_args, node->constant);
}

static int same_node(const expr_graph *graph, int index, expr_op op, const expr_node *args, int n_args, double constant)
{
    const graph_node *node = &graph->node[index];
    if (node->op != op || node->n_args != n_args || memcmp(&node->constant, &constant, sizeof constant))
        return 0;
    for (int i = 0; i < n_args; i++)
        if (graph->arg[node->first + i] != args[i])
            return 0;
    return 1;
}

static int grow_table(expr_graph *graph)
{
    size_t size = graph->table_size ? 2 * graph->table_size : 256;
    int *table = calloc(size, sizeof *table);
    if (!table)
        return -1;
    for (int i = 0; i < graph->n_nodes; i++) {
        size_t at = hash_existing(graph, i) & (size - 1);
        while (table[at])
            at = (at + 1) & (size - 1);
        table[at] = i + 1;
    }
    free(graph->table);
    graph->table = table;
    graph->table_size = size;
    return 0;
}

static int grow_nodes(expr_graph *graph)
{
    int room = graph->node_room ? 2 * graph->node_room : 128;
    graph_node *node = realloc(graph->node, (size_t)room * sizeof *node);
    if (!node)
        return -1;
    graph->node = node;
    graph->node_room = room;
    return 0;
}

static int grow_args(expr_graph *graph)
{
    int room = graph->arg_room ? 2 * graph->arg_room : 256;
    expr_node *arg = realloc(graph->arg, (size_t)room * sizeof *arg);
    if (!arg)
        return -1;
    graph->arg = arg;
    graph->arg_room = room;
    return 0;
}

static int make_room(expr_graph *graph, int n_args)
{
    if (graph->n_nodes == graph->node_room && grow_nodes(graph))
        return -1;
    while (graph->n_args + n_args > graph->arg_room)
        if (grow_args(graph))
            return -1;
    if (2 * (size_t)(graph->n_nodes + 1) > graph->table_size && grow_table(graph))
        return -1;
    return 0;
}

static expr_node append(expr_graph *graph, expr_op op, const expr_node *args, int n_args, double constant)
{
    graph_node *node = &graph->node[graph->n_nodes];
    *node = (graph_node){.op = op, .n_args = n_args, .first = graph->n_args, .constant = constant};
    if (op == OP_VARIABLE)
        node->depends = UINT64_C(1) << (int)constant;
    for (int i = 0; i < n_args; i++) {
        graph->arg[graph->n_args++] = args[i];
        node->depends |= graph->node[args[i]].depends;
    }
    return graph->n_nodes++;
}

expr_node graph_intern(expr_graph *graph, expr_op op, const expr_node *args, int n_args, double constant)
{
    if (graph->trouble != TROUBLE_NONE)
        return EXPR_NONE;
    if (make_room(graph, n_args)) {
        graph->trouble = TROUBLE_MEMORY;
        return EXPR_NONE;
    }
    size_t at = hash_node(op, args, n_args, constant) & (graph->table_size - 1);
    for (; graph->table[at]; at = (at + 1) & (graph->table_size - 1))
        if (same_node(graph, graph->table[at] - 1, op, args, n_args, constant))
            return graph->table[at] - 1;
    if (graph->n_nodes == EXPR_MAX_NODES) {
        graph->trouble = TROUBLE_SIZE;
        return EXPR_NONE;
    }
    graph->table[at] = graph->n_nodes + 1;
    return append(graph, op, args, n_args, constant);
}
