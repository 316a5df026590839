#include "cli/processes.h"

#include <stdlib.h>
#include <string.h>

#include "cli/command.h"

const char *processes_complaints(processes *p)
{
    if (!p->complaints)
        return NULL;
    fflush(p->complaints);
    const char *news = p->text + p->taken;
    p->taken = p->length;
    return news;
}

/* The complaints of rank `from`, on standard error of rank 0. */
static int hear(rank_group *all, int from, const char *complaints)
{
    size_t length = complaints ? strlen(complaints) : 0;
    if (all->rank == from)
        return all->via->send(all, 0, &length, sizeof length) || all->via->send(all, 0, complaints, length);
    if (all->rank != 0)
        return 0;
    if (all->via->receive(all, from, &length, sizeof length))
        return 1;
    char *text = calloc(length + 1, 1);
    int failed = !text || all->via->receive(all, from, text, length);
    if (!failed && length > 0)
        fputs(text, stderr);
    free(text);
    return failed;
}

int processes_agree(processes *p, rank_group *all, int code)
{
    if (!all)
        return code;
    if (ranks_allgather_one(all, code, all->per_rank))
        return CODE_SYSTEM;
    const char *complaints = processes_complaints(p);
    for (int r = 0; r < all->size; r++)
        if (all->per_rank[r] != 0) {
            code = (int)all->per_rank[r];
            return r > 0 && hear(all, r, complaints) ? CODE_SYSTEM : code;
        }
    return 0;
}
