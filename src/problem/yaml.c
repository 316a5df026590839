#include "problem/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "core/origin.h"
#include "core/text.h"

static origin place(const yaml_source *source, const yaml_mark_t *mark)
{
    origin where = {source->name, (int)mark->line + 1, (int)mark->column + 1, NULL};
    if (mark->line == 0)
        where.column += source->column;
    return where;
}

/* Advice for messages of libyaml that contain a phrase. The first match counts. */
typedef struct advice {
    const char *phrase, *hint;
} advice;

static const char *advice_for(const char *message)
{
    static const advice list[] = {
        {"mapping values are not allowed",
         "check the indentation and the colon of the line before; a value that contains ': ' needs double quotes"},
        {"could not find expected ':'", "every setting is written 'key: value', with a blank after the colon"},
        {"cannot start any token", "put a value that starts with %, @ or ` between double quotes"},
        {"sequence entries are not allowed", "check the indentation of the list"},
        {"unexpected end of stream", "a closing quote is missing"},
        {"unknown escape", "between double quotes write \\\\ for a backslash"},
        {"expected comment or line break", "put a value that starts with | or > between double quotes"},
        {"expected key", "keys of one section must start in the same column"},
        {"expected ',' or ']'", "a list is written [a, b, c]; check that every bracket is closed"},
        {"expected ',' or '}'", "an inline section is written {key: value}; check that every brace is closed"},
        {"expected '-' indicator", "items of one list must start in the same column"},
        {"expected node content", "put a value that starts with a comma or a bracket between double quotes"},
        {"expected alphabetic or numeric", "put an expression that starts with * or & between double quotes"},
        {"UTF-8", "a problem file is plain text in UTF-8"},
        {"control characters", "a problem file is plain text in UTF-8; this may be a file of another kind"},
        {"invalid Unicode character", "a problem file is plain text in UTF-8"},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        if (strstr(message, list[i].phrase))
            return list[i].hint;
    return "`sgdmft reference` prints a complete problem file";
}

/* 1 if that line has a tab among its leading blanks. */
static int indented_with_tab(const yaml_source *source, int line)
{
    const char *p = source->text, *end = source->text + source->size;
    for (int i = 1; i < line && p < end; i++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (!p)
            return 0;
        p++;
    }
    for (; p < end && (*p == ' ' || *p == '\t'); p++)
        if (*p == '\t')
            return 1;
    return 0;
}

/* The reader of libyaml reports a byte instead of a position, so lines and characters are counted up to it. */
static sgdmft_status reader_error(sgdmft_context *ctx, const yaml_source *source, const yaml_parser_t *parser)
{
    size_t stop = parser->problem_offset < source->size ? parser->problem_offset : source->size;
    yaml_mark_t mark = {.line = 0, .column = 0};
    for (size_t i = 0; i < stop; i++) {
        unsigned char byte = (unsigned char)source->text[i];
        if (byte == '\n') {
            mark.line++;
            mark.column = 0;
        } else if (byte >> 6 != 0x2) {
            mark.column++;
        }
    }
    origin where = place(source, &mark);
    return origin_fail(ctx, SGDMFT_ERR_YAML, &where, "not readable as text: %s (byte 0x%02X); %s", parser->problem,
                       stop < source->size ? (unsigned)(unsigned char)source->text[stop] : 0u,
                       advice_for(parser->problem));
}

static size_t count_characters(const yaml_source *source)
{
    size_t n = 0;
    for (size_t i = 0; i < source->size; i++)
        n += (unsigned char)source->text[i] >> 6 != 0x2;
    return n;
}

/* 1 if messages should point to the beginning of the construct, because the parser stopped at the end of the text or at
   an unrelated line. */
static int begins_better(const yaml_source *source, const yaml_parser_t *parser)
{
    return parser->context && (strstr(parser->problem, "could not find expected ':'") ||
                               parser->problem_mark.index >= count_characters(source));
}

static sgdmft_status parser_error(sgdmft_context *ctx, const yaml_source *source, const yaml_parser_t *parser)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return context_out_of_memory(ctx, "the problem file", (double)source->size);
    if (parser->error == YAML_READER_ERROR)
        return reader_error(ctx, source, parser);
    const char *message = parser->problem ? parser->problem : "not well-formed";
    int at_start = parser->problem && begins_better(source, parser);
    origin where = place(source, at_start ? &parser->context_mark : &parser->problem_mark);
    const char *hint = advice_for(message);
    if (indented_with_tab(source, where.line))
        hint = "indent with blanks: YAML does not allow tabs there";
    if (!parser->context)
        return origin_fail(ctx, SGDMFT_ERR_YAML, &where, "not well-formed YAML: %s; %s", message, hint);
    return origin_fail(ctx, SGDMFT_ERR_YAML, &where, "not well-formed YAML: %s (%s, begun in line %d); %s", message,
                       parser->context, (int)parser->context_mark.line + 1, hint);
}

enum { DEEPEST = 16 }; /* a problem file needs 3 levels; this bounds the recursion below */

