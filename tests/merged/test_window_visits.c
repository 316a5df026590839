/* The visits of windows: their law, what three grids make of the same visits, and the white noise at them. */
#include "window_case.h"

enum { K = WINDOW_STUDENTS, LANES = 4000, FIRST = 500, MOST = 60 };

/* With replacement, windows are longer than the time between visits, so that most visits are not the first ones. */
static const char *const DYNAMICS[] = {REPLACEMENT, RESHUFFLE};
static const double HORIZON[] = {20, 4};

/* The visits of one lane in one window, as one grid has them. */
typedef struct lane_visits {
    int count;
    int cell[MOST];
    double time[MOST], step[MOST], W[MOST][K]; /* W is 0 at the beginning of the window */
} lane_visits;

/* Checks the contract of groups of one cell: no lane twice in one, and as many visits before as the rank says. */
static void check_group(const visit_group *group, const window_cell *cell, size_t at, int rank, const int *seen)
{
    assert_int_equal(group->first, at);
    assert_int_equal(group->rank, rank);
    assert_true(group->count > 0);
    for (size_t v = at; v < at + group->count; v++) {
        assert_in_range(cell->lane[v], 0, LANES - 1);
        assert_int_equal(seen[cell->lane[v]], rank);
    }
}

/* Collects the visits of all lanes; of a lane they must ascend in time, within their cells. */
static void collect(const window_case *c, int g, int index, lane_visits *out)
{
    const time_grid *grid = c->source.grid[g];
    double *begin = memory_doubles(K * LANES);
    assert_non_null(begin);
    memset(out, 0, sizeof *out * LANES);
    for (int number = 0; number < WINDOW_CELLS >> g; number++) {
        const window_cell *cell = &c->window.cell[g][number];
        int at = window_case_number(g, index, number), *seen = calloc(LANES, sizeof *seen);
        double h = grid->h[at];
        size_t visits = 0;
        assert_non_null(seen);
        for (size_t r = 0; r < cell->n_groups; r++) {
            const visit_group *group = &cell->groups[r];
            check_group(group, cell, visits, (int)r, seen);
            visits += group->count;
            for (size_t v = group->first; v < visits; v++) {
                int lane = cell->lane[v];
                lane_visits *o = &out[lane];
                double u = cell->place[v], t = grid->t[at] + u * h;
                assert_true(seen[lane]++ == (int)r && o->count < MOST);
                check_between(u, 0, 1, "place of a visit");
                assert_true(o->count == 0 || t > o->time[o->count - 1]);
                o->cell[o->count] = number;
                o->time[o->count] = t;
                o->step[o->count] = cell->step[v];
                for (int a = 0; a < K; a++) {
                    const double *xi = cell->xi + (size_t)a * LANES + lane;
                    double bridge =
                        cell->visit_bridge[K * group->first + (size_t)a * group->count + (v - group->first)];
                    o->W[o->count][a] =
                        begin[a * LANES + lane] + sqrt(h) * (u * xi[0] + slope_to(u) * xi[K * LANES]) + bridge;
                }
                o->count++;
            }
        }
        for (size_t x = 0; x < K * LANES; x++)
            begin[x] += sqrt(h) * cell->xi[x];
        free(seen);
    }
    free(begin);
}

/* All grids have the same visits with the same W, and together as many as were drawn. */
static void test_same_visits(void **state)
{
    for (int d = 0; d < 2; d++) {
        window_case c;
        window_case_new(DYNAMICS[d], HORIZON[d], 21, LANES, FIRST, &c);
        lane_visits *fine = calloc(LANES, sizeof *fine), *other = calloc(LANES, sizeof *other);
        double visits = 0;
        assert_true(fine && other);
        for (int index = 0; index < c.windows; index++) {
            window_case_draw(&c, index);
            collect(&c, 0, index, fine);
            for (int g = 1; g < WINDOW_GRIDS; g++) {
                collect(&c, g, index, other);
                for (size_t p = 0; p < LANES; p++) {
                    assert_int_equal(other[p].count, fine[p].count);
                    for (int v = 0; v < fine[p].count; v++) {
                        assert_int_equal(other[p].cell[v], fine[p].cell[v] >> g);
                        check_near(other[p].time[v], fine[p].time[v], 1e-14, "time on grid %d, lane %zu", g, p);
                        assert_true(other[p].step[v] == fine[p].step[v]);
                        for (int a = 0; a < K; a++)
                            check_near(other[p].W[v][a], fine[p].W[v][a], 1e-13, "W on grid %d, lane %zu", g, p);
                    }
                }
            }
            for (size_t p = 0; p < LANES; p++) {
                visits += fine[p].count;
                for (int v = 0; v < fine[p].count; v++)
                    check_near(fine[p].step[v], 0.8 / (1 + 0.2 * fine[p].time[v]), 1e-14, "eta at a visit");
            }
        }
        assert_true(visits == c.window.visits);
        free(fine);
        free(other);
        window_case_clear(&c);
    }
}

