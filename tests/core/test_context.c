/* Context: messages, threads, logger, progress. Status codes: sentences and exit codes. */
#include "support.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/context.h"
#include "core/memory.h"

static void a_new_context_is_quiet(void **state)
{
    assert_int_equal(sgdmft_context_new(NULL), SGDMFT_ERR_ARGUMENT);
    sgdmft_context *ctx = NULL;
    assert_int_equal(sgdmft_context_new(&ctx), SGDMFT_OK);
    assert_int_equal(sgdmft_context_threads(ctx), omp_get_max_threads());
    assert_string_equal(sgdmft_context_message(ctx), "");
    context_log(ctx, SGDMFT_LOG_WARNING, "nobody listens: %d", 1);
    assert_int_equal(context_progress(ctx, 0.5, 2.0), 0);
    sgdmft_context_free(ctx);
    sgdmft_context_free(NULL);
}

static void threads_are_checked(void **state)
{
    sgdmft_context *ctx = NULL;
    assert_int_equal(sgdmft_context_new(&ctx), SGDMFT_OK);
    assert_int_equal(sgdmft_context_set_threads(ctx, 3), SGDMFT_OK);
    assert_int_equal(sgdmft_context_threads(ctx), 3);
    assert_int_equal(sgdmft_context_set_threads(ctx, 4096), SGDMFT_OK);
    const int refused[] = {-1, 4097, -2147483647};
    for (int i = 0; i < 3; i++) {
        char value[32];
        snprintf(value, sizeof value, "value %d ", refused[i]);
        assert_int_equal(sgdmft_context_set_threads(ctx, refused[i]), SGDMFT_ERR_ARGUMENT);
        assert_non_null(strstr(sgdmft_context_message(ctx), value));
        assert_non_null(strstr(sgdmft_context_message(ctx), "1 to 4096"));
        assert_int_equal(sgdmft_context_threads(ctx), 4096);
    }
    assert_int_equal(sgdmft_context_set_threads(ctx, 0), SGDMFT_OK);
    assert_int_equal(sgdmft_context_threads(ctx), omp_get_max_threads());
    sgdmft_context_free(ctx);
}

static void the_last_message_stays(void **state)
{
    sgdmft_context *ctx = NULL;
    assert_int_equal(sgdmft_context_new(&ctx), SGDMFT_OK);
    assert_int_equal(context_fail(ctx, SGDMFT_ERR_RANGE, "eta: %g at %s:%d", -1.5, "p.yaml", 7), SGDMFT_ERR_RANGE);
    assert_string_equal(sgdmft_context_message(ctx), "eta: -1.5 at p.yaml:7");

    /* a message may quote the one before it */
    assert_int_equal(context_fail(ctx, SGDMFT_ERR_IO, "while reading: %s", sgdmft_context_message(ctx)), SGDMFT_ERR_IO);
    assert_string_equal(sgdmft_context_message(ctx), "while reading: eta: -1.5 at p.yaml:7");

    char *name = malloc(100001);
    assert_non_null(name);
    memset(name, 'x', 100000);
    name[100000] = '\0';
    context_fail(ctx, SGDMFT_ERR_UNKNOWN_KEY, "key '%s'", name);
    assert_int_equal(strlen(sgdmft_context_message(ctx)), 100006);
    free(name);

    assert_int_equal(context_out_of_memory(ctx, "the kernel C", 3.5 * 1048576.0), SGDMFT_ERR_MEMORY);
    assert_string_equal(sgdmft_context_message(ctx), "out of memory: cannot allocate 3.5 MiB for the kernel C");
    context_clear(ctx);
    assert_string_equal(sgdmft_context_message(ctx), "");
    context_clear(ctx);
    sgdmft_context_free(ctx);
}

typedef struct heard {
    int lines;
    sgdmft_log_level level;
    char last[64];
} heard;

static void listen(void *user, sgdmft_log_level level, const char *line)
{
    heard *h = user;
    h->lines++;
    h->level = level;
    snprintf(h->last, sizeof h->last, "%s", line);
}

static void log_lines_reach_the_logger(void **state)
{
    sgdmft_context *ctx = NULL;
    heard h = {0, SGDMFT_LOG_WARNING, ""};
    assert_int_equal(sgdmft_context_new(&ctx), SGDMFT_OK);
    sgdmft_context_set_logger(ctx, listen, &h);
    context_log(ctx, SGDMFT_LOG_DEBUG, "step %d of %d, residual %.1e", 17, 230, 4.28e-9);
    assert_int_equal(h.lines, 1);
    assert_int_equal(h.level, SGDMFT_LOG_DEBUG);
    assert_string_equal(h.last, "step 17 of 230, residual 4.3e-09");
    assert_string_equal(sgdmft_context_message(ctx), ""); /* logging is not failing */
    sgdmft_context_set_logger(ctx, NULL, NULL);
    context_log(ctx, SGDMFT_LOG_WARNING, "unheard");
    assert_int_equal(h.lines, 1);
    sgdmft_context_free(ctx);
}

