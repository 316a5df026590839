#include "validation/simulator/data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/memory.h"
#include "core/random.h"
#include "core/sobol.h"
#include "validation/simulator/layout.h"

/* ---- workspace ---- */

static size_t block_workspace_layout(const simulator_plan *plan, char *base, block_workspace *work)
{
    const model_shape *shape = &plan->shape;
    size_t k = (size_t)shape->k, kstar = (size_t)shape->kstar, used = 0;
    size_t columns = plan->snapshots * k > kstar ? plan->snapshots * k : kstar;
    size_t components = 1 + 2 * k + kstar + (size_t)(shape->noises + 2 * shape->labels);
    work->row = layout_take(base, &used, plan->block, sizeof *work->row);
    work->projection = layout_take(base, &used, plan->block * columns, sizeof *work->projection);
    work->lanes = layout_take(base, &used, plan->block * components, sizeof *work->lanes);
    return used;
}

double block_workspace_bytes(const simulator_plan *plan)
{
    block_workspace work;
    return (double)block_workspace_layout(plan, NULL, &work);
}

sgdmft_status block_workspace_init(sgdmft_context *ctx, const simulator_plan *plan, block_workspace *out)
{
    *out = (block_workspace){.memory = memory_zeroed(block_workspace_layout(plan, NULL, out), 1)};
    if (!out->memory)
        return context_out_of_memory(ctx, "blocks of samples", block_workspace_bytes(plan));
    block_workspace_layout(plan, out->memory, out);
    return model_work_new(ctx, plan->model, WORKSPACE_LANES, &out->model);
}

void block_workspace_clear(block_workspace *work)
{
    model_work_free(work->model);
    free(work->memory);
    *work = (block_workspace){.memory = NULL};
}

/* ---- samples ---- */

double samples_bytes(const simulator_plan *plan, size_t room)
{
    const model_shape *shape = &plan->shape;
    return (double)room * (4.0 * (double)plan->length + 8.0 * (shape->kstar + shape->noises + shape->labels));
}

/* Rows are not zeroed, as they are drawn before they are read. Huge pages, because visits jump between rows. */
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
    madvise(rows, bytes, MADV_HUGEPAGE); /* may fail: ordinary pages are only slower */
    return rows;
}

sgdmft_status samples_init(sgdmft_context *ctx, const simulator_plan *plan, size_t room, samples *out)
{
    *out = (samples){.room = room};
    out->row = new_rows(room, plan->length);
    out->s = memory_doubles((size_t)plan->shape.kstar * room);
    out->eps = memory_doubles((size_t)plan->shape.noises * room);
    out->y = memory_doubles((size_t)plan->shape.labels * room);
    if (out->row && out->s && out->eps && out->y)
        return SGDMFT_OK;
    samples_clear(out);
    return context_out_of_memory(ctx, "the samples", samples_bytes(plan, room));
}

void samples_clear(samples *x)
{
    free(x->row);
    free(x->s);
    free(x->eps);
    free(x->y);
    *x = (samples){.room = 0};
}

/* Each of the generators starts from words of its own of the Philox stream of the key. */
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

sample_source sample_source_of(const simulator_plan *plan, uint32_t repetition, uint32_t entries, uint32_t noise,
                               const float *teacher)
{
    return (sample_source){.plan = plan,
                           .teacher = teacher,
                           .entries = stream_of(simulator_key(plan, repetition, entries)),
                           .noise = simulator_key(plan, repetition, noise)};
}

enum { CHUNK = 512 }; /* entries that are drawn together */

_Static_assert(SIMULATOR_PAD == 2 * SIMULATOR_LANES, "normals come in whole groups");

