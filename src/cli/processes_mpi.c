#include <mpi.h>
#include <signal.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/messages.h"
#include "cli/processes.h"
#include "sgdmft/mpi.h"

/* What launchers tell a process: a program started by hand need not wait for MPI. */
static int launched(void)
{
    static const char *const signs[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE"};
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (getenv(signs[i]))
            return 1;
    return 0;
}

static void fall_silent(processes *p)
{
    p->complaints = open_memstream(&p->text, &p->length);
    if (!p->complaints || !freopen("/dev/null", "w", stdout)) {
        complain("rank %d: cannot redirect its output", p->rank);
        MPI_Abort(MPI_COMM_WORLD, CODE_SYSTEM);
    }
    p->real = stderr;
    stderr = p->complaints;
}

int processes_start(processes *p)
{
    int level = 0;
    *p = (processes){.size = 1};
    if (!launched())
        return 0;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level)) {
        complain("MPI cannot be initialised");
        return CODE_SYSTEM;
    }
    MPI_Comm_rank(MPI_COMM_WORLD, &p->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &p->size);
    if (p->rank > 0)
        fall_silent(p);
    return 0;
}

int processes_end(processes *p, int code)
{
    int running = 0;
    if (MPI_Initialized(&running) || !running)
        return code;
    MPI_Bcast(&code, 1, MPI_INT, 0, MPI_COMM_WORLD);
    signal(SIGTERM, SIG_IGN); /* mpirun ends the others when one has ended with a code above 0, too early for theirs */
    if (p->complaints) {
        stderr = p->real;
        fclose(p->complaints);
        free(p->text);
    }
    MPI_Finalize();
    return code;
}

sgdmft_status processes_join(const processes *p, sgdmft_context *ctx)
{
    MPI_Comm all = MPI_COMM_WORLD;
    return p->size > 1 ? sgdmft_context_use_mpi(ctx, &all) : SGDMFT_OK;
}
