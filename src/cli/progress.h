/* How a running computation meets the terminal: a line that shows its progress, and Ctrl-C or SIGTERM, which ask it
   to stop so that its results up to then can be saved. */
#ifndef SGDMFT_CLI_PROGRESS_H
#define SGDMFT_CLI_PROGRESS_H

#include "cli/arguments.h"
#include "sgdmft/context.h"

typedef struct progress {
    struct processes *processes; /* the computation also stops when one of these ranks asks for it */
    int shown;                   /* 0: nothing is printed */
    const char *label;           /* the start of the line */
    double started, printed;     /* seconds on a steady clock */
    double fraction;             /* the last one reported; a smaller one starts the clock anew */
    int width;                   /* characters of the line on the screen */
} progress;

/* Makes `p` the progress call-back of the context, until progress_end. Rank 0 shows the line if standard error is a
   terminal, unless --quiet is given. It starts with `label`, e.g. "point 2 of 6 ", which is borrowed. */
void progress_start(progress *p, sgdmft_context *ctx, const arguments *args, const char *label);

/* Reports the fraction of work done (0..1) and the time t reached, as the context does. Returns 1 if the computation
   is to stop. */
int progress_report(progress *p, double fraction, double t);

/* Erases the line from the screen. */
void progress_clear(progress *p);

/* The same, and the context no longer has a progress call-back. */
void progress_end(progress *p, sgdmft_context *ctx);

/* From now on the first SIGINT or SIGTERM is noted, and the second ends the program at once. Nor does the program end
   any more when the reader of its standard output goes away. */
void progress_catch_signals(void);

/* 1 once a signal has been noted. */
int progress_signalled(void);

#endif
