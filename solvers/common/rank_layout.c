#include "solvers/common/rank_layout.h"

#include "paths/share.h"

/* Paths are split further only if that saves more than this part of the time: messages have their price. */
static const double WORTH = 0.05;

/* Ranks of group g; their numbers differ by at most 1 between groups. */
static int members(int ranks, int groups, int g)
{
    return ranks / groups + (g < ranks % groups);
}

static int working(const rank_layout *layout, int ranks, int group)
{
    int n = members(ranks, layout->groups, group);
    return n < layout->size ? n : layout->size;
}

rank_layout rank_layout_plan(int ranks, int replicas, size_t blocks, int whole)
{
    rank_layout best = {1, 1};
    double least = 0;
    for (int groups = ranks < replicas ? ranks : replicas; groups >= 1; groups--) {
        int size = ranks / groups, rounds = (replicas + groups - 1) / groups;
        size = whole ? 1 : size < PATH_PARTS ? size : PATH_PARTS;
        if ((size_t)size > blocks)
            size = blocks > 1 ? (int)blocks : 1;
        double time = (double)rounds * (double)((blocks + (size_t)size - 1) / (size_t)size);
        if (least == 0 || time < (1 - WORTH) * least) {
            least = time;
            best = (rank_layout){groups, size};
        }
    }
    return best;
}

int rank_layout_leader(const rank_layout *layout, int ranks, int group)
{
    int first = 0;
    for (int g = 0; g < group; g++)
        first += members(ranks, layout->groups, g);
    return first;
}

int rank_layout_group(const rank_layout *layout, int ranks, int rank)
{
    for (int g = 0; g < layout->groups; g++) {
        int first = rank_layout_leader(layout, ranks, g);
        if (rank >= first && rank < first + members(ranks, layout->groups, g))
            return rank < first + working(layout, ranks, g) ? g : -1;
    }
    return -1;
}
