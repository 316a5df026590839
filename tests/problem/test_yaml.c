/* Texts that are no YAML, or use parts of YAML that a problem file may not use. */
#include "support.h"

#include "problem/yaml.h"

static void not_well_formed(void **state)
{
    static const refusal list[] = {
        {"\tdelta: 2\n", SGDMFT_ERR_YAML, 1, 1, {"blanks", "tabs"}},
        {"delta: 2\nmodel:\n\tlabel: s\n", SGDMFT_ERR_YAML, 3, 1, {"blanks", "tabs"}},
        {"delta 2\nhorizon: 3\n", SGDMFT_ERR_YAML, 2, 8, {"colon of the line before"}},
        {"delta: 2\nhorizon 3\nmodel:\n  label: s\n", SGDMFT_ERR_YAML, 2, 1, {"could not find", "key: value"}},
        {"delta: 2\n horizon: 3\n", SGDMFT_ERR_YAML, 2, 9, {"check the indentation"}},
        {"model:\n  label: s\n loss: r\n", SGDMFT_ERR_YAML, 3, 2, {"same column", "begun in line 1"}},
        {"eta: 1\ndelta: \"2\nhorizon: 3\n", SGDMFT_ERR_YAML, 2, 8, {"closing quote"}},
        {"model: {label: s\n", SGDMFT_ERR_YAML, 1, 8, {"brace"}},
        {"a: [1, 2\nb: 3\n", SGDMFT_ERR_YAML, 2, 2, {"bracket", "begun in line 1"}},
        {"eta: @x\n", SGDMFT_ERR_YAML, 1, 6, {"double quotes"}},
        {"eta: \"\\q\"\n", SGDMFT_ERR_YAML, 1, 7, {"backslash"}},
        {"penalty: |th1|\n", SGDMFT_ERR_YAML, 1, 11, {"double quotes"}},
        {"model:\n  label: a: b\n", SGDMFT_ERR_YAML, 2, 11, {"': ' needs double quotes"}},
        {"eta: - 3\n", SGDMFT_ERR_YAML, 1, 6, {"list"}},
        {"model:\n  label:\n    - a\n   - b\n", SGDMFT_ERR_YAML, 4, 4, {"not well-formed"}},
        {"eta: , 3\n", SGDMFT_ERR_YAML, 1, 6, {"not well-formed"}},
        {"observables:\n  a: *(r)\n", SGDMFT_ERR_YAML, 2, 7, {"start", "* or &"}},
        {"%YAML 3.0\n---\neta: 1\n", SGDMFT_ERR_YAML, 1, 1, {"incompatible", "sgdmft reference"}},
        {"eta: 1\n...\n\nx", SGDMFT_ERR_YAML, 4, 1, {"document start"}},
    };
    CHECK_REFUSALS(list);
}

static void not_text(void **state)
{
    static const refusal list[] = {
        {"eta: \x01\n", SGDMFT_ERR_YAML, 1, 6, {"control characters", "byte 0x01"}},
        {"eta: 1\n# caf\xE9\n", SGDMFT_ERR_YAML, 2, 6, {"UTF-8", "byte 0x"}},
        {"eta: 1\n# \xC3\xA9\xC3\xA9\xFF\n", SGDMFT_ERR_YAML, 2, 5, {"UTF-8", "byte 0xFF"}},
        {"\xFF\xFE"
         "e",
         SGDMFT_ERR_YAML,
         1,
         1,
         {"UTF-8"}}, /* UTF-16 */
        {"\x7F"
         "ELF\x02",
         SGDMFT_ERR_YAML,
         1,
         1,
         {"control characters"}},
    };
    CHECK_REFUSALS(list);
}

static void not_used_here(void **state)
{
    static const refusal list[] = {
        {"delta: 2\neta: *r\n", SGDMFT_ERR_YAML, 2, 6, {"aliases", "'*r'", "double quotes"}},
        {"delta: &x 2\n", SGDMFT_ERR_YAML, 1, 8, {"anchors", "'&x'"}},
        {"model: &x\n  label: s\n", SGDMFT_ERR_YAML, 1, 8, {"anchors", "'&x'"}},
        {"a: &x [1]\n", SGDMFT_ERR_YAML, 1, 4, {"anchors"}},
        {"delta: !!float 2\n", SGDMFT_ERR_YAML, 1, 8, {"tags", "float"}},
        {"a: !x [1]\n", SGDMFT_ERR_YAML, 1, 4, {"tags", "'!x'"}},
        {"model: !x {label: s}\n", SGDMFT_ERR_YAML, 1, 8, {"tags"}},
        {"a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n", SGDMFT_ERR_YAML, 1, 4, {"anchors"}},
        {"? [a]\n: b\n", SGDMFT_ERR_YAML, 1, 3, {"a list cannot be a key"}},
        {"? {a: 1}\n: b\n", SGDMFT_ERR_YAML, 1, 3, {"cannot be a key"}},
        {"delta: 2\n---\ndelta: 3\n", SGDMFT_ERR_YAML, 2, 1, {"second YAML document"}},
        {"a: \"x\\0y\"\n", SGDMFT_ERR_YAML, 1, 4, {"NUL"}},
        {"a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[\n", SGDMFT_ERR_YAML, 1, 20, {"nested more than 16 levels"}},
        {"a: {b: {c: {d: {e: {f: {g: {h: {i: {j: {k: {l: {m: {n: {o: {p: {q: {r: 1}}}}}}}}}}}}}}}}}\n",
         SGDMFT_ERR_YAML,
         1,
         65,
         {"nested"}},
    };
    CHECK_REFUSALS(list);
}

