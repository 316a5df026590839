#include "cli/sample_rows.h"

#include <inttypes.h>
#include <omp.h>
#include <stdlib.h>

#include "core/memory.h"
#include "sample/draws.h"

enum { L = SAMPLE_LANES };

/* What a visit row is. */
enum { AT_TIME, BEFORE_VISIT, AFTER_VISIT };

/* The memory of one thread. */
typedef struct desk {
    double *theta, *thetastar, *work; /* coordinates */
    preactivation_block *block;
    double *r; /* [times][k][L] */
} desk;

static void desk_free(desk *d)
{
    free(d->theta);
    free(d->thetastar);
    free(d->work);
    preactivation_block_free(d->block);
    free(d->r);
}

static sgdmft_status desk_new(sgdmft_context *ctx, const sample_plan *plan, desk *d)
{
    sgdmft_status status = SGDMFT_OK;
    const coordinate_process *c = plan->coordinates;
    const preactivation_process *p = plan->preactivations;
    if (c) {
        d->theta = memory_doubles(plan->n * (size_t)c->k * L);
        d->thetastar = memory_doubles((size_t)c->kstar * L);
        d->work = memory_doubles(c->work);
        if (!d->theta || !d->thetastar || !d->work)
            status = context_out_of_memory(ctx, "a block of paths", 8.0 * (double)(plan->n * L + c->work));
    }
    if (p && !status) {
        d->r = memory_doubles(plan->n * (size_t)p->x.k * L);
        status = d->r ? preactivation_block_new(ctx, p, &d->block) : context_out_of_memory(ctx, "a block of paths", 0);
    }
    return status;
}

static void put_names(FILE *to, const char *letter, int count)
{
    for (int i = 1; i <= count; i++)
        fprintf(to, ",%s%d", letter, i);
}

static void put_header(FILE *to, const sample_plan *plan)
{
    const preactivation_process *p = plan->preactivations;
    fputs(p ? "path,t,visit" : "path,t", to);
    if (plan->coordinates) {
        put_names(to, "th", plan->coordinates->k);
        put_names(to, "ths", plan->coordinates->kstar);
    }
    if (p) {
        put_names(to, "w", p->x.k);
        put_names(to, "r", p->x.k);
        put_names(to, "s", p->x.kstar);
        put_names(to, "y", p->shape.labels);
    }
    fputc('\n', to);
}

static void put_lane(FILE *to, const double *values, size_t count, size_t lane)
{
    for (size_t i = 0; i < count; i++)
        fprintf(to, ",%.10g", values[i * L + lane]);
}

static void put_sample(FILE *to, const sample_plan *plan, const desk *d, size_t lane)
{
    put_lane(to, d->block->wstar, (size_t)plan->preactivations->x.kstar, lane);
    put_lane(to, d->block->y, (size_t)plan->preactivations->shape.labels, lane);
    fputc('\n', to);
}

/* Two rows, without coordinates, which have no visits. */
static void put_visit(FILE *to, const sample_plan *plan, const desk *d, uint64_t path, size_t lane, size_t slot)
{
    const preactivation_block *block = d->block;
    size_t k = (size_t)plan->preactivations->x.k, at = slot * k * L;
    for (int after = 0; after < 2; after++) {
        fprintf(to, "%" PRIu64 ",%.12g,%d", path, block->events.time[slot * L + lane],
                after ? AFTER_VISIT : BEFORE_VISIT);
        for (int i = 0; plan->coordinates && i < plan->coordinates->k + plan->coordinates->kstar; i++)
            fputc(',', to);
        put_lane(to, block->w_event + at, k, lane);
        for (size_t a = 0; a < k; a++)
            fprintf(to, ",%.10g", block->r_event[at + a * L + lane] - (after ? block->kick[at + a * L + lane] : 0));
        put_sample(to, plan, d, lane);
    }
}

static void put_time(FILE *to, const sample_plan *plan, const desk *d, uint64_t path, size_t lane, size_t i)
{
    const coordinate_process *c = plan->coordinates;
    const preactivation_process *p = plan->preactivations;
    fprintf(to, "%" PRIu64 ",%.12g", path, plan->t[i]);
    if (p)
        fprintf(to, ",%d", AT_TIME);
    if (c) {
        put_lane(to, d->theta + i * (size_t)c->k * L, (size_t)c->k, lane);
        put_lane(to, d->thetastar, (size_t)c->kstar, lane);
    }
    if (p) {
        size_t k = (size_t)p->x.k;
        put_lane(to, d->block->w + plan->node[i] * k * L, k, lane);
        put_lane(to, d->r + i * k * L, k, lane);
        put_sample(to, plan, d, lane);
    } else {
        fputc('\n', to);
    }
}

