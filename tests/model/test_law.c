/* Laws of the coordinates: moments against closed forms, the map from uniforms, samples from files, every message. */
#include <math.h>

#include "support.h"

#include "core/random.h"
#include "core/sobol.h"
#include "model/coordinates_law.h"

#define SHAPE(k, ks) TOP "model: {students: " #k ", teachers: " #ks ", label: s1, loss: r1}\n"

static void check(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        print_error("got %.10g, wanted %.10g within %.2g\n", got, want, tolerance);
    assert_true(fabs(got - want) <= tolerance);
}

/* Moments of scalar laws. */
static void closed_forms(void **state)
{
    static const struct {
        const char *law;
        double q, m, rho;
    } cases[] = {
        {"teacher: z", 1, 0, 1}, /* the student is independent of it */
        {"teacher: 'if(u < 0.1, z/sqrt(0.1), 0)'\n  student: '0.2*ths + sqrt(0.96)*z2'", 1, 0.2, 1},
        {"teacher: 'if(u < 0.3, z, 0)'\n  student: '0'", 0, 0, 0.3},
        {"teacher: sign(z)\n  student: z", 1, 0.79788456, 1}, /* E |z| */
        {"teacher: 'if(u < 0.25, 2 + 0.5*z, -1)'\n  student: '0.7*ths1 + u2'",
         0.49 * 1.8125 + 2 * 0.7 * -0.25 * 0.5 + 1.0 / 3, 0.7 * 1.8125 - 0.25 * 0.5, 0.25 * 4.25 + 0.75},
        {"student: '0.6*ths + u'", 0.36 + 1.0 / 3, 0.6, 1}, /* normal teacher, independent of z and u */
        {"student: z", 1, 0, 1},
        {"teacher: 3\n  student: 2", 4, 6, 9},
    };
    sgdmft_context *ctx = new_context();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = NULL;
        assert_true(asprintf(&text, BASE "initial:\n  %s\n", cases[i].law) > 0);
        sgdmft_problem *p = accepted(ctx, text, NULL, 0);
        double tolerance = 5 * p->initial.moments_se * 9;
        assert_true(p->initial.moments_se < 2e-4);
        check(p->initial.q[0], cases[i].q, tolerance);
        check(p->initial.m[0], cases[i].m, tolerance + 1e-7);
        check(p->initial.rho[0], cases[i].rho, tolerance);
        sgdmft_problem_free(p);
        free(text);
    }
    sgdmft_context_free(ctx);
}

/* theta* = (z1, z1 + u2), theta0 = (ths2, z2, 1). */
static void matrices(void **state)
{
    static const double q[] = {4.0 / 3, 0, 0.5, 0, 1, 0, 0.5, 0, 1}, m[] = {1, 4.0 / 3, 0, 0, 0, 0.5},
                        rho[] = {1, 1, 1, 4.0 / 3};
    sgdmft_context *ctx = new_context();
    sgdmft_problem *p =
        accepted(ctx, SHAPE(3, 2) "initial: {teacher: [z1, z1 + u2], student: [ths2, z2, 1]}\n", NULL, 0);
    for (int i = 0; i < 9; i++)
        check(p->initial.q[i], q[i], 1e-4);
    for (int i = 0; i < 6; i++)
        check(p->initial.m[i], m[i], 1e-4);
    for (int i = 0; i < 4; i++)
        check(p->initial.rho[i], rho[i], 1e-4);
    sgdmft_problem_free(p);
    sgdmft_context_free(ctx);
}

/* Moments do not depend on the seed or the number of threads; the echo has the law, and the moments as comments. */
static void echoes(void **state)
{
    sgdmft_context *ctx = new_context();
    const char *set = "numerics.seed=1";
    sgdmft_problem *p = accepted(ctx, BASE "initial: {teacher: sign(z), student: 'ths/2 + z2'}\n", &set, 1);
    sgdmft_context_set_threads(ctx, 1);
    char *text = echo(ctx, p);
    sgdmft_problem *again = accepted(ctx, text, NULL, 0);
    char *once_more = echo(ctx, again);
    assert_string_equal(text, once_more);
    assert_true(p->initial.q[0] == again->initial.q[0]);
    assert_non_null(strstr(text, "\n  # second moments of the law below, relative standard error "));
    assert_non_null(strstr(text, "\n  # q: [[1.2"));
    assert_non_null(strstr(text, "\n  # rho: [[1.0]]\n  teacher: \"sign(z)\"\n  student: \"ths/2 + z2\"\nobservables"));
    free(text);
    free(once_more);
    sgdmft_problem_free(p);
    sgdmft_problem_free(again);
    sgdmft_context_free(ctx);
}

