#include "cli/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* A signal handler can reach nothing but a global. */
static volatile sig_atomic_t requested, complaints; /* and where to tell that it was noted */

static void note_request(int number)
{
    static const char text[] = "\nsgdmft: stopping; what is computed will be saved (once more to stop at once)\n";
    int error = errno; /* of whatever was interrupted */
    (void)number;
    requested = 1;
    if (write(complaints, text, sizeof text - 1) < 0)
        requested = 1; /* nobody to tell */
    errno = error;
}

void interrupt_catch(void)
{
    struct sigaction action = {.sa_handler = note_request, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    complaints = fileno(stderr); /* no file on ranks that are silent */
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int interrupt_requested(void)
{
    return requested != 0;
}
