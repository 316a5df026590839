/* Cuts the text of an expression into tokens. */
#ifndef SGDMFT_EXPR_LEXER_H
#define SGDMFT_EXPR_LEXER_H

#include <stddef.h>

#include "core/origin.h"

typedef enum token_kind {
    TOKEN_END,
    TOKEN_NUMBER,
    TOKEN_NAME,
    TOKEN_PLUS,
    TOKEN_MINUS,
    TOKEN_TIMES,
    TOKEN_OVER,
    TOKEN_POWER,
    TOKEN_LESS,
    TOKEN_LESS_EQUAL,
    TOKEN_GREATER,
    TOKEN_GREATER_EQUAL,
    TOKEN_EQUAL,
    TOKEN_NOT_EQUAL,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_COMMA
} token_kind;

typedef struct token {
    token_kind kind;
    size_t offset, length; /* in the text */
    double number;
} token;

typedef struct lexer {
    sgdmft_context *ctx;
    const char *text;
    const origin *where;
    size_t next; /* offset of the first byte not yet read */
} lexer;

/* Reads the next token. SGDMFT_ERR_SYNTAX with a message if a character or number is not allowed. */
sgdmft_status lexer_read(lexer *lex, token *out);

#endif
