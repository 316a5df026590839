/* Random damage to good files: never a crash, always a message, and what is accepted survives its own echo. */
#include "support.h"

static const char *const bases[] = {
    "dynamics: gradient-flow\ndelta: 0.37\neta: \"0.7/(1+t)\"\nlambda: 1.25e-2\nhorizon: 4.75\nmodel:\n  students: 2\n"
    "  teachers: 2\n  label: [s1, \"max(s1, s2)\"]\n  predict:\n    - r1\n    - 'r2'\n  loss: |\n    (f1 - y1)^2\n"
    "    + (f2 - y2)^2\ninitial:\n  q: [[1.3, 0.2], [0.2, 0.9]]\n  m: [[0.1, 0.2], [-0.1, 0]]\n  rho: [[1, 0], [0, "
    "2]]\n"
    "observables: {a: y1, B_2: r2} # two\nnumerics: {paths: 1.0e5, replicas: 3, method: picard}\n",
    BASE,
    TOP "model: {plugin: ./x.so}\npenalty: \"th1^2\"\noutput:\n  times: 7\nsimulate:\n  entries: uniform\n",
};

static uint64_t next_random(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static size_t below(uint64_t *s, size_t n)
{
    return (size_t)(next_random(s) >> 11) % n;
}

/* One change somewhere: a byte replaced, inserted or removed, or a piece copied elsewhere. */
static void damage(uint64_t *seed, char *text, size_t room)
{
    static const char likely[] = "\n\t :-[]{},\"'|>*&!%#?@`.e0123456789~\\\xC3\xA9\xFF\x01";
    size_t size = strlen(text);
    char byte = likely[below(seed, sizeof likely - 1)];
    size_t at = below(seed, size + 1), from = below(seed, size + 1), length = below(seed, 12);
    if (below(seed, 8) == 0)
        byte = (char)(1 + below(seed, 255));
    switch (below(seed, 4)) {
    case 0:
        if (at < size)
            text[at] = byte;
        break;
    case 1:
        if (size + 1 < room) {
            memmove(text + at + 1, text + at, size - at + 1);
            text[at] = byte;
        }
        break;
    case 2:
        if (at < size)
            memmove(text + at, text + at + 1, size - at);
        break;
    default:
        if (from + length <= size && at + length <= size)
            memmove(text + at, text + from, length);
    }
}

static void check_text(sgdmft_context *ctx, const char *text, const char *const *sets, size_t n_sets, int *good)
{
    sgdmft_problem *p = NULL;
    sgdmft_status status = sgdmft_problem_parse(ctx, "fuzz", text, sets, n_sets, &p);
    if (status != SGDMFT_OK) {
        assert_null(p);
        assert_true((status >= 200 && status < 208) || status == SGDMFT_ERR_SYNTAX);
        assert_true(strlen(sgdmft_context_message(ctx)) > 10);
        return;
    }
    char *a = echo(ctx, p);
    sgdmft_problem *again = accepted(ctx, a, NULL, 0);
    char *b = echo(ctx, again);
    assert_string_equal(a, b);
    free(a);
    free(b);
    sgdmft_problem_free(p);
    sgdmft_problem_free(again);
    ++*good;
}

static void damaged_files(void **state)
{
    enum { ROUNDS = 9000, ROOM = 2048 };
    uint64_t seed = 0x5eed0123456789abu;
    int good = 0;
    sgdmft_context *ctx = new_context();
    char *text = malloc(ROOM);
    assert_non_null(text);
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(text, ROOM, "%s", bases[i % 3]);
        for (size_t n = 1 + below(&seed, 3); n > 0; n--)
            damage(&seed, text, ROOM);
        check_text(ctx, text, NULL, 0, &good);
    }
    free(text);
    assert_true(good > ROUNDS / 20 && good < ROUNDS); /* both sides of the fence were visited */
    sgdmft_context_free(ctx);
}

static void damaged_overrides(void **state)
{
    enum { ROUNDS = 4000, ROOM = 256 };
    static const char *const start[] = {"delta=2.5", "initial.q=[[1, 0], [0, 1]]", "model.label=\"sign(s)\"",
                                        "observables.name=y*r", "numerics.seed=12345"};
    uint64_t seed = 0x0ddba11f00du;
    int good = 0;
    sgdmft_context *ctx = new_context();
    char *text = malloc(ROOM);
    assert_non_null(text);
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(text, ROOM, "%s", start[i % 5]);
        for (size_t n = 1 + below(&seed, 3); n > 0; n--)
            damage(&seed, text, ROOM);
        const char *set = text;
        check_text(ctx, bases[i % 3], &set, 1, &good);
    }
    free(text);
    assert_true(good > ROUNDS / 20 && good < ROUNDS);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_files),
        cmocka_unit_test(damaged_overrides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
