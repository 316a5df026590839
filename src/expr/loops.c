/* Which kernel sets there are, and the best one for this processor. */
#include "expr/loops.h"

static const kernel_set *const sets[] = {
#if defined(__x86_64__)
    &kernels_avx512,
    &kernels_avx2,
#endif
    &kernels_base,
};

const kernel_set *kernels_number(size_t i)
{
    return i < sizeof sets / sizeof *sets ? sets[i] : NULL;
}

const kernel_set *kernels_best(void)
{
    size_t i = 0;
    while (!sets[i]->supported())
        i++;
    return sets[i];
}
