/* Programs: compiled from nodes, then run over blocks of lanes.

   Order of instructions: depth first from the outputs, so that values are used soon after they are made. Registers: a
   register is free again at the last use of its value, and may then hold the result of that very instruction. Outputs
   are written straight to where they belong and read from there if they are needed again.

   A block is run chunk by chunk. Whole groups of LOOP_LANES lanes are read and written in place. The lanes left over go
   through the same loops in a padded copy, so a lane is computed in the same way wherever it stands. */
#include "expr/program.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "expr/loops.h"

/* Registers of a chunk should fit into a first-level cache together with inputs and outputs. */
#define CACHE_BYTES 24576
#define SMALLEST_CHUNK 64
#define LARGEST_CHUNK 512

typedef enum place_kind { PLACE_INPUT, PLACE_CONSTANT, PLACE_REGISTER, PLACE_OUTPUT } place_kind;

typedef struct place {
    place_kind kind;
    int index;
} place;

typedef struct instruction {
    expr_loop run;
    place out;
    int n_in, first; /* operands operand[first .. first + n_in - 1] */
} instruction;

struct expr_program {
    instruction *instruction;
    int n_instructions;
    place *operand;
    int n_operands;
    double *constant; /* each repeated LOOP_LANES times */
    int n_constants;
    int n_registers;
    int n_outputs;
    int n_inputs;                  /* variables that are read: */
    int input[EXPR_MAX_VARIABLES]; /* their numbers */
    size_t chunk;                  /* lanes worked on at a time */
};

typedef struct compiler {
    const expr_graph *graph;
    expr_program *program;
    const expr_loops *loops;
    place *at; /* of every node that has been placed */
    char *placed;
    int *uses; /* of a node by instructions still to come */
    expr_node *order, *stack;
    int n_order;
    int *spare; /* stack of free registers */
    int n_spare;
} compiler;

static void free_compiler(compiler *c)
{
    free(c->at);
    free(c->placed);
    free(c->uses);
    free(c->order);
    free(c->stack);
    free(c->spare);
}

static int start_compiler(compiler *c, size_t nodes, size_t arguments)
{
    c->at = calloc(nodes, sizeof *c->at);
    c->placed = calloc(nodes, sizeof *c->placed);
    c->uses = calloc(nodes, sizeof *c->uses);
    c->order = calloc(nodes, sizeof *c->order);
    c->stack = calloc(nodes + arguments, sizeof *c->stack);
    c->spare = calloc(nodes, sizeof *c->spare);
    return c->at && c->placed && c->uses && c->order && c->stack && c->spare ? 0 : -1;
}

/* Appends all nodes below `root` that are not in the order yet, arguments first. A node is pushed when first seen and
   once per use at most; it is appended when it is met again with all arguments done. */
static void order_below(compiler *c, expr_node root, char *seen)
{
    int n = 0;
    c->stack[n++] = root;
    while (n > 0) {
        expr_node node = c->stack[n - 1];
        if (seen[node] == 2) {
            n--;
        } else if (seen[node] == 1) {
            seen[node] = 2;
            c->order[c->n_order++] = node;
            n--;
        } else {
            seen[node] = 1;
            for (int a = c->graph->node[node].n_args - 1; a >= 0; a--)
                if (!seen[graph_arg(c->graph, node, a)])
                    c->stack[n++] = graph_arg(c->graph, node, a);
        }
    }
}

static void count_uses(compiler *c)
{
    for (int i = 0; i < c->n_order; i++)
        for (int a = 0; a < c->graph->node[c->order[i]].n_args; a++)
            c->uses[graph_arg(c->graph, c->order[i], a)]++;
}

static int is_leaf(const compiler *c, expr_node node)
{
    return graph_op(c->graph, node) == OP_CONSTANT || graph_op(c->graph, node) == OP_VARIABLE;
}

static void set_place(compiler *c, expr_node node, place_kind kind, int index)
{
    c->at[node] = (place){kind, index};
    c->placed[node] = 1;
}

static int count_operands(const compiler *c, size_t n_outputs)
{
    int n = (int)n_outputs; /* copies */
    for (int i = 0; i < c->n_order; i++)
        n += c->graph->node[c->order[i]].n_args;
    return n;
}

static int make_program_room(compiler *c, size_t n_outputs)
{
    expr_program *program = c->program;
    size_t nodes = (size_t)c->n_order;
    program->instruction = calloc(nodes + n_outputs, sizeof *program->instruction);
    program->operand = calloc((size_t)count_operands(c, n_outputs) + 1, sizeof *program->operand);
    size_t bytes = (nodes + 1) * LOOP_LANES * sizeof *program->constant;
    program->constant = aligned_alloc(LOOP_LANES * sizeof *program->constant, bytes);
    return program->instruction && program->operand && program->constant ? 0 : -1;
}

