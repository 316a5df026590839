#include "core/arrays.h"

#include <stdlib.h>

#include "core/memory.h"

int arrays_new(size_t n, const array_row *rows)
{
    int failed = 0;
    for (size_t i = 0; i < n; i++) {
        *rows[i].data = rows[i].count > 0 && !failed ? memory_doubles(rows[i].count) : NULL;
        failed |= rows[i].count > 0 && !*rows[i].data;
    }
    if (failed)
        arrays_free(n, rows);
    return failed ? -1 : 0;
}

void arrays_free(size_t n, const array_row *rows)
{
    for (size_t i = 0; i < n; i++) {
        free(*rows[i].data);
        *rows[i].data = NULL;
    }
}

double arrays_bytes(size_t n, const array_row *rows)
{
    double bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += (double)sizeof(double) * (double)rows[i].count;
    return bytes;
}
