/* The laws of visits, of all rows of the table and of the tests' own process: times and their number from independent
   uniform numbers; and the law of the last visit, against quadrature and against the visits themselves. */
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_integration.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "process/poisson.h"
#include "process/process.h"
#include "support/check.h"
#include "support/epoch_process.h"
#include "support/sample.h"

enum { VISITS_MOST = 80 };
static const double HORIZONS[] = {0.37, 1, 2.61, 7.25};
enum { HORIZON_COUNT = sizeof HORIZONS / sizeof *HORIZONS };

/* The rows of the table that have visits at any time, and the tests' own process after them; NULL past the end. */
static const sample_process *visited(size_t index)
{
    size_t found = 0;
    for (size_t row = 0; process_at(row); row++)
        if (process_at(row)->events == EVENTS_VISITS && found++ == index)
            return process_at(row);
    return index == found ? &epoch_process : NULL;
}

static const char *name_of(const sample_process *p)
{
    return p->sampling ? p->sampling : p->dynamics;
}

/* The times in [0, horizon) of a path; returns their number. */
static int draw(const visit_law *law, uint64_t path, double horizon, double time[VISITS_MOST])
{
    double u[VISITS_MOST], now = 0;
    random_uniforms((random_key){5113, 0, 92}, path, 0, VISITS_MOST, u);
    for (int a = 0; a < VISITS_MOST; a++) {
        now = law->time((size_t)a, now, u[a], 0);
        if (!(now < horizon))
            return a;
        time[a] = now;
    }
    fail_msg("more than %d visits before %g", VISITS_MOST, horizon);
    return 0;
}

static void test_times_ascend(void **state)
{
    const sample_process *p;
    for (size_t which = 0; (p = visited(which)); which++)
        for (uint64_t path = 0; path < 4000; path++) {
            double time[VISITS_MOST];
            int visits = draw(p->visits, path, 20, time);
            for (int a = 0; a < visits; a++)
                if (!(time[a] > (a ? time[a - 1] : 0)))
                    fail_msg("%s: visit %d of path %d is at %g", name_of(p), a, (int)path, time[a]);
        }
}

/* Extreme uniform numbers give times that are finite and no earlier than the time before. */
static void test_extreme_numbers(void **state)
{
    static const double u[] = {0x1p-53, 0x1p-30, 0.5, 1 - 0x1p-30, 1 - 0x1p-53};
    const sample_process *p;
    for (size_t which = 0; (p = visited(which)); which++)
        for (size_t i = 0; i < sizeof u / sizeof *u; i++) {
            double now = 0;
            for (size_t a = 0; a < 10; a++) {
                double next = p->visits->time(a, now, u[i], 0);
                assert_true(isfinite(next) && next >= now);
                now = next;
            }
        }
}

/* One visit in a unit of time on average, so that the mean number is the horizon; and the bound on the number is the
   mean plus deviations, but no more than the largest number there can be. */
static void test_number_of_visits(void **state)
{
    size_t paths = test_scaled(40000, 6000);
    const sample_process *p;
    for (size_t which = 0; (p = visited(which)); which++)
        for (size_t h = 0; h < HORIZON_COUNT; h++) {
            double horizon = HORIZONS[h], time[VISITS_MOST];
            sample number = {0}, square = {0};
            int most = 0;
            for (size_t path = 0; path < paths; path++) {
                int visits = draw(p->visits, path, horizon, time);
                sample_add(&number, visits);
                sample_add(&square, (visits - horizon) * (visits - horizon));
                most = visits > most ? visits : most;
            }
            check_near(number.mean, horizon, 4 * sample_se(&number) + 1e-12, "%s: visits before %g", name_of(p),
                       horizon);
            assert_true(p->visits->count(horizon, 0, 0) == horizon);
            for (double deviations = 1; deviations <= 5; deviations++) {
                double bound = p->visits->count(horizon, deviations, 0),
                       want = horizon + deviations * sqrt(square.mean);
                double noise = 4 * deviations * sample_se(&square) / (2 * sqrt(square.mean) + 1e-9) + 1e-12;
                if (bound < want - noise) /* because there can be no more */
                    assert_true(bound >= most && bound == round(bound));
                else
                    check_near(bound, want, noise, "%s: %g deviations above the number before %g", name_of(p),
                               deviations, horizon);
            }
        }
}

