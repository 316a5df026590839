/* Processes with one event per cell, SME and explicit gradient flow, path by path: the paths are done again one at a
   time from the equations in the heads of paths/block.h and paths/step_events.c, with two students, a nonlinear loss,
   arbitrary kernels and events away from the middle of their cells. Derivatives by the chain rule are compared with
   differences of paths whose field was shifted at one event. The kick itself is tested in process/test_kicks.c. */
#include "core/memory.h"
#include "kernels/response_pathwise.h"
#include "kernels/response_stein.h"
#include "path_case.h"
#include "paths/events.h"
#include "support/check.h"
#include "support/explicit_flow.h"

enum { PATHS = 128 };

/* On a coarse grid events are not in the middle. */
static void move_events(const case_schedule *eta, time_grid *grid)
{
    for (int i = 0; i < grid->steps; i++) {
        grid->middle[i] = 0.35 + 0.05 * i;
        grid->eta_middle[i] = eta->eta(grid->t[i] + grid->middle[i] * grid->h[i]);
    }
}

static void case_init(path_case *f, const char *dynamics)
{
    path_case_init(f, dynamics, &smooth_schedule, 2.2, "", PATHS);
    move_events(f->eta, f->t.plan.grid[GRID_FINE]);
    path_case_draw(f, 37);
}

/* R(T_a, T_b) component c between two events: bilinear between nodes, linear in t - s in one cell. */
static double between_events(const kernels *kern, int c, int a, int b)
{
    double x = kern->grid->middle[a], z = kern->grid->middle[b], one = c % (K + 1) == 0;
    if (a == b)
        return one;
    double low = (1 - z) * kernels_R(kern, c, a)[b] + z * kernels_R(kern, c, a)[b + 1];
    double high = (1 - z) * kernels_R(kern, c, a + 1)[b] + z * kernels_R(kern, c, a + 1)[b + 1];
    return (1 - x) * low + x * high;
}

/* R(t_node, T_b) */
static double at_node(const kernels *kern, int c, int node, int b)
{
    double z = kern->grid->middle[b];
    return (1 - z) * kernels_R(kern, c, node)[b] + z * kernels_R(kern, c, node)[b + 1];
}

/* A shift of the field at one event. */
typedef struct shift {
    int event, component;
    double by;
} shift;

/* The gradient of one path at one time. */
typedef struct gradient_source {
    const path_case *f;
    double t;
    const double *y;
} gradient_source;

static int gradient_at(void *user, const double *r, double *g, double *G)
{
    const gradient_source *source = user;
    const path_plan *plan = &source->f->t.plan.on_grid[GRID_FINE];
    return model_gradient(plan->m, source->f->one->model, 1, &source->t, r, source->y, g, G);
}

/* One path: kicks of the cells, positions at the nodes. */
static void single_path(const path_case *f, const path_inputs *in, size_t p, shift moved, double kick[][K],
                        double r[][K])
{
    const time_grid *grid = f->kern->grid;
    const path_plan *plan = &f->t.plan.on_grid[GRID_FINE];
    int diffuses = in->noise != NULL;
    for (int a = 0; a < STEPS; a++) {
        double x = grid->middle[a], low[K], high[K], position[K];
        path_case_field(f, in, p, a, low);
        path_case_field(f, in, p, a + 1, high);
        for (int c = 0; c < K; c++) {
            position[c] = (1 - x) * low[c] + x * high[c];
            if (a == moved.event && c == moved.component)
                position[c] += moved.by;
            for (int l = 0; l < K && diffuses; l++)
                position[c] -= any_bridge_root[c * K + l] * in->bridge[((size_t)a * K + (size_t)l) * in->n + p];
            for (int b = 0; b < a; b++)
                for (int l = 0; l < K; l++)
                    position[c] -= between_events(f->kern, c * K + l, a, b) * kick[b][l];
        }
        double t = grid->t[a] + x * grid->h[a], work[6 * K + 2 * K * K + 1];
        gradient_source source = {f, t, in->y + p};
        kick_step step = {.k = K,
                          .n = 1,
                          .eta = f->eta->eta(t),
                          .h = grid->h[a],
                          .noise = diffuses ? in->noise + (size_t)a * in->n + p : NULL,
                          .r = position,
                          .gradient = gradient_at,
                          .user = &source};
        assert_int_equal(plan->process->kick(&step, work, kick[a], NULL), 0);
    }
    for (int i = 0; i <= STEPS; i++) {
        path_case_field(f, in, p, i, r[i]);
        for (int b = 0; b < i; b++)
            for (int x = 0; x < K * K; x++)
                r[i][x / K] -= at_node(f->kern, x, i, b) * kick[b][x % K];
    }
}

