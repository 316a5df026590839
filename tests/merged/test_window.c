/* The normals of windows: moments of white noise on three nested grids, and the steps of a process that diffuses. */
#include "window_case.h"

enum { K = WINDOW_STUDENTS, ROWS = 2 * K, LANES = 6000, FIRST = 1000 };

static const char *const DYNAMICS[] = {REPLACEMENT, RESHUFFLE, DIFFUSION};
enum { DYNAMICS_COUNT = 3 };

static double mean_product(size_t n, const double *x, const double *y)
{
    double sum = 0;
    for (size_t p = 0; p < n; p++)
        sum += x[p] * (y ? y[p] : 1);
    return sum / (double)n;
}

/* Rows of standard normals that are independent of each other: a product has variance 1, a square 2. */
static void check_normals(size_t n, int rows, const double *const *row, const char *what)
{
    for (int i = 0; i < rows; i++) {
        check_z(mean_product(n, row[i], NULL), 0, 1 / sqrt((double)n), 4, "%s: mean of row %d", what, i);
        for (int j = 0; j <= i; j++)
            check_z(mean_product(n, row[i], row[j]), i == j, sqrt((i == j ? 2.0 : 1.0) / (double)n), 4,
                    "%s: rows %d and %d", what, i, j);
    }
}

/* The normals of one window together, grid by grid, and those of the finest grid with the window before. */
static void test_normals(void **state)
{
    for (int d = 0; d < DYNAMICS_COUNT; d++) {
        window_case c;
        window_case_new(DYNAMICS[d], 4, 11, LANES, FIRST, &c);
        size_t bytes = sizeof(double) * ROWS * LANES;
        double *before = memory_doubles(ROWS * LANES);
        assert_non_null(before);
        for (int index = 0; index < 4; index++) {
            window_case_draw(&c, index);
            for (int g = 0; g < WINDOW_GRIDS; g++) {
                const double *row[(WINDOW_CELLS + 1) * ROWS];
                int rows = 0;
                for (int cell = 0; cell < WINDOW_CELLS >> g; cell++)
                    for (int x = 0; x < ROWS; x++)
                        row[rows++] = c.window.cell[g][cell].xi + (size_t)x * LANES;
                for (int x = 0; g == 0 && index > 0 && x < ROWS; x++)
                    row[rows++] = before + (size_t)x * LANES;
                check_normals(LANES, rows, row, (const char *[]){"fine", "coarse", "coarsest"}[g]);
            }
            memcpy(before, c.window.cell[0][WINDOW_CELLS - 1].xi, bytes);
        }
        free(before);
        window_case_clear(&c);
    }
}

/* sqrt(h) xi_a = int phi_a dW on a coarse cell, with phi_a of the whole written as a line in each half. */
static void check_halves(const window_case *c, int g, int index, int cell)
{
    const time_grid *grid = c->source.grid[g], *fine = c->source.grid[g - 1];
    int number = window_case_number(g, index, cell);
    double start = grid->t[number], h = grid->h[number];
    for (int a = 0; a < K; a++)
        for (size_t p = 0; p < LANES; p += 7) {
            double want[2] = {0};
            for (int part = 0; part < 2; part++) {
                double from = (fine->t[2 * number + part] - start) / h,
                       to = (fine->t[2 * number + part + 1] - start) / h;
                double root = sqrt(fine->h[2 * number + part]);
                const double *xi = c->window.cell[g - 1][2 * cell + part].xi + (size_t)a * LANES + p;
                /* phi_1 in the middle of the half, and half its rise over it in units of sqrt(3) */
                double middle = sqrt(3) * (from + to - 1), rise = to - from;
                want[0] += root * xi[0];
                want[1] += root * (middle * xi[0] + rise * xi[K * LANES]);
            }
            const double *xi = c->window.cell[g][cell].xi + (size_t)a * LANES + p;
            check_near(sqrt(h) * xi[0], want[0], 1e-12, "grid %d, moment 0", g);
            check_near(sqrt(h) * xi[K * LANES], want[1], 1e-12, "grid %d, moment 1", g);
        }
}

