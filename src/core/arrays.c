#include "core/arrays.h"

#include <stdint.h>
#include <stdlib.h>

#include "core/memory.h"

int arrays_allocate(const array_row *rows, size_t n)
{
    int failed = 0;
    for (size_t i = 0; i < n; i++) {
        *rows[i].data = NULL;
        failed |= rows[i].count > SIZE_MAX / sizeof(double);
    }
    for (size_t i = 0; i < n && !failed; i++) {
        *rows[i].data = memory_doubles(rows[i].count);
        failed = !*rows[i].data;
    }
    return failed ? -1 : 0;
}

void arrays_free(const array_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(*rows[i].data);
        *rows[i].data = NULL;
    }
}

double arrays_bytes(const array_row *rows, size_t n)
{
    double bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += sizeof(double) * (double)rows[i].count;
    return bytes;
}