static void put_path(FILE *to, const sample_plan *plan, const desk *d, uint64_t path, size_t lane)
{
    size_t slot = 0, slots = plan->visits ? (size_t)d->block->events.count[lane] : 0;
    for (size_t i = 0; i < plan->n; i++) {
        for (; slot < slots && d->block->events.time[slot * L + lane] < plan->t[i]; slot++)
            put_visit(to, plan, d, path, lane, slot);
        put_time(to, plan, d, path, lane, i);
    }
}

static sgdmft_status draw(const sample_plan *plan, uint64_t block, desk *d)
{
    sgdmft_status status = SGDMFT_OK;
    if (plan->coordinates)
        status = coordinate_process_draw(plan->coordinates, plan->seed, block, d->work, d->theta, d->thetastar);
    if (plan->preactivations && !status)
        status = preactivation_block_draw(plan->preactivations, plan->seed, block, d->block);
    for (size_t i = 0; plan->preactivations && i < plan->n && !status; i++)
        preactivation_block_at(plan->preactivations, d->block, plan->node[i],
                               d->r + i * (size_t)plan->preactivations->x.k * L);
    return status;
}

/* The rows of one block as text, which the caller frees; NULL if out of memory. */
static char *block_text(const sample_plan *plan, uint64_t block, const desk *d, size_t *size)
{
    char *text = NULL;
    FILE *to = open_memstream(&text, size);
    if (!to)
        return NULL;
    for (size_t lane = 0; lane < L && block * L + lane < plan->paths; lane++)
        put_path(to, plan, d, block * L + lane, lane);
    int failed = ferror(to);
    if (fclose(to) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}

static sgdmft_status report(sgdmft_context *ctx, sgdmft_status status)
{
    switch (status) {
    case SGDMFT_ERR_MEMORY: return context_out_of_memory(ctx, "a block of paths", 0);
    case SGDMFT_ERR_PLUGIN: return context_fail(ctx, status, "model.plugin: the plug-in asked to abort");
    case SGDMFT_ERR_NO_CONVERGENCE:
        return context_fail(ctx, status,
                            "penalty: a step of a sampled coordinate has no solution that can be found; hint: raise "
                            "numerics.steps of the solve");
    case SGDMFT_ERR_INTERRUPTED: return context_fail(ctx, status, "interrupted: no paths were written");
    default: return status;
    }
}

static sgdmft_status write_blocks(sgdmft_context *ctx, const sample_plan *plan, desk *desks, FILE *to)
{
    sgdmft_status status = SGDMFT_OK;
    int64_t blocks = (int64_t)((plan->paths + L - 1) / L);
#pragma omp parallel for ordered schedule(static, 1) num_threads(ctx->threads)
    for (int64_t b = 0; b < blocks; b++) {
        sgdmft_status now, mine = SGDMFT_OK;
#pragma omp atomic read
        now = status;
        desk *d = &desks[omp_get_thread_num()];
        size_t size = 0;
        char *text = NULL;
        if (!now) {
            mine = draw(plan, (uint64_t)b, d);
            text = mine ? NULL : block_text(plan, (uint64_t)b, d, &size);
            if (!mine && !text)
                mine = SGDMFT_ERR_MEMORY;
        }
#pragma omp ordered
        {
            if (text && !mine && !status)
                fwrite(text, 1, size, to);
            if (!mine && !status && context_progress(ctx, (double)(b + 1) / (double)blocks, 0))
                mine = SGDMFT_ERR_INTERRUPTED;
            if (mine && !status) {
#pragma omp atomic write
                status = mine;
            }
        }
        free(text);
    }
    return report(ctx, status);
}

sgdmft_status sample_write(sgdmft_context *ctx, const sample_plan *plan, FILE *to)
{
    size_t threads = (size_t)ctx->threads;
    desk *desks = calloc(threads, sizeof *desks);
    if (!desks)
        return context_out_of_memory(ctx, "blocks of paths", (double)(threads * sizeof *desks));
    sgdmft_status status = SGDMFT_OK;
    for (size_t i = 0; i < threads && !status; i++)
        status = desk_new(ctx, plan, &desks[i]);
    if (!status) {
        put_header(to, plan);
        status = write_blocks(ctx, plan, desks, to);
    }
    for (size_t i = 0; i < threads; i++)
        desk_free(&desks[i]);
    free(desks);
    return status;
}
