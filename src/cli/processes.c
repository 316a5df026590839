#include "cli/processes.h"

#include <stdlib.h>

#include "cli/command.h"
#include "cli/messages.h"

#ifdef WITH_MPI
#include <mpi.h>
#include <signal.h>

#include "sgdmft/mpi.h"

enum { TAG_DATA = 1, TAG_STOP = 2 };

/* Launchers leave a mark in the environment. A program started by hand need not wait for MPI to start. */
static int was_launched(void)
{
    static const char *const marks[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE"};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (getenv(marks[i]))
            return 1;
    return 0;
}

static void redirect_output(processes *p)
{
    p->kept = open_memstream(&p->text, &p->length);
    if (!p->kept || !freopen("/dev/null", "w", stdout)) {
        print_error("rank %d: cannot redirect its output", p->rank);
        MPI_Abort(MPI_COMM_WORLD, CODE_SYSTEM);
    }
    p->terminal = stderr;
    stderr = p->kept;
}

int processes_start(processes *p)
{
    int level = 0;
    *p = (processes){.size = 1};
    if (!was_launched())
        return 0;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level)) {
        print_error("MPI cannot be initialised");
        return CODE_SYSTEM;
    }
    MPI_Comm_rank(MPI_COMM_WORLD, &p->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &p->size);
    if (p->rank > 0)
        redirect_output(p);
    return 0;
}

int processes_end(processes *p, int code)
{
    int initialised = 0;
    if (MPI_Initialized(&initialised) || !initialised)
        return code;
    MPI_Bcast(&code, 1, MPI_INT, 0, MPI_COMM_WORLD);
    /* As soon as one rank ends with a code above 0, mpirun ends the others, which are still on their way out. */
    signal(SIGTERM, SIG_IGN);
    if (p->kept) {
        stderr = p->terminal;
        fclose(p->kept);
        free(p->text);
    }
    MPI_Finalize();
    return code;
}

sgdmft_status processes_join(const processes *p, sgdmft_context *ctx)
{
    MPI_Comm world = MPI_COMM_WORLD;
    return p->size > 1 ? sgdmft_context_use_mpi(ctx, &world) : SGDMFT_OK;
}

static int minimum_over_ranks(int mine)
{
    int minimum = mine;
    MPI_Allreduce(&mine, &minimum, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    return minimum;
}

static void broadcast_from(int root, void *data, size_t bytes)
{
    MPI_Bcast(data, (int)bytes, MPI_BYTE, root, MPI_COMM_WORLD);
}

void processes_send(const processes *p, const void *data, size_t bytes)
{
    (void)p;
    MPI_Send(data, (int)bytes, MPI_BYTE, 0, TAG_DATA, MPI_COMM_WORLD);
}

void processes_receive(const processes *p, int from, void *data, size_t bytes)
{
    (void)p;
    MPI_Recv(data, (int)bytes, MPI_BYTE, from, TAG_DATA, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

/* A request to stop is an empty message to every other rank. processes_clear_stop waits until all have arrived. */
void processes_ask_stop(processes *p)
{
    for (int rank = 0; rank < p->size && !p->stop_asked; rank++) {
        MPI_Request sent;
        if (rank == p->rank)
            continue;
        MPI_Isend(NULL, 0, MPI_BYTE, rank, TAG_STOP, MPI_COMM_WORLD, &sent);
        MPI_Request_free(&sent);
    }
    p->stop_asked = 1;
}

static void take_stop(processes *p)
{
    MPI_Recv(NULL, 0, MPI_BYTE, MPI_ANY_SOURCE, TAG_STOP, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    p->stop_seen++;
}

int processes_stop_asked(processes *p)
{
    int waiting = 0;
    if (p->size > 1 && !p->stop_asked && !p->stop_seen)
        MPI_Iprobe(MPI_ANY_SOURCE, TAG_STOP, MPI_COMM_WORLD, &waiting, MPI_STATUS_IGNORE);
    if (waiting)
        take_stop(p);
    return p->stop_asked || p->stop_seen;
}

void processes_clear_stop(processes *p)
{
    int asked = 0;
    if (p->size > 1)
        MPI_Allreduce(&p->stop_asked, &asked, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    while (p->stop_seen < asked - p->stop_asked)
        take_stop(p);
    p->stop_asked = p->stop_seen = 0;
}

#else /* without MPI there is one process, which exchanges no messages */

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

static int minimum_over_ranks(int mine)
{
    return mine;
}

static void broadcast_from(int root, void *data, size_t bytes)
{
    (void)root;
    (void)data;
    (void)bytes;
}

void processes_send(const processes *p, const void *data, size_t bytes)
{
    (void)p;
    (void)data;
    (void)bytes;
}

void processes_receive(const processes *p, int from, void *data, size_t bytes)
{
    (void)p;
    (void)from;
    (void)data;
    (void)bytes;
}

void processes_ask_stop(processes *p)
{
    p->stop_asked = 1;
}

int processes_stop_asked(processes *p)
{
    return p->stop_asked;
}

void processes_clear_stop(processes *p)
{
    p->stop_asked = 0;
}

#endif

void processes_broadcast(const processes *p, void *data, size_t bytes)
{
    if (p->size > 1)
        broadcast_from(0, data, bytes);
}

void processes_take_messages(processes *p, char text[PROCESSES_TEXT])
{
    text[0] = '\0';
    if (!p->kept)
        return;
    fflush(p->kept);
    snprintf(text, PROCESSES_TEXT, "%s", p->text + p->taken);
    p->taken = p->length;
}

int processes_agree(processes *p, int code)
{
    if (p->size == 1)
        return code;
    char text[PROCESSES_TEXT];
    processes_take_messages(p, text);
    int lowest = minimum_over_ranks(code ? p->rank : p->size);
    if (lowest == p->size)
        return 0;
    broadcast_from(lowest, &code, sizeof code);
    if (lowest > 0 && p->rank == lowest)
        processes_send(p, text, sizeof text);
    if (lowest > 0 && p->rank == 0) {
        processes_receive(p, lowest, text, sizeof text);
        fputs(text, stderr);
    }
    return code;
}