static int stop_late(void *user, double fraction, double t)
{
    *(double *)user = t;
    return fraction > 0.75 ? 9 : 0;
}

static void progress_may_stop(void **state)
{
    sgdmft_context *ctx = NULL;
    double seen = -1;
    assert_int_equal(sgdmft_context_new(&ctx), SGDMFT_OK);
    sgdmft_context_set_progress(ctx, stop_late, &seen);
    assert_int_equal(context_progress(ctx, 0.25, 1.25), 0);
    assert_true(seen == 1.25);
    assert_int_not_equal(context_progress(ctx, 0.8, 4.0), 0);
    assert_true(seen == 4.0);
    sgdmft_context_free(ctx);
}

static const sgdmft_status codes[] = {SGDMFT_OK,
                                      SGDMFT_ERR_ARGUMENT,
                                      SGDMFT_ERR_UNSUPPORTED,
                                      SGDMFT_ERR_YAML,
                                      SGDMFT_ERR_UNKNOWN_KEY,
                                      SGDMFT_ERR_TYPE,
                                      SGDMFT_ERR_SHAPE,
                                      SGDMFT_ERR_RANGE,
                                      SGDMFT_ERR_MISSING,
                                      SGDMFT_ERR_CONFLICT,
                                      SGDMFT_ERR_DUPLICATE_KEY,
                                      SGDMFT_ERR_SYNTAX,
                                      SGDMFT_ERR_UNKNOWN_NAME,
                                      SGDMFT_ERR_ARITY,
                                      SGDMFT_ERR_KINK,
                                      SGDMFT_ERR_PLUGIN,
                                      SGDMFT_ERR_DIVERGED,
                                      SGDMFT_ERR_NO_CONVERGENCE,
                                      SGDMFT_ERR_NON_FINITE,
                                      SGDMFT_ERR_INTERRUPTED,
                                      SGDMFT_ERR_NO_LIMIT,
                                      SGDMFT_ERR_ACCURACY,
                                      SGDMFT_ERR_MEMORY,
                                      SGDMFT_ERR_IO,
                                      SGDMFT_ERR_EXISTS};

enum { CODES = sizeof codes / sizeof *codes };

static void every_status_has_its_sentence(void **state)
{
    const char *unknown = sgdmft_status_string((sgdmft_status)599);
    int named = 0;
    for (int code = -10; code < 1000; code++)
        named += strcmp(sgdmft_status_string((sgdmft_status)code), unknown) != 0;
    assert_int_equal(named, CODES); /* the list above is complete */
    for (int i = 0; i < CODES; i++) {
        const char *sentence = sgdmft_status_string(codes[i]);
        assert_true(strlen(sentence) > 5 && sentence[strlen(sentence) - 1] == '.');
        for (int j = 0; j < i; j++)
            assert_string_not_equal(sentence, sgdmft_status_string(codes[j]));
    }
}

static void endings_have_words(void **state)
{
    assert_string_equal(sgdmft_status_word(SGDMFT_OK), "ok");
    assert_string_equal(sgdmft_status_word(SGDMFT_ERR_DIVERGED), "diverged");
    assert_string_equal(sgdmft_status_word(SGDMFT_ERR_NO_CONVERGENCE), "not converged");
    assert_string_equal(sgdmft_status_word(SGDMFT_ERR_NON_FINITE), "not finite");
    assert_string_equal(sgdmft_status_word(SGDMFT_ERR_INTERRUPTED), "interrupted");
    assert_string_equal(sgdmft_status_word(SGDMFT_ERR_ACCURACY), "accuracy not reached");
    assert_string_equal(sgdmft_status_word(SGDMFT_ERR_IO), "failed");
}

static void blocks_are_aligned_and_zeroed(void **state)
{
    const size_t counts[] = {0, 1, 7, 64, 100003};
    for (int i = 0; i < 5; i++) {
        double *block = memory_doubles(counts[i]);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 64, 0);
        for (size_t j = 0; j < counts[i]; j++)
            assert_true(block[j] == 0.0);
        free(block);
    }
    assert_null(memory_zeroed(SIZE_MAX / 8, 9));
    assert_null(memory_zeroed(SIZE_MAX - 32, 1));
    double available = memory_available();
    assert_true(available >= 0.0 && available < 1e16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_context_is_quiet), cmocka_unit_test(threads_are_checked),
        cmocka_unit_test(the_last_message_stays), cmocka_unit_test(log_lines_reach_the_logger),
        cmocka_unit_test(progress_may_stop),      cmocka_unit_test(every_status_has_its_sentence),
        cmocka_unit_test(endings_have_words),     cmocka_unit_test(blocks_are_aligned_and_zeroed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
