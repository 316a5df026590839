#include "cli/progress.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cli/processes.h"

#define SECONDS_BETWEEN_LINES 0.2
#define BAR_WIDTH 24

/* --- signals ----------------------------------------------------------------------------------------------------- */

/* A signal handler has no argument of the program's own, so that its state is global. */
static volatile sig_atomic_t signalled;
static volatile sig_atomic_t terminal; /* file that shows the user that the signal was noted */

static void note_signal(int number)
{
    static const char text[] =
        "\nsgdmft: stopping; results so far will be saved (press Ctrl-C again to quit at once)\n";
    int error = errno; /* it belongs to the code that was interrupted */
    (void)number;
    signalled = 1;
    if (write(terminal, text, sizeof text - 1) < 0)
        signalled = 1; /* the terminal is gone, which changes nothing */
    errno = error;
}

void progress_catch_signals(void)
{
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    terminal = fileno(stderr); /* on ranks other than 0 this is no file, and nothing is shown */
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int progress_signalled(void)
{
    return signalled != 0;
}

/* --- the line ---------------------------------------------------------------------------------------------------- */

static double seconds_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void print_line(progress *p, double fraction, double t, double elapsed)
{
    static const char full[] = "########################", empty[] = "........................";
    int bars = (int)(fraction * BAR_WIDTH);
    int width = fprintf(stderr, "\r%s[%.*s%.*s] %3.0f%%  t = %.4g", p->label, bars, full, BAR_WIDTH - bars, empty,
                        100.0 * fraction, t);
    if (fraction > 0.02 || elapsed > 5.0) {
        long left = fraction > 0.0 ? (long)(elapsed * (1.0 - fraction) / fraction + 0.5) : 0;
        width += fprintf(stderr, "  %ld:%02ld:%02ld left", left / 3600, left / 60 % 60, left % 60);
    }
    if (width < p->width)
        fprintf(stderr, "%*s", p->width - width, "");
    fflush(stderr);
    p->width = width;
}

int progress_report(progress *p, double fraction, double t)
{
    double now = seconds_now();
    if (fraction < p->fraction)
        p->started = now;
    p->fraction = fraction;
    if (p->shown && now - p->printed >= SECONDS_BETWEEN_LINES) {
        p->printed = now;
        print_line(p, fraction < 0.0 ? 0.0 : fraction > 1.0 ? 1.0 : fraction, t, now - p->started);
    }
    return progress_signalled() || processes_stop_asked(p->processes);
}

static int call_back(void *user, double fraction, double t)
{
    return progress_report(user, fraction, t);
}

void progress_start(progress *p, sgdmft_context *ctx, const arguments *args, const char *label)
{
    int quiet = arguments_has(args, "quiet") || args->processes->rank > 0;
    *p = (progress){.processes = args->processes,
                    .shown = !quiet && isatty(STDERR_FILENO),
                    .label = label,
                    .started = seconds_now()};
    sgdmft_context_set_progress(ctx, call_back, p);
}

void progress_clear(progress *p)
{
    if (p->width > 0)
        fprintf(stderr, "\r%*s\r", p->width, "");
    p->width = 0;
}

void progress_end(progress *p, sgdmft_context *ctx)
{
    progress_clear(p);
    sgdmft_context_set_progress(ctx, NULL, NULL);
}
