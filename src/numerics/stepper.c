#include "numerics/stepper.h"

#include <stdlib.h>
#include <string.h>

#include <cvode/cvode.h>
#include <nvector/nvector_serial.h>
#include <sundials/sundials_context.h>
#include <sunlinsol/sunlinsol_dense.h>
#include <sunmatrix/sunmatrix_dense.h>
#include <sunnonlinsol/sunnonlinsol_fixedpoint.h>
#include <sunnonlinsol/sunnonlinsol_newton.h>

struct stepper {
    stepper_problem problem;
    stepper_method method;
    SUNContext sun;
    void *cvode;
    N_Vector y, dense;
    SUNMatrix matrix;
    SUNLinearSolver linear;
    SUNNonlinearSolver nonlinear;
    double stop;
    size_t steps, evaluations;
};

static int value(realtype t, N_Vector y, N_Vector dy, void *user)
{
    stepper *st = user;
    st->evaluations++;
    return st->problem.value(st->problem.user, t, N_VGetArrayPointer(y), N_VGetArrayPointer(dy));
}

static int weights(N_Vector y, N_Vector weight, void *user)
{
    const stepper *st = user;
    st->problem.weights(st->problem.user, N_VGetArrayPointer(y), N_VGetArrayPointer(weight));
    return 0;
}

/* The library does not print, and failures come back as codes. */
static void ignore(int code, const char *module, const char *function, char *message, void *user)
{
}

static int attach_newton(stepper *st)
{
    st->matrix = SUNDenseMatrix((sunindextype)st->problem.size, (sunindextype)st->problem.size, st->sun);
    st->linear = st->matrix ? SUNLinSol_Dense(st->y, st->matrix, st->sun) : NULL;
    st->nonlinear = SUNNonlinSol_Newton(st->y, st->sun);
    return !st->linear || !st->nonlinear || CVodeSetLinearSolver(st->cvode, st->linear, st->matrix) ||
           CVodeSetNonlinearSolver(st->cvode, st->nonlinear);
}

static int attach_iteration(stepper *st)
{
    st->nonlinear = SUNNonlinSol_FixedPoint(st->y, 0, st->sun);
    return !st->nonlinear || CVodeSetNonlinearSolver(st->cvode, st->nonlinear);
}

static int build(stepper *st)
{
    if (SUNContext_Create(NULL, &st->sun))
        return -1;
    st->y = N_VNew_Serial((sunindextype)st->problem.size, st->sun);
    st->dense = N_VNew_Serial((sunindextype)st->problem.size, st->sun);
    st->cvode = CVodeCreate(st->method == STEPPER_BDF ? CV_BDF : CV_ADAMS, st->sun);
    if (!st->y || !st->dense || !st->cvode)
        return -1;
    N_VConst(0, st->y);
    if (CVodeSetErrHandlerFn(st->cvode, ignore, NULL) || CVodeInit(st->cvode, value, 0, st->y) ||
        CVodeSetUserData(st->cvode, st) || CVodeWFtolerances(st->cvode, weights))
        return -1;
    return st->method == STEPPER_BDF ? attach_newton(st) : attach_iteration(st);
}

sgdmft_status stepper_new(sgdmft_context *ctx, const stepper_problem *problem, stepper_method method, stepper **out)
{
    stepper *st = calloc(1, sizeof *st);
    if (!st)
        return context_out_of_memory(ctx, "the integrator", sizeof *st);
    st->problem = *problem;
    st->method = method;
    if (build(st)) {
        stepper_free(st);
        return context_out_of_memory(ctx, "the integrator", 8.0 * (double)(problem->size * (problem->size + 20)));
    }
    *out = st;
    return SGDMFT_OK;
}

void stepper_free(stepper *st)
{
    if (!st)
        return;
    CVodeFree(&st->cvode);
    if (st->nonlinear)
        SUNNonlinSolFree(st->nonlinear);
    if (st->linear)
        SUNLinSolFree(st->linear);
    if (st->matrix)
        SUNMatDestroy(st->matrix);
    if (st->y)
        N_VDestroy(st->y);
    if (st->dense)
        N_VDestroy(st->dense);
    SUNContext_Free(&st->sun);
    free(st);
}

sgdmft_status stepper_start(sgdmft_context *ctx, stepper *st, double t, const double *y, double stop)
{
    memcpy(N_VGetArrayPointer(st->y), y, st->problem.size * sizeof *y);
    st->stop = stop;
    if (CVodeReInit(st->cvode, t, st->y) || CVodeSetStopTime(st->cvode, stop))
        return context_fail(ctx, SGDMFT_ERR_ARGUMENT, "the integrator cannot go from t = %.17g to %.17g", t, stop);
    return SGDMFT_OK;
}

int stepper_step(stepper *st, double *t)
{
    realtype reached = 0;
    int code = CVode(st->cvode, st->stop, st->y, &reached, CV_ONE_STEP);
    if (code < 0)
        return code;
    st->steps++;
    *t = reached;
    return 0;
}

void stepper_dense(const stepper *st, double t, double *y)
{
    if (CVodeGetDky(st->cvode, t, 0, st->dense)) /* t lies outside of the last step */
        memcpy(N_VGetArrayPointer(st->dense), N_VGetArrayPointer(st->y), st->problem.size * sizeof *y);
    memcpy(y, N_VGetArrayPointer(st->dense), st->problem.size * sizeof *y);
}

size_t stepper_steps(const stepper *st)
{
    return st->steps;
}

size_t stepper_evaluations(const stepper *st)
{
    return st->evaluations;
}
