#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/memory.h"

sgdmft_problem *test_problem(sgdmft_context *ctx, const char *format, ...)
{
    char *text = NULL;
    sgdmft_problem *problem = NULL;
    va_list args;
    va_start(args, format);
    assert_true(vasprintf(&text, format, args) >= 0);
    va_end(args);
    check_ok(ctx, sgdmft_problem_parse(ctx, "test.yaml", text, NULL, 0, &problem));
    free(text);
    return problem;
}

void test_plan_init(test_plan *t, sgdmft_problem *problem)
{
    t->ctx = check_context(1);
    t->problem = problem;
    check_ok(t->ctx, dmft_plan_init(t->ctx, problem, &t->plan));
}

void test_plan_clear(test_plan *t)
{
    dmft_plan_clear(&t->plan);
    sgdmft_problem_free(t->problem);
    sgdmft_context_free(t->ctx);
}

void test_plan_exact(test_plan *t)
{
    for (int g = 0; g < GRIDS; g++)
        t->plan.on_grid[g].single = 0;
}

path_ensemble *test_paths(const test_plan *t, uint32_t replica)
{
    path_ensemble *paths = NULL;
    path_source source = t->plan.source;
    label_axes label;
    check_ok(t->ctx, label_axes_find(t->ctx, t->plan.m, &t->plan.law, &label));
    source.label = &label;
    check_ok(t->ctx, path_ensemble_new(t->ctx, &source, t->plan.grid[GRID_FINE], replica, &paths));
    return paths;
}

kernels *test_kernels(const test_plan *t)
{
    kernels *kern = NULL;
    check_ok(t->ctx, dmft_plan_kernels(t->ctx, &t->plan, t->plan.grid[GRID_FINE], &kern));
    return kern;
}

test_blocks test_blocks_new(const test_plan *t, const path_ensemble *paths)
{
    return test_blocks_new_on(t, &t->plan.on_grid[GRID_FINE], paths);
}

test_blocks test_blocks_new_on(const test_plan *t, const path_plan *plan, const path_ensemble *paths)
{
    test_blocks blocks = {.t = t, .plan = plan, .paths = paths};
    int slots = 1;
    blocks.block = calloc(paths->n_blocks, sizeof *blocks.block);
    blocks.sums = memory_doubles(plan->at.size);
    assert_non_null(blocks.block);
    assert_non_null(blocks.sums);
    for (size_t b = 0; b < paths->n_blocks; b++) {
        check_ok(t->ctx, path_block_new(t->ctx, plan, &paths->block[b], &blocks.block[b]));
        if (paths->block[b].slots > slots)
            slots = paths->block[b].slots;
    }
    check_ok(t->ctx, path_workspace_new(t->ctx, plan, paths->block[0].n, slots, &blocks.workspace));
    return blocks;
}

/* Node 0 for cell = -1. */
static void advance(test_blocks *blocks, const kernels *kern, int cell)
{
    const path_plan *plan = blocks->plan;
    memset(blocks->sums, 0, sizeof(double) * plan->at.size);
    for (size_t b = 0; b < blocks->paths->n_blocks; b++)
        assert_int_equal(cell < 0
                             ? path_block_start(&blocks->block[b], plan, NULL, blocks->workspace, blocks->sums)
                             : path_block_advance(&blocks->block[b], plan, kern, cell, blocks->workspace, blocks->sums),
                         0);
    for (size_t i = 0; i < plan->at.size; i++)
        blocks->sums[i] /= (double)blocks->paths->paths;
}

void test_blocks_start(test_blocks *blocks)
{
    advance(blocks, NULL, -1);
    test_blocks_accept(blocks);
}

void test_blocks_advance(test_blocks *blocks, const kernels *kern, int cell)
{
    advance(blocks, kern, cell);
}

void test_blocks_accept(test_blocks *blocks)
{
    for (size_t b = 0; b < blocks->paths->n_blocks; b++)
        path_block_accept(&blocks->block[b], blocks->plan);
}

void test_blocks_clear(test_blocks *blocks)
{
    for (size_t b = 0; b < blocks->paths->n_blocks; b++)
        path_block_clear(&blocks->block[b]);
    free(blocks->block);
    free(blocks->sums);
    path_workspace_free(blocks->workspace);
}
