/* One line on the terminal that tells how far a solve has come. */
#ifndef SGDMFT_CLI_PROGRESS_H
#define SGDMFT_CLI_PROGRESS_H

#include "core/context.h"

typedef struct progress {
    int shown;               /* 0: nothing is printed */
    const char *label;       /* what the line starts with */
    double started, printed; /* seconds on a steady clock */
    int width;               /* characters of the line on the screen */
    rank_group *others;      /* that may ask to stop, or NULL */
} progress;

/* Shows a line only if standard error is a terminal and `quiet` is 0. `label` comes first in it, e.g. "point 2 of 6 ";
   it is borrowed. */
void progress_start(progress *p, const char *label, int quiet);

/* An sgdmft_progress_fn; `user` is the progress. Asks to stop once an interrupt was noted. */
int progress_report(void *user, double fraction, double t);

/* Wipes the line. */
void progress_end(progress *p);

#endif
