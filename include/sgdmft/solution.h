/* A solution: curves with error bars, arrays of two times, and how they were obtained. Solver and simulator make the
   same object; it is read through the functions below. Every pointer that they return belongs to the solution and is
   valid until sgdmft_solution_free. */
#ifndef SGDMFT_SOLUTION_H
#define SGDMFT_SOLUTION_H

#include <stddef.h>

#include "status.h"

SGDMFT_BEGIN_DECLS

typedef struct sgdmft_solution sgdmft_solution;

SGDMFT_API void sgdmft_solution_free(sgdmft_solution *solution); /* NULL is allowed */

/* SGDMFT_OK, or why the solution stops early or is not to be trusted, and what happened in words ("" if it is OK). */
SGDMFT_API sgdmft_status sgdmft_solution_status(const sgdmft_solution *solution);
SGDMFT_API const char *sgdmft_solution_message(const sgdmft_solution *solution);

/* The full effective problem as YAML text, and the version of the library that solved it. */
SGDMFT_API const char *sgdmft_solution_problem(const sgdmft_solution *solution);
SGDMFT_API const char *sgdmft_solution_version(const sgdmft_solution *solution);

/* Numbers of students, k, and of teachers, k*. */
SGDMFT_API int sgdmft_solution_students(const sgdmft_solution *solution);
SGDMFT_API int sgdmft_solution_teachers(const sgdmft_solution *solution);

/* Curves: one quantity each at the output times that were reached. */
typedef struct sgdmft_curve sgdmft_curve;

SGDMFT_API size_t sgdmft_solution_n_times(const sgdmft_solution *solution);
SGDMFT_API const double *sgdmft_solution_times(const sgdmft_solution *solution); /* [n_times] */

/* The curve of that name (docs/output.md lists them), or NULL; by index 0 .. n_curves - 1 in the order of the
   columns of a CSV file. */
SGDMFT_API size_t sgdmft_solution_n_curves(const sgdmft_solution *solution);
SGDMFT_API const sgdmft_curve *sgdmft_solution_curve(const sgdmft_solution *solution, const char *name);
SGDMFT_API const sgdmft_curve *sgdmft_solution_curve_at(const sgdmft_solution *solution, size_t index);

/* Name of the column, e.g. "train_loss", "q21", "test_margin", and one line about the quantity ("" if it is not one of
   the library's own). */
SGDMFT_API const char *sgdmft_curve_name(const sgdmft_curve *curve);
SGDMFT_API const char *sgdmft_curve_doc(const sgdmft_curve *curve);

/* [n_times] each. The value is a mean over replicas, or over the repetitions of a simulation. The standard error counts
   the noise and, where it is estimated, the time-step error that is left in the value: se^2 = noise^2 + (step error)^2,
   for sgd, sme and gradient-flow with the largest |step error| within a fifth of the horizon. It is 0 where the value
   is exact, and where nothing is sampled (quadrature, numerics.method linear): there the step error alone shows how
   accurate the value is. The step error is the estimated time-step error of the value, with its sign (value minus
   limit); 0 where it is not estimated, as in simulations, and in CSV files, which do not hold it. The standard error is
   NULL if the curve was read from a file of other origin that has none. */
SGDMFT_API const double *sgdmft_curve_value(const sgdmft_curve *curve);
SGDMFT_API const double *sgdmft_curve_se(const sgdmft_curve *curve);
SGDMFT_API const double *sgdmft_curve_step_error(const sgdmft_curve *curve);

/* Arrays on the time grid t_0 = 0 < t_1 < ..., in row-major order, with students a and b from 0:
     C_ab(t_i, t_j) at C[((i * n_grid + j) * k + a) * k + b], symmetric under (i,a) <-> (j,b),
     R_ab(t_i, t_j) at the same place of R: 0 for j > i, the identity for j = i; not a number for j < i where the
                    response is not known,
     m_ab(t_i)      at m[(i * k + a) * k* + b].
   n_grid is 0 and all pointers are NULL in simulations and in CSV files. */
SGDMFT_API size_t sgdmft_solution_n_grid(const sgdmft_solution *solution);
SGDMFT_API const double *sgdmft_solution_grid(const sgdmft_solution *solution); /* [n_grid] the times t_i */
SGDMFT_API const double *sgdmft_solution_C(const sgdmft_solution *solution);
SGDMFT_API const double *sgdmft_solution_R(const sgdmft_solution *solution);
SGDMFT_API const double *sgdmft_solution_m(const sgdmft_solution *solution);

/* Every array of the solution by the name it has in an HDF5 file: the four above as "t", "C", "R" and "m", "residual",
   "histograms/density", "coordinates/L" and so on; docs/output.md lists them. Returns NULL if this solution has no such
   array, and else its values in row-major order with its shape in *rank and extent[0 .. rank - 1]. */
enum { SGDMFT_RANK_MAX = 4 };
SGDMFT_API const double *sgdmft_solution_array(const sgdmft_solution *solution, const char *name, int *rank,
                                               size_t extent[SGDMFT_RANK_MAX]);

/* Name number `index` of the arrays that this solution has, or NULL beyond the last. */
SGDMFT_API const char *sgdmft_solution_array_name(const sgdmft_solution *solution, size_t index);

/* An identity that holds exactly in the limit: `defect` should vanish within `se`. Later versions may add fields. */
typedef struct sgdmft_identity {
    char *name;
    double t;      /* time at which it is evaluated */
    double defect; /* left side minus right side, mean over replicas */
    double se;     /* one standard error of defect; counts the time-step error, as that of a curve */
    double scale;  /* size of the terms that cancel */
} sgdmft_identity;

SGDMFT_API size_t sgdmft_solution_n_identities(const sgdmft_solution *solution);
SGDMFT_API const sgdmft_identity *sgdmft_solution_identity(const sgdmft_solution *solution, size_t index);

/* How the solve went. Later versions may add fields. */
typedef struct sgdmft_solve_info {
    size_t paths;            /* Monte-Carlo paths per replica; of a simulation: samples per repetition */
    size_t replicas;         /* independent solves, or repetitions of a simulation */
    size_t steps;            /* time steps on [0, T] */
    double visits;           /* events of the process, all paths and replicas together */
    double passes;           /* mean corrector passes per step (march) or sweeps (picard) */
    size_t passes_max;       /* largest number of passes of a step */
    double residual_max;     /* largest self-consistency residual over steps and replicas */
    double step_error_max;   /* largest |step error| relative to the natural scale of its curve there */
    double se_max;           /* largest se relative to the natural scale of its curve there */
    double accuracy;         /* that was asked for, numerics.accuracy; 0 if none was */
    double accuracy_reached; /* the largest se, relative to its natural scale, of the curves that are to meet it */
    double memory_bytes;     /* memory held by the solver at its peak */
    double wall_seconds, cpu_seconds;
    int extrapolated; /* 1 if curves are extrapolated to zero time step */
    int simulated;    /* 1 if the curves come from a finite-d simulation, not from the limiting equations */
} sgdmft_solve_info;

SGDMFT_API const sgdmft_solve_info *sgdmft_solution_info(const sgdmft_solution *solution);

SGDMFT_END_DECLS

#endif
