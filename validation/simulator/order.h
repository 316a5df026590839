/* The order in which samples are visited. The visits of a repetition are numbered from 0. Step s makes the visits from
   order_first(s) up to the one before order_first(s + 1): `batch` of them, or, where an epoch is cut into `cuts` steps,
   as many as make the batches of an epoch equal up to one visit.

   ORDER_REPLACEMENT: steps are independent. The samples of a batch are a uniform choice without replacement; batches
   of one sample are thus independent uniform samples.

   ORDER_RESHUFFLE: the n visits of an epoch are a permutation of all samples, uniform and independent of the other
   epochs. Unless epochs are cut, a batch may contain the end of one epoch and the beginning of the next one.

   ORDER_CYCLIC: the samples one after the other as they are stored, in all epochs. Samples are independent and of the
   same law, so this is as good as any order drawn at random.

   The sample of a visit is a function of the key and of the number of the visit alone, so visits can be asked for in
   any order, and again. Going forward is cheap, and so is going back by less than a batch or an epoch. */
#ifndef SGDMFT_VALIDATION_SIMULATOR_ORDER_H
#define SGDMFT_VALIDATION_SIMULATOR_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "core/random.h"

typedef enum order_kind { ORDER_REPLACEMENT, ORDER_RESHUFFLE, ORDER_CYCLIC } order_kind;

typedef struct order {
    order_kind kind;
    random_key key;
    size_t n, batch, cuts;
    uint32_t *list;        /* not owned. Replacement: [n], which begins with the current batch; reshuffle: [2][n] */
    uint64_t steps_listed; /* replacement: batches that the list has gone through */
    uint64_t epoch[2];     /* reshuffle: epochs of the two permutations in the list */
} order;

/* Entries of the list that order_of is given. */
size_t order_list_length(order_kind kind, size_t n, size_t batch);

/* 1 <= batch <= n < 2^32. `cuts` is 0 for epochs that are not cut and for replacement; otherwise it is the number of
   steps of an epoch, at most n, and `batch` the largest batch. */
order order_of(order_kind kind, size_t n, size_t batch, size_t cuts, uint32_t *list);

/* Begins a repetition, whose order belongs to `key`. */
void order_start(order *x, random_key key);

/* The number of the first visit of a step. */
uint64_t order_first(const order *x, uint64_t step);

/* The samples of the visits first .. first + count - 1. */
void order_samples(order *x, uint64_t first, size_t count, uint32_t *out);

#endif
