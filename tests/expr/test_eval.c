/* Blocks: a lane has the same bits whatever the size of the block, its place in it, its neighbours, the alignment of
   the arrays and the number of threads. */
#include "fixture.h"

#include <omp.h>

/* All functions and operators in some twenty outputs. */
static const char *const texts[] = {
    "exp(r)", "log(r)", "log1p(r)", "sqrt(r)", "tanh(r)", "sinh(r)", "cosh(r)", "sin(r)", "cos(r)", "tan(r)", "atan(r)",
    "erf(r)", "erfc(r)", "softplus(r)", "sigmoid(r)", "logsumexp(r, y, t)", "r^y", "r^3 - y/t", "max(r, min(y, t))",
    "if(r > y, r*t, sign(y))", "relu(r) + abs(y)*(r != t)", "r", "2.5", "r", "(tanh(r) - y)^2/2", "tanh(r)"};

enum { OUTPUTS = sizeof texts / sizeof *texts, LANES = 6000 };

typedef struct block {
    double r[LANES], y[LANES], t[LANES];
    double out[OUTPUTS][LANES];
} block;

/* Neighbours of very different size, so that anything decided by whole vectors shows. */
static void fill(block *b, uint64_t seed)
{
    static const double wild[] = {0, -0.0, 1e-310, 5, 100, 1e6, 1e15, 1e22, 1e300, INFINITY, NAN, 709.9, -745.2, 0.5};
    for (int i = 0; i < LANES; i++) {
        double half = i % 4 ? 3 : 400;
        b->r[i] = fixture_bits(&seed) % 3 ? fixture_uniform(&seed, -half, half) : wild[fixture_bits(&seed) % 14];
        b->y[i] = fixture_bits(&seed) % 3 ? fixture_uniform(&seed, -3, 3) : -wild[fixture_bits(&seed) % 14];
        b->t[i] = fixture_uniform(&seed, -2, 5);
    }
}

static expr_program *compile_all(fixture *f, instruction_set set)
{
    expr_node node[OUTPUTS];
    for (int i = 0; i < OUTPUTS; i++)
        node[i] = fixture_parse(f, texts[i]);
    expr_program *program = NULL;
    assert_int_equal(expr_compile_for(f->ctx, f->graph, node, OUTPUTS, set, &program), SGDMFT_OK);
    return program;
}

/* Evaluates lanes from .. from + n - 1 of b with the work space at `work`. */
static void evaluate(const expr_program *program, double *work, block *b, size_t from, size_t n)
{
    double *out[OUTPUTS];
    for (int i = 0; i < OUTPUTS; i++)
        out[i] = b->out[i] + from;
    expr_eval(program, work, n, (const double *[]){b->r + from, b->y + from, b->t + from}, out);
}

static double *new_work(const expr_program *program, size_t extra)
{
    double *work = malloc((expr_program_work(program) + extra) * sizeof *work);
    assert_non_null(work);
    return work;
}

static void same_bits(const block *a, const block *b, const char *what)
{
    for (int o = 0; o < OUTPUTS; o++)
        for (int i = 0; i < LANES; i++)
            if (memcmp(&a->out[o][i], &b->out[o][i], sizeof(double)))
                fail_msg("%s: \"%s\" at lane %d (r = %.17g, y = %.17g): %.17g and %.17g", what, texts[o], i, a->r[i],
                         a->y[i], a->out[o][i], b->out[o][i]);
}

static void check_cuts(instruction_set set)
{
    static const size_t sizes[] = {1, 2, 3, 5, 7, 8, 9, 13, 16, 17, 63, 64, 65, 127, 128, 200, 333, 512, 777};
    fixture f = fixture_new();
    expr_program *program = compile_all(&f, set);
    double *work = new_work(program, 1);
    static block whole, cut;
    fill(&whole, 5);
    cut = whole;
    evaluate(program, work, &whole, 0, LANES);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        memset(cut.out, 0x55, sizeof cut.out);
        for (size_t from = 0; from < LANES; from += sizes[s])
            evaluate(program, work + s % 2, &cut, from, from + sizes[s] < LANES ? sizes[s] : LANES - from);
        same_bits(&whole, &cut, simd_name(set));
    }
    free(work);
    expr_program_free(program);
    fixture_free(&f);
}

static void lanes_do_not_know_their_block(void **state)
{
    for (instruction_set set = 0; set < SIMD_SETS; set++)
        if (simd_supported(set))
            check_cuts(set);
}

/* Reordering the samples reorders the results. */
static void lanes_do_not_know_their_neighbours(void **state)
{
    for (instruction_set set = 0; set < SIMD_SETS; set++) {
        if (!simd_supported(set))
            continue;
        fixture f = fixture_new();
        expr_program *program = compile_all(&f, set);
        double *work = new_work(program, 0);
        static block straight, mixed, back;
        fill(&straight, 6);
        back = straight;
        for (int i = 0; i < LANES; i++) {
            int j = (i * 677 + 41) % LANES; /* 677 and 6000 have no common divisor */
            mixed.r[i] = straight.r[j];
            mixed.y[i] = straight.y[j];
            mixed.t[i] = straight.t[j];
        }
        evaluate(program, work, &straight, 0, LANES);
        evaluate(program, work, &mixed, 0, LANES);
        for (int i = 0; i < LANES; i++)
            for (int o = 0; o < OUTPUTS; o++)
                back.out[o][(i * 677 + 41) % LANES] = mixed.out[o][i];
        same_bits(&straight, &back, "reordered");
        free(work);
        expr_program_free(program);
        fixture_free(&f);
    }
}

