/* The kick in the middle of a step against its defining equation and against differences: for
   convex losses at any length, and for one with two minima, between which a path jumps only where its own vanishes. */
#include "process/midpoint.h"

#include <math.h>
#include <string.h>

#include "core/random.h"
#include "support/check.h"

enum { LANES = 96, K_MOST = 2, SQUARE = K_MOST * K_MOST };

/* g and G of one lane. */
typedef void (*lane_gradient)(const double *r, double y, double *g, double *G);

typedef struct fixture {
    size_t k;
    lane_gradient gradient;
    double y[LANES], r[K_MOST * LANES];
    double own[SQUARE], length;
    double rho[K_MOST * LANES], g[K_MOST * LANES], D[SQUARE * LANES];
    int calls;
} fixture;

static int gradient_at(void *user, const double *r, double *g, double *G)
{
    fixture *f = user;
    f->calls++;
    for (size_t p = 0; p < LANES; p++) {
        double at[K_MOST], slope[K_MOST], curvature[SQUARE];
        for (size_t a = 0; a < f->k; a++)
            at[a] = r[a * LANES + p];
        f->gradient(at, f->y[p], slope, curvature);
        for (size_t a = 0; a < f->k; a++)
            g[a * LANES + p] = slope[a];
        for (size_t c = 0; c < f->k * f->k; c++)
            G[c * LANES + p] = curvature[c];
    }
    return 0;
}

static void logistic(const double *r, double y, double *g, double *G)
{
    double s = 1 / (1 + exp(4 * y * r[0]));
    g[0] = -4 * y * s;
    G[0] = 16 * y * y * s * (1 - s);
}

static void huber(const double *r, double y, double *g, double *G)
{
    double x = r[0] - y;
    G[0] = fabs(x) < 1;
    g[0] = fabs(x) < 1 ? x : copysign(1, x);
}

/* (r^2 - y^2)^2 / 4 */
static void phase(const double *r, double y, double *g, double *G)
{
    g[0] = (r[0] * r[0] - y * y) * r[0];
    G[0] = 3 * r[0] * r[0] - y * y;
}

/* log cosh (r1 + r2 - y) + r1^2 / 2 + (r1 - r2)^4 / 4: convex. */
static void two(const double *r, double y, double *g, double *G)
{
    double x = tanh(r[0] + r[1] - y), d = r[0] - r[1], bend = 1 - x * x, steep = 3 * d * d;
    g[0] = x + r[0] + d * d * d;
    g[1] = x - d * d * d;
    G[0] = bend + 1 + steep;
    G[1] = G[2] = bend - steep;
    G[3] = bend + steep;
}

static void fixture_init(fixture *f, lane_gradient gradient, size_t k, double length)
{
    static const double own[SQUARE] = {0.45, 0.02, 0.02, 0.4};
    memset(f, 0, sizeof *f);
    f->k = k;
    f->gradient = gradient;
    f->length = length;
    memcpy(f->own, own, sizeof own);
    random_normals((random_key){7, 0, 91}, 0, 0, LANES, f->y);
    random_normals((random_key){7, 0, 92}, 0, 0, k * LANES, f->r);
    for (size_t i = 0; i < k * LANES; i++)
        f->r[i] *= 2;
}

static midpoint_step step_of(fixture *f)
{
    return (midpoint_step){
        .k = f->k, .n = LANES, .length = f->length, .own = f->own, .r = f->r, .gradient = gradient_at, .user = f};
}

static void kick(fixture *f)
{
    static double work[(3 * K_MOST + SQUARE + 2) * LANES];
    midpoint_step step = step_of(f);
    assert_true(midpoint_work(f->k) * LANES <= sizeof work / sizeof *work);
    memcpy(f->rho, f->r, sizeof f->r);
    f->calls = 0;
    assert_int_equal(midpoint_kick(&step, work, f->rho, f->g, f->D), 0);
}

/* rho + A length g(rho) = r, and g = g(rho). */
static void check_equation(const fixture *f, const char *name, double tolerance)
{
    for (size_t p = 0; p < LANES; p++) {
        double at[K_MOST], g[K_MOST], G[SQUARE];
        for (size_t a = 0; a < f->k; a++)
            at[a] = f->rho[a * LANES + p];
        f->gradient(at, f->y[p], g, G);
        for (size_t a = 0; a < f->k; a++) {
            double left = at[a], size = 1 + fabs(f->r[a * LANES + p]);
            for (size_t b = 0; b < f->k; b++)
                left += f->own[a * f->k + b] * f->length * g[b];
            check_near(left, f->r[a * LANES + p], tolerance * size, "%s, length %g: lane %zu", name, f->length, p);
            check_near(f->g[a * LANES + p], g[a], 1e-12 * (1 + fabs(g[a])), "%s: g of lane %zu", name, p);
        }
    }
}