/* Largest distance of the distribution of x from one that is uniform, times the root of their number. */
static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double kolmogorov(size_t n, double *x)
{
    double distance = 0;
    qsort(x, n, sizeof *x, ascending);
    for (size_t i = 0; i < n; i++)
        distance = fmax(distance, fmax((double)(i + 1) / (double)n - x[i], x[i] - (double)i / (double)n));
    return distance * sqrt((double)n);
}

/* Waiting times are exponential, of mean 1, for every number of the visit: exactly, by the inverse of their
   distribution, and as a sample. */
static void test_poisson_waiting(void **state)
{
    enum { FEW = 6 };
    size_t paths = test_scaled(20000, 4000);
    double *wait = memory_doubles(paths), time[VISITS_MOST];
    for (int i = 1; i < 400; i++) {
        double u = i / 400.0, waiting = poisson_visits.time((size_t)i, 0.01 * i, u, 0) - 0.01 * i;
        check_near(gsl_cdf_exponential_P(waiting, 1), u, 1e-14, "distribution of waiting times at %g", waiting);
    }
    assert_true(poisson_visits.epoch == 0);
    for (int a = 0; a < FEW; a++) {
        for (size_t path = 0; path < paths; path++) {
            assert_true(draw(&poisson_visits, path, 40, time) >= FEW);
            wait[path] = gsl_cdf_exponential_P(time[a] - (a ? time[a - 1] : 0), 1);
        }
        check_between(kolmogorov(paths, wait), 0, 2.2, "distribution of waiting time %d", a); /* 1 in 8000 */
    }
    free(wait);
}

/* The number of visits has the distribution of Poisson. */
static void test_poisson_number(void **state)
{
    size_t paths = test_scaled(40000, 6000);
    for (size_t h = 0; h < HORIZON_COUNT; h++) {
        double below[VISITS_MOST] = {0}, time[VISITS_MOST];
        for (size_t path = 0; path < paths; path++)
            for (int n = draw(&poisson_visits, path, HORIZONS[h], time); n < VISITS_MOST; n++)
                below[n] += 1 / (double)paths;
        for (unsigned n = 0; n < 20; n++) {
            double want = gsl_cdf_poisson_P(n, HORIZONS[h]);
            check_near(below[n], want, 4 * sqrt(want * (1 - want) / (double)paths) + 1e-4,
                       "%u visits or fewer before %g", n, HORIZONS[h]);
        }
        /* few paths have more than five deviations above the mean allow for */
        double bound = poisson_visits.count(HORIZONS[h], 5, 0);
        check_between(gsl_cdf_poisson_Q((unsigned)bound, HORIZONS[h]), 0, 3e-3, "visits beyond the bound");
    }
}

/* Laws with epochs: in each of them one visit, uniform and independent of those before. */
static void check_epochs(const sample_process *p)
{
    enum { EPOCHS = 5 };
    size_t paths = test_scaled(20000, 4000);
    double epoch = p->visits->epoch, time[VISITS_MOST], *place[EPOCHS];
    sample product[EPOCHS] = {0};
    for (int e = 0; e < EPOCHS; e++)
        place[e] = memory_doubles(paths);
    for (size_t path = 0; path < paths; path++) {
        assert_int_equal(draw(p->visits, path, EPOCHS * epoch, time), EPOCHS);
        for (int e = 0; e < EPOCHS; e++) {
            assert_int_equal((int)floor(time[e] / epoch), e);
            place[e][path] = time[e] / epoch - e;
            if (e > 0)
                sample_add(&product[e], (place[e][path] - 0.5) * (place[e - 1][path] - 0.5));
        }
    }
    for (int e = 0; e < EPOCHS; e++) {
        if (e > 0)
            check_z(product[e].mean, 0, sample_se(&product[e]), 4, "%s: places in epochs %d and %d", name_of(p), e - 1,
                    e);
        check_between(kolmogorov(paths, place[e]), 0, 2.2, "%s: places in epoch %d", name_of(p), e);
        free(place[e]);
    }
}

