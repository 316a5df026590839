#include "program/interrupt.h"

#include <signal.h>
#include <stddef.h>

/* A signal handler can reach nothing but a global. */
static volatile sig_atomic_t requested;

static void note_request(int number)
{
    (void)number;
    requested = 1;
}

void interrupt_catch(void)
{
    struct sigaction action = {.sa_handler = note_request, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int interrupt_requested(void)
{
    return requested != 0;
}