/* Numbers of visits to the cells of one lane in the window before, the current one and the epoch. */
typedef struct counted {
    int before, cell[WINDOW_CELLS];
} counted;

static void count(const lane_visits *visits, counted *out)
{
    out->before = out->cell[WINDOW_CELLS - 1];
    memset(out->cell, 0, sizeof out->cell);
    for (int v = 0; v < visits->count; v++)
        out->cell[visits->cell[v]]++;
}

/* Visits with replacement are those of a Poisson process: numbers in cells have mean and variance h and are
   independent. Standard errors are those of independent paths, which is more than quasi-random visits have. A Poisson
   number of mean h has a squared deviation of variance h + 2 h^2. */
static void test_poisson(void **state)
{
    window_case c;
    window_case_new(REPLACEMENT, HORIZON[0], 22, LANES, FIRST, &c);
    const time_grid *grid = c.source.grid[0];
    lane_visits *visits = calloc(LANES, sizeof *visits);
    counted *counts = calloc(LANES, sizeof *counts);
    sample total = {0};
    double *all = memory_doubles(LANES);
    assert_true(visits && counts && all);
    for (int index = 0; index < c.windows; index++) {
        window_case_draw(&c, index);
        collect(&c, 0, index, visits);
        for (size_t p = 0; p < LANES; p++) {
            count(&visits[p], &counts[p]);
            all[p] += visits[p].count;
        }
        for (int cell = 0; cell < WINDOW_CELLS; cell++) {
            double h = grid->h[window_case_number(0, index, cell)], mean = 0, square = 0, product = 0;
            double last = index + cell > 0 ? grid->h[window_case_number(0, index, cell) - 1] : 0;
            for (size_t p = 0; p < LANES; p++) {
                double x = counts[p].cell[cell] - h;
                mean += x / LANES;
                square += x * x / LANES;
                product += x * ((cell > 0 ? counts[p].cell[cell - 1] : counts[p].before) - last) / LANES;
            }
            check_z(mean, 0, sqrt(h / LANES), 4, "number in cell %d of window %d", cell, index);
            check_z(square, h, sqrt((h + 2 * h * h) / LANES), 4, "its variance, cell %d of window %d", cell, index);
            if (last > 0)
                check_z(product, 0, sqrt(h * last / LANES), 4, "with the cell before, cell %d of window %d", cell,
                        index);
        }
    }
    for (size_t p = 0; p < LANES; p++)
        sample_add(&total, all[p]);
    double T = grid->t[grid->steps];
    check_z(total.mean, T, sqrt(T / LANES), 4, "visits of a path");
    check_z(sample_variance(&total), T, sqrt((T + 2 * T * T) / LANES), 4, "their variance");
    free(visits);
    free(counts);
    free(all);
    window_case_clear(&c);
}

/* Reshuffled paths have one visit in every epoch, at a uniform place that does not depend on the one before. */
static void test_epochs(void **state)
{
    enum { EPOCHS = 4 };
    window_case c;
    window_case_new(RESHUFFLE, HORIZON[1], 23, LANES, FIRST, &c);
    lane_visits *visits = calloc(LANES, sizeof *visits);
    int *number = calloc(LANES * EPOCHS, sizeof *number);
    double *place = memory_doubles(LANES * EPOCHS);
    assert_true(visits && number && place);
    for (int index = 0; index < c.windows; index++) {
        window_case_draw(&c, index);
        collect(&c, 0, index, visits);
        for (size_t p = 0; p < LANES; p++)
            for (int v = 0; v < visits[p].count; v++) {
                int epoch = (int)floor(visits[p].time[v]);
                assert_in_range(epoch, 0, EPOCHS - 1);
                number[p * EPOCHS + epoch]++;
                place[p * EPOCHS + epoch] = visits[p].time[v] - epoch - 0.5;
            }
    }
    for (int i = 0; i < LANES * EPOCHS; i++)
        assert_int_equal(number[i], 1);
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        sample mean = {0}, square = {0}, product = {0};
        for (size_t p = 0; p < LANES; p++) {
            double x = place[p * EPOCHS + epoch];
            sample_add(&mean, x);
            sample_add(&square, x * x);
            sample_add(&product, epoch > 0 ? x * place[p * EPOCHS + epoch - 1] : 0);
        }
        check_z(mean.mean, 0, sample_se(&mean), 4, "place in epoch %d", epoch);
        check_z(square.mean, 1.0 / 12, sample_se(&square), 4, "its variance, epoch %d", epoch);
        if (epoch > 0)
            check_z(product.mean, 0, sample_se(&product), 4, "with the epoch before, epoch %d", epoch);
    }
    free(visits);
    free(number);
    free(place);
    window_case_clear(&c);
}

