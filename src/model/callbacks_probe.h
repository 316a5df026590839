/* One call of a model by call-backs on random samples, held against the promises of its interface. */
#ifndef SGDMFT_MODEL_CALLBACKS_PROBE_H
#define SGDMFT_MODEL_CALLBACKS_PROBE_H

#include "model/callbacks.h"

/* Calls label and loss on a block of random samples and compares label, loss, gradient and Hessian with what
   sgdmft/model.h promises: finite values, the same for a sample alone and in a block, derivatives that are the
   derivatives of the loss, a symmetric Hessian. Jumps of the gradient cannot be found like this: they are the
   author's care. */
sgdmft_status callbacks_probe(sgdmft_context *ctx, const sgdmft_problem *problem, const callbacks *c);

#endif
