/* A job whose allocations fail one after the other. To be included in one file of a test program, in place of
   failing_memory.h. */
#ifndef SGDMFT_TESTS_SUPPORT_FAILING_JOB_H
#define SGDMFT_TESTS_SUPPORT_FAILING_JOB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "failing_memory.h"
#include "sgdmft/context.h"

/* Runs `job` with the first, the second, ... allocation failing until none is left to fail. `expected` is what it
   returns by itself; a failure while its message is made may leave that as it is. */
static void fail_each(sgdmft_status (*job)(sgdmft_context *ctx), sgdmft_status expected)
{
    sgdmft_context *ctx = NULL;
    assert_int_equal(sgdmft_context_new(&ctx), SGDMFT_OK);
    long n = 0;
    for (;; n++) {
        failed = 0;
        countdown = n;
        sgdmft_status status = job(ctx);
        countdown = -1;
        if (failed == 0) {
            assert_int_equal(status, expected);
            break;
        }
        if (status != SGDMFT_ERR_MEMORY && (status != expected || expected == SGDMFT_OK))
            fail_msg("allocation %ld failed: status %d", n, status);
    }
    print_message("%ld allocations\n", n);
    assert_true(n > 3);
    sgdmft_context_free(ctx);
}

#endif