static void test_epochs(void **state)
{
    const sample_process *p;
    size_t checked = 0;
    for (size_t which = 0; (p = visited(which)); which++)
        if (p->visits->epoch > 0) {
            check_epochs(p);
            checked++;
        }
    assert_true(checked >= 1);
}

/* ---- batches ---- */

/* The rows of the table with batches; NULL past the end. */
static const sample_process *batched(size_t index)
{
    size_t found = 0;
    for (size_t row = 0; process_at(row); row++)
        if (process_at(row)->events == EVENTS_BATCHES && found++ == index)
            return process_at(row);
    return NULL;
}

enum { BATCHES = 5, BATCH_EPOCHS = 4, BATCH_STEPS = BATCHES * BATCH_EPOCHS };

/* in[j] becomes 1 for the steps of a path; returns the number of its visits. Every visit is in the middle of a step, and
   no step has two. */
static int draw_batches(const sample_process *p, uint64_t path, char in[BATCH_STEPS])
{
    double u[BATCH_STEPS], now = 0, b = p->batch == BATCH_FULL ? 1 : 1.0 / BATCHES;
    int visits = 0;
    memset(in, 0, BATCH_STEPS);
    random_uniforms((random_key){5115, 0, 92}, path, 0, BATCH_STEPS, u);
    for (size_t a = 0; a < BATCH_STEPS; a++) {
        now = p->visits->time(a, now, u[a], b);
        int step = (int)floor(now / b);
        if (step >= BATCH_STEPS)
            break;
        check_near(now / b, step + 0.5, 1e-9, "%s: place of a visit", name_of(p));
        assert_false(in[step]);
        in[step] = 1;
        visits++;
    }
    return visits;
}

/* A path is in one batch of five; given that it is in a batch, it is in the next one or in the one at the same place of
   the next epoch with the probability that the law says: independent of it, never, or always. */
static void test_batches(void **state)
{
    size_t paths = test_scaled(40000, 8000), checked = 0;
    const sample_process *p;
    for (size_t which = 0; (p = batched(which)); which++, checked++) {
        double b = p->batch == BATCH_FULL ? 1 : 1.0 / BATCHES, at_once = p->visits->epoch > 0 ? 0 : b;
        sample all = {0}, neighbours = {0}, again = {0};
        double most = p->visits->count(BATCH_STEPS * b, INFINITY, b);
        for (size_t path = 0; path < paths; path++) {
            char in[BATCH_STEPS];
            assert_true(draw_batches(p, path, in) <= most);
            sample_add(&all, in[7]);
            if (in[6])
                sample_add(&neighbours, in[7]);
            if (in[6])
                sample_add(&again, in[6 + BATCHES]);
        }
        check_near(all.mean, b, 4 * sample_se(&all) + 1e-12, "%s: in a batch", name_of(p));
        check_near(neighbours.mean, at_once, 4 * sample_se(&neighbours) + 1e-12, "%s: and in the next", name_of(p));
        check_near(again.mean, p->visits->kept ? 1 : b, 4 * sample_se(&again) + 1e-12, "%s: and an epoch later",
                   name_of(p));
    }
    assert_true(checked >= 4);
}

/* ---- the last visit ---- */

/* Density of the time since the last visit: minus the derivative of the chance that there was none, by an extrapolated
   difference. */
static double density(const last_visit_law *law, double since)
{
    double h = 1e-3 * (1 + since), wide = (law->none(since - h) - law->none(since + h)) / (2 * h);
    double narrow = (law->none(since - h / 2) - law->none(since + h / 2)) / h;
    return narrow + (narrow - wide) / 3;
}

/* The integrals of a cell by quadrature: of the density, and of the density times a line or an exponential from 0 at
   the start of the cell to 1 at its end, the time that is less long ago. */
