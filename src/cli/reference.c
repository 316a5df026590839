/* sgdmft reference: every key of a problem file. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/messages.h"
#include "cli/setup.h"

static int run(const arguments *args)
{
    setup s;
    int code = setup_context(args, &s);
    if (code == 0) {
        char *text = NULL;
        sgdmft_status status = sgdmft_problem_reference(s.ctx, &text);
        if (status == SGDMFT_OK)
            fputs(text, stdout);
        else
            code = report_failure(s.ctx, status);
        free(text);
    }
    setup_free(&s);
    return code;
}

static const option_spec options[] = {OPTION_HELP, OPTIONS_END};

const command command_reference = {
    .name = "reference",
    .operands = "",
    .summary = "print a commented problem file: every key, default and range",
    .details = "Prints a complete problem file with every key, its default, unit and permitted range in comments.\n",
    .options = options,
    .run = run,
};
