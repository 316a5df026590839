#include "cli/messages.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "core/text.h"

static void put_line(const char *start, const char *format, va_list args)
{
    fputs(start, stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

void print_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put_line("sgdmft: ", format, args);
    va_end(args);
}

void print_warning(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put_line("sgdmft: warning: ", format, args);
    va_end(args);
}

int usage_error(const command *cmd, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put_line("sgdmft: ", format, args);
    va_end(args);
    fprintf(stderr, "Try 'sgdmft %s%s--help'.\n", cmd ? cmd->name : "", cmd ? " " : "");
    return CODE_USAGE;
}

int exit_code_of(sgdmft_status status)
{
    if (status == SGDMFT_OK)
        return CODE_DONE;
    if (status == SGDMFT_ERR_INTERRUPTED)
        return CODE_INTERRUPTED;
    if (status >= 500)
        return CODE_SYSTEM;
    return status >= 400 ? CODE_UNTRUSTED : CODE_USAGE;
}

int report_status(const sgdmft_context *ctx, sgdmft_status status, const char *subject)
{
    if (status == SGDMFT_OK)
        return CODE_DONE;
    const char *message = sgdmft_context_message(ctx);
    print_error("%s%s%s", subject ? subject : "", subject ? ": " : "",
                message[0] ? message : sgdmft_status_string(status));
    return exit_code_of(status);
}

int report_out_of_memory(void)
{
    print_error("out of memory");
    return CODE_SYSTEM;
}

const char *nearest_name(const char *word, const char *const *names, size_t n)
{
    int index = text_nearest(word, names, n);
    return index < 0 ? NULL : names[index];
}

static void print_option(const option_spec *spec)
{
    int width = printf("  %s%c%s--%s%s%s", spec->letter ? "-" : " ", spec->letter ? spec->letter : ' ',
                       spec->letter ? ", " : "  ", spec->name, spec->value ? " " : "", spec->value ? spec->value : "");
    printf("%*s%s\n", width < 26 ? 28 - width : 2, "", spec->help);
}

void print_usage(const command *cmd)
{
    printf("usage: sgdmft %s%s%s [options]\n\n%s\n", cmd->name, cmd->operands[0] ? " " : "", cmd->operands,
           cmd->details);
    puts("options:");
    for (const option_spec *spec = cmd->options; spec->name; spec++)
        print_option(spec);
}

int finish_output(int code)
{
    int lost = ferror(stdout);
    errno = 0;
    if (fclose(stdout) != 0)
        lost = 1;
    if (!lost)
        return code;
    if (errno)
        print_error("cannot write to standard output: %s", strerror(errno));
    else
        print_error("cannot write to standard output");
    return code == CODE_DONE || code == CODE_DIFFERS ? CODE_SYSTEM : code;
}
