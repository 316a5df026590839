/* The ranks of the program: the processes that mpirun started, or one process alone, which is rank 0 of 1.

   Rank 0 alone uses the terminal: the standard output of the other ranks is discarded, and their messages are kept
   until rank 0 prints them. Every rank makes the calls marked "collective", in the same order; one rank alone returns
   from them at once. A message that is lost between ranks ends the program, with a message by MPI. */
#ifndef SGDMFT_CLI_PROCESSES_H
#define SGDMFT_CLI_PROCESSES_H

#include <stdio.h>

#include "sgdmft/context.h"

/* Bytes of a text of messages. */
enum { PROCESSES_TEXT = 4096 };

typedef struct processes {
    int rank, size;
    FILE *kept;     /* stands in for stderr on ranks other than 0 */
    FILE *terminal; /* what stderr was before */
    char *text;     /* all that was written to `kept` */
    size_t length;  /* of it */
    size_t taken;   /* part of it that processes_take_messages has moved */
    int stop_asked; /* 1: this rank has asked all to stop */
    int stop_seen;  /* how many other ranks have, as far as this one has noticed */
} processes;

/* Joins the other ranks if a launcher such as mpirun started the program. Returns 0 or an exit code. */
int processes_start(processes *p);

/* Collective call: leaves the other ranks. Returns the exit code of rank 0. */
int processes_end(processes *p, int code);

/* Collective call: from now on the ranks solve together in this context. */
sgdmft_status processes_join(const processes *p, sgdmft_context *ctx);

/* Collective call: returns 0, or the exit code of the lowest rank that has one, whose messages are then printed. */
int processes_agree(processes *p, int code);

/* Collective call: every rank gets the bytes of rank 0. */
void processes_broadcast(const processes *p, void *data, size_t bytes);

/* Bytes from a rank other than 0 to rank 0, which receives them from one rank after the other. */
void processes_send(const processes *p, const void *data, size_t bytes);
void processes_receive(const processes *p, int from, void *data, size_t bytes);

/* Moves the messages that this rank has kept into `text`; what does not fit is cut off. Empty on rank 0. */
void processes_take_messages(processes *p, char text[PROCESSES_TEXT]);

/* Any rank may ask all ranks to stop, at any time; each notices when it looks. */
void processes_ask_stop(processes *p);
int processes_stop_asked(processes *p);

/* Collective call: takes the request back. */
void processes_clear_stop(processes *p);

#endif