static const shift NONE = {-1, 0, 0};

static void check_paths(const char *dynamics)
{
    path_case f;
    case_init(&f, dynamics);
    test_blocks blocks = test_blocks_new(&f.t, f.paths);
    test_blocks_start(&blocks);
    for (int i = 0; i < STEPS; i++) {
        test_blocks_advance(&blocks, f.kern, i);
        for (size_t b = 0; b < f.paths->n_blocks; b++) {
            const path_inputs *in = &f.paths->block[b];
            assert_int_equal(in->slots, STEPS);
            for (size_t p = 0; p < in->n; p++) {
                double kick[STEPS][K], r[STEPS + 1][K];
                single_path(&f, in, p, NONE, kick, r);
                for (size_t c = 0; c < K; c++) {
                    check_near(blocks.block[b].r[c * in->n + p], r[i + 1][c], 1e-12, "%s: r of path %zu at node %d",
                               dynamics, p, i + 1);
                    for (size_t a = 0; a <= (size_t)i; a++)
                        check_near(a == (size_t)i ? blocks.block[b].newest_sum[c * in->n + p]
                                                  : blocks.block[b].history.kicks.exact[(a * K + c) * in->n + p],
                                   kick[a][c], 1e-12, "%s: kick %zu of path %zu", dynamics, a, p);
                }
            }
        }
        test_blocks_accept(&blocks);
    }
    test_blocks_clear(&blocks);
    path_case_clear(&f);
}

static void test_single_paths(void **state)
{
    check_paths(explicit_flow.dynamics);
    check_paths("sme");
}

/* From one path, d kick_a / d w(T_a) to slope[a], d g(t_i) / d w(T_c) to change[i][c], and its share of the average of
   the latter times (1 - z, z) to rows[i][c]. */
static void add_path(const path_case *f, const path_inputs *in, size_t p, double slope[][K * K],
                     double change[][STEPS][K * K], double rows[][STEPS][2][K * K])
{
    const double step = 1e-5;
    const time_grid *grid = f->kern->grid;
    double kick[STEPS][K], r[STEPS + 1][K], up[STEPS + 1][K], down[STEPS + 1][K];
    double kick_up[STEPS][K], kick_down[STEPS][K];
    single_path(f, in, p, NONE, kick, r);
    for (int c = 0; c < STEPS; c++)
        for (int l = 0; l < K; l++) {
            single_path(f, in, p, (shift){c, l, step}, kick_up, up);
            single_path(f, in, p, (shift){c, l, -step}, kick_down, down);
            for (int b = 0; b < K; b++)
                slope[c][b * K + l] = (kick_up[c][b] - kick_down[c][b]) / (2 * step);
            for (int i = c + 1; i <= STEPS; i++) {
                double g[K], G[K * K];
                path_case_gradient(f, grid->t[i], r[i], in->y[p], g, G);
                for (int b = 0; b < K; b++) {
                    double sum = 0;
                    for (int d = 0; d < K; d++)
                        sum += G[b * K + d] * (up[i][d] - down[i][d]) / (2 * step);
                    change[i][c][b * K + l] = sum;
                    rows[i][c][0][b * K + l] += (1 - grid->middle[c]) * sum / PATHS;
                    rows[i][c][1][b * K + l] += grid->middle[c] * sum / PATHS;
                }
            }
        }
}

/* Changes of kicks and of the gradient, event by event, and the averages made from them. The workspace still
   holds the changes of the last block. */