static void refusals(void **state)
{
#define LAW(text) BASE "initial: {" text "}\n"
    static const refusal list[] = {
        {LAW("teacher: z, rho: 1"), SGDMFT_ERR_CONFLICT, 6, 20, {"initial.teacher: ", "initial.rho (case.yaml:6:28)"}},
        {LAW("student: z, q: 1"), SGDMFT_ERR_CONFLICT, 6, 20, {"initial.student: ", "initial.q", "of its own"}},
        {LAW("samples: a.csv, m: 0"), SGDMFT_ERR_CONFLICT, 6, 20, {"initial.samples: ", "initial.m"}},
        {LAW("samples: a.csv, student: z"), SGDMFT_ERR_CONFLICT, 6, 20, {"initial.samples: ", "initial.student"}},
        {LAW("teacher: [z, z]"), SGDMFT_ERR_SHAPE, 6, 21, {"2 expressions", "model.teachers = 1"}},
        {LAW("teacher: []"), SGDMFT_ERR_SHAPE, 6, 20, {"initial.teacher: ", "1 to 8"}},
        {SHAPE(2, 1) "initial: {student: z}\n", SGDMFT_ERR_SHAPE, 4, 20, {"1 expression ", "model.students = 2"}},
        {LAW("teacher: z +"), SGDMFT_ERR_SYNTAX, 6, 23, {"initial.teacher: "}},
        {LAW("teacher: w"), SGDMFT_ERR_UNKNOWN_NAME, 6, 20, {"\"w\"", "z16", "u16"}},
        {LAW("teacher: z17"), SGDMFT_ERR_UNKNOWN_NAME, 6, 20, {"\"z17\""}},
        {LAW("student: ths2"), SGDMFT_ERR_UNKNOWN_NAME, 6, 20, {"\"ths2\"", "ths1"}},
        {LAW("student: '#'"), SGDMFT_ERR_SYNTAX, 6, 21, {"initial.student: "}},
        {LAW("teacher: 2*ths"), SGDMFT_ERR_UNKNOWN_NAME, 6, 22, {"\"ths\"", "belongs in initial.student"}},
        {LAW("teacher: exp(z)(2)"), SGDMFT_ERR_SYNTAX, 6, 26, {"initial.teacher: "}},
        {LAW("teacher: log(z)"), SGDMFT_ERR_RANGE, 6, 20, {"gives nan at z1 = -", "finite"}},
        {LAW("teacher: 1/(u3 > 0.1)"), SGDMFT_ERR_RANGE, 6, 20, {"gives inf at u3 = 0.0"}},
        {LAW("student: ths/0"), SGDMFT_ERR_RANGE, 6, 20, {"initial.student: ", "inf; values must be finite"}},
        {LAW("student: 1e101"), SGDMFT_ERR_RANGE, 6, 20, {"gives 1e+101"}},
        {LAW("teacher: tan(pi*(u - 0.5))"), SGDMFT_ERR_RANGE, 6, 20, {"standard error of 0.", "tails", "rare"}},
        {LAW("teacher: 'if(u < 1e-5, z, 0)'"), SGDMFT_ERR_RANGE, 6, 21, {"standard error of 0.", "rare"}},
        {LAW("teacher: z*0"), SGDMFT_ERR_RANGE, 6, 20, {"rho = E theta* theta*^T must be positive definite"}},
        {SHAPE(1, 2) "initial: {teacher: [z, 2*z]}\n", SGDMFT_ERR_RANGE, 4, 21, {"positive definite", "fewer"}},
    };
    CHECK_REFUSALS(list);
}

