/* Runs a program over a block of lanes, chunk by chunk.

   Whole groups of LOOP_LANES lanes are read and written in place. What is left over goes through the same loops in
   a padded copy, so a lane is computed in the same way wherever it stands. */
#include <stdint.h>
#include <string.h>

#include "expr/program.h"

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
    case PLACE_INPUT:
        return (loop_operand){f->in[at.index] + f->base, 1};
    case PLACE_CONSTANT:
        return (loop_operand){f->program->constant + (size_t)at.index * LOOP_LANES, 0};
    default:
        return (loop_operand){writable(f, at), 1};
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
