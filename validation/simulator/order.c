#include "validation/simulator/order.h"

enum { UNIFORMS = 256 }; /* drawn at a time */

static const uint64_t NO_EPOCH = UINT64_MAX;

/* Independent samples need no list, nor does the order in which samples are stored. */
size_t order_list_length(order_kind kind, size_t n, size_t batch)
{
    switch (kind) {
    case ORDER_RESHUFFLE: return 2 * n;
    case ORDER_REPLACEMENT: return batch > 1 ? n : 0;
    default: return 0;
    }
}

order order_of(order_kind kind, size_t n, size_t batch, size_t cuts, uint32_t *list)
{
    return (order){.kind = kind, .n = n, .batch = batch, .cuts = cuts, .list = list};
}

uint64_t order_first(const order *x, uint64_t step)
{
    if (x->cuts == 0)
        return step * x->batch;
    return step / x->cuts * x->n + step % x->cuts * x->n / x->cuts;
}

static void list_all(size_t n, uint32_t *list)
{
    for (size_t i = 0; i < n; i++)
        list[i] = (uint32_t)i;
}

void order_start(order *x, random_key key)
{
    x->key = key;
    x->steps_listed = 0;
    x->epoch[0] = x->epoch[1] = NO_EPOCH;
    if (x->kind == ORDER_REPLACEMENT && x->batch > 1)
        list_all(x->n, x->list);
}

/* floor(u n) for u in (0,1). The product may round up to n. */
static size_t index_of(double u, size_t n)
{
    size_t i = (size_t)(u * (double)n);
    return i < n ? i : n - 1;
}

/* The first `count` steps of the shuffle of Fisher and Yates, by the uniforms of `item`. Afterwards the first `count`
   entries are a uniform choice without replacement, whatever order the list was in. */
static void shuffle(random_key key, uint64_t item, size_t n, size_t count, uint32_t *list)
{
    double u[UNIFORMS];
    for (size_t first = 0; first < count; first += UNIFORMS) {
        size_t drawn = count - first < UNIFORMS ? count - first : UNIFORMS;
        random_uniforms(key, item, first, drawn, u);
        for (size_t i = first; i < first + drawn; i++) {
            size_t other = i + index_of(u[i - first], n - i);
            uint32_t sample = list[i];
            list[i] = list[other];
            list[other] = sample;
        }
    }
}

static void independent_samples(const order *x, uint64_t first, size_t count, uint32_t *out)
{
    double u[UNIFORMS];
    for (size_t done = 0; done < count; done += UNIFORMS) {
        size_t drawn = count - done < UNIFORMS ? count - done : UNIFORMS;
        random_uniforms(x->key, 0, first + done, drawn, u);
        for (size_t i = 0; i < drawn; i++)
            out[done + i] = (uint32_t)index_of(u[i], x->n);
    }
}

/* The batch of a step. Each batch continues from the list that the one before left, so an earlier batch is found by
   starting again. */
static const uint32_t *batch_of(order *x, uint64_t step)
{
    if (step + 1 < x->steps_listed)
        order_start(x, x->key);
    for (; x->steps_listed <= step; x->steps_listed++)
        shuffle(x->key, x->steps_listed, x->n, x->batch, x->list);
    return x->list;
}

/* The permutation of an epoch. Two are kept, as visits near the end of an epoch look ahead into the next one. */
static const uint32_t *permutation_of(order *x, uint64_t epoch)
{
    size_t slot = epoch % 2;
    uint32_t *list = x->list + slot * x->n;
    if (x->epoch[slot] != epoch) {
        list_all(x->n, list);
        shuffle(x->key, epoch, x->n, x->n, list);
        x->epoch[slot] = epoch;
    }
    return list;
}

void order_samples(order *x, uint64_t first, size_t count, uint32_t *out)
{
    if (x->kind == ORDER_REPLACEMENT && x->batch == 1) {
        independent_samples(x, first, count, out);
        return;
    }
    if (x->kind == ORDER_CYCLIC) {
        for (size_t i = 0; i < count; i++)
            out[i] = (uint32_t)((first + i) % x->n);
        return;
    }
    size_t period = x->kind == ORDER_RESHUFFLE ? x->n : x->batch;
    for (size_t i = 0; i < count;) {
        uint64_t number = (first + i) / period;
        const uint32_t *list = x->kind == ORDER_RESHUFFLE ? permutation_of(x, number) : batch_of(x, number);
        for (size_t at = (first + i) % period; at < period && i < count; at++)
            out[i++] = list[at];
    }
}
