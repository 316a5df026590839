/* Sums over paths that are shared out: the same to the last digit on any number of ranks. The ranks
   are threads here. */
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "paths/matching.h"
#include "paths/share.h"
#include "support/check.h"

enum { BLOCKS = 150, LANES = 40, ROWS = 9, WIDTH = 5 };

typedef struct thread_ranks {
    rank_group base;
    double *board; /* shared, with room for any message */
    double per_rank[PATH_PARTS];
    size_t first[PATH_PARTS + 1];
} thread_ranks;

static int allgather(rank_group *r, double *data, const size_t *first)
{
    double *board = ((thread_ranks *)r)->board;
    size_t own = first[r->rank];
    memcpy(board + own, data + own, sizeof *data * (first[r->rank + 1] - own));
#pragma omp barrier
    memcpy(data, board, sizeof *data * first[r->size]);
#pragma omp barrier
    return 0;
}

static const ranks_transport over_threads = {.allgather = allgather};

/* The work of one rank. */
typedef void (*work_fn)(const path_share *share, void *out);

static void on_ranks(int n, work_fn work, void *out, size_t bytes)
{
    double *board = memory_doubles(PATH_PARTS * (PATH_PARTS * ROWS * ROWS + 1));
    assert_non_null(board);
#pragma omp parallel num_threads(n)
    {
        thread_ranks r = {.board = board,
                          .base = {.via = &over_threads, .rank = omp_get_thread_num(), .size = omp_get_num_threads()}};
        r.base.per_rank = r.per_rank;
        r.base.first = r.first;
        path_share share = {.ranks = n > 1 ? &r.base : NULL};
        work(&share, (char *)out + (size_t)r.base.rank * bytes);
    }
    free(board);
}

/* --- sums -------------------------------------------------------------------------------------------------------- */

typedef struct joined {
    double sums[2 * WIDTH];
    int flags;
} joined;

static void join(const path_share *share, void *out)
{
    joined *to = out;
    sgdmft_context *ctx = check_context(1);
    share_room room;
    check_ok(ctx, share_room_new(ctx, share, WIDTH, &room));
    size_t parts = share_count(share);
    double *sums = memory_doubles(parts * WIDTH);
    for (size_t i = 0; i < parts; i++)
        random_normals((random_key){3, 0, 90}, share_first(share) + i * share_size(share), 0, WIDTH, sums + i * WIDTH);
    to->flags = share_join(share, &room, sums, WIDTH, share_first(share) == 1 ? SHARE_STOP : 0, to->sums);
    free(sums);
    share_room_clear(&room);
    sgdmft_context_free(ctx);
}

static void test_joined(void **state)
{
    joined alone, all[PATH_PARTS];
    on_ranks(1, join, &alone, sizeof alone);
    assert_int_equal(alone.flags, 0);
    for (int n = 2; n <= PATH_PARTS; n += n < 9 ? 1 : 11) {
        memset(all, 0, sizeof all);
        on_ranks(n, join, all, sizeof *all);
        for (int r = 0; r < n; r++) {
            assert_memory_equal(all[r].sums, alone.sums, sizeof alone.sums);
            assert_int_equal(all[r].flags, SHARE_STOP);
        }
    }
}

static void test_shared_out(void **state)
{
    for (int n = 1; n <= PATH_PARTS; n++) {
        size_t blocks = 0, parts = 0;
        for (int r = 0; r < n; r++) {
            rank_group group = {.rank = r, .size = n};
            path_share share = {.ranks = &group};
            parts += share_count(&share);
            for (size_t b = 0; b < BLOCKS; b++)
                blocks += (size_t)share_owns(&share, b);
        }
        assert_int_equal(parts, PATH_PARTS);
        assert_int_equal(blocks, BLOCKS);
    }
}

/* --- moment matching --------------------------------------------------------------------------------------------- */

typedef struct matched {
    double rows[BLOCKS][ROWS * LANES];
} matched;

/* Fills in the blocks of this rank only. */
static void match(const path_share *share, void *out)
{
    matched *to = out;
    sgdmft_context *ctx = check_context(1);
    double *block[BLOCKS] = {0};
    size_t n[BLOCKS];
    for (size_t b = 0; b < BLOCKS; b++) {
        n[b] = LANES - b % 3;
        if (!share_owns(share, b))
            continue;
        block[b] = to->rows[b];
        random_normals((random_key){4, 0, 91}, b, 0, ROWS * n[b], block[b]);
    }
    check_ok(ctx, matching_apply_shared(ctx, share, ROWS, BLOCKS, block, n));
    sgdmft_context_free(ctx);
}

static void test_matched(void **state)
{
    matched *alone = calloc(1, sizeof *alone), *all = calloc(8, sizeof *all);
    assert_true(alone && all);
    on_ranks(1, match, alone, sizeof *alone);
    for (int n = 2; n <= 8; n++) {
        memset(all, 0, 8 * sizeof *all);
        on_ranks(n, match, all, sizeof *all);
        for (size_t b = 0; b < BLOCKS; b++)
            assert_memory_equal(all[b % PATH_PARTS % (size_t)n].rows[b], alone->rows[b], sizeof alone->rows[b]);
    }
    free(alone);
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_joined), cmocka_unit_test(test_shared_out),
                                       cmocka_unit_test(test_matched)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
