/* Marching. The system is causal: node i + 1 needs the averages at nodes up to i + 1 only, and those at i + 1 through
   the step rule alone. So each step is solved to self-consistency before the next begins:

     predict the averages at node i + 1 from the nodes before      -> kernel rows i + 1
     repeat   all paths from t_i to t_{i+1} with these rows          -> averages at node i + 1
              kernel rows i + 1 from the averages
     until    the rows are closer to self-consistency than the tolerance

   Averages integrated over the last visit (paths/last_visit.h) cost much more than plain ones. Only their difference
   from the plain averages is taken, in the first pass, and kept for the others. The difference is noise, so once the
   rows have moved by a fraction x since, keeping it makes an error of x times this noise.

   The map contracts by O(delta eta h) in a pass; Anderson acceleration saves about a third of the passes. A pass that
   changes the rows by c leaves them c rate / (1 - rate) from self-consistency, where `rate` is the ratio of the changes
   in the last two passes, or before there are two, that of the step before. */
#ifndef SGDMFT_SOLVERS_DMFT_MARCH_H
#define SGDMFT_SOLVERS_DMFT_MARCH_H

#include "solvers/dmft/replica.h"

/* A march that is carried out step by step, so that several can go side by side. */
typedef struct marcher marcher;

/* Begins at node 0. The return value reports system failures only; rep->out says why a solve ended early. *out is owned
   by the caller (marcher_free), and must be freed before the replica. */
sgdmft_status marcher_new(sgdmft_context *ctx, replica *rep, marcher **out);

/* The next step; nothing if the march is over. */
void marcher_step(marcher *m);

/* Ends the march at the node that it has reached, because the caller asked to stop. */
void marcher_interrupt(marcher *m);

/* Completes rep->out. NULL is allowed. */
void marcher_free(marcher *m);

/* The whole march. Fills rep->out, which also says why a solve ended early; the return value reports system failures
   only. */
sgdmft_status march_solve(sgdmft_context *ctx, replica *rep);

#endif