static void test_coarse_cells(void **state)
{
    for (int d = 0; d < DYNAMICS_COUNT; d++) {
        window_case c;
        window_case_new(DYNAMICS[d], 4, 12, LANES, FIRST, &c);
        for (int index = 0; index < c.windows; index++) {
            window_case_draw(&c, index);
            for (int g = 1; g < WINDOW_GRIDS; g++)
                for (int cell = 0; cell < WINDOW_CELLS >> g; cell++)
                    check_halves(&c, g, index, cell);
        }
        window_case_clear(&c);
    }
}

/* Increments of the steps of a process that diffuses and its bridge in the middle of a cell, scaled to variance 1, with
   the moments of the same cell. */
static void check_step(const window_case *c, int g, int index, int cell, double *room)
{
    const window_cell *at = &c->window.cell[g][cell];
    const time_grid *grid = c->source.grid[g];
    int number = window_case_number(g, index, cell);
    double u = grid->middle[number], scale = 1 / sqrt(grid->h[number] * bridge_law(u, u));
    const double *row[1 + K + ROWS] = {at->noise};
    for (size_t x = 0; x < K * LANES; x++)
        room[x] = scale * at->bridge[x];
    for (int a = 0; a < K; a++)
        row[1 + a] = room + (size_t)a * LANES;
    for (int x = 0; x < ROWS; x++)
        row[1 + K + x] = at->xi + (size_t)x * LANES;
    check_normals(LANES, 1 + K + ROWS, row, "step");
    for (size_t p = 0; g > 0 && p < LANES; p++) {
        const time_grid *fine = c->source.grid[g - 1];
        const window_cell *half = &c->window.cell[g - 1][2 * cell];
        double both = sqrt(fine->h[2 * number]) * half[0].noise[p] + sqrt(fine->h[2 * number + 1]) * half[1].noise[p];
        check_near(sqrt(grid->h[number]) * at->noise[p], both, 1e-12, "increment of lane %zu", p);
        /* W in the middle, from the beginning of the cell */
        for (size_t x = p; x < K * LANES; x += LANES)
            check_near(sqrt(grid->h[number]) * (u * at->xi[x] + slope_to(u) * at->xi[K * LANES + x]) + at->bridge[x],
                       sqrt(fine->h[2 * number]) * half[0].xi[x], 1e-12, "middle of the cell of lane %zu", p);
    }
}

static void test_steps(void **state)
{
    window_case c;
    window_case_new(DIFFUSION, 4, 13, LANES, FIRST, &c);
    double *room = memory_doubles(K * LANES);
    assert_non_null(room);
    for (int index = 0; index < c.windows; index++) {
        window_case_draw(&c, index);
        for (int g = 0; g < WINDOW_GRIDS; g++)
            for (int cell = 0; cell < WINDOW_CELLS >> g; cell++)
                check_step(&c, g, index, cell, room);
    }
    free(room);
    window_case_clear(&c);
}

/* Lanes of two blocks that overlap have the same moments, as they are those of the same paths; another replica has
   others. */
static void test_addresses(void **state)
{
    window_case whole, part;
    window_case_new(DIFFUSION, 4, 14, 64, 0, &whole);
    window_case_new(DIFFUSION, 4, 14, 24, 40, &part);
    for (int index = 0; index < 2; index++) {
        window_case_draw(&whole, index);
        window_case_draw(&part, index);
        for (int x = 0; x < ROWS; x++)
            assert_memory_equal(whole.window.cell[0][1].xi + x * 64 + 40, part.window.cell[0][1].xi + x * 24,
                                sizeof(double) * 24);
        assert_memory_equal(whole.window.cell[1][1].noise + 40, part.window.cell[1][1].noise, sizeof(double) * 24);
    }
    part.source.replica++;
    window_case_draw(&part, 1);
    assert_true(memcmp(whole.window.cell[0][1].xi + 40, part.window.cell[0][1].xi, sizeof(double) * 24) != 0);
    window_case_clear(&whole);
    window_case_clear(&part);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normals),
        cmocka_unit_test(test_coarse_cells),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
