/* A path of a path_case done again from the equations in the head of paths/block.h, without groups, slots or lanes. */
#ifndef SGDMFT_TESTS_PATHS_SINGLE_PATH_H
#define SGDMFT_TESTS_PATHS_SINGLE_PATH_H

#include "path_case.h"
#include "support/visits_by_path.h"

enum { VISITS_MOST = 64 };

typedef struct single_path {
    double kick[VISITS_MOST][K]; /* at its visits */
    double r[STEPS + 1][K];      /* at the nodes */
} single_path;

/* The path of lane p of a block. */
single_path single_path_of(const path_case *c, const visits_by_path *v, size_t p);

/* r -= R(t_node, T_b) kick_b for its visits b before cell `cell`. */
void single_path_kicked(const path_case *c, const visits_by_path *v, size_t p, const single_path *path, int cell,
                        int node, double r[K]);

#endif
