/* Roots of covariances. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sample/gaussian.h"
#include "support/check.h"

/* A singular covariance F F^T of rank 3, and one with a negative eigenvalue. */
static void test_root(void **state)
{
    enum { N = 7, RANK = 3 };
    double f[N][RANK], K[N][N], square[N][N];
    sgdmft_context *ctx = check_context(1);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < RANK; j++)
            f[i][j] = sin(1.7 * i + 0.9 * j * j + 0.3);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            K[i][j] = 0;
            for (int l = 0; l < RANK; l++)
                K[i][j] += f[i][l] * f[j][l];
        }
    double *copy = malloc(sizeof K);
    assert_non_null(copy);
    memcpy(copy, K, sizeof K);
    gaussian_root root;
    check_ok(ctx, gaussian_root_new(ctx, N, copy, &root));
    check_between(root.negative, 0, 1e-14, "negative part");
    gaussian_root_apply(&root, N, root.root, &square[0][0]);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            check_near(square[i][j], K[i][j], 1e-13, "square of the root at %d %d", i, j);
            check_near(root.root[i * N + j], root.root[j * N + i], 0, "symmetry");
        }
    gaussian_root_clear(&root);
    double *indefinite = malloc(4 * sizeof *indefinite);
    assert_non_null(indefinite);
    memcpy(indefinite, (double[]){1, 0, 2, 1}, 4 * sizeof *indefinite); /* eigenvalues 3 and -1 */
    check_ok(ctx, gaussian_root_new(ctx, 2, indefinite, &root));
    check_near(root.negative, 0.5, 1e-14, "negative part");
    check_near(root.root[1], sqrt(3) / 2, 1e-14, "root of the positive part");
    gaussian_root_clear(&root);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
