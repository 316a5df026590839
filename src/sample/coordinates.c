#include "sample/coordinates.h"

#include <stdlib.h>

#include "core/memory.h"
#include "core/origin.h"
#include "problem/problem.h"
#include "sample/draws.h"

enum { L = SAMPLE_LANES };

sgdmft_status coordinates_check_ridge(sgdmft_context *ctx, const sgdmft_problem *problem)
{
    if (!problem->penalty.text)
        return SGDMFT_OK;
    return origin_fail(
        ctx, SGDMFT_ERR_UNSUPPORTED, &problem->penalty.where,
        "with this penalty coordinates follow a nonlinear process, which cannot be drawn from C, R and "
        "m alone; needed: the ridge, key lambda, or the group /coordinates of a solve with this penalty");
}

sgdmft_status coordinate_process_new(sgdmft_context *ctx, const sgdmft_problem *problem, const two_time *x, size_t n,
                                     const size_t *node, coordinate_process **out)
{
    *out = NULL;
    int nonlinear = problem->penalty.text && x->coordinates;
    sgdmft_status status = nonlinear ? SGDMFT_OK : coordinates_check_ridge(ctx, problem);
    if (!status)
        status = two_time_check(ctx, x, problem);
    if (status)
        return status;
    coordinate_process *process = calloc(1, sizeof *process);
    if (!process)
        return context_out_of_memory(ctx, "the process of the coordinates", sizeof *process);
    process->k = x->k;
    process->kstar = x->kstar;
    process->n = n;
    status = coordinates_law_new(ctx, problem, &process->law);
    if (!status && nonlinear)
        status = nonlinear_process_new(ctx, problem, x, n, node, &process->nonlinear);
    else if (!status)
        status = gaussian_process_of_coordinates(ctx, problem, x, n, node, &process->gaussian);
    if (status) {
        coordinate_process_free(process);
        return status;
    }
    process->normals = (nonlinear ? nonlinear_process_cells(process->nonlinear) : n) * (size_t)x->k;
    *out = process;
    return SGDMFT_OK;
}

void coordinate_process_free(coordinate_process *process)
{
    if (!process)
        return;
    gaussian_process_clear(&process->gaussian);
    nonlinear_process_free(process->nonlinear);
    coordinates_law_free(process->law);
    free(process);
}

sgdmft_status coordinate_paths_new(sgdmft_context *ctx, const coordinate_process *process, coordinate_paths **out)
{
    size_t k = (size_t)process->k, dims = (size_t)coordinates_law_dims(process->law);
    *out = NULL;
    coordinate_paths *p = calloc(1, sizeof *p);
    if (!p)
        return context_out_of_memory(ctx, "a block of paths", sizeof *p);
    p->theta = memory_doubles(process->n * k * L);
    p->thetastar = memory_doubles((size_t)process->kstar * L);
    p->theta0 = memory_doubles(k * L);
    p->uniforms = memory_doubles(dims * L);
    p->normals = memory_doubles(process->normals * L);
    p->row = memory_doubles(process->normals > dims ? process->normals : dims);
    p->law_work = memory_doubles(coordinates_law_work(process->law));
    int failed = !p->theta || !p->thetastar || !p->theta0 || !p->uniforms || !p->normals || !p->row || !p->law_work;
    sgdmft_status status = SGDMFT_OK;
    if (failed)
        status =
            context_out_of_memory(ctx, "a block of paths", 8.0 * (double)((process->n * k + process->normals) * L));
    else if (process->nonlinear)
        status = nonlinear_workspace_new(ctx, process->nonlinear, &p->nonlinear);
    if (status)
        coordinate_paths_free(p);
    else
        *out = p;
    return status;
}

void coordinate_paths_free(coordinate_paths *p)
{
    if (!p)
        return;
    free(p->theta);
    free(p->thetastar);
    free(p->theta0);
    free(p->uniforms);
    free(p->normals);
    free(p->row);
    free(p->law_work);
    nonlinear_workspace_free(p->nonlinear);
    free(p);
}

sgdmft_status coordinate_paths_draw(const coordinate_process *process, uint64_t seed, uint64_t number,
                                    coordinate_paths *p)
{
    size_t dims = (size_t)coordinates_law_dims(process->law);
    sample_draw(random_uniforms, seed, SAMPLE_LAW, number, dims, p->row, p->uniforms);
    coordinates_law_map(process->law, p->law_work, L, p->uniforms, p->theta0, p->thetastar);
    sample_draw(random_normals, seed, SAMPLE_COORDINATES, number, process->normals, p->row, p->normals);
    if (process->nonlinear)
        return nonlinear_process_run(process->nonlinear, p->theta0, p->thetastar, p->normals, p->nonlinear, p->theta);
    gaussian_process_draw(&process->gaussian, L, p->normals, p->theta0, p->thetastar, p->theta);
    return SGDMFT_OK;
}

sgdmft_status coordinate_paths_report(sgdmft_context *ctx, sgdmft_status status)
{
    if (!status)
        return SGDMFT_OK;
    return context_fail(ctx, status,
                        "penalty: the equation of a time step has no solution for a sampled coordinate; hint: raise "
                        "numerics.steps of the solve");
}
