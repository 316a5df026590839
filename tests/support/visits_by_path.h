/* Visits lane by lane: a block stores them in order of groups only. */
#ifndef SGDMFT_TESTS_SUPPORT_VISITS_BY_PATH_H
#define SGDMFT_TESTS_SUPPORT_VISITS_BY_PATH_H

#include "paths/ensemble.h"

/* Of one block; entry a n + p belongs to visit number a of lane p, a < visits[p]. */
typedef struct visits_by_path {
    const path_inputs *in; /* not owned */
    int *visits;           /* [n] */
    int *cell;             /* [slots][n] */
    double *place;         /* [slots][n] */
    double *time;          /* [slots][n] from cell and place */
    double *step;          /* [slots][n] */
    size_t *bridge;        /* [slots][k][n] indices into in->visit_bridge */
} visits_by_path;

/* Those of every block. Fails the test if a lane does not have each of its visits once. */
visits_by_path *visits_by_path_new(const path_ensemble *e, int k, const time_grid *grid);
void visits_by_path_free(const path_ensemble *e, visits_by_path *v);

/* The contract of groups: one after the other without gaps, no lane twice in one, the visits of a lane in order and by
   their rank in the cell; and slots_before. */
void check_visit_groups(const path_inputs *in);

#endif