/* `count` is a multiple of SIMULATOR_PAD, at most CHUNK. */
static void fill_chunk(const simulator_loops *loops, entries_kind kind, word_stream *stream, float sigma, size_t count,
                       float *out)
{
    _Alignas(64) uint32_t words[CHUNK];
    _Alignas(64) float entries[CHUNK];
    size_t groups = kind == ENTRIES_RADEMACHER ? 1 : count / SIMULATOR_LANES;
    loops->words(stream, groups, words);
    switch (kind) {
    case ENTRIES_GAUSSIAN: loops->normals(groups / 2, sigma, words, out); break;
    case ENTRIES_UNIFORM: loops->uniforms(groups, sigma, words, out); break;
    case ENTRIES_RADEMACHER:
        loops->signs(groups, sigma, words, entries);
        memcpy(out, entries, count * sizeof *out);
        break;
    }
}

static void fill_row(const simulator_plan *plan, word_stream *stream, float *row)
{
    float sigma = (float)(1 / sqrt((double)plan->d));
    for (size_t j = 0; j < plan->length; j += CHUNK) {
        size_t count = plan->length - j < CHUNK ? plan->length - j : CHUNK;
        fill_chunk(plan->loops, plan->problem->simulate.entries, stream, sigma, count, row + j);
    }
    memset(row + plan->d, 0, (plan->length - plan->d) * sizeof *row);
}

/* Copies lanes[component][count] to out[component][room], from place `first` on. */
static void store_components(size_t components, size_t count, const double *lanes, size_t first, size_t room,
                             double *out)
{
    for (size_t c = 0; c < components; c++)
        memcpy(out + c * room + first, lanes + c * count, count * sizeof *out);
}

int samples_draw(sample_source *source, const block_workspace *work, size_t first, size_t count, samples *out)
{
    const simulator_plan *plan = source->plan;
    const model_shape *shape = &plan->shape;
    size_t kstar = (size_t)shape->kstar, noises = (size_t)shape->noises, labels = (size_t)shape->labels;
    double *s = work->lanes, *eps = s + kstar * plan->block, *y = eps + noises * plan->block;
    for (size_t i = 0; i < count; i++) {
        fill_row(plan, &source->entries, out->row + (first + i) * plan->length);
        work->row[i] = out->row + (first + i) * plan->length;
    }
    plan->loops->project(count, work->row, plan->length, kstar, source->teacher, work->projection);
    for (size_t c = 0; c < kstar; c++)
        for (size_t i = 0; i < count; i++)
            s[c * count + i] = work->projection[i * kstar + c];
    for (size_t c = 0; c < noises; c++)
        random_normals(source->noise, c, source->next, count, eps + c * count);
    source->next += count;
    if (model_label(plan->model, work->model, count, s, eps, y))
        return 1;
    store_components(kstar, count, s, first, out->room, out->s);
    store_components(noises, count, eps, first, out->room, out->eps);
    store_components(labels, count, y, first, out->room, out->y);
    return 0;
}

/* ---- start ----

   Fluctuations of the second moments q(0), m(0) and rho would stay in the curves, at the order 1/sqrt(d) of all other
   fluctuations. So a Gaussian start, of which only second moments are given, has exactly these moments; and a law of
   the coordinates is sampled at d scrambled Sobol' points, whose averages are much closer to those of the law than the
   averages of independent draws. The order of the points does not matter, as the data treats all coordinates alike. */

static double dot(size_t d, const double *a, const double *b)
{
    double sum = 0;
    for (size_t j = 0; j < d; j++)
        sum += a[j] * b[j];
    return sum;
}

static void add(size_t d, double factor, const double *from, double *to)
{
    for (size_t j = 0; j < d; j++)
        to[j] += factor * from[j];
}

/* Makes the Gram matrix of z[count][d] equal to d I. A single pass of Gram and Schmidt would not be exact to
   rounding. */
static void orthonormalise(size_t count, size_t d, double *z)
{
    for (size_t a = 0; a < count; a++) {
        for (int pass = 0; pass < 2; pass++)
            for (size_t b = 0; b < a; b++)
                add(d, -dot(d, z + a * d, z + b * d) / (double)d, z + b * d, z + a * d);
        double size = sqrt(dot(d, z + a * d, z + a * d) / (double)d);
        for (size_t j = 0; j < d; j++)
            z[a * d + j] /= size;
    }
}

