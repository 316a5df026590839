#include "cli/solving.h"

#include "cli/command.h"
#include "cli/messages.h"
#include "cli/processes.h"
#include "cli/progress.h"
#include "sgdmft/solve.h"

int solve_and_write(const arguments *args, const setup *s, const outputs *o, const char *label, const char *what,
                    solving *out)
{
    *out = (solving){.status = SGDMFT_OK};
    progress meter;
    progress_start(&meter, label, arguments_has(args, "quiet") || args->processes->rank > 0);
    meter.others = s->others;
    sgdmft_context_set_progress(s->ctx, progress_report, &meter);
    out->status = sgdmft_solve(s->ctx, s->problem, &out->solution);
    progress_end(&meter);
    int code = out->status == SGDMFT_OK ? CODE_DONE : report_failure_of(s->ctx, out->status, what);
    if (!out->solution)
        return code;
    int failed = outputs_write(o, s, out->solution);
    out->written = failed == CODE_DONE;
    return out->written ? code : failed;
}