static void no_settings(void **state)
{
    static const refusal list[] = {
        {"", SGDMFT_ERR_YAML, 1, 1, {"no settings", "sgdmft reference"}},
        {"\n\n", SGDMFT_ERR_YAML, 1, 1, {"no settings"}},
        {"# nothing\n", SGDMFT_ERR_YAML, 1, 1, {"no settings"}},
        {"---\n", SGDMFT_ERR_YAML, 1, 1, {"no settings"}},
        {"\xEF\xBB\xBF", SGDMFT_ERR_YAML, 1, 1, {"no settings"}},
        {"# x\n- a\n", SGDMFT_ERR_TYPE, 2, 1, {"found a list", "key: value"}},
        {"sgd\n", SGDMFT_ERR_TYPE, 1, 1, {"found a single value"}},
        {"\"sgd\"\n", SGDMFT_ERR_TYPE, 1, 2, {"found text between quotes"}},
    };
    CHECK_REFUSALS(list);
}

/* A very deep text is refused in a moment, and a very wide one is read. */
static void large_texts(void **state)
{
    enum { SIZE = 200000 };
    sgdmft_context *ctx = new_context();
    sgdmft_problem *problem = NULL;
    char *text = malloc(SIZE + 1);
    assert_non_null(text);
    memset(text, '[', SIZE);
    text[SIZE] = '\0';
    assert_int_equal(sgdmft_problem_parse(ctx, "deep", text, NULL, 0, &problem), SGDMFT_ERR_YAML);
    for (size_t i = 0; i + 2 <= SIZE; i += 2)
        memcpy(text + i, "{a", 2);
    assert_int_equal(sgdmft_problem_parse(ctx, "deep", text, NULL, 0, &problem), SGDMFT_ERR_YAML);
    memset(text, 'x', SIZE);
    assert_int_equal(sgdmft_problem_parse(ctx, "wide", text, NULL, 0, &problem), SGDMFT_ERR_TYPE);
    memcpy(text, "x: [", 4);
    for (size_t i = 4; i + 2 < SIZE; i += 2)
        memcpy(text + i, "1,", 2);
    memcpy(text + SIZE - 2, "]\n", 2);
    assert_int_equal(sgdmft_problem_parse(ctx, "wide", text, NULL, 0, &problem), SGDMFT_ERR_UNKNOWN_KEY);
    free(text);
    sgdmft_context_free(ctx);
}

static tree_node *tree(sgdmft_context *ctx, const char *text, int column)
{
    yaml_source source = {"name", text, strlen(text), column};
    tree_node *root = NULL;
    assert_int_equal(tree_parse(ctx, &source, &root), SGDMFT_OK);
    return root;
}

static void assert_place(const tree_node *node, int line, int column)
{
    assert_int_equal(node->line, line);
    assert_int_equal(node->column, column);
}

static void positions(void **state)
{
    sgdmft_context *ctx = new_context();
    tree_node *root = tree(ctx,
                           "a: one\nbc:   \"two\"\nd: 'three'\ne: [4, \"5\", [6]]\nf: >-\n\n    seven\n    eight\n"
                           "\xC3\xA9: nine\ng:\n  - ten\n  - {h: \"i\"}\n",
                           7);
    assert_int_equal(root->n, 7);
    assert_place(root->key[0], 1, 8);
    assert_place(root->item[0], 1, 11);
    assert_place(root->key[1], 2, 1);
    assert_place(root->item[1], 2, 8);
    assert_place(root->item[2], 3, 5);
    assert_place(root->item[3], 4, 4);
    assert_place(root->item[3]->item[0], 4, 5);
    assert_place(root->item[3]->item[1], 4, 9);
    assert_place(root->item[3]->item[2]->item[0], 4, 14);
    assert_place(root->item[4], 7, 5);
    assert_string_equal(root->item[4]->text, "seven eight");
    assert_int_equal(root->item[4]->style, TREE_BLOCK);
    assert_place(root->item[5], 9, 4);
    assert_place(root->item[6]->item[0], 11, 5);
    assert_int_equal(root->item[6]->item[0]->in_flow, 0);
    assert_place(root->item[6]->item[1]->item[0], 12, 10);
    assert_int_equal(root->item[6]->item[1]->item[0]->in_flow, 1);
    assert_int_equal(root->item[3]->item[2]->item[0]->in_flow, 1);
    tree_free(root);
    sgdmft_context_free(ctx);
}

static void nulls(void **state)
{
    sgdmft_context *ctx = new_context();
    tree_node *root = tree(ctx, "[~, null, NULL, Null, '', 'null', nul, [], {a: }]", 0);
    static const int loosely[] = {1, 1, 1, 1, 0, 0, 0, 0, 0};
    assert_int_equal(root->n, 9);
    for (size_t i = 0; i < root->n; i++) {
        assert_int_equal(tree_is_null(root->item[i], 1), loosely[i]);
        assert_int_equal(tree_is_null(root->item[i], 0), 0);
    }
    assert_int_equal(tree_is_null(root->item[8]->item[0], 0), 1);
    tree_free(root);
    sgdmft_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(not_well_formed), cmocka_unit_test(not_text),    cmocka_unit_test(not_used_here),
        cmocka_unit_test(no_settings),     cmocka_unit_test(large_texts), cmocka_unit_test(positions),
        cmocka_unit_test(nulls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
