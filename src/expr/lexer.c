#include "expr/lexer.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "core/number.h"
#include "core/origin.h"

static const struct symbol {
    const char *text;
    token_kind kind;
} symbols[] = {
    /* longer ones first, as the first match counts */
    {"<=", TOKEN_LESS_EQUAL}, {">=", TOKEN_GREATER_EQUAL}, {"==", TOKEN_EQUAL}, {"!=", TOKEN_NOT_EQUAL},
    {"<", TOKEN_LESS},        {">", TOKEN_GREATER},        {"+", TOKEN_PLUS},   {"-", TOKEN_MINUS},
    {"*", TOKEN_TIMES},       {"/", TOKEN_OVER},           {"^", TOKEN_POWER},  {"(", TOKEN_OPEN},
    {")", TOKEN_CLOSE},       {",", TOKEN_COMMA},
};

/* Characters that have another spelling here, and the hint that gives it. */
static const struct habit {
    const char *text, *hint;
} habits[] = {
    {"**", "powers are written a^b"},
    {"&&", "write if(a, if(b, 1, 0), 0), or multiply the comparisons: (a)*(b)"},
    {"||", "add the comparisons: (a) + (b) > 0; an absolute value is abs(x)"},
    {"|", "an absolute value is written abs(x)"},
    {"=", "equality is written =="},
    {"!", "inequality is written !="},
    {"[", "use round parentheses, and r1, r2, ... for components"},
    {"]", "use round parentheses, and r1, r2, ... for components"},
    {"{", "use round parentheses"},
    {"}", "use round parentheses"},
    {"?", "a choice is written if(condition, a, b)"},
    {":", "a choice is written if(condition, a, b)"},
    {";", "arguments are separated by commas"},
    {"\xE2\x88\x92", "use the plain minus sign -"},
    {"\xE2\x80\x93", "use the plain minus sign -"},
    {"\xC3\x97", "multiplication is written *"},
    {"\xC2\xB7", "multiplication is written *"},
    {"\xC2\xB2", "powers are written a^2"},
    {"\xC2\xB3", "powers are written a^3"},
    {"\xCF\x80", "this constant is written pi"},
    {"\xE2\x89\xA4", "this comparison is written <="},
    {"\xE2\x89\xA5", "this comparison is written >="},
};

static int starts_with(const char *text, const char *word)
{
    return strncmp(text, word, strlen(word)) == 0;
}

static const char *find_habit(const char *at)
{
    for (size_t i = 0; i < sizeof habits / sizeof *habits; i++)
        if (starts_with(at, habits[i].text))
            return habits[i].hint;
    return NULL;
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Bytes of the UTF-8 character at `at`, so that messages show it whole. */
static size_t character_length(const char *at)
{
    size_t n = 1;
    while (((unsigned char)at[n] & 0xC0) == 0x80)
        n++;
    return n;
}

static sgdmft_status stray_character(lexer *lex)
{
    const char *at = lex->text + lex->next, *hint = find_habit(at);
    if (iscntrl((unsigned char)*at))
        return origin_fail_at(lex->ctx, SGDMFT_ERR_SYNTAX, lex->where, lex->text, lex->next,
                              "unexpected control character %d", (unsigned char)*at);
    return origin_fail_at(
        lex->ctx, SGDMFT_ERR_SYNTAX, lex->where, lex->text, lex->next, "unexpected character \"%.*s\"; %s",
        (int)character_length(at), at,
        hint ? hint : "allowed: numbers, names, + - * / ^, parentheses, commas, comparisons < <= > >= == !=");
}

static size_t count_digits(const char *at)
{
    size_t n = 0;
    while (is_digit(at[n]))
        n++;
    return n;
}

/* Length of digits [. digits] [e [sign] digits]. */
static size_t number_length(const char *at)
{
    size_t n = count_digits(at);
    if (at[n] == '.')
        n += 1 + count_digits(at + n + 1);
    if (at[n] == 'e' || at[n] == 'E') {
        size_t sign = at[n + 1] == '+' || at[n + 1] == '-';
        size_t exponent = count_digits(at + n + 1 + sign);
        if (exponent > 0)
            n += 1 + sign + exponent;
    }
    return n;
}

static int has_nonzero_digit(const char *at, size_t length)
{
    for (size_t i = 0; i < length && at[i] != 'e' && at[i] != 'E'; i++)
        if (at[i] >= '1' && at[i] <= '9')
            return 1;
    return 0;
}

/* Messages show at most this many characters of a number. */
static int shown(size_t length)
{
    return length < 40 ? (int)length : 40;
}

static sgdmft_status read_number(lexer *lex, token *out)
{
    const char *at = lex->text + out->offset;
    out->kind = TOKEN_NUMBER;
    out->length = number_length(at);
    out->number = number_value(at);
    if (isinf(out->number))
        return origin_fail_at(lex->ctx, SGDMFT_ERR_SYNTAX, lex->where, lex->text, out->offset,
                              "number %.*s is too large; allowed: at most 1.797e308", shown(out->length), at);
    if (out->number == 0 && has_nonzero_digit(at, out->length))
        return origin_fail_at(lex->ctx, SGDMFT_ERR_SYNTAX, lex->where, lex->text, out->offset,
                              "number %.*s is too small; allowed: 0, or at least 4.95e-324", shown(out->length), at);
    char next = at[out->length];
    if (next == '.' || is_digit(next))
        return origin_fail_at(lex->ctx, SGDMFT_ERR_SYNTAX, lex->where, lex->text, out->offset + out->length,
                              "unexpected \"%c\" after the number %.*s; a number has one decimal point", next,
                              shown(out->length), at);
    if (is_letter(next))
        return origin_fail_at(lex->ctx, SGDMFT_ERR_SYNTAX, lex->where, lex->text, out->offset + out->length,
                              "unexpected \"%c\" after the number %.*s; multiplication is written %.*s*%c", next,
                              shown(out->length), at, shown(out->length), at, next);
    return SGDMFT_OK;
}

static void read_name(lexer *lex, token *out)
{
    const char *at = lex->text + out->offset;
    out->kind = TOKEN_NAME;
    while (is_letter(at[out->length]) || is_digit(at[out->length]))
        out->length++;
}

static int read_symbol(lexer *lex, token *out)
{
    const char *at = lex->text + out->offset;
    if (starts_with(at, "**"))
        return 0;
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
        if (starts_with(at, symbols[i].text)) {
            out->kind = symbols[i].kind;
            out->length = strlen(symbols[i].text);
            return 1;
        }
    return 0;
}

sgdmft_status lexer_read(lexer *lex, token *out)
{
    while (lex->text[lex->next] && strchr(" \t\r\n", lex->text[lex->next]))
        lex->next++;
    *out = (token){.kind = TOKEN_END, .offset = lex->next};
    const char *at = lex->text + lex->next;
    if (!*at)
        return SGDMFT_OK;
    sgdmft_status status = SGDMFT_OK;
    if (is_digit(*at) || (*at == '.' && is_digit(at[1])))
        status = read_number(lex, out);
    else if (is_letter(*at))
        read_name(lex, out);
    else if (!read_symbol(lex, out))
        status = stray_character(lex);
    lex->next += out->length;
    return status;
}
