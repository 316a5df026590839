/* Ctrl-C and SIGTERM ask a running solve to stop, so that what it has can be saved. */
#ifndef SGDMFT_CLI_INTERRUPT_H
#define SGDMFT_CLI_INTERRUPT_H

/* From now on the first SIGINT or SIGTERM is only noted; a second one ends the program at once. A reader of standard
   output that goes away no longer ends the program either. */
void interrupt_catch(void);

/* 1 once a signal has been noted. */
int interrupt_requested(void);

#endif
