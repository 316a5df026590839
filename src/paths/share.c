#include "paths/share.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

sgdmft_status share_room_new(sgdmft_context *ctx, const path_share *s, size_t width, share_room *out)
{
    size_t n = share_size(s);
    *out = (share_room){.width = width,
                        .message = memory_doubles(n > 1 ? PATH_PARTS * width + n : 1),
                        .first = memory_zeroed(n + 1, sizeof *out->first)};
    if (out->message && out->first)
        return SGDMFT_OK;
    share_room_clear(out);
    return context_out_of_memory(ctx, "sums over paths", 8.0 * PATH_PARTS * (double)width);
}

void share_room_clear(share_room *room)
{
    free(room->message);
    free(room->first);
    *room = (share_room){0};
}

static void add(double *to, const double *from, size_t width)
{
    for (size_t i = 0; i < width; i++)
        to[i] += from[i];
}

/* How many parts, all ranks together, are told: as few as each rank can make of its own, and two at least. */
static size_t parts_told(size_t n)
{
    if (n & (n - 1))
        return PATH_PARTS;
    return n > 2 ? n : 2;
}

/* Parts `from` become parts `to`; those of one rank of n, of which this process has every n-th from the first. */
static void fold_own(double *parts, size_t width, size_t n, size_t to)
{
    for (size_t half = PATH_PARTS / 2; half >= to; half /= 2)
        for (size_t i = 0; i < half / n; i++)
            add(parts + i * width, parts + (i + half / n) * width, width);
}

/* Sends `told` parts around. Part p of rank r = p % n is the (p / n)-th after a number that holds the flags. */
static int exchange(const path_share *s, share_room *room, const double *parts, size_t width, size_t told, int flags)
{
    size_t n = share_size(s), mine = share_first(s), at = 0;
    for (size_t r = 0; r < n; r++) {
        room->first[r] = at;
        at += 1 + (told - r + n - 1) / n * width;
    }
    room->first[n] = at;
    double *own = room->message + room->first[mine];
    own[0] = flags;
    for (size_t i = 0; mine + i * n < told; i++)
        memcpy(own + 1 + i * width, parts + i * width, sizeof *own * width);
    if (ranks_allgather(share_ranks(s), room->message, room->first))
        return flags | SHARE_LOST;
    for (size_t r = 0; r < n; r++)
        flags |= (int)room->message[room->first[r]];
    return flags;
}

int share_join(const path_share *s, share_room *room, double *parts, size_t width, int flags, double *out)
{
    size_t n = share_size(s), told = parts_told(n);
    if (n == 1) {
        fold_own(parts, width, 1, 2);
        for (size_t h = 0; h < 2; h++)
            memcpy(out + h * width, parts + h * width, sizeof *out * width);
        return flags;
    }
    if (told < PATH_PARTS)
        fold_own(parts, width, n, told);
    flags = exchange(s, room, parts, width, told, flags);
    for (size_t half = told / 2; half >= 2; half /= 2)
        for (size_t p = 0; p < half; p++)
            add(room->message + room->first[p % n] + 1 + p / n * width,
                room->message + room->first[(p + half) % n] + 1 + (p + half) / n * width, width);
    for (size_t h = 0; h < 2; h++)
        memcpy(out + h * width, room->message + room->first[h % n] + 1 + h / n * width, sizeof *out * width);
    return flags;
}