static void place_leaf(compiler *c, expr_node node)
{
    expr_program *program = c->program;
    double value = c->graph->node[node].constant;
    if (graph_op(c->graph, node) == OP_VARIABLE) {
        set_place(c, node, PLACE_INPUT, program->n_inputs);
        program->input[program->n_inputs++] = (int)value;
        return;
    }
    set_place(c, node, PLACE_CONSTANT, program->n_constants);
    for (int i = 0; i < LOOP_LANES; i++)
        program->constant[program->n_constants * LOOP_LANES + i] = value;
    program->n_constants++;
}

static int take_register(compiler *c)
{
    return c->n_spare > 0 ? c->spare[--c->n_spare] : c->program->n_registers++;
}

static void release_arguments(compiler *c, expr_node node)
{
    for (int a = 0; a < c->graph->node[node].n_args; a++) {
        expr_node arg = graph_arg(c->graph, node, a);
        if (--c->uses[arg] == 0 && c->at[arg].kind == PLACE_REGISTER)
            c->spare[c->n_spare++] = c->at[arg].index;
    }
}

static instruction *add_instruction(expr_program *program, expr_loop run, int n_in)
{
    instruction *ins = &program->instruction[program->n_instructions++];
    *ins = (instruction){.run = run, .n_in = n_in, .first = program->n_operands};
    program->n_operands += n_in;
    return ins;
}

static void emit(compiler *c, expr_node node)
{
    const graph_node *from = &c->graph->node[node];
    instruction *ins = add_instruction(c->program, c->loops->of[from->op], from->n_args);
    for (int a = 0; a < from->n_args; a++)
        c->program->operand[ins->first + a] = c->at[graph_arg(c->graph, node, a)];
    release_arguments(c, node);
    if (!c->placed[node]) /* not an output */
        set_place(c, node, PLACE_REGISTER, take_register(c));
    ins->out = c->at[node];
}

static void emit_copy(compiler *c, expr_node node, int output)
{
    instruction *ins = add_instruction(c->program, c->loops->copy, 1);
    c->program->operand[ins->first] = c->at[node];
    ins->out = (place){PLACE_OUTPUT, output};
}

/* The first output that is a computed node is that node's place; other outputs are copies. */
static void place_outputs(compiler *c, const expr_node *nodes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!is_leaf(c, nodes[i]) && !c->placed[nodes[i]])
            set_place(c, nodes[i], PLACE_OUTPUT, (int)i);
}

static void emit_all(compiler *c, const expr_node *nodes, size_t n)
{
    place_outputs(c, nodes, n);
    for (int i = 0; i < c->n_order; i++)
        if (is_leaf(c, c->order[i]))
            place_leaf(c, c->order[i]);
        else
            emit(c, c->order[i]);
    for (size_t i = 0; i < n; i++)
        if (c->at[nodes[i]].kind != PLACE_OUTPUT || c->at[nodes[i]].index != (int)i)
            emit_copy(c, nodes[i], (int)i);
}

static size_t choose_chunk(const expr_program *program)
{
    size_t vectors = (size_t)(program->n_registers + program->n_inputs + program->n_outputs) + 1;
    size_t lanes = CACHE_BYTES / sizeof(double) / vectors / LOOP_LANES * LOOP_LANES;
    return lanes < SMALLEST_CHUNK ? SMALLEST_CHUNK : lanes > LARGEST_CHUNK ? LARGEST_CHUNK : lanes;
}

static int compile(compiler *c, const expr_node *nodes, size_t n)
{
    char *seen = calloc((size_t)c->graph->n_nodes, sizeof *seen);
    if (!seen)
        return -1;
    for (size_t i = 0; i < n; i++)
        order_below(c, nodes[i], seen);
    free(seen);
    count_uses(c);
    if (make_program_room(c, n))
        return -1;
    c->program->n_outputs = (int)n;
    emit_all(c, nodes, n);
    c->program->chunk = choose_chunk(c->program);
    return 0;
}

sgdmft_status expr_compile_for(sgdmft_context *ctx, const expr_graph *graph, const expr_node *nodes, size_t n_nodes,
                               instruction_set set, expr_program **out)
{
    compiler c = {.graph = graph, .loops = expr_loops_for(set), .program = calloc(1, sizeof *c.program)};
    int failed = !c.program;
    if (!failed)
        failed = start_compiler(&c, (size_t)graph->n_nodes, (size_t)graph->n_args) || compile(&c, nodes, n_nodes);
    free_compiler(&c);
    if (failed) {
        expr_program_free(c.program);
        return context_out_of_memory(ctx, "an expression program", 64.0 * graph->n_nodes);
    }
    *out = c.program;
    return SGDMFT_OK;
}

