/* The registry of columns: layout, names, and the kind that a name belongs to. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "columns/columns.h"
#include "support/check.h"

static const char *const observables[] = {"margin", "loss_of_another", "q11"};

/* Every name that a kind makes belongs to that kind, and its place is where the layout says. */
static void names_and_kinds(void **state)
{
    for (int k = 1; k <= 8; k++)
        for (int kstar = 1; kstar <= 8; kstar++) {
            solution_shape shape = {
                .k = k, .kstar = kstar, .n_observables = 3, .observables = observables, .response = 1};
            solution_columns at = solution_columns_of(&shape);
            const column_kind *kind;
            size_t count = 0;
            for (size_t row = 0; (kind = columns_kind(row)); row++) {
                assert_int_equal(*(const size_t *)((const char *)&at + kind->first), count);
                for (size_t i = 0; i < kind->count(&shape); i++) {
                    char *name = kind->name(&shape, i);
                    assert_non_null(name);
                    if (columns_kind_of(name) != kind)
                        fail_msg("%s does not belong to %s", name, kind->key);
                    free(name);
                }
                count += kind->count(&shape);
            }
            assert_int_equal(at.count, count);
        }
}

static void foreign_names(void **state)
{
    static const char *const foreign[] = {"x", "q1", "q111", "q19", "R01", "mm11", "trainloss", "t", ""};
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        assert_null(columns_kind_of(foreign[i]));
    assert_string_equal(columns_kind_of("train_loss")->key, "train_loss");
    assert_string_equal(columns_kind_of("test_loss_2")->key, "observables");
    assert_null(columns_kind(99));
}

/* k and k* from the names of a file; what stands between them does not matter. */
static void shapes(void **state)
{
    static const char *const names[] = {"t", "q11", "q21", "q22", "m11", "m12", "m13", "x", "m21", "m22", "m23"};
    int k, kstar;
    columns_infer_shape(sizeof names / sizeof names[0], names, &k, &kstar);
    assert_int_equal(k, 2);
    assert_int_equal(kstar, 3);
    columns_infer_shape(1, names, &k, &kstar);
    assert_int_equal(k, 0);
    assert_int_equal(kstar, 0);
}

static const column_kind *kind_called(const char *key)
{
    const column_kind *kind;
    for (size_t row = 0; (kind = columns_kind(row)); row++)
        if (strcmp(kind->key, key) == 0)
            return kind;
    fail_msg("no kind %s", key);
    return NULL;
}

static void check_scale(const char *key, const column_surroundings *in, size_t i, const double want[3])
{
    double scale[3];
    columns_natural_scale(key ? kind_called(key) : NULL, in, i, scale);
    for (int t = 0; t < 3; t++)
        check_near(scale[t], want[t], 1e-14, "scale of %s %zu at time %d", key ? key : "a foreign column", i, t);
}

/* Two students and three teachers. The columns of q decay, to below a hundredth of their start and to zero. */
static void scales(void **state)
{
    const double value[] = {0.5, -7.25, (double)NAN}, q11[] = {4, 1, 0.01}, q22[] = {100, 0, -9};
    const double rho[9] = {1, 0, 0, 0, 9, 0, 0, 0, 0.25};
    column_surroundings in = {.k = 2, .kstar = 3, .n = 3, .value = value, .q = {q11, q22}, .rho = rho};
    check_scale("train_loss", &in, 0, (double[]){0.5, 7.25, 0.0725});
    check_scale("test_loss", &in, 0, (double[]){0.5, 7.25, 0.0725});
    check_scale("q", &in, 0, (double[]){4, 1, 0.04});
    check_scale("q", &in, 1, (double[]){20, 1, sqrt(0.04 * 9)});
    check_scale("q", &in, 2, (double[]){100, 1, 9});
    check_scale("m", &in, 0, (double[]){2, 1, 0.2});
    check_scale("m", &in, 1, (double[]){6, 3, 0.6});
    check_scale("m", &in, 5, (double[]){5, 0.5, 1.5});
    check_scale("observables", &in, 3, (double[]){7.25, 7.25, 7.25});
    check_scale("R", &in, 2, (double[]){1, 1, 1});
    check_scale(NULL, &in, 0, (double[]){7.25, 7.25, 7.25});
    check_near(columns_largest(value, 3), 7.25, 0, "largest value");
    check_near(columns_largest(value, 0), 0, 0, "largest of nothing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_and_kinds), cmocka_unit_test(foreign_names),
                                       cmocka_unit_test(shapes), cmocka_unit_test(scales)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