static void to_single(size_t d, const double *from, float *to)
{
    for (size_t j = 0; j < d; j++)
        to[j] = (float)from[j];
}

enum { POINTS = 1024 }; /* coordinates that are drawn together */

size_t start_work(const simulator_plan *plan)
{
    size_t vectors = (size_t)(plan->law.k + plan->law.kstar);
    if (!plan->coordinates)
        return vectors * plan->d;
    return ((size_t)coordinates_law_dims(plan->coordinates) + vectors) * POINTS +
           coordinates_law_work(plan->coordinates);
}

static void draw_from_law(const simulator_plan *plan, random_key key, double *work, float *theta, float *teacher)
{
    const coordinates_law *law = plan->coordinates;
    size_t k = (size_t)plan->law.k, kstar = (size_t)plan->law.kstar, dims = (size_t)coordinates_law_dims(law);
    double *u = work, *theta0 = u + dims * POINTS, *star = theta0 + k * POINTS, *law_work = star + kstar * POINTS;
    for (size_t from = 0; from < plan->d; from += POINTS) {
        size_t n = plan->d - from < POINTS ? plan->d - from : POINTS;
        for (size_t v = 0; v < dims; v++)
            sobol_points(key, (unsigned)v, from, n, u + v * n);
        coordinates_law_map(law, law_work, n, u, theta0, star);
        for (size_t a = 0; a < k; a++)
            to_single(n, theta0 + a * n, theta + a * plan->length + from);
        for (size_t a = 0; a < kstar; a++)
            to_single(n, star + a * n, teacher + a * plan->length + from);
    }
}

/* theta* = L z* and theta0 = A theta* + B z with orthonormal z* and z. As L and B are lower triangular, vectors are
   formed from the last one to the first one, each in the place of its own normals, which no later one needs. */
static void draw_gaussian(const simulator_plan *plan, random_key key, double *work, float *theta, float *teacher)
{
    const initial_law *law = &plan->law;
    size_t k = (size_t)law->k, kstar = (size_t)law->kstar, d = plan->d;
    double *star = work, *theta0 = star + kstar * d;
    for (size_t a = 0; a < kstar + k; a++)
        random_normals(key, a, 0, d, work + a * d);
    orthonormalise(kstar + k, d, work);
    for (size_t a = kstar; a-- > 0;) {
        for (size_t j = 0; j < d; j++)
            star[a * d + j] *= law->chol_rho[a * kstar + a];
        for (size_t b = 0; b < a; b++)
            add(d, law->chol_rho[a * kstar + b], star + b * d, star + a * d);
        to_single(d, star + a * d, teacher + a * plan->length);
    }
    for (size_t a = k; a-- > 0;) {
        for (size_t j = 0; j < d; j++)
            theta0[a * d + j] *= law->b[a * k + a];
        for (size_t b = 0; b < a; b++)
            add(d, law->b[a * k + b], theta0 + b * d, theta0 + a * d);
        for (size_t b = 0; b < kstar; b++)
            add(d, law->a[a * kstar + b], star + b * d, theta0 + a * d);
        to_single(d, theta0 + a * d, theta + a * plan->length);
    }
}

void start_draw(const simulator_plan *plan, uint32_t repetition, double *work, float *theta, float *teacher)
{
    random_key key = simulator_key(plan, repetition, SIMULATOR_START);
    /* A repetition that diverged leaves infinities in the padding, too. */
    memset(theta, 0, (size_t)plan->law.k * plan->length * sizeof *theta);
    if (plan->coordinates)
        draw_from_law(plan, key, work, theta, teacher);
    else
        draw_gaussian(plan, key, work, theta, teacher);
}
