/* manual PAGE: compares docs/problem-file.md with what the table of options says; exit code 1 if they differ.
   manual --update PAGE: writes it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "problem/reference.h"

static int write_page(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    if (!out) {
        perror(path);
        return 1;
    }
    int failed = fputs(text, out) == EOF;
    if (fclose(out) != 0 || failed) {
        perror(path);
        return 1;
    }
    return 0;
}

/* 0 if the file holds exactly `text`. */
static int compare_page(const char *path, const char *text)
{
    FILE *in = fopen(path, "r");
    if (!in) {
        perror(path);
        return 1;
    }
    int line = 1, c;
    while ((c = getc(in)) != EOF && *text && c == (unsigned char)*text) {
        line += c == '\n';
        text++;
    }
    fclose(in);
    if (c == EOF && *text == '\0')
        return 0;
    fprintf(stderr,
            "%s: line %d is not what the table of options says; write the page anew: "
            "meson compile -C BUILD update-docs\n",
            path, line);
    return 1;
}

int main(int argc, char **argv)
{
    int update = argc == 3 && strcmp(argv[1], "--update") == 0;
    if (argc != 2 && !update) {
        fputs("usage: manual [--update] PAGE\n", stderr);
        return 2;
    }
    sgdmft_context *ctx = NULL;
    char *text = NULL;
    if (sgdmft_context_new(&ctx) != SGDMFT_OK || reference_markdown(ctx, &text) != SGDMFT_OK) {
        fputs("out of memory\n", stderr);
        sgdmft_context_free(ctx);
        return 4;
    }
    int code = update ? write_page(argv[2], text) : compare_page(argv[1], text);
    free(text);
    sgdmft_context_free(ctx);
    return code;
}