static void test_responses(void **state)
{
    static double slope[PATHS][STEPS][K * K], change[PATHS][STEPS + 1][STEPS][K * K];
    static double rows[STEPS + 1][STEPS][2][K * K];
    path_case f;
    case_init(&f, explicit_flow.dynamics);
    const averages_layout *at = &f.t.plan.on_grid[GRID_FINE].at;
    size_t lane = 0;
    for (size_t b = 0; b < f.paths->n_blocks; b++)
        for (size_t p = 0; p < f.paths->block[b].n; p++) {
            add_path(&f, &f.paths->block[b], p, slope[lane], change[lane], rows);
            lane++;
        }
    test_blocks blocks = test_blocks_new(&f.t, f.paths);
    test_blocks_start(&blocks);
    for (int i = 1; i <= STEPS; i++) {
        test_blocks_advance(&blocks, f.kern, i - 1);
        for (int c = 0; c < i; c++)
            for (int kind = 0; kind < 2; kind++)
                for (int x = 0; x < K * K; x++)
                    check_near(averages_row(at, blocks.sums, c, RESPONSE_LEFT + kind)[x], rows[i][c][kind][x], 1e-8,
                               "response at node %d to cell %d, kind %d, entry %d", i, c, kind, x);
        lane = 0;
        for (size_t b = 0; b < f.paths->n_blocks; b++)
            for (size_t p = 0, n = f.paths->block[b].n; p < n; p++, lane++)
                for (size_t x = 0; x < K * K; x++) {
                    size_t a = (size_t)i - 1;
                    check_near(blocks.block[b].chains->slope[(a * K * K + x) * n + p], slope[lane][a][x], 1e-7,
                               "slope of kick %zu of path %zu, entry %zu", a, lane, x);
                    for (size_t c = 0; c <= a && b + 1 == f.paths->n_blocks; c++)
                        check_near(blocks.workspace->GK[(c * K * K + x) * n + p], change[lane][i][c][x], 1e-7,
                                   "change of g at node %d by event %zu of path %zu, entry %zu", i, c, lane, x);
                }
        test_blocks_accept(&blocks);
    }
    test_blocks_clear(&blocks);
    path_case_clear(&f);
}

/* Rows of events: a process without white noise correlates kicks with kicks, one with white noise gradients with kicks
   and normals. */
static void check_rows(const char *dynamics)
{
    path_case f;
    case_init(&f, dynamics);
    const path_plan *plan = &f.t.plan.on_grid[GRID_FINE];
    int diffuses = plan->process->white_noise;
    assert_ptr_equal(plan->at.response, diffuses ? &response_stein : &response_pathwise);
    test_blocks blocks = test_blocks_new(&f.t, f.paths);
    test_blocks_start(&blocks);
    for (int i = 1; i <= STEPS; i++) {
        double want[STEPS][2][K * K] = {{{0}}};
        test_blocks_advance(&blocks, f.kern, i - 1);
        for (size_t b = 0; b < f.paths->n_blocks; b++) {
            const path_inputs *in = &f.paths->block[b];
            for (size_t p = 0; p < in->n; p++) {
                double kick[STEPS][K], r[STEPS + 1][K], g[K], G[K * K];
                single_path(&f, in, p, NONE, kick, r);
                path_case_gradient(&f, f.kern->grid->t[i], r[i], in->y[p], g, G);
                for (int c = 0; c < i; c++)
                    for (int x = 0; x < K * K; x++) {
                        want[c][0][x] += (diffuses ? g[x / K] : kick[i - 1][x / K]) * kick[c][x % K] / PATHS;
                        want[c][1][x] += g[x / K] * in->xi[(size_t)(c * K + x % K) * in->n + p] / PATHS;
                    }
            }
        }
        for (int c = 0; c < i; c++)
            for (int x = 0; x < K * K; x++) {
                check_near(averages_row(&plan->at, blocks.sums, c, VISITS)[x], want[c][0][x], 1e-12,
                           "%s: kicks of cell %d at node %d", dynamics, c, i);
                if (diffuses)
                    check_near(averages_row(&plan->at, blocks.sums, c, INNOVATION)[x], want[c][1][x], 1e-12,
                               "%s: normals of cell %d at node %d", dynamics, c, i);
            }
        for (size_t x = averages_used(&plan->at, i); x < plan->at.size; x++)
            assert_true(blocks.sums[x] == 0);
        test_blocks_accept(&blocks);
    }
    test_blocks_clear(&blocks);
    path_case_clear(&f);
}

static void test_rows(void **state)
{
    check_rows(explicit_flow.dynamics);
    check_rows("sme");
}

static void test_repeatable(void **state)
{
    const char *dynamics[2] = {explicit_flow.dynamics, "sme"};
    for (int d = 0; d < 2; d++) {
        path_case f;
        case_init(&f, dynamics[d]);
        path_case_check_repeatable(&f);
        path_case_clear(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single_paths),
        cmocka_unit_test(test_responses),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_repeatable),
    };
    return cmocka_run_group_tests_name("step events", tests, NULL, NULL);
}
