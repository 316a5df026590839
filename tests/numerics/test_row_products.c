/* Products of matrices with vectors against plain sums, for sizes at both sides of the blocks. */
#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "numerics/row_products.h"
#include "support/check.h"

static double number(size_t i, size_t j)
{
    return sin(1.7 * (double)i + 0.9 * (double)(j * j) + 0.3);
}

/* Every third row of a matrix, from row `first` on, as a matrix of its own. */
static void check_size(size_t n, size_t first, int lower)
{
    size_t stride = n + 3, rows = first < n ? (n - first + 2) / 3 : 0;
    double *a = memory_doubles(n * stride), *factor = memory_doubles(n), *x = memory_doubles(n);
    double *sum = memory_doubles(n), *product = memory_doubles(n);
    for (size_t i = 0; i < n; i++) {
        factor[i] = number(i, 2);
        x[i] = number(3, i);
        sum[i] = 1;
        for (size_t j = 0; j < n; j++)
            a[i * stride + j] = lower && j > i ? 0 : number(i, j);
    }
    row_matrix third = {a + first * stride, 3 * stride, first + 1, lower ? 3 : 0};
    rows_add(third, rows, n, -0.5, factor, sum);
    rows_lower_product((row_matrix){.value = a, .stride = stride}, n, x, product);
    for (size_t i = 0; i < n; i++) {
        double want = 1, dot = x[i];
        for (size_t row = 0; row < rows; row++)
            want -= 0.5 * factor[row] * a[(first + 3 * row) * stride + i];
        for (size_t j = 0; j < i; j++)
            dot += a[i * stride + j] * x[j];
        check_near(sum[i], want, 1e-13 * (double)n, "column %zu of %zu", i, n);
        check_near(product[i], dot, 1e-13 * (double)n, "row %zu of %zu", i, n);
    }
    free(a);
    free(factor);
    free(x);
    free(sum);
    free(product);
}

static void test_sums(void **state)
{
    static const size_t sizes[] = {1, 2, 5, 8, 17, 255, 256, 257, 700};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t first = 0; first < 3; first++)
            for (int lower = 0; lower < 2; lower++)
                check_size(sizes[s], first, lower);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sums)};
    return cmocka_run_group_tests_name("row products", tests, NULL, NULL);
}