/* AVX2 and AVX-512 give the same bits: results do not depend on which of them a machine has. */
static void wide_instruction_sets_agree(void **state)
{
    if (!simd_supported(SIMD_AVX512))
        return;
    static block a, b;
    const instruction_set sets[] = {SIMD_AVX2, SIMD_AVX512};
    block *blocks[] = {&a, &b};
    for (int i = 0; i < 2; i++) {
        fixture f = fixture_new();
        expr_program *program = compile_all(&f, sets[i]);
        double *work = new_work(program, 0);
        fill(blocks[i], 8);
        evaluate(program, work, blocks[i], 0, LANES);
        free(work);
        expr_program_free(program);
        fixture_free(&f);
    }
    for (int o = 0; o < OUTPUTS; o++)
        for (int i = 0; i < LANES; i++)
            if (memcmp(&a.out[o][i], &b.out[o][i], sizeof(double)) && !(isnan(a.out[o][i]) && isnan(b.out[o][i])))
                fail_msg("\"%s\" at r = %.17g: %.17g and %.17g", texts[o], a.r[i], a.out[o][i], b.out[o][i]);
}

static void threads_share_a_program(void **state)
{
    enum { THREADS = 4, ROUNDS = 50 };
    fixture f = fixture_new();
    expr_program *program = compile_all(&f, simd_best());
    static block alone, shared[THREADS];
    fill(&alone, 7);
    double *work = new_work(program, 0);
    evaluate(program, work, &alone, 0, LANES);
    free(work);
    int failed = 0;
#pragma omp parallel num_threads(THREADS) reduction(+ : failed)
    {
        block *mine = &shared[omp_get_thread_num()];
        double *own = malloc(expr_program_work(program) * sizeof *own);
        failed += !own;
        for (int round = 0; round < ROUNDS && own; round++) {
            fill(mine, 7);
            memset(mine->out, 0, sizeof mine->out);
            evaluate(program, own, mine, 0, LANES);
        }
        free(own);
    }
    assert_int_equal(failed, 0);
    for (int i = 0; i < THREADS; i++) /* fewer may have been given */
        if (shared[i].t[0] != 0)
            same_bits(&alone, &shared[i], "thread");
    expr_program_free(program);
    fixture_free(&f);
}

/* Nothing is written beyond the block or beyond the work space, nothing is read of unused inputs. */
static void stays_inside_its_arrays(void **state)
{
    fixture f = fixture_new();
    expr_node node[2] = {fixture_parse(&f, "tanh(r)*t"), fixture_parse(&f, "1 - t")};
    expr_program *program = NULL;
    assert_int_equal(expr_compile(f.ctx, f.graph, node, 2, &program), SGDMFT_OK);
    assert_true(expr_program_reads(program, 0) && expr_program_reads(program, 2));
    assert_false(expr_program_reads(program, 1));
    size_t size = expr_program_work(program);
    double *work = new_work(program, 4);
    for (size_t n = 0; n <= 70; n++) {
        /* exact allocations, so that tools which watch memory see the smallest overrun */
        double *r = malloc((n + 1) * sizeof *r), *t = malloc((n + 1) * sizeof *t);
        double *a = malloc((n + 1) * sizeof *a), *b = malloc((n + 1) * sizeof *b);
        assert_true(r && t && a && b);
        for (size_t i = 0; i < n; i++) {
            r[i] = 0.1 * (double)i;
            t[i] = 1.5 - (double)i;
        }
        a[n] = b[n] = 77.125;
        for (int i = 0; i < 4; i++)
            work[size + i] = -3.25;
        expr_eval(program, work, n, (const double *[]){r, NULL, t}, (double *[]){a, b});
        for (size_t i = 0; i < n; i++) {
            assert_true(fabs(a[i] - tanh(r[i]) * t[i]) <= 1e-14 * fabs(a[i]));
            assert_true(b[i] == 1 - t[i]);
        }
        assert_true(a[n] == 77.125 && b[n] == 77.125);
        for (int i = 0; i < 4; i++)
            assert_true(work[size + i] == -3.25);
        free(r);
        free(t);
        free(a);
        free(b);
    }
    free(work);
    expr_program_free(program);
    fixture_free(&f);
}

/* The graph may go once the program is there; outputs may repeat each other, inputs and constants. */
static void programs_outlive_their_graph(void **state)
{
    fixture f = fixture_new();
    expr_node square = fixture_parse(&f, "r*r"), node[6] = {square, f.r, fixture_parse(&f, "4.25"), square, f.r,
                                                            fixture_parse(&f, "r*r + 4.25")};
    expr_program *program = NULL;
    assert_int_equal(expr_compile(f.ctx, f.graph, node, 6, &program), SGDMFT_OK);
    fixture_free(&f);
    double r[11], out[6][11], *work = new_work(program, 0);
    for (int i = 0; i < 11; i++)
        r[i] = 0.375 * i - 1;
    expr_eval(program, work, 11, (const double *[]){r, NULL, NULL},
              (double *[]){out[0], out[1], out[2], out[3], out[4], out[5]});
    for (int i = 0; i < 11; i++) {
        assert_true(out[0][i] == r[i] * r[i] && out[3][i] == r[i] * r[i]);
        assert_true(out[1][i] == r[i] && out[4][i] == r[i]);
        assert_true(out[2][i] == 4.25 && out[5][i] == r[i] * r[i] + 4.25);
    }
    free(work);
    expr_program_free(program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lanes_do_not_know_their_block),
        cmocka_unit_test(lanes_do_not_know_their_neighbours),
        cmocka_unit_test(wide_instruction_sets_agree),
        cmocka_unit_test(threads_share_a_program),
        cmocka_unit_test(stays_inside_its_arrays),
        cmocka_unit_test(programs_outlive_their_graph),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
