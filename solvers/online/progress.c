#include "solvers/online/progress.h"

#include <omp.h>

int online_progress_stopped(online_progress *progress)
{
    int stop;
#pragma omp atomic read
    stop = progress->stop;
    return stop;
}

void online_progress_stop(online_progress *progress)
{
#pragma omp atomic write
    progress->stop = 1;
}

int online_progress_report(void *user, double fraction, double t)
{
    online_stage *stage = user;
    online_progress *progress = stage->progress;
    double done, more = stage->weight * (fraction - stage->last);
    stage->last = fraction;
#pragma omp atomic capture
    done = progress->done += more;
    if (omp_get_thread_num() == 0 && context_progress(progress->ctx, done, t))
        online_progress_stop(progress);
    return online_progress_stopped(progress);
}
