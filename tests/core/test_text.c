/* Numbers in text, UTF-8, display, nearest names, and failures with a place. */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/number.h"
#include "core/origin.h"
#include "core/text.h"
#include "support/check.h"

static void numbers_read(void **state)
{
    static const struct {
        const char *text;
        number_verdict verdict;
        double value;
    } list[] = {
        {"0", NUMBER_OK, 0},
        {"-0.5", NUMBER_OK, -0.5},
        {"+.5", NUMBER_OK, 0.5},
        {"5.", NUMBER_OK, 5},
        {"1.0e-8", NUMBER_OK, 1e-8},
        {"2E+3", NUMBER_OK, 2000},
        {"1e-400", NUMBER_OK, 0},
        {"179769313486231570000e288", NUMBER_OK, 1.7976931348623157e308},
        {"", NUMBER_NONE, 0},
        {"+", NUMBER_NONE, 0},
        {".", NUMBER_NONE, 0},
        {"e5", NUMBER_NONE, 0},
        {"1e", NUMBER_NONE, 0},
        {"1e+", NUMBER_NONE, 0},
        {"0x1p3", NUMBER_NONE, 0},
        {"1 ", NUMBER_NONE, 0},
        {" 1", NUMBER_NONE, 0},
        {"1,5", NUMBER_NONE, 0},
        {"1.5.2", NUMBER_NONE, 0},
        {"--1", NUMBER_NONE, 0},
        {"1f", NUMBER_NONE, 0},
        {"nano", NUMBER_NONE, 0},
        {"nan(1)", NUMBER_NONE, 0},
        {"nan", NUMBER_NOT_FINITE, 0},
        {".inf", NUMBER_NOT_FINITE, 0},
        {"-.Inf", NUMBER_NOT_FINITE, 0},
        {"INFINITY", NUMBER_NOT_FINITE, 0},
        {"1e309", NUMBER_NOT_FINITE, 0},
        {"-1e309", NUMBER_NOT_FINITE, 0},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        double value = 42;
        assert_int_equal(number_read(list[i].text, &value), list[i].verdict);
        assert_true(value == (list[i].verdict == NUMBER_OK ? list[i].value : 42));
    }
}

static void values_of_prefixes(void **state)
{
    assert_true(number_value("1.5*r") == 1.5);
    assert_true(number_value("2e") == 2);
    assert_true(number_value("0x10") == 0);
    assert_true(isinf(number_value("1e400")));
}

static void integers_read(void **state)
{
    static const struct {
        const char *text;
        number_verdict verdict;
        uint64_t value;
    } list[] = {
        {"0", NUMBER_OK, 0},
        {"-0", NUMBER_OK, 0},
        {"+7", NUMBER_OK, 7},
        {"007", NUMBER_OK, 7},
        {"2e4", NUMBER_OK, 20000},
        {"1.0e5", NUMBER_OK, 100000},
        {"1.25e2", NUMBER_OK, 125},
        {"9007199254740992.0", NUMBER_OK, 9007199254740992u},
        {"9007199254740993", NUMBER_OK, 9007199254740993u},
        {"18446744073709551615", NUMBER_OK, UINT64_MAX},
        {"18446744073709551616", NUMBER_TOO_LARGE, 0},
        {"9007199254740994.0", NUMBER_TOO_LARGE, 0},
        {"1e300", NUMBER_TOO_LARGE, 0},
        {"1.25e1", NUMBER_FRACTION, 0},
        {"-3", NUMBER_NEGATIVE, 0},
        {"-0.5", NUMBER_NEGATIVE, 0},
        {"1e999", NUMBER_NOT_FINITE, 0},
        {"ten", NUMBER_NONE, 0},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        uint64_t value = 42;
        assert_int_equal(number_read_integer(list[i].text, &value), list[i].verdict);
        assert_true(value == (list[i].verdict == NUMBER_OK ? list[i].value : 42));
    }
}

static void numbers_written(void **state)
{
    static const struct {
        double value;
        const char *text;
    } list[] = {
        {0, "0.0"},
        {1, "1.0"},
        {-2.5, "-2.5"},
        {0.1, "0.1"},
        {1e-8, "1.0e-8"},
        {0.0001234, "0.0001234"},
        {0.00001234, "1.234e-5"},
        {20000, "20000.0"},
        {1.0 / 3, "0.3333333333333333"},
        {0.1 + 0.2, "0.30000000000000004"},
        {123456789012345680.0, "1.2345678901234568e+17"},
        {1e22, "1.0e+22"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {5e-324, "5.0e-324"},
        {1234567890123456.0, "1234567890123456.0"},
        {9007199254740993.0, "9007199254740992.0"},
        {NAN, ".nan"},
        {INFINITY, ".inf"},
        {-INFINITY, "-.inf"},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        assert_string_equal(number_write(list[i].value).text, list[i].text);
}

/* 64 random bits, as in SplitMix64. */
static uint64_t next_random(uint64_t *s)
{
    uint64_t z = (*s += 0x9E3779B97F4A7C15u);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static void check_random_numbers(void)
{
    uint64_t seed = 20240229;
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = next_random(&seed);
        double value, again = 0;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        if (i % 2)
            value = ldexp((double)(int64_t)bits, -(i % 80)); /* of ordinary size */
        assert_int_equal(number_read(number_write(value).text, &again), NUMBER_OK);
        assert_true(again == value);
    }
}

static void random_numbers(void **state)
{
    check_random_numbers();
}

/* Where the machine has a locale with a decimal comma, it changes nothing. */
static void decimal_comma(void **state)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8", "de_DE", "fr_FR"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (setlocale(LC_ALL, names[i])) {
            double value = 0;
            assert_int_equal(number_read("1.5", &value), NUMBER_OK);
            assert_true(value == 1.5);
            assert_string_equal(number_write(1.5).text, "1.5");
            assert_string_equal(number_write(1e-12).text, "1.0e-12");
            check_random_numbers();
            print_message("checked in locale %s\n", names[i]);
            break;
        }
    setlocale(LC_ALL, "C");
}

