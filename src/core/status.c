#include "sgdmft/status.h"

const char *sgdmft_status_string(sgdmft_status status)
{
    switch (status) {
    case SGDMFT_OK: return "No error.";
    case SGDMFT_ERR_ARGUMENT: return "An argument is outside its documented range.";
    case SGDMFT_ERR_UNSUPPORTED: return "The request is valid, but this version cannot do it.";
    case SGDMFT_ERR_YAML: return "The problem file is not well-formed YAML.";
    case SGDMFT_ERR_UNKNOWN_KEY: return "The problem file has a key that no option has.";
    case SGDMFT_ERR_TYPE: return "A value has the wrong type.";
    case SGDMFT_ERR_SHAPE: return "A list or matrix has the wrong shape.";
    case SGDMFT_ERR_RANGE: return "A value is outside its permitted range.";
    case SGDMFT_ERR_MISSING: return "A required key is absent.";
    case SGDMFT_ERR_CONFLICT: return "Two keys contradict each other.";
    case SGDMFT_ERR_DUPLICATE_KEY: return "A key is given twice.";
    case SGDMFT_ERR_SYNTAX: return "An expression does not parse.";
    case SGDMFT_ERR_UNKNOWN_NAME: return "An expression uses an unknown variable or function.";
    case SGDMFT_ERR_ARITY: return "A function has the wrong number of arguments.";
    case SGDMFT_ERR_KINK: return "The gradient of the loss jumps in r, so its Hessian contains a delta function.";
    case SGDMFT_ERR_PLUGIN: return "A plug-in or model by call-backs cannot be loaded, breaks its contract or aborts.";
    case SGDMFT_ERR_DIVERGED: return "The dynamics diverge.";
    case SGDMFT_ERR_NO_CONVERGENCE: return "The self-consistency tolerance was not reached.";
    case SGDMFT_ERR_NON_FINITE: return "A loss, gradient or Hessian is not a finite number.";
    case SGDMFT_ERR_INTERRUPTED: return "The solve was interrupted.";
    case SGDMFT_ERR_ACCURACY: return "The accuracy that was asked for was not reached.";
    case SGDMFT_ERR_NO_LIMIT: return "The gradient of the loss has no second moment, so there are no limiting curves.";
    case SGDMFT_ERR_MEMORY: return "There is not enough memory.";
    case SGDMFT_ERR_IO: return "A file cannot be read or written.";
    case SGDMFT_ERR_EXISTS: return "The output file exists already.";
    }
    return "Unknown status code.";
}

const char *sgdmft_status_word(sgdmft_status status)
{
    switch (status) {
    case SGDMFT_OK: return "ok";
    case SGDMFT_ERR_DIVERGED: return "diverged";
    case SGDMFT_ERR_NO_CONVERGENCE: return "not converged";
    case SGDMFT_ERR_NON_FINITE: return "not finite";
    case SGDMFT_ERR_INTERRUPTED: return "interrupted";
    case SGDMFT_ERR_ACCURACY: return "accuracy not reached";
    default: return "failed";
    }
}