static void write_file(const char *name, const char *text)
{
    FILE *out = fopen(name, "wb");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

#define FILE_NAME "test_law_samples.csv"
#define SAMPLES "initial: {samples: " FILE_NAME "}\n"

static void good_samples(void **state)
{
    write_file(FILE_NAME,
               "\xEF\xBB\xBF# made by hand\r\n\r\nths2, th1 ,ths1\r\n0,1,2\r\n# more\n1.5, -1e0,+0.5\n0,0,0\n3,2,1");
    sgdmft_context *ctx = new_context();
    sgdmft_problem *p = accepted(ctx, SHAPE(1, 2) SAMPLES, NULL, 0);
    check(p->initial.q[0], 6.0 / 4, 0);
    check(p->initial.m[0], 3.5 / 4, 0);
    check(p->initial.m[1], 4.5 / 4, 0);
    check(p->initial.rho[0], 5.25 / 4, 0);
    check(p->initial.rho[1], 3.75 / 4, 0);
    check(p->initial.rho[3], 11.25 / 4, 0);
    assert_true(p->initial.moments_se == 0);
    coordinates_law *law = NULL;
    assert_int_equal(coordinates_law_new(ctx, p, &law), SGDMFT_OK);
    assert_int_equal(coordinates_law_dims(law), 1);
    double u[] = {0.1, 0.3, 0.6, 1 - 1e-16, 0.26}, theta[5], teacher[10], work[1024];
    assert_true(coordinates_law_work(law) <= 1024);
    coordinates_law_map(law, work, 5, u, theta, teacher);
    static const double th[] = {1, -1, 0, 2, -1}, ths[] = {2, 0.5, 0, 1, 0.5, 0, 1.5, 0, 3, 1.5};
    assert_memory_equal(theta, th, sizeof th);
    assert_memory_equal(teacher, ths, sizeof ths);
    coordinates_law_free(law);
    sgdmft_problem_free(p);
    sgdmft_context_free(ctx);
}

static void bad_samples(void **state)
{
    static const struct {
        const char *file;
        refusal refusal;
    } cases[] = {
        {"", {BASE SAMPLES, SGDMFT_ERR_MISSING, 6, 20, {FILE_NAME ": the file is empty"}}},
        {"# th,ths\n\n", {BASE SAMPLES, SGDMFT_ERR_MISSING, 6, 20, {"line 2: the file is empty"}}},
        {"th,ths\n", {BASE SAMPLES, SGDMFT_ERR_MISSING, 6, 20, {"line 1: no rows"}}},
        {"th1,ths1,t\n1,1,1\n",
         {BASE SAMPLES, SGDMFT_ERR_UNKNOWN_KEY, 6, 20, {"line 1: ", "'t'", "th1 to th1 and ths1"}}},
        {"1,2\n", {BASE SAMPLES, SGDMFT_ERR_UNKNOWN_KEY, 6, 20, {"'1'"}}},
        {"th1\n1\n", {BASE SAMPLES, SGDMFT_ERR_MISSING, 6, 20, {"no column 'ths1'"}}},
        {"th,ths1,ths\n", {BASE SAMPLES, SGDMFT_ERR_DUPLICATE_KEY, 6, 20, {"column 'ths' twice"}}},
        {"th,ths\n1,1\n#\n1\n",
         {BASE SAMPLES, SGDMFT_ERR_SHAPE, 6, 20, {"line 4: 1 value, but the header has 2 columns"}}},
        {"th,ths\n1,1,1,1\n", {BASE SAMPLES, SGDMFT_ERR_SHAPE, 6, 20, {"line 2: 4 values"}}},
        {"th,ths\n1,\n", {BASE SAMPLES, SGDMFT_ERR_TYPE, 6, 20, {"line 2: '' is not a number"}}},
        {"th,ths\n1,0x1\n", {BASE SAMPLES, SGDMFT_ERR_TYPE, 6, 20, {"line 2: '0x1' is not a number"}}},
        {"th,ths\n1,nan\n", {BASE SAMPLES, SGDMFT_ERR_RANGE, 6, 20, {"line 2: nan is out of range", "1e100"}}},
        {"th,ths\n1,-1e101\n", {BASE SAMPLES, SGDMFT_ERR_RANGE, 6, 20, {"line 2: -1e101", "1e100"}}},
        {"th,ths\n1,0\n1,0\n", {BASE SAMPLES, SGDMFT_ERR_RANGE, 6, 20, {"initial.samples: rho", "positive definite"}}},
        {NULL, {BASE SAMPLES, SGDMFT_ERR_IO, 6, 20, {FILE_NAME ": cannot be read: No such file"}}},
        {NULL, {BASE "initial: {samples: /}\n", SGDMFT_ERR_IO, 6, 20, {"/: cannot be read: it is a directory"}}},
    };
    sgdmft_context *ctx = new_context();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (cases[i].file)
            write_file(FILE_NAME, cases[i].file);
        else
            remove(FILE_NAME);
        check_refusal(ctx, &cases[i].refusal, NULL, "case.yaml");
    }
    sgdmft_context_free(ctx);
}

/* The moments of mapped Sobol' points are those of the problem, also for the Gaussian law; lanes do not depend on the
   block they are in. */
