/* Gauss rules: exactness, symmetry, convergence. */
#include <math.h>

#include "numerics/gauss.h"
#include "support/check.h"

static double double_factorial(int n)
{
    return n <= 0 ? 1 : n * double_factorial(n - 2);
}

static void hermite_rules_are_exact_for_polynomials(void **state)
{
    double node[GAUSS_ORDER_MAX], weight[GAUSS_ORDER_MAX];
    for (int n = 1; n <= GAUSS_ORDER_MAX; n += n < 130 ? 1 : 191) {
        assert_int_equal(gauss_hermite(n, node, weight), 0);
        for (int power = 0; power < 2 * n && power <= 40; power++) {
            double sum = 0, want = power % 2 ? 0 : double_factorial(power - 1);
            for (int i = 0; i < n; i++)
                sum += weight[i] * pow(node[i], power);
            check_near(sum, want, 4e-13 * double_factorial(power), "order %d, z^%d", n, power);
        }
        for (int i = 0; i < n; i++) {
            assert_true(node[i] == -node[n - 1 - i] && weight[i] == weight[n - 1 - i] && weight[i] >= 0);
            assert_true(i == 0 || node[i] > node[i - 1]);
        }
    }
    gauss_hermite(3, node, weight);
    check_near(node[2], sqrt(3), 1e-15, "node");
    check_near(weight[2], 1.0 / 6, 1e-15, "weight");
}

/* E cos(a z) = exp(-a^2/2) */
static void hermite_rules_converge(void **state)
{
    double node[GAUSS_ORDER_MAX], weight[GAUSS_ORDER_MAX], a = 2.37, sum = 0;
    gauss_hermite(40, node, weight);
    for (int i = 0; i < 40; i++)
        sum += weight[i] * cos(a * node[i]);
    check_near(sum, exp(-a * a / 2), 1e-14, "E cos");
}

static void legendre_rules(void **state)
{
    double node[GAUSS_LEGENDRE_MAX], weight[GAUSS_LEGENDRE_MAX];
    for (int n = 1; n <= GAUSS_LEGENDRE_MAX; n++) {
        assert_int_equal(gauss_legendre(n, node, weight), 0);
        for (int power = 0; power < 2 * n; power++) {
            double sum = 0;
            for (int i = 0; i < n; i++)
                sum += weight[i] * pow(node[i], power);
            check_near(sum, 1.0 / (power + 1), 1e-15, "order %d, x^%d", n, power);
        }
        for (int i = 1; i < n; i++)
            assert_true(node[i] > node[i - 1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hermite_rules_are_exact_for_polynomials),
        cmocka_unit_test(hermite_rules_converge),
        cmocka_unit_test(legendre_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