sgdmft_status expr_compile(sgdmft_context *ctx, const expr_graph *graph, const expr_node *nodes, size_t n_nodes,
                           expr_program **out)
{
    return expr_compile_for(ctx, graph, nodes, n_nodes, simd_best(), out);
}

void expr_program_free(expr_program *program)
{
    if (!program)
        return;
    free(program->instruction);
    free(program->operand);
    free(program->constant);
    free(program);
}

typedef struct frame {
    const expr_program *program;
    double *registers;
    const double *in[EXPR_MAX_VARIABLES]; /* of the inputs that are read, first lane of the chunk */
    double *const *out;
    double *rest; /* padded outputs, which then stand for out[] */
    size_t base;  /* of the chunk in out[] */
} frame;

static double *align(double *work)
{
    uintptr_t mask = LOOP_LANES * sizeof(double) - 1;
    return (double *)(((uintptr_t)work + mask) & ~mask);
}

/* Padded copies of the last lanes: inputs, then outputs. */
static size_t padded_doubles(const expr_program *program)
{
    return (size_t)(program->n_inputs + program->n_outputs) * LOOP_LANES;
}

size_t expr_program_work(const expr_program *program)
{
    return LOOP_LANES + (size_t)program->n_registers * program->chunk + padded_doubles(program);
}

int expr_program_length(const expr_program *program)
{
    return program->n_instructions;
}

int expr_program_reads(const expr_program *program, size_t input)
{
    for (int i = 0; i < program->n_inputs; i++)
        if ((size_t)program->input[i] == input)
            return 1;
    return 0;
}

static double *writable(const frame *f, place at)
{
    if (at.kind == PLACE_OUTPUT && f->rest)
        return f->rest + (size_t)at.index * LOOP_LANES;
    if (at.kind == PLACE_OUTPUT)
        return f->out[at.index] + f->base;
    return f->registers + (size_t)at.index * f->program->chunk;
}

static loop_operand locate(const frame *f, place at)
{
    switch (at.kind) {
    case PLACE_INPUT: return (loop_operand){f->in[at.index] + f->base, 1};
    case PLACE_CONSTANT: return (loop_operand){f->program->constant + (size_t)at.index * LOOP_LANES, 0};
    default: return (loop_operand){writable(f, at), 1};
    }
}

/* Runs all instructions over `lanes` lanes, a multiple of LOOP_LANES. */
static void run(const frame *f, size_t lanes)
{
    loop_operand in[EXPR_MAX_ARGS];
    for (int i = 0; i < f->program->n_instructions; i++) {
        const instruction *ins = &f->program->instruction[i];
        for (int a = 0; a < ins->n_in; a++)
            in[a] = locate(f, f->program->operand[ins->first + a]);
        ins->run(lanes, writable(f, ins->out), in, ins->n_in);
    }
}

static void run_whole(frame *f, size_t n, const double *const *in)
{
    const expr_program *program = f->program;
    for (int v = 0; v < program->n_inputs; v++)
        f->in[v] = in[program->input[v]];
    for (f->base = 0; f->base < n; f->base += program->chunk) {
        size_t left = n - f->base;
        run(f, left < program->chunk ? left : program->chunk);
    }
}

/* The lanes from `first` to n - 1, fewer than LOOP_LANES; the last one is repeated as padding. */
static void run_rest(frame *f, size_t first, size_t n, const double *const *in, double *padded)
{
    const expr_program *program = f->program;
    for (int v = 0; v < program->n_inputs; v++) {
        const double *from = in[program->input[v]];
        double *to = padded + (size_t)v * LOOP_LANES;
        for (size_t p = 0; p < LOOP_LANES; p++)
            to[p] = from[first + p < n ? first + p : n - 1];
        f->in[v] = to;
    }
    f->rest = padded + (size_t)program->n_inputs * LOOP_LANES;
    f->base = 0;
    run(f, LOOP_LANES);
}

void expr_eval(const expr_program *program, double *work, size_t n, const double *const *in, double *const *out)
{
    frame f = {.program = program, .registers = align(work), .out = out};
    size_t whole = n / LOOP_LANES * LOOP_LANES;
    run_whole(&f, whole, in);
    if (whole == n)
        return;
    double *padded = f.registers + (size_t)program->n_registers * program->chunk;
    run_rest(&f, whole, n, in, padded);
    for (int i = 0; i < program->n_outputs; i++)
        memcpy(out[i] + whole, f.rest + (size_t)i * LOOP_LANES, (n - whole) * sizeof(double));
}
