/* Two linear flows and the problems that have their inputs: one student, and two whose matrices do not commute. */
#ifndef SGDMFT_TESTS_PATHS_FLOW_CASE_H
#define SGDMFT_TESTS_PATHS_FLOW_CASE_H

#include "linear_flow.h"
#include "support/plan.h"

typedef struct flow_case {
    linear_flow flow;
    test_plan t;
} flow_case;

/* The format gives the numerics but grading. `process` NULL: independent visits. Points into itself: not to be copied.
   */
void flow_case_init(flow_case *c, const sample_process *process, int students, double horizon, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void flow_case_clear(flow_case *c);

#endif
