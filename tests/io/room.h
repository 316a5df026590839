/* A directory of their own for tests that write files, and a solution made by hand to write. */
#ifndef SGDMFT_TESTS_IO_ROOM_H
#define SGDMFT_TESTS_IO_ROOM_H

#include <stddef.h>

#include "sgdmft/problem.h"
#include "sgdmft/solution.h"
#include "support/check.h"

typedef struct room {
    sgdmft_context *ctx;
    char *directory;
    sgdmft_problem *problem;
    sgdmft_solution *solution;
} room;

/* cmocka set-up and tear-down: *state is the room. The directory is removed with everything in it. */
int room_enter(void **state);
int room_leave(void **state);

/* A path in the room; valid until the next call but seven. */
const char *room_path(const room *r, const char *name);
/* Number of directory entries. */
size_t room_count(const room *r);

/* Whole files. The text is ended by a zero; the caller frees it. */
char *room_read(const char *path, size_t *size);
void room_write(const char *path, const char *text);

/* The parts of a solution with k = 2, k* = 3 follow these. */
enum { ROOM_K = 2, ROOM_KSTAR = 3, ROOM_TIMES = 5, ROOM_GRID = 4 };
#define ROOM_SEED 17293822569102704683u
double room_value(size_t curve, size_t i);
double room_se(size_t curve, size_t i);
double room_step_error(size_t curve, size_t i);
double room_two_time(char array, size_t i, size_t j, size_t a, size_t b); /* array 'C' or 'R' */

#endif
