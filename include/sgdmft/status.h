/* Status codes. Every function that can fail returns one; the matching message is held by the context
   (sgdmft_context_message). Codes come in numbered blocks, one block per kind of trouble. The numbers are written into
   files and do not change; programs use the names. */
#ifndef SGDMFT_STATUS_H
#define SGDMFT_STATUS_H

#include "export.h"

SGDMFT_BEGIN_DECLS

typedef enum sgdmft_status {
    SGDMFT_OK = 0,

    /* 100: how the library was called */
    SGDMFT_ERR_ARGUMENT = 100,    /* an argument is outside its documented range */
    SGDMFT_ERR_UNSUPPORTED = 101, /* valid, but this version cannot do it */

    /* 200: problems and other files that are read */
    SGDMFT_ERR_YAML = 200,          /* not well-formed YAML */
    SGDMFT_ERR_UNKNOWN_KEY = 201,   /* a key that no option has */
    SGDMFT_ERR_TYPE = 202,          /* a value or a file of the wrong type */
    SGDMFT_ERR_SHAPE = 203,         /* a list, matrix or array of the wrong shape */
    SGDMFT_ERR_RANGE = 204,         /* a value outside its permitted range */
    SGDMFT_ERR_MISSING = 205,       /* something that is required is absent */
    SGDMFT_ERR_CONFLICT = 206,      /* keys that contradict each other */
    SGDMFT_ERR_DUPLICATE_KEY = 207, /* a key given twice */

    /* 300: expressions, plug-ins and models by call-backs */
    SGDMFT_ERR_SYNTAX = 300,       /* an expression that does not parse */
    SGDMFT_ERR_UNKNOWN_NAME = 301, /* an unknown variable or function */
    SGDMFT_ERR_ARITY = 302,        /* wrong number of arguments of a function */
    SGDMFT_ERR_KINK = 303,         /* the gradient of the loss jumps in r: its Hessian has a delta function */
    SGDMFT_ERR_PLUGIN = 304,       /* call-backs that cannot be loaded, break their contract or abort */

    /* 400: the solve */
    SGDMFT_ERR_DIVERGED = 400,       /* the dynamics diverge */
    SGDMFT_ERR_NO_CONVERGENCE = 401, /* the self-consistency tolerance was not reached */
    SGDMFT_ERR_NON_FINITE = 402,     /* a loss, gradient or Hessian is not a finite number */
    SGDMFT_ERR_INTERRUPTED = 403,    /* the caller asked to stop */
    SGDMFT_ERR_ACCURACY = 405,       /* the accuracy that was asked for was not reached */
    SGDMFT_ERR_NO_LIMIT = 404,       /* the gradient has no second moment, so there are no limiting curves */

    /* 500: system */
    SGDMFT_ERR_MEMORY = 500, /* out of memory, or the problem would not fit */
    SGDMFT_ERR_IO = 501,     /* a file cannot be read or written */
    SGDMFT_ERR_EXISTS = 502  /* the output file exists already */
} sgdmft_status;

/* One sentence for a code; never NULL, static storage. */
SGDMFT_API const char *sgdmft_status_string(sgdmft_status status);

/* One word for how a solve ended, as files have it: "ok", "diverged", "not converged", "not finite", "interrupted",
   "accuracy not reached", and "failed" for all else; never NULL, static storage. */
SGDMFT_API const char *sgdmft_status_word(sgdmft_status status);

SGDMFT_END_DECLS

#endif
