/* The table of processes: every row is complete for its kind of events, and names find their row. The tests run over
   all rows and know none of them by name. */
#include <math.h>
#include <string.h>

#include "process/process.h"
#include "support/check.h"
#include "support/epoch_process.h"

/* Two texts, or two NULL. */
static int same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static size_t count_rows(void)
{
    size_t rows = 0;
    while (process_at(rows))
        rows++;
    return rows;
}

static void test_rows(void **state)
{
    size_t rows = count_rows();
    assert_true(rows >= 4);
    for (size_t past = rows; past < rows + 3; past++)
        assert_null(process_at(past));
    assert_null(process_at((size_t)-1));
    for (size_t i = 0; i < rows; i++) {
        const sample_process *p = process_at(i);
        assert_true(p->dynamics && p->dynamics[0]);
        assert_true(!p->sampling || p->sampling[0]);
        assert_true(p->doc && p->doc[0]);
        for (size_t j = 0; j < i; j++) {
            const sample_process *other = process_at(j);
            assert_ptr_not_equal(p, other);
            assert_false(same(p->dynamics, other->dynamics) && same(p->sampling, other->sampling) &&
                         p->batch == other->batch);
            /* either all rows of these dynamics name a way of sampling, or there is one row */
            if (same(p->dynamics, other->dynamics))
                assert_true(p->sampling && other->sampling);
        }
    }
}

/* Events of a kind have the functions of that kind, and no others. */
static void check_events(const sample_process *p)
{
    int batches = p->events == EVENTS_BATCHES;
    assert_int_equal(p->events == EVENTS_VISITS || batches, p->visits != NULL);
    assert_true(batches || p->batch == BATCH_SMALL);
    assert_int_equal(p->events == EVENTS_STEPS, p->kick != NULL);
    assert_int_equal(p->events == EVENTS_STEPS, p->sample_step > 0);
    assert_true(!p->sampling || p->visits);
    assert_true(!p->last_visit || p->visits);
    if (p->visits) {
        assert_true(p->visits->time && p->visits->count);
        assert_true(p->visits->epoch >= 0);
        assert_true(p->white_noise == (p->batch != BATCH_FULL) && !p->diffuses); /* jumps */
    }
    if (p->last_visit)
        assert_true(p->last_visit->none && p->last_visit->cell && p->last_visit->window > 0);
    if (p->diffuses)
        assert_true(p->events == EVENTS_STEPS && p->white_noise);
    if (p->events == EVENTS_STEPS)
        assert_int_equal(p->white_noise, p->diffuses);
}

/* The number of kicks follows from what makes them. */
static void check_kicks(const sample_process *p)
{
    assert_int_equal(p->kicks == KICKS_ONE, p->events == EVENTS_FRESH);
    assert_int_equal(p->kicks == KICKS_UNBOUNDED || p->kicks == KICKS_BOUNDED, p->visits != NULL);
    assert_int_equal(p->kicks == KICKS_DIFFUSE, p->diffuses);
    if (p->kicks == KICKS_BOUNDED)
        assert_true(isfinite(p->visits->count(3, INFINITY, 0.25)));
    if (p->kicks == KICKS_UNBOUNDED) /* twice the visits have a positive probability */
        assert_true(p->visits->count(1, 6, 0) > p->visits->count(1, 3, 0));
}

/* An estimator of the response that a process rules out gives a phrase as the reason, and at least one is left. */
static void check_response(const sample_process *p)
{
    const char *const why[2] = {p->no_pathwise, p->no_stein};
    for (int i = 0; i < 2; i++)
        assert_true(!why[i] || (strlen(why[i]) > 10 && why[i][strlen(why[i]) - 1] != '.'));
    assert_true(!p->no_pathwise || !p->no_stein);
    if (p->events == EVENTS_VISITS || p->events == EVENTS_STEPS)
        assert_int_equal(p->white_noise, p->no_stein == NULL);
    assert_true(!p->diffuses || p->no_pathwise); /* their kick has no derivative */
}

static void test_consistent(void **state)
{
    for (size_t i = 0; i < count_rows(); i++) {
        const sample_process *p = process_at(i);
        check_events(p);
        check_kicks(p);
        check_response(p);
        assert_true(p->default_steps >= 0);
    }
    check_events(&epoch_process);
    check_kicks(&epoch_process);
    check_response(&epoch_process);
}

/* A key, by its values and the field of a row. */
typedef struct key {
    const char *(*value)(size_t index);
    const char *(*doc)(size_t index);
    const char *(*of)(const sample_process *p);
} key;

static const char *dynamics_of(const sample_process *p)
{
    return p->dynamics;
}

static const char *sampling_of(const sample_process *p)
{
    return p->sampling;
}

static const key keys[2] = {{process_dynamics, process_dynamics_doc, dynamics_of},
                            {process_sampling, process_sampling_doc, sampling_of}};

static size_t count_values(const key *k)
{
    size_t values = 0;
    while (k->value(values))
        values++;
    return values;
}

/* Every value once, in the order of the rows that have it first, and with a documentation. */
static void test_values(void **state)
{
    for (int which = 0; which < 2; which++) {
        const key *k = &keys[which];
        size_t values = count_values(k), next = 0;
        assert_true(values > 0);
        for (size_t row = 0; row < count_rows(); row++) {
            const char *name = k->of(process_at(row));
            size_t at = 0;
            if (!name)
                continue;
            while (at < next && !same(k->value(at), name))
                at++;
            if (at == next)
                assert_string_equal(k->value(next++), name);
        }
        assert_int_equal(next, values);
        for (size_t i = 0; i < values; i++)
            assert_true(k->doc(i) && k->doc(i)[0]);
        assert_null(k->value(values));
        assert_null(k->value((size_t)-1));
        assert_null(k->doc(values));
    }
}

/* All triples of values, and some past the ends, against a search through the rows by name. A batch that is all of the
   data goes with any sampling. */
static void test_find(void **state)
{
    size_t dynamics = count_values(&keys[0]), samplings = count_values(&keys[1]), found = 0, full = 0;
    for (size_t d = 0; d <= dynamics; d++)
        for (size_t s = 0; s <= samplings; s++)
            for (int batch = BATCH_SMALL; batch <= BATCH_FULL; batch++) {
                const sample_process *want = NULL;
                for (size_t row = 0; row < count_rows() && d < dynamics && s < samplings; row++) {
                    const sample_process *p = process_at(row);
                    const char *sampling = p->sampling ? p->sampling : process_sampling(0);
                    if (same(p->dynamics, process_dynamics(d)) && (int)p->batch == batch &&
                        (batch == BATCH_FULL || same(sampling, process_sampling(s))))
                        want = p;
                }
                assert_ptr_equal(process_find(d, s, (batch_size)batch), want);
                found += want != NULL;
                full += want && batch == BATCH_FULL;
            }
    assert_int_equal(full, samplings);
    assert_int_equal(found - full + 1, count_rows()); /* each other row by one triple */
}

static void test_independent(void **state)
{
    for (size_t i = 0; i < count_rows(); i++) {
        const sample_process *p = process_at(i);
        assert_int_equal(process_is_independent(p), !(p->visits && p->visits->epoch > 0));
        /* the law of the last visit, given the visits before some time, is that of independent increments */
        assert_true(!p->last_visit || process_is_independent(p));
    }
    assert_int_equal(process_is_independent(&epoch_process), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows), cmocka_unit_test(test_consistent),  cmocka_unit_test(test_values),
        cmocka_unit_test(test_find), cmocka_unit_test(test_independent),
    };
    return cmocka_run_group_tests_name("table of processes", tests, NULL, NULL);
}
