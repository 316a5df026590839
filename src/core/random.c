#include "core/random.h"

#include "core/philox.h"
#include "core/simd.h"

/* Copies part of one group: draws skip .. skip + n - 1 of the group that starts at `block`. */
static void part_of_group(philox_kernel *kernel, philox_stream stream, uint64_t block, size_t skip, size_t n,
                          double *out)
{
    _Alignas(64) double group[PHILOX_GROUP];
    kernel(stream, block, 1, group);
    copy_few(n, group + skip, out);
}

void random_uniforms(random_key key, uint64_t item, uint64_t first, size_t n, double *out)
{
    philox_stream stream = philox_stream_new(key, item);
    philox_kernel *kernel = philox_kernel_ranked(0);
    uint64_t block = first / 2;
    if (n > 0 && first % 2) {
        size_t taken = n < PHILOX_GROUP - 1 ? n : PHILOX_GROUP - 1;
        part_of_group(kernel, stream, block, 1, taken, out);
        block += PHILOX_GROUP / 2;
        out += taken;
        n -= taken;
    }
    size_t groups = n / PHILOX_GROUP, left = n % PHILOX_GROUP;
    kernel(stream, block, groups, out);
    if (left)
        part_of_group(kernel, stream, block + groups * (PHILOX_GROUP / 2), 0, left, out + groups * PHILOX_GROUP);
}

void random_normals(random_key key, uint64_t item, uint64_t first, size_t n, double *out)
{
    enum { BLOCK = 1024 }; /* stays in the nearest cache between the two passes; even, so blocks start on whole pairs */
    for (size_t done = 0; done < n; done += BLOCK) {
        size_t count = n - done < BLOCK ? n - done : BLOCK;
        random_uniforms(key, item, first + done, count, out + done);
        normal_quantiles(count, out + done, out + done);
    }
}