/* D against differences of the kick; where G jumps, not at lanes beside a jump. */
static void check_derivative(fixture *f, const char *name)
{
    static double work[(3 * K_MOST + SQUARE + 2) * LANES], up[K_MOST * LANES], down[K_MOST * LANES], D[SQUARE * LANES],
        other[SQUARE * LANES];
    const double by = 1e-5;
    midpoint_step step = step_of(f);
    memcpy(D, f->D, sizeof D);
    int checked = 0;
    for (size_t b = 0; b < f->k; b++) {
        for (size_t p = 0; p < LANES; p++)
            f->r[b * LANES + p] += by;
        assert_int_equal(midpoint_kick(&step, work, f->rho, up, f->D), 0);
        memcpy(other, f->D, sizeof D);
        for (size_t p = 0; p < LANES; p++)
            f->r[b * LANES + p] -= 2 * by;
        assert_int_equal(midpoint_kick(&step, work, f->rho, down, f->D), 0);
        for (size_t p = 0; p < LANES; p++)
            f->r[b * LANES + p] += by;
        for (size_t a = 0; a < f->k; a++)
            for (size_t p = 0; p < LANES; p++) {
                size_t x = (a * f->k + b) * LANES + p;
                if (fabs(other[x] - f->D[x]) > 1e-2 * (1 + fabs(D[x])))
                    continue;
                checked++;
                check_near(f->length * (up[a * LANES + p] - down[a * LANES + p]) / (2 * by), D[x],
                           1e-6 * (1 + fabs(D[x])), "%s: derivative (%zu, %zu) of lane %zu", name, a, b, p);
            }
    }
    assert_true(checked > (int)(f->k * f->k) * LANES * 9 / 10);
}

/* There is no length at which a convex loss is not solved. */
static void test_convex(void **state)
{
    static const double lengths[] = {0, 0.1, 1, 10, 1e3};
    static const struct {
        const char *name;
        lane_gradient gradient;
        size_t k;
    } cases[] = {{"logistic", logistic, 1}, {"huber", huber, 1}, {"two components", two, 2}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            fixture f;
            fixture_init(&f, cases[c].gradient, cases[c].k, lengths[l]);
            kick(&f);
            check_equation(&f, cases[c].name, 1e-11);
            print_message("%s, length %g: %d evaluations\n", cases[c].name, lengths[l], f.calls);
            if (lengths[l] < 100)
                check_derivative(&f, cases[c].name);
        }
}

/* Once solved, a kick takes two evaluations from its own solution. */
static void test_warm_start(void **state)
{
    static double work[(3 * K_MOST + SQUARE + 2) * LANES];
    fixture f;
    fixture_init(&f, two, 2, 1);
    kick(&f);
    midpoint_step step = step_of(&f);
    f.calls = 0;
    assert_int_equal(midpoint_kick(&step, work, f.rho, f.g, f.D), 0);
    assert_int_equal(f.calls, 2);
}

/* Two minima, at +-y. A path follows the one where it was, while r moves through zero to the other side, until the
   minimum vanishes, where r = rho + A length g(rho) has a maximum as a function of rho. */
static void test_two_minima(void **state)
{
    static double work[(3 * K_MOST + SQUARE + 2) * LANES];
    const double length = 4;
    fixture f;
    fixture_init(&f, phase, 1, length);
    double z = f.own[0] * length;
    for (size_t p = 0; p < LANES; p++) {
        f.y[p] = 1 + 0.5 * fabs(f.y[p]);
        f.rho[p] = -f.y[p];
    }
    for (int i = 0; i <= 60; i++) {
        midpoint_step step = step_of(&f);
        for (size_t p = 0; p < LANES; p++)
            f.r[p] = (-1.5 + 0.05 * i) * f.y[p];
        assert_int_equal(midpoint_kick(&step, work, f.rho, f.g, f.D), 0);
        check_equation(&f, "two minima", 1e-7); /* near the end of a minimum slopes are bounded from below */
        for (size_t p = 0; p < LANES; p++) {
            double turn = -sqrt((z * f.y[p] * f.y[p] - 1) / (3 * z)),
                   last = turn + z * turn * (turn * turn - f.y[p] * f.y[p]);
            assert_true(1 + z * (3 * f.rho[p] * f.rho[p] - f.y[p] * f.y[p]) > 0);
            assert_int_equal(f.rho[p] > 0, f.r[p] > last);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convex),
        cmocka_unit_test(test_warm_start),
        cmocka_unit_test(test_two_minima),
    };
    return cmocka_run_group_tests_name("midpoint", tests, NULL, NULL);
}
