/* Measures the messages that ranks exchange in every pass, for docs/mpi.md:

       mpicc -O2 bench/mpi_messages.c -o mpi_messages -lm
       mpirun -n 2 ./mpi_messages

   In one pass a group makes an allgather of the partial sums of each rank (src/paths/share.c) and a broadcast of one
   number. Prints the best time of many rounds, and a and b of seconds = a + b bytes, where bytes are those that a rank
   receives. */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 40, REPEATS = 50 };

/* Doubles that each rank contributes. The averages at a node are a few numbers for each step before it. */
static const int SIZES[] = {1, 32, 128, 512, 2048, 8192, 32768, 131072};
enum { N_SIZES = sizeof SIZES / sizeof SIZES[0] };

static double time_pass(int count, int ranks, double *data, const int *counts, const int *starts)
{
    double best = INFINITY, change = 0;
    for (int round = 0; round < ROUNDS; round++) {
        MPI_Barrier(MPI_COMM_WORLD);
        double start = MPI_Wtime();
        for (int i = 0; i < REPEATS; i++) {
            MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, data, counts, starts, MPI_DOUBLE, MPI_COMM_WORLD);
            MPI_Bcast(&change, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
        }
        best = fmin(best, (MPI_Wtime() - start) / REPEATS);
    }
    return best;
}

int main(int argc, char **argv)
{
    int rank, ranks;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    double *data = calloc((size_t)ranks * SIZES[N_SIZES - 1], sizeof *data), least = 0, most = 0, bytes = 0;
    int *counts = calloc((size_t)ranks, sizeof *counts), *starts = calloc((size_t)ranks, sizeof *starts);
    if (!data || !counts || !starts)
        MPI_Abort(MPI_COMM_WORLD, 4);
    for (int s = 0; s < N_SIZES; s++) {
        for (int r = 0; r < ranks; r++) {
            counts[r] = SIZES[s];
            starts[r] = r * SIZES[s];
        }
        double seconds = time_pass(SIZES[s], ranks, data, counts, starts);
        bytes = 8.0 * SIZES[s] * (ranks - 1);
        if (s == 0)
            least = seconds;
        most = seconds;
        if (rank == 0)
            printf("%7d doubles of each of %d ranks: %9.2f us\n", SIZES[s], ranks, 1e6 * seconds);
    }
    if (rank == 0 && ranks > 1)
        printf("a = %.2f us, b = %.3g ns a byte\n", 1e6 * least, 1e9 * (most - least) / bytes);
    free(data);
    free(counts);
    free(starts);
    MPI_Finalize();
    return 0;
}
