#include "visits_by_path.h"

#include <stdlib.h>

#include "check.h"
#include "core/memory.h"

static void expand(const path_inputs *in, size_t k, const time_grid *grid, visits_by_path *out)
{
    size_t n = in->n, room = (size_t)in->slots * n + 1, seen = 0;
    char *met = memory_zeroed(room, 1);
    *out = (visits_by_path){.in = in,
                            .visits = memory_zeroed(n, sizeof(int)),
                            .cell = memory_zeroed(room, sizeof(int)),
                            .place = memory_doubles(room),
                            .time = memory_doubles(room),
                            .step = memory_doubles(room),
                            .bridge = memory_zeroed(k * room, sizeof(size_t))};
    assert_true(met && out->visits && out->cell && out->place && out->time && out->step && out->bridge);
    for (int cell = 0; cell < in->steps; cell++)
        for (size_t g = in->group_first[cell]; g < in->group_first[cell + 1]; g++) {
            const visit_group *group = &in->groups[g];
            for (size_t v = group->first; v < group->first + group->count; v++, seen++) {
                size_t slot = (size_t)in->visit_slot[v], p = (size_t)in->visit_lane[v], at = slot * n + p;
                assert_true(slot < (size_t)in->slots && p < n && !met[at]);
                met[at] = 1;
                out->visits[p]++;
                out->cell[at] = cell;
                out->place[at] = in->visit_place[v];
                out->time[at] = grid->t[cell] + in->visit_place[v] * grid->h[cell];
                out->step[at] = in->visit_step[v];
                for (size_t c = 0; c < k; c++)
                    out->bridge[(slot * k + c) * n + p] = k * group->first + c * group->count + v - group->first;
            }
        }
    assert_int_equal(seen, in->visits);
    for (size_t p = 0; p < n; p++)
        for (int a = 0; a < out->visits[p]; a++)
            assert_true(met[(size_t)a * n + p]);
    free(met);
}

visits_by_path *visits_by_path_new(const path_ensemble *e, int k, const time_grid *grid)
{
    visits_by_path *v = calloc(e->n_blocks, sizeof *v);
    assert_non_null(v);
    for (size_t b = 0; b < e->n_blocks; b++) {
        assert_int_equal(e->block[b].steps, grid->steps);
        expand(&e->block[b], (size_t)k, grid, &v[b]);
    }
    return v;
}

void visits_by_path_free(const path_ensemble *e, visits_by_path *v)
{
    for (size_t b = 0; b < e->n_blocks; b++) {
        free(v[b].visits);
        free(v[b].cell);
        free(v[b].place);
        free(v[b].time);
        free(v[b].step);
        free(v[b].bridge);
    }
    free(v);
}

void check_visit_groups(const path_inputs *in)
{
    size_t used = 0;
    int most = 0, *visits = memory_zeroed(2 * in->n, sizeof *visits), *before = visits + in->n;
    assert_non_null(visits);
    assert_int_equal(in->group_first[0], 0);
    assert_int_equal(in->slots_before[0], 0);
    for (int cell = 0; cell < in->steps; cell++) {
        for (size_t p = 0; p < in->n; p++)
            before[p] = visits[p];
        for (size_t g = in->group_first[cell]; g < in->group_first[cell + 1]; g++) {
            const visit_group *group = &in->groups[g];
            assert_int_equal(group->first, used);
            assert_int_equal(group->rank, g - in->group_first[cell]);
            assert_true(group->count > 0);
            for (size_t v = used; v < used + group->count; v++) {
                int p = in->visit_lane[v];
                assert_int_equal(in->visit_slot[v], visits[p]);
                assert_int_equal(visits[p] - before[p], group->rank); /* so no lane is twice in the group */
                if (++visits[p] > most)
                    most = visits[p];
            }
            used += group->count;
        }
        assert_int_equal(in->slots_before[cell + 1], most);
    }
    assert_int_equal(used, in->visits);
    assert_int_equal(most, in->slots);
    free(visits);
}
