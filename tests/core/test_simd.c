/* Instruction sets: there is always one, the best is supported, and each has a name. */
#include "support.h"

#include "core/simd.h"

static void sets_are_ordered(void **state)
{
    assert_true(simd_supported(SIMD_BASE));
    assert_true(simd_supported(simd_best()));
    for (instruction_set set = simd_best() + 1; set < SIMD_SETS; set++)
        assert_false(simd_supported(set));
    for (instruction_set set = 0; set <= simd_best(); set++) /* wider ones include narrower ones */
        assert_true(simd_supported(set));
    assert_false(simd_supported(SIMD_SETS));
}

static void sets_have_names(void **state)
{
    assert_string_equal(simd_name(SIMD_BASE), "base");
    assert_string_equal(simd_name(SIMD_AVX2), "avx2");
    assert_string_equal(simd_name(SIMD_AVX512), "avx512");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_are_ordered),
        cmocka_unit_test(sets_have_names),
    };
    return cmocka_run_group_tests_name("simd", tests, NULL, NULL);
}
