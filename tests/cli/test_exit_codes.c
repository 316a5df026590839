/* The exit code of the program for every status of the library. */
#include "cli/command.h"
#include "cli/messages.h"
#include "support/check.h"

static void blocks(void **state)
{
    for (int code = 1; code < 600; code++) {
        sgdmft_status status = (sgdmft_status)code;
        int block = code / 100, expected = block <= 3 ? CODE_USAGE : block - 1;
        if (status == SGDMFT_ERR_INTERRUPTED)
            expected = 130;
        assert_int_equal(exit_code_of(status), expected);
    }
    assert_int_equal(exit_code_of(SGDMFT_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(blocks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
