#include "io/room.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "columns/solution.h"

static const char room_yaml[] = "delta: 1.7\n"
                                "horizon: 3.25\n"
                                "model:\n"
                                "  students: 2\n"
                                "  teachers: 3\n"
                                "  label: \"tanh(s1) - s2*s3 + 0.3*eps\"\n"
                                "  loss: \"(r1 + r2 - y)^2/2\"\n"
                                "initial:\n"
                                "  q: [[1.3, 0.2], [0.2, 0.9]]\n"
                                "  m: [[0.1, 0.2, 0.3], [-0.1, 0.05, 0.15]]\n"
                                "observables:\n"
                                "  margin: \"y*r1\"\n"
                                "  gap: \"r1 - r2\"\n"
                                "numerics:\n"
                                "  seed: 17293822569102704683\n";

double room_value(size_t curve, size_t i)
{
    return sin(1.7 + 3.1 * (double)curve + 0.77 * (double)i) * pow(10.0, (double)(curve % 5) - 3.0);
}

double room_se(size_t curve, size_t i)
{
    return i == 0 ? 0.0 : 1e-4 * (1.2345678901234 + cos((double)(curve + 7 * i)));
}

double room_step_error(size_t curve, size_t i)
{
    return curve == 1 ? 0.0 : -3.3e-5 * (double)(i * (curve + 1));
}

double room_two_time(char array, size_t i, size_t j, size_t a, size_t b)
{
    return sin((double)array + 0.1 * (double)i + 0.23 * (double)j + 0.57 * (double)a + 1.31 * (double)b);
}

static void fill_two_time(sgdmft_solution *s)
{
    size_t n = s->n_grid, k = ROOM_K;
    for (size_t i = 0; i < n; i++) {
        s->t[i] = 0.3 * (double)(i * i);
        s->residual[i] = 1e-9 * (double)i;
        for (size_t c = 0; c < k * ROOM_KSTAR; c++)
            s->m[i * k * ROOM_KSTAR + c] = 0.01 * (double)i + sqrt((double)c);
        for (size_t j = 0; j < n; j++)
            for (size_t a = 0; a < k; a++)
                for (size_t b = 0; b < k; b++) {
                    s->C[((i * n + j) * k + a) * k + b] = room_two_time('C', i, j, a, b);
                    s->R[((i * n + j) * k + a) * k + b] = room_two_time('R', i, j, a, b);
                }
    }
}

static sgdmft_solution *make_solution(sgdmft_context *ctx)
{
    static const char *const observables[] = {"margin", "gap"};
    solution_shape shape = {ROOM_K, ROOM_KSTAR, ROOM_TIMES, ROOM_GRID, 2, observables, 1};
    sgdmft_solution *s = NULL;
    check_ok(ctx, solution_new(ctx, &shape, &s));
    for (size_t i = 0; i < ROOM_TIMES; i++)
        s->times[i] = 3.25 * (double)i / (ROOM_TIMES - 1);
    for (size_t c = 0; c < s->n_curves; c++)
        for (size_t i = 0; i < ROOM_TIMES; i++) {
            s->curves[c].value[i] = room_value(c, i);
            s->curves[c].se[i] = room_se(c, i);
            s->curves[c].step_error[i] = room_step_error(c, i);
        }
    fill_two_time(s);
    sgdmft_identity identity = {(char *)"dC(t,t)/dt 21", 3.25, -1.25e-3, 4.5e-4, 0.87};
    check_ok(ctx, solution_add_identity(ctx, s, &identity, "%s", identity.name));
    identity.name = (char *)"dC(t,0)/dt 11";
    identity.defect = 7.7e-4;
    check_ok(ctx, solution_add_identity(ctx, s, &identity, "%s", identity.name));
    s->info = (sgdmft_solve_info){.paths = 1237,
                                  .replicas = 3,
                                  .steps = 41,
                                  .visits = 12345678901.0,
                                  .passes = 2.625,
                                  .passes_max = 6,
                                  .residual_max = 3.4e-9,
                                  .step_error_max = 1.5e-4,
                                  .se_max = 2.5e-3,
                                  .memory_bytes = 7.5e6,
                                  .wall_seconds = 12.625,
                                  .cpu_seconds = 23.5,
                                  .extrapolated = 1};
    return s;
}

int room_enter(void **state)
{
    room *r = calloc(1, sizeof *r);
    const char *base = getenv("TMPDIR");
    if (!r || asprintf(&r->directory, "%s/sgdmft-test-XXXXXX", base ? base : "/tmp") < 0 || !mkdtemp(r->directory))
        return -1;
    r->ctx = check_context(1);
    check_ok(r->ctx, sgdmft_problem_parse(r->ctx, "room.yaml", room_yaml, NULL, 0, &r->problem));
    r->solution = make_solution(r->ctx);
    check_ok(r->ctx, solution_set_problem(r->ctx, r->solution, r->problem));
    *state = r;
    return 0;
}

static int is_entry(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

int room_leave(void **state)
{
    room *r = *state;
    DIR *directory = opendir(r->directory);
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        if (is_entry(entry) && unlink(room_path(r, entry->d_name)) != 0)
            rmdir(room_path(r, entry->d_name));
    if (directory)
        closedir(directory);
    int result = rmdir(r->directory);
    sgdmft_solution_free(r->solution);
    sgdmft_problem_free(r->problem);
    sgdmft_context_free(r->ctx);
    free(r->directory);
    free(r);
    return result;
}

const char *room_path(const room *r, const char *name)
{
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];
    assert_true(snprintf(path, sizeof paths[0], "%s/%s", r->directory, name) < (int)sizeof paths[0]);
    return path;
}

size_t room_count(const room *r)
{
    size_t n = 0;
    DIR *directory = opendir(r->directory);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        n += (size_t)is_entry(entry);
    closedir(directory);
    return n;
}

char *room_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long length = ftell(file);
    assert_true(length >= 0);
    rewind(file);
    char *text = calloc((size_t)length + 1, 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)length, file), length);
    fclose(file);
    *size = (size_t)length;
    return text;
}

void room_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) < 0, 0);
    assert_int_equal(fclose(file), 0);
}