static void maps(void **state)
{
    enum { N = 1 << 16, FEW = 5 };
    static const char *const list[] = {
        SHAPE(1, 2) "initial: {q: 1.3, m: [[0.4, -0.2]], rho: [[1, 0.3], [0.3, 0.8]]}\n",
        SHAPE(1, 2) "initial: {teacher: ['if(u3 < 0.2, z, 0)', 'sign(z5)'], student: 'ths1 - 0.5*ths2 + z9'}\n",
    };
    static const int dims[] = {3, 4};
    sgdmft_context *ctx = new_context();
    double *u = malloc(4 * N * sizeof *u), *theta = malloc(3 * N * sizeof *theta);
    assert_true(u && theta);
    for (int i = 0; i < 2; i++) {
        sgdmft_problem *p = accepted(ctx, list[i], NULL, 0);
        coordinates_law *law = NULL;
        assert_int_equal(coordinates_law_new(ctx, p, &law), SGDMFT_OK);
        assert_int_equal(coordinates_law_dims(law), dims[i]);
        double *work = malloc(coordinates_law_work(law) * sizeof *work);
        for (int v = 0; v < dims[i]; v++)
            sobol_points((random_key){.seed = 9}, (unsigned)v, 0, N, u + v * N);
        coordinates_law_map(law, work, N, u, theta, theta + N);
        double moment[3][3] = {{0}};
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++)
                for (size_t j = 0; j < N; j++)
                    moment[a][b] += theta[a * N + j] * theta[b * N + j] / N;
        check(moment[0][0], p->initial.q[0], 3e-3);
        check(moment[0][1], p->initial.m[0], 3e-3);
        check(moment[0][2], p->initial.m[1], 3e-3);
        check(moment[1][1], p->initial.rho[0], 3e-3);
        check(moment[1][2], p->initial.rho[1], 3e-3);
        check(moment[2][2], p->initial.rho[3], 3e-3);
        double few[4 * FEW], part[3 * FEW];
        for (int v = 0; v < dims[i]; v++)
            memcpy(few + v * FEW, u + v * N + 300, FEW * sizeof *few);
        coordinates_law_map(law, work, FEW, few, part, part + FEW);
        for (int a = 0; a < 3; a++)
            assert_memory_equal(part + a * FEW, theta + a * N + 300, FEW * sizeof *part);
        free(work);
        coordinates_law_free(law);
        sgdmft_problem_free(p);
    }
    free(u);
    free(theta);
    sgdmft_context_free(ctx);
}

/* Random damage to expressions and files: a problem or a message. */
static void damage(void **state)
{
    static const char letters[] = "zu12ths+-*/^(),.0<if \n#e";
    static const char law[] = "if(u < 0.4, z/sqrt(0.1), ths - z2*u2)", file[] = "th,ths\n1,2\n-1.5e0,0.5\n";
    uint64_t s = 0x1234567u;
    int good = 0, rounds = 150;
    sgdmft_context *ctx = new_context();
    for (int i = 0; i < rounds; i++) {
        char copy[2][64];
        snprintf(copy[0], sizeof copy[0], "%s", law);
        snprintf(copy[1], sizeof copy[1], "%s", file);
        s = s * 6364136223846793005u + 1442695040888963407u;
        char *text = copy[i % 2];
        text[(s >> 33) % strlen(text)] = letters[(s >> 20) % (sizeof letters - 1)];
        char *yaml = NULL;
        write_file(FILE_NAME, copy[1]);
        assert_true(asprintf(&yaml, BASE "initial: {student: \"%s\"}\n", copy[0]) > 0);
        sgdmft_problem *p = NULL;
        sgdmft_status status = sgdmft_problem_parse(ctx, "fuzz", i % 2 ? BASE SAMPLES : yaml, NULL, 0, &p);
        assert_true((status == SGDMFT_OK) == (p != NULL));
        assert_true(status == SGDMFT_OK || (status >= 200 && status < 303));
        assert_true(status == SGDMFT_OK || strlen(sgdmft_context_message(ctx)) > 10);
        good += status == SGDMFT_OK;
        sgdmft_problem_free(p);
        free(yaml);
    }
    remove(FILE_NAME);
    assert_true(good > rounds / 20 && good < rounds);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_forms), cmocka_unit_test(matrices),     cmocka_unit_test(echoes),
        cmocka_unit_test(refusals),     cmocka_unit_test(good_samples), cmocka_unit_test(bad_samples),
        cmocka_unit_test(maps),         cmocka_unit_test(damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
