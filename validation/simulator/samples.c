#include "validation/simulator/samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/memory.h"
#include "core/random.h"

static size_t components(const simulator_setting *set)
{
    return (size_t)(set->shape.kstar + set->shape.noises + set->shape.labels);
}

double samples_bytes(const simulator_setting *set, size_t room)
{
    return (double)room * (4.0 * (double)set->length + 8.0 * (double)components(set));
}

/* Rows are not zeroed: whoever draws them writes all of them. Huge pages, because visits jump between rows. */
static float *new_rows(size_t room, size_t length)
{
    const size_t page = (size_t)1 << 21;
    size_t bytes;
    void *rows = NULL;
    if (__builtin_mul_overflow(room, length * sizeof(float), &bytes) || bytes > SIZE_MAX - page)
        return NULL;
    bytes = (bytes + page - 1) / page * page;
    if (posix_memalign(&rows, page, bytes) != 0)
        return NULL;
    madvise(rows, bytes, MADV_HUGEPAGE); /* a wish; ordinary pages work too */
    return rows;
}

sgdmft_status samples_init(sgdmft_context *ctx, const simulator_setting *set, size_t room, samples *out)
{
    *out = (samples){.room = room};
    out->row = new_rows(room, set->length);
    out->s = memory_doubles((size_t)set->shape.kstar * room);
    out->eps = memory_doubles((size_t)set->shape.noises * room);
    out->y = memory_doubles((size_t)set->shape.labels * room);
    if (out->row && out->s && out->eps && out->y)
        return SGDMFT_OK;
    samples_clear(out);
    return context_out_of_memory(ctx, "the samples", samples_bytes(set, room));
}

void samples_clear(samples *x)
{
    free(x->row);
    free(x->s);
    free(x->eps);
    free(x->y);
    *x = (samples){.room = 0};
}

/* Every lane starts from words of its own of the Philox stream of the address. */
static word_stream stream_of(random_key key)
{
    word_stream stream;
    random_stream source = random_stream_new(key, 0);
    for (size_t l = 0; l < SIMULATOR_LANES; l++) {
        uint32_t words[4];
        random_block(source, l, words);
        for (size_t i = 0; i < 4; i++)
            stream.s[i][l] = words[i];
    }
    return stream;
}

sample_source sample_source_of(const simulator_setting *set, uint32_t repetition, uint32_t entries, uint32_t noise,
                               const float *teacher)
{
    return (sample_source){.set = set,
                           .teacher = teacher,
                           .entries = stream_of(simulator_key(set, repetition, entries)),
                           .noise = simulator_key(set, repetition, noise)};
}

enum { CHUNK = 512 }; /* entries at a time */

_Static_assert(SIMULATOR_PAD == 2 * SIMULATOR_LANES, "normals come in whole groups");

/* `count` is a multiple of SIMULATOR_PAD, at most CHUNK. */
static void fill_chunk(const simulator_loops *kernels, entries_kind kind, word_stream *stream, float sigma,
                       size_t count, float *out)
{
    _Alignas(64) uint32_t words[CHUNK];
    _Alignas(64) float entries[CHUNK];
    size_t groups = kind == ENTRIES_RADEMACHER ? 1 : count / SIMULATOR_LANES;
    kernels->words(stream, groups, words);
    switch (kind) {
    case ENTRIES_GAUSSIAN: kernels->normals(groups / 2, sigma, words, out); break;
    case ENTRIES_UNIFORM: kernels->uniforms(groups, sigma, words, out); break;
    case ENTRIES_RADEMACHER:
        kernels->signs(groups, sigma, words, entries);
        memcpy(out, entries, count * sizeof *out);
        break;
    }
}

static void fill_row(const simulator_setting *set, word_stream *stream, float *row)
{
    float sigma = (float)(1 / sqrt((double)set->d));
    for (size_t j = 0; j < set->length; j += CHUNK) {
        size_t count = set->length - j < CHUNK ? set->length - j : CHUNK;
        fill_chunk(set->kernels, set->problem->simulate.entries, stream, sigma, count, row + j);
    }
    memset(row + set->d, 0, (set->length - set->d) * sizeof *row);
}

/* Components of `count` samples from a block of lanes to their places. */
static void spread(size_t components_of, size_t count, const double *lanes, size_t first, size_t room, double *out)
{
    for (size_t c = 0; c < components_of; c++)
        memcpy(out + c * room + first, lanes + c * count, count * sizeof *out);
}

int samples_draw(sample_source *from, const sample_desk *desk, size_t first, size_t count, samples *out)
{
    const simulator_setting *set = from->set;
    size_t kstar = (size_t)set->shape.kstar, noises = (size_t)set->shape.noises, labels = (size_t)set->shape.labels;
    double *s = desk->lanes, *eps = s + kstar * set->block, *y = eps + noises * set->block;
    for (size_t i = 0; i < count; i++) {
        fill_row(set, &from->entries, out->row + (first + i) * set->length);
        desk->row[i] = out->row + (first + i) * set->length;
    }
    set->kernels->project(count, desk->row, set->length, kstar, from->teacher, desk->projection);
    for (size_t c = 0; c < kstar; c++)
        for (size_t i = 0; i < count; i++)
            s[c * count + i] = desk->projection[i * kstar + c];
    for (size_t c = 0; c < noises; c++)
        random_normals(from->noise, c, from->next, count, eps + c * count);
    from->next += count;
    if (model_label(set->m, desk->model, count, s, eps, y))
        return 1;
    spread(kstar, count, s, first, out->room, out->s);
    spread(noises, count, eps, first, out->room, out->eps);
    spread(labels, count, y, first, out->room, out->y);
    return 0;
}