typedef struct builder {
    sgdmft_context *ctx;
    const yaml_source *source;
    yaml_parser_t parser;
} builder;

static sgdmft_status build(builder *b, const yaml_event_t *event, int depth, int in_flow, tree_node **out);

void tree_free(tree_node *node)
{
    if (!node)
        return;
    for (size_t i = 0; i < node->n; i++) {
        if (node->key)
            tree_free(node->key[i]);
        tree_free(node->item[i]);
    }
    free(node->key);
    free(node->item);
    free(node->text);
    free(node);
}

int tree_is_null(const tree_node *node, int explicit_too)
{
    if (node->kind != TREE_SCALAR || node->style != TREE_PLAIN)
        return 0;
    if (node->text[0] == '\0')
        return 1;
    return explicit_too && (strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0 ||
                            strcmp(node->text, "Null") == 0 || strcmp(node->text, "NULL") == 0);
}

const char *tree_kind_name(const tree_node *node)
{
    if (node->kind == TREE_LIST)
        return "a list";
    if (node->kind == TREE_MAP)
        return "a section (key: value)";
    return node->style == TREE_PLAIN ? "a single value" : "text between quotes";
}

static sgdmft_status out_of_memory(builder *b)
{
    return context_out_of_memory(b->ctx, "the problem file", (double)b->source->size);
}

static sgdmft_status next_event(builder *b, yaml_event_t *event)
{
    if (yaml_parser_parse(&b->parser, event))
        return SGDMFT_OK;
    return parser_error(b->ctx, b->source, &b->parser);
}

/* The value of a block scalar starts at its first line that holds text, below the header line with '|' or '>'. */
static void place_block_scalar(const yaml_source *source, tree_node *node)
{
    const char *p = source->text, *end = source->text + source->size;
    for (int line = 1; p < end; line++) {
        const char *line_end = memchr(p, '\n', (size_t)(end - p));
        line_end = line_end ? line_end : end;
        const char *first = p;
        while (first < line_end && (*first == ' ' || *first == '\r'))
            first++;
        if (line > node->line && first < line_end) {
            node->line = line;
            node->column = (int)(first - p) + 1;
            return;
        }
        p = line_end + 1;
    }
}

static sgdmft_status build_scalar(builder *b, const yaml_event_t *event, tree_node *node)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    yaml_scalar_style_t style = event->data.scalar.style;
    origin where = place(b->source, &event->start_mark);
    if (memchr(text, '\0', length))
        return origin_fail(b->ctx, SGDMFT_ERR_YAML, &where, "a value holds a NUL character; remove the \\0");
    node->kind = TREE_SCALAR;
    node->style = TREE_PLAIN;
    if (style == YAML_SINGLE_QUOTED_SCALAR_STYLE || style == YAML_DOUBLE_QUOTED_SCALAR_STYLE) {
        node->style = TREE_QUOTED;
        node->column++;
    } else if (style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE) {
        node->style = TREE_BLOCK;
        place_block_scalar(b->source, node);
        text += strspn(text, " \n"); /* the text starts where its position is */
    }
    node->text = strdup(text);
    return node->text ? SGDMFT_OK : out_of_memory(b);
}

/* Room for one more child; the room doubles whenever n + 1 is a power of two. */
static int make_room(tree_node *node)
{
    if (node->n & (node->n + 1))
        return 1;
    size_t room = 2 * (node->n + 1);
    tree_node **item = realloc(node->item, room * sizeof *item);
    if (!item)
        return 0;
    node->item = item;
    if (node->kind != TREE_MAP)
        return 1;
    tree_node **key = realloc(node->key, room * sizeof *key);
    if (!key)
        return 0;
    node->key = key;
    return 1;
}

/* A child from an event already read, or from the next one if `event` is NULL. */
static sgdmft_status build_child(builder *b, const yaml_event_t *event, int depth, int in_flow, tree_node **out)
{
    if (event)
        return build(b, event, depth, in_flow, out);
    yaml_event_t next;
    sgdmft_status status = next_event(b, &next);
    if (status != SGDMFT_OK)
        return status;
    status = build(b, &next, depth, in_flow, out);
    yaml_event_delete(&next);
    return status;
}

static sgdmft_status add_child(builder *b, tree_node *node, const yaml_event_t *event, int depth, int in_flow)
{
    if (!make_room(node))
        return out_of_memory(b);
    tree_node *key = NULL, *item = NULL;
    sgdmft_status status = SGDMFT_OK;
    if (node->kind == TREE_MAP) {
        status = build_child(b, event, depth, in_flow, &key);
        if (status == SGDMFT_OK && key->kind != TREE_SCALAR) {
            origin where = {b->source->name, key->line, key->column, NULL};
            status = origin_fail(b->ctx, SGDMFT_ERR_YAML, &where,
                                 "%s cannot be a key; a setting is written 'key: value'", tree_kind_name(key));
        }
        event = NULL;
    }
    if (status == SGDMFT_OK)
        status = build_child(b, event, depth, in_flow, &item);
    if (status != SGDMFT_OK) {
        tree_free(key);
        return status;
    }
    if (node->kind == TREE_MAP)
        node->key[node->n] = key;
    node->item[node->n++] = item;
    return SGDMFT_OK;
}

