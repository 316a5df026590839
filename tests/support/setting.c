#include "setting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "check.h"

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

void test_setting_init(test_setting *t, sgdmft_problem *problem)
{
    t->ctx = check_context(1);
    t->problem = problem;
    check_ok(t->ctx, dmft_plan_init(t->ctx, problem, &t->s));
}

void test_setting_clear(test_setting *t)
{
    dmft_plan_clear(&t->s);
    sgdmft_problem_free(t->problem);
    sgdmft_context_free(t->ctx);
}

void test_setting_exact(test_setting *t)
{
    for (int level = 0; level < GRIDS; level++)
        t->s.on_grid[level].single = 0;
}

path_ensemble *test_paths(const test_setting *t, uint32_t replica)
{
    path_ensemble *paths = NULL;
    path_source source = t->s.source;
    label_axes label;
    check_ok(t->ctx, label_axes_find(t->ctx, t->s.m, &t->s.law, &label));
    source.label = &label;
    check_ok(t->ctx, path_ensemble_new(t->ctx, &source, t->s.grid[GRID_FINE], replica, &paths));
    return paths;
}

kernels *test_kernels(const test_setting *t)
{
    kernels *kern = NULL;
    check_ok(t->ctx, dmft_plan_kernels(t->ctx, &t->s, t->s.grid[GRID_FINE], &kern));
    return kern;
}

test_run test_run_new(const test_setting *t, const path_ensemble *paths)
{
    return test_run_new_on(t, &t->s.on_grid[GRID_FINE], paths);
}

test_run test_run_new_on(const test_setting *t, const path_plan *set, const path_ensemble *paths)
{
    test_run run = {.t = t, .set = set, .paths = paths};
    int slots = 1;
    run.block = calloc(paths->n_blocks, sizeof *run.block);
    run.sums = memory_doubles(set->at.size);
    assert_non_null(run.block);
    assert_non_null(run.sums);
    for (size_t b = 0; b < paths->n_blocks; b++) {
        check_ok(t->ctx, path_block_new(t->ctx, set, &paths->block[b], &run.block[b]));
        if (paths->block[b].slots > slots)
            slots = paths->block[b].slots;
    }
    check_ok(t->ctx, path_workspace_new(t->ctx, set, paths->block[0].n, slots, &run.scratch));
    return run;
}

/* Node 0 for cell = -1. */
static void advance(test_run *run, const kernels *kern, int cell)
{
    const path_plan *set = run->set;
    memset(run->sums, 0, sizeof(double) * set->at.size);
    for (size_t b = 0; b < run->paths->n_blocks; b++)
        assert_int_equal(cell < 0 ? path_block_start(&run->block[b], set, run->scratch, run->sums)
                                  : path_block_advance(&run->block[b], set, kern, cell, run->scratch, run->sums),
                         0);
    for (size_t i = 0; i < set->at.size; i++)
        run->sums[i] /= (double)run->paths->paths;
}

void test_run_start(test_run *run)
{
    advance(run, NULL, -1);
    test_run_accept(run);
}

void test_run_advance(test_run *run, const kernels *kern, int cell)
{
    advance(run, kern, cell);
}

void test_run_accept(test_run *run)
{
    for (size_t b = 0; b < run->paths->n_blocks; b++)
        path_block_accept(&run->block[b], run->set);
}

void test_run_clear(test_run *run)
{
    for (size_t b = 0; b < run->paths->n_blocks; b++)
        path_block_clear(&run->block[b]);
    free(run->block);
    free(run->sums);
    path_workspace_free(run->scratch);
}