static void cell_by_quadrature(const last_visit_law *law, double late, double h, double x, double *all, double *end)
{
    enum { POINTS = 12 };
    gsl_integration_glfixed_table *table = gsl_integration_glfixed_table_alloc(POINTS);
    *all = *end = 0;
    for (size_t point = 0; point < POINTS; point++) {
        double since, weight;
        gsl_integration_glfixed_point(late, late + h, point, &since, &weight, table);
        *all += weight * density(law, since);
        double place = (late + h - since) / h;
        *end += weight * density(law, since) * (x > 0 ? expm1(x * place) / expm1(x) : place);
    }
    gsl_integration_glfixed_table_free(table);
}

static void test_cells_of_last_visit(void **state)
{
    static const double late[] = {0, 0.013, 0.4, 1.7}, width[] = {0.004, 0.11, 0.83, 2.3}, decay[] = {0, 2e-6, 0.3, 4};
    const sample_process *p;
    size_t checked = 0;
    for (size_t which = 0; (p = visited(which)); which++)
        for (int i = 0; i < 64 && p->last_visit; i++, checked++) {
            double all, end, want_all, want_end, from = late[i / 4 % 4], h = width[i % 4], x = decay[i / 16];
            p->last_visit->cell(from, h, x, &all, &end);
            cell_by_quadrature(p->last_visit, from, h, x, &want_all, &want_end);
            check_near(all, want_all, 1e-10, "%s: cell of %g, %g ago", name_of(p), h, from);
            check_near(end, want_end, 1e-10, "%s: cell of %g, %g ago, end", name_of(p), h, from);
        }
    assert_true(checked > 0);
}

/* There was a last visit in one of the cells of a window, or none since it began: probabilities add up to 1 for any
   window. */
static void test_last_visit_adds_up(void **state)
{
    enum { CELLS = 9 };
    const sample_process *p;
    for (size_t which = 0; (p = visited(which)); which++)
        for (int window = 0; window < 20 && p->last_visit; window++) {
            double u[CELLS], since = 0, sum = 0;
            random_uniforms((random_key){5114, 0, 92}, (uint64_t)window, 0, CELLS, u);
            for (int c = 0; c < CELLS; c++) {
                double all, end;
                p->last_visit->cell(since, 0.6 * u[c], 0, &all, &end);
                check_between(end, 0.5 * all, all,
                              "part of the later end of a cell"); /* the density falls with the age */
                sum += all;
                since += 0.6 * u[c];
                check_near(sum + p->last_visit->none(since), 1, 1e-14, "%s: sum of probabilities", name_of(p));
            }
        }
}

/* The visits themselves have this law. */
static void test_last_visit_of_visits(void **state)
{
    static const double NOW = 6.3, AGES[] = {0.2, 0.9, 2.2};
    size_t paths = test_scaled(40000, 6000);
    const sample_process *p;
    for (size_t which = 0; (p = visited(which)); which++) {
        sample none[3] = {0};
        for (size_t path = 0; path < paths && p->last_visit; path++) {
            double time[VISITS_MOST], last = 0;
            int visits = draw(p->visits, path, NOW, time);
            if (visits > 0)
                last = time[visits - 1];
            for (int i = 0; i < 3; i++)
                sample_add(&none[i], last < NOW - AGES[i]);
        }
        for (int i = 0; i < 3 && p->last_visit; i++)
            check_z(none[i].mean, p->last_visit->none(AGES[i]), sample_se(&none[i]), 4, "%s: no visit for %g",
                    name_of(p), AGES[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times_ascend),         cmocka_unit_test(test_extreme_numbers),
        cmocka_unit_test(test_number_of_visits),     cmocka_unit_test(test_poisson_waiting),
        cmocka_unit_test(test_poisson_number),       cmocka_unit_test(test_epochs),
        cmocka_unit_test(test_cells_of_last_visit),  cmocka_unit_test(test_last_visit_adds_up),
        cmocka_unit_test(test_last_visit_of_visits), cmocka_unit_test(test_batches),
    };
    return cmocka_run_group_tests_name("laws of visits", tests, NULL, NULL);
}
