#include "core/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A multiple of 64, and not 0; 0 on overflow. */
static size_t bytes_of(size_t count, size_t size)
{
    if (size && count > (SIZE_MAX - 64) / size)
        return 0;
    size_t bytes = (count * size + 63) / 64 * 64;
    return bytes ? bytes : 64;
}

void *memory_raw(size_t count, size_t size)
{
    size_t bytes = bytes_of(count, size);
    void *block = NULL;
    return bytes && posix_memalign(&block, 64, bytes) == 0 ? block : NULL;
}

void *memory_zeroed(size_t count, size_t size)
{
    void *block = memory_raw(count, size);
    return block ? memset(block, 0, bytes_of(count, size)) : NULL;
}

/* The limit of the control group, which binds in containers; infinity if there is none. */
static double group_headroom(void)
{
    double limit = 1e300, used = 0;
    FILE *file = fopen("/sys/fs/cgroup/memory.max", "r");
    if (file) {
        if (fscanf(file, "%lf", &limit) != 1)
            limit = 1e300;
        fclose(file);
    }
    file = fopen("/sys/fs/cgroup/memory.current", "r");
    if (file) {
        if (fscanf(file, "%lf", &used) != 1)
            used = 0;
        fclose(file);
    }
    return limit - used;
}

double memory_available(void)
{
    FILE *file = fopen("/proc/meminfo", "r");
    if (!file)
        return 0;
    double kib = 0;
    char line[256];
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "MemAvailable: %lf kB", &kib) == 1)
            break;
    fclose(file);
    double bytes = kib * 1024.0, group = group_headroom();
    return group < bytes ? group : bytes;
}