static void utf8(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        uint32_t code;
    } list[] = {
        {"a", 1, 'a'},
        {"\xC3\xA9", 2, 0xE9},
        {"\xE2\x80\xA8", 3, 0x2028},
        {"\xF0\x9F\x98\x80", 4, 0x1F600},
        {"\x80", 0, 0},
        {"\xC3", 0, 0},
        {"\xC3(", 0, 0},
        {"\xC0\xAF", 0, 0},
        {"\xE0\x80\xAF", 0, 0},
        {"\xED\xA0\x80", 0, 0},
        {"\xF4\x90\x80\x80", 0, 0},
        {"\xF8\x88\x80\x80\x80", 0, 0},
        {"\xFF", 0, 0},
        {"", 0, 0},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        uint32_t code = 0;
        size_t size = strlen(list[i].bytes);
        assert_int_equal(text_decode((const unsigned char *)list[i].bytes, size, &code), list[i].length);
        assert_int_equal(code, list[i].code);
    }
}

static void shown(void **state)
{
    assert_string_equal(text_show("tanh(r)").text, "tanh(r)");
    assert_string_equal(text_show("a\nb\x01\xFF\xC3\xA9").text, "a\\x0Ab\\x01\\xFF\xC3\xA9");
    char *text = malloc(1001);
    assert_non_null(text);
    for (int offset = 0; offset < 4; offset++) { /* cut between characters, never within */
        memset(text, 'x', 1000);
        for (size_t i = (size_t)offset; i + 3 <= 1000; i += 3)
            memcpy(text + i, "\xE2\x82\xAC", 3);
        text[997] = '\0';
        shown_text cut = text_show(text);
        size_t length = strlen(cut.text), at = 0;
        assert_true(length < sizeof cut.text && length > 100);
        assert_string_equal(cut.text + length - 3, "...");
        for (uint32_t code = 0; at < length;) {
            size_t n = text_decode((const unsigned char *)cut.text + at, length - at, &code);
            assert_true(n > 0);
            at += n;
        }
    }
    memset(text, '\x02', 1000);
    text[1000] = '\0';
    assert_true(strlen(text_show(text).text) < sizeof(shown_text));
    free(text);
}

static void nearest(void **state)
{
    static const char *const names[] = {"delta", "eta", "lambda", "horizon", "numerics.steps"};
    static const struct {
        const char *wanted;
        int index;
    } list[] = {
        {"delta", 0},
        {"DELTA", 0},
        {"detla", 0},
        {"dleta", 0},
        {"delt", 0},
        {"lamda", 2},
        {"lambdas", 2},
        {"horison", 3},
        {"ета", -1},
        {"eat", 1},
        {"numerics.step", 4},
        {"xyz", -1},
        {"", -1},
        {"q", -1},
        {"learning_rate", -1},
        {"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd", -1},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        assert_int_equal(text_nearest(list[i].wanted, names, 5), list[i].index);
}

static void failures(void **state)
{
    sgdmft_context *ctx = check_context(1);
    origin where = {"f.yaml", 3, 9, "model.loss"};
    assert_int_equal(origin_fail(ctx, SGDMFT_ERR_RANGE, &where, "value %d", 7), SGDMFT_ERR_RANGE);
    assert_string_equal(sgdmft_context_message(ctx), "f.yaml:3:9: model.loss: value 7");
    where = (origin){"f.yaml", 0, 0, NULL};
    origin_fail(ctx, SGDMFT_ERR_RANGE, &where, "%s", "none");
    assert_string_equal(sgdmft_context_message(ctx), "f.yaml: none");
    where = (origin){NULL, 0, 0, "eta"};
    origin_fail(ctx, SGDMFT_ERR_RANGE, &where, "no source");
    assert_string_equal(sgdmft_context_message(ctx), "eta: no source");
    sgdmft_context_free(ctx);
}

/* Places inside a value: on its first line, on a later one, and without a position. */
static void failures_inside_values(void **state)
{
    sgdmft_context *ctx = check_context(1);
    origin where = {"f.yaml", 3, 9, "model.loss"};
    const char *text = "\xC3\xA9 + b\n  + c";
    assert_int_equal(origin_column(text, 5), 5);
    origin_fail_at(ctx, SGDMFT_ERR_SYNTAX, &where, text, 5, "here");
    assert_string_equal(sgdmft_context_message(ctx), "f.yaml:3:13: model.loss: here");
    origin_fail_at(ctx, SGDMFT_ERR_SYNTAX, &where, text, 9, "there");
    assert_string_equal(sgdmft_context_message(ctx), "f.yaml:4:3: model.loss: there");
    where.line = 0;
    origin_fail_at(ctx, SGDMFT_ERR_SYNTAX, &where, text, 5, "here");
    assert_string_equal(sgdmft_context_message(ctx), "f.yaml: model.loss: character 5: here");
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_read),
        cmocka_unit_test(values_of_prefixes),
        cmocka_unit_test(integers_read),
        cmocka_unit_test(numbers_written),
        cmocka_unit_test(random_numbers),
        cmocka_unit_test(decimal_comma),
        cmocka_unit_test(utf8),
        cmocka_unit_test(shown),
        cmocka_unit_test(nearest),
        cmocka_unit_test(failures),
        cmocka_unit_test(failures_inside_values),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
