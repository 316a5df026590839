#include "paths/share.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

sgdmft_status share_room_new(sgdmft_context *ctx, const path_share *share, size_t width, share_room *out)
{
    size_t n = share_size(share);
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

/* The number of parts that n ranks exchange: one partial sum per rank if n is a power of two, but at least two. */
static size_t parts_sent(size_t n)
{
    if (n & (n - 1))
        return PATH_PARTS;
    return n > 2 ? n : 2;
}

/* Adds up the parts of one of n ranks, which has every n-th part, until `to` parts are left over all ranks. */
static void fold_own(double *parts, size_t width, size_t n, size_t to)
{
    for (size_t half = PATH_PARTS / 2; half >= to; half /= 2)
        for (size_t i = 0; i < half / n; i++)
            add(parts + i * width, parts + (i + half / n) * width, width);
}

/* Exchanges `sent` parts. The message of rank r begins with its flags; part p = r + n i is number i after them. */
static int exchange(const path_share *share, share_room *room, const double *parts, size_t width, size_t sent,
                    int flags)
{
    size_t n = share_size(share), mine = share_first(share), at = 0;
    for (size_t r = 0; r < n; r++) {
        room->first[r] = at;
        at += 1 + (sent - r + n - 1) / n * width;
    }
    room->first[n] = at;
    double *own = room->message + room->first[mine];
    own[0] = flags;
    for (size_t i = 0; mine + i * n < sent; i++)
        memcpy(own + 1 + i * width, parts + i * width, sizeof *own * width);
    if (ranks_allgather(share_ranks(share), room->message, room->first))
        return flags | SHARE_LOST;
    for (size_t r = 0; r < n; r++)
        flags |= (int)room->message[room->first[r]];
    return flags;
}

int share_join(const path_share *share, share_room *room, double *parts, size_t width, int flags, double *out)
{
    size_t n = share_size(share), sent = parts_sent(n);
    if (n == 1) {
        fold_own(parts, width, 1, 2);
        for (size_t h = 0; h < 2; h++)
            memcpy(out + h * width, parts + h * width, sizeof *out * width);
        return flags;
    }
    if (sent < PATH_PARTS)
        fold_own(parts, width, n, sent);
    flags = exchange(share, room, parts, width, sent, flags);
    for (size_t half = sent / 2; half >= 2; half /= 2)
        for (size_t p = 0; p < half; p++)
            add(room->message + room->first[p % n] + 1 + p / n * width,
                room->message + room->first[(p + half) % n] + 1 + (p + half) / n * width, width);
    for (size_t h = 0; h < 2; h++)
        memcpy(out + h * width, room->message + room->first[h % n] + 1 + h / n * width, sizeof *out * width);
    return flags;
}
