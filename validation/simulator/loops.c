#include "validation/simulator/loops.h"

static const simulator_kernels *const sets[] = {
#if defined(__x86_64__)
    &simulator_kernels_avx512,
    &simulator_kernels_avx2,
#endif
    &simulator_kernels_base,
};

const simulator_kernels *simulator_kernels_number(size_t i)
{
    return i < sizeof sets / sizeof *sets ? sets[i] : NULL;
}

const simulator_kernels *simulator_kernels_best(void)
{
    size_t i = 0;
    while (!sets[i]->supported())
        i++;
    return sets[i];
}
