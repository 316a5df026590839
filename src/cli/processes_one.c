/* Without MPI there is one process. */
#include "cli/processes.h"

int processes_start(processes *p)
{
    *p = (processes){.size = 1};
    return 0;
}

int processes_end(processes *p, int code)
{
    (void)p;
    return code;
}

sgdmft_status processes_join(const processes *p, sgdmft_context *ctx)
{
    (void)p;
    (void)ctx;
    return SGDMFT_OK;
}
