#include "cli/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "core/ranks.h"
#include "cli/interrupt.h"

#define SECONDS_BETWEEN_LINES 0.2
#define BAR_WIDTH 24

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

void progress_start(progress *p, const char *label, int quiet)
{
    *p = (progress){.shown = !quiet && isatty(STDERR_FILENO), .label = label, .started = now()};
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

int progress_report(void *user, double fraction, double t)
{
    progress *p = user;
    double time = now();
    if (p->shown && time - p->printed >= SECONDS_BETWEEN_LINES) {
        p->printed = time;
        print_line(p, fraction < 0.0 ? 0.0 : fraction > 1.0 ? 1.0 : fraction, t, time - p->started);
    }
    return interrupt_requested() || ranks_raised(p->others);
}

void progress_end(progress *p)
{
    if (p->width > 0)
        fprintf(stderr, "\r%*s\r", p->width, "");
    p->width = 0;
}