static sgdmft_status build_children(builder *b, tree_node *node, int depth, int in_flow)
{
    for (;;) {
        yaml_event_t event;
        sgdmft_status status = next_event(b, &event);
        if (status != SGDMFT_OK)
            return status;
        int done = event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
        if (!done)
            status = add_child(b, node, &event, depth + 1, in_flow);
        yaml_event_delete(&event);
        if (done || status != SGDMFT_OK)
            return status;
    }
}

/* Anchors, aliases and tags have no meaning here, and aliases can make a small file huge. */
static sgdmft_status refuse_references(builder *b, const yaml_event_t *event)
{
    origin where = place(b->source, &event->start_mark);
    if (event->type == YAML_ALIAS_EVENT)
        return origin_fail(b->ctx, SGDMFT_ERR_YAML, &where,
                           "YAML aliases are not used here: '*%s'; put an expression that starts with * between "
                           "double quotes",
                           text_show((const char *)event->data.alias.anchor).text);
    /* the three kinds of event store anchor and tag in different members */
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (anchor)
        return origin_fail(b->ctx, SGDMFT_ERR_YAML, &where,
                           "YAML anchors are not used here: '&%s'; put an expression that starts with & between "
                           "double quotes",
                           text_show((const char *)anchor).text);
    if (tag)
        return origin_fail(b->ctx, SGDMFT_ERR_YAML, &where,
                           "YAML tags are not used here: '%s'; write the value alone, and between double quotes if "
                           "it starts with !",
                           text_show((const char *)tag).text);
    return SGDMFT_OK;
}

static sgdmft_status build_kind(builder *b, const yaml_event_t *event, int depth, int in_flow, tree_node *node)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT: return build_scalar(b, event, node);
    case YAML_SEQUENCE_START_EVENT:
        node->kind = TREE_LIST;
        in_flow |= event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
        return build_children(b, node, depth, in_flow);
    case YAML_MAPPING_START_EVENT:
        node->kind = TREE_MAP;
        in_flow |= event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
        return build_children(b, node, depth, in_flow);
    default: {
        origin where = place(b->source, &event->start_mark);
        return origin_fail(b->ctx, SGDMFT_ERR_YAML, &where, "not well-formed YAML: a value was expected here");
    }
    }
}

static sgdmft_status build(builder *b, const yaml_event_t *event, int depth, int in_flow, tree_node **out)
{
    origin where = place(b->source, &event->start_mark);
    sgdmft_status status = refuse_references(b, event);
    if (status != SGDMFT_OK)
        return status;
    if (depth > DEEPEST)
        return origin_fail(b->ctx, SGDMFT_ERR_YAML, &where,
                           "nested more than %d levels deep; a problem file has at "
                           "most 3 (a matrix in a section)",
                           DEEPEST);
    tree_node *node = calloc(1, sizeof *node);
    if (!node)
        return out_of_memory(b);
    node->line = where.line;
    node->column = where.column;
    node->in_flow = in_flow;
    status = build_kind(b, event, depth, in_flow, node);
    if (status != SGDMFT_OK) {
        tree_free(node);
        return status;
    }
    *out = node;
    return SGDMFT_OK;
}

/* Reads the one document of the stream; *out stays as it is if there is none. */
static sgdmft_status read_document(builder *b, tree_node **out)
{
    yaml_event_t event;
    sgdmft_status status = next_event(b, &event); /* start of the stream */
    if (status != SGDMFT_OK)
        return status;
    yaml_event_delete(&event);
    status = next_event(b, &event); /* start of the document, or end of the stream */
    if (status != SGDMFT_OK)
        return status;
    int empty = event.type == YAML_STREAM_END_EVENT;
    yaml_event_delete(&event);
    if (empty)
        return SGDMFT_OK;
    status = build_child(b, NULL, 0, 0, out);
    if (status != SGDMFT_OK)
        return status;
    status = next_event(b, &event); /* end of the document */
    if (status != SGDMFT_OK)
        return status;
    yaml_event_delete(&event);
    status = next_event(b, &event);
    if (status != SGDMFT_OK)
        return status;
    if (event.type != YAML_STREAM_END_EVENT) {
        origin where = place(b->source, &event.start_mark);
        status = origin_fail(b->ctx, SGDMFT_ERR_YAML, &where,
                             "a second YAML document starts here; a problem file holds one problem");
    }
    yaml_event_delete(&event);
    return status;
}

sgdmft_status tree_parse(sgdmft_context *ctx, const yaml_source *source, tree_node **out)
{
    *out = NULL;
    builder b = {.ctx = ctx, .source = source};
    if (!yaml_parser_initialize(&b.parser))
        return out_of_memory(&b);
    yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)source->text, source->size);
    sgdmft_status status = read_document(&b, out);
    yaml_parser_delete(&b.parser);
    if (status != SGDMFT_OK) {
        tree_free(*out);
        *out = NULL;
    }
    return status;
}