/* What bridges do on one grid: the mean and the mean square of the bridge at the first visit of a lane to a cell, in
   units of what it should be, place by place; its products with the moments of the cell; and its product with the
   bridge at the second visit. */
enum { BINS = 10 };
typedef struct bridge_law_sample {
    sample mean[BINS], square[BINS], with_mean, with_slope, again, across, apart;
} bridge_law_sample;

/* `first` holds places and bridges of the first visits to the cell before, with -1 where a lane has none, and then
   those of this one. */
static void add_bridges(const window_cell *cell, double h, double *first, bridge_law_sample *out)
{
    double before[3 * LANES];
    memcpy(before, first, sizeof before);
    for (size_t p = 0; p < LANES; p++)
        first[p] = -1;
    for (size_t r = 0; r < cell->n_groups && r < 2; r++) {
        const visit_group *group = &cell->groups[r];
        for (size_t v = 0; v < group->count; v++) {
            size_t p = (size_t)cell->lane[group->first + v];
            double u = cell->place[group->first + v], scale = 1 / sqrt(h * bridge_law(u, u));
            const double *bridge = cell->visit_bridge + K * group->first + v;
            for (size_t a = 0; a < K; a++) {
                double x = bridge[a * group->count];
                if (r > 0) {
                    sample_add(&out->again, x * first[(1 + a) * LANES + p] / h - bridge_law(u, first[p]));
                    continue;
                }
                first[(1 + a) * LANES + p] = x;
                /* a product without this weight would have mean 0 even if cells were not independent */
                if (before[p] >= 0)
                    sample_add(&out->apart, x * before[(1 + a) * LANES + p] * bridge_law(u, before[p]) / h);
                sample_add(&out->mean[(int)(BINS * u)], scale * x);
                sample_add(&out->square[(int)(BINS * u)], scale * x * scale * x);
                sample_add(&out->with_mean, scale * x * cell->xi[a * LANES + p]);
                sample_add(&out->with_slope, scale * x * cell->xi[(K + a) * LANES + p]);
            }
            if (r == 0)
                sample_add(&out->across, scale * bridge[0] * scale * bridge[group->count]);
            first[p] = r == 0 ? u : first[p];
        }
    }
}

static void test_bridges(void **state)
{
    for (int d = 0; d < 2; d++) {
        window_case c;
        bridge_law_sample law[WINDOW_GRIDS];
        double *first = memory_doubles(3 * LANES);
        assert_non_null(first);
        memset(law, 0, sizeof law);
        window_case_new(DYNAMICS[d], HORIZON[d], 24, LANES, FIRST, &c);
        for (int index = 0; index < c.windows; index++) {
            window_case_draw(&c, index);
            for (int g = 0; g < WINDOW_GRIDS; g++) {
                for (size_t p = 0; p < LANES; p++)
                    first[p] = -1;
                for (int cell = 0; cell < WINDOW_CELLS >> g; cell++)
                    add_bridges(&c.window.cell[g][cell], c.source.grid[g]->h[window_case_number(g, index, cell)], first,
                                &law[g]);
            }
        }
        for (int g = 0; g < WINDOW_GRIDS; g++) {
            for (int bin = 0; bin < BINS; bin++) {
                double n = (double)law[g].mean[bin].n;
                assert_true(n > 1000);
                check_z(law[g].mean[bin].mean, 0, 1 / sqrt(n), 4, "bridge on grid %d, bin %d", g, bin);
                check_z(law[g].square[bin].mean, 1, sqrt(2 / n), 4, "its variance on grid %d, bin %d", g, bin);
            }
            check_z(law[g].with_mean.mean, 0, sample_se(&law[g].with_mean), 4, "with xi_0 on grid %d", g);
            check_z(law[g].with_slope.mean, 0, sample_se(&law[g].with_slope), 4, "with xi_1 on grid %d", g);
            check_z(law[g].across.mean, 0, sample_se(&law[g].across), 4, "both components on grid %d", g);
            /* reshuffled paths have no second visit in a cell */
            if (d == 0) {
                if (g + 1 < WINDOW_GRIDS)
                    check_z(law[g].apart.mean, 0, sample_se(&law[g].apart), 4, "neighbouring cells of grid %d", g);
                assert_true(law[g].again.n > 1000);
                check_z(law[g].again.mean, 0, sample_se(&law[g].again), 4, "two visits to a cell of grid %d", g);
            } else {
                assert_int_equal(law[g].again.n, 0);
            }
        }
        free(first);
        window_case_clear(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_visits),
        cmocka_unit_test(test_poisson),
        cmocka_unit_test(test_epochs),
        cmocka_unit_test(test_bridges),
    };
    return cmocka_run_group_tests_name("window visits", tests, NULL, NULL);
}
