/* Independent replicas on the threads of a context. */
#ifndef SGDMFT_SOLVERS_ONLINE_REPLICAS_H
#define SGDMFT_SOLVERS_ONLINE_REPLICAS_H

#include "solvers/online/law.h"
#include "solvers/online/progress.h"

/* What is done for a replica, on `threads` threads of its own. */
typedef sgdmft_status (*online_replica_job)(sgdmft_context *ctx, void *user, size_t replica, int threads);

/* Does the job for every replica of the problem; the first failure is returned and stops the progress (NULL is allowed). */
sgdmft_status online_replicas(sgdmft_context *ctx, const online_setting *s, online_progress *progress,
                              online_replica_job job, void *user);

/* The law by the randomised points of a replica. */
sgdmft_status online_replica_law(sgdmft_context *ctx, const online_setting *s, size_t replica, int threads,
                                 online_law **out);

#endif
