/* Solving on several machines. Only in a library that was built with -Dmpi=enabled, which installs this header.

   All ranks of the communicator make a context, give it the communicator, read the same problem and call sgdmft_solve
   together. The solution is on rank 0; the others get NULL, and every rank the same status and message. The curves are
   those of one process, to the last digit. The progress call-back is called on every rank, with the share of its own
   work; when it asks to stop on one of them, all stop. */
#ifndef SGDMFT_MPI_H
#define SGDMFT_MPI_H

#include "context.h"

SGDMFT_BEGIN_DECLS

/* `comm` is the address of an MPI_Comm, which is copied: all its ranks call this together, after MPI_Init_thread with
   MPI_THREAD_FUNNELED or more, and solve from the thread that did. sgdmft_context_free, also together, before
   MPI_Finalize. A communicator of one rank is as if none were given. Errors: SGDMFT_ERR_ARGUMENT,
   SGDMFT_ERR_MEMORY, SGDMFT_ERR_IO. */
SGDMFT_API sgdmft_status sgdmft_context_use_mpi(sgdmft_context *ctx, const void *comm);

SGDMFT_END_DECLS

#endif
