/* What every benchmark uses. A benchmark compares two sides, ours and a peer,
 * in alternating pairs of timings, and states the median of the ratios
 * ours/peer: lower is better, always. Ratios of neighbours in time survive a
 * machine whose speed drifts; medians survive one that is sometimes busy. A
 * comparison with a goal has at least seven pairs; one without, or one that
 * takes longer than 2 seconds, at least five; the table says how many.
 *
 *   int main(int argc, char **argv)
 *   {
 *       bench_begin(argc, argv, "adamw", 1);
 *       bench_compare("adamw_vs_stream", "10M", ours, peer);
 *       return bench_end();
 *   }
 *
 * Everything goes to the standard output: a first line with the CPU, the BLAS
 * and the threads, a table, and one line a claim. A claim is a comparison with
 * a goal in the file tests/bench/goals; the others only stand in the table.
 * With one thread a time is the CPU time of the process, which is the time on
 * the wall of an idle machine and less disturbed on a busy one; with more it
 * is the wall's. NG_BENCH_CLOCK = wall or cpu chooses. The peers do the same.
 * Single timings go to a CSV file, bench-<name>.csv unless the first argument
 * or NG_BENCH_CSV names another. */
#ifndef NG_BENCH_H
#define NG_BENCH_H

#include <stddef.h>
#include <natgrad/status.h>

/* One contestant: seconds() is one timing, in seconds a unit of work; negative
 * when the contestant does not exist here. */
typedef struct {
    const char *name;
    double (*seconds)(void *data);
    void *data;
} bench_side;

/* A C function as a contestant: called until a timing lasts long enough. */
typedef struct {
    void (*run)(void *data);
    void *data;
    size_t units;   /* of work in one call; 0 counts as 1 */
    size_t repeats; /* calls in one timing; 0: found out at the first one */
} bench_job;

/* Starts the program `name`: BLAS and the peers get this many threads. */
void bench_begin(int argc, char **argv, const char *name, int threads);
int bench_threads(void);

/* The side that times a job, which must stay alive. */
bench_side bench_job_side(const char *name, bench_job *job);

/* Measures, prints a row of the table and returns the median of the ratios
 * (negative if a side is absent). All strings must live until bench_end. */
double bench_compare(const char *claim, const char *label, bench_side ours, bench_side peer);

/* The same for a ratio ours/peer of something else than times, found once. */
void bench_state(const char *claim, const char *label, double ratio);

/* Prints the claims; what main returns. */
int bench_end(void);

/* Median over a few timings of a job, without a peer. */
double bench_time(bench_job job);

/* Ends the program with a message: a benchmark that fails is no benchmark. */
_Noreturn void bench_fail(const char *what, const char *why);

/* Ends the program unless the status is a success. */
void bench_ok(ng_status status, const char *what, const char *why);

/* count elements aligned to a cache line, filled with scale * N(0, 1) from a
 * fixed sequence that the seed begins; freed with free(). */
float *bench_floats(size_t count, double scale, unsigned seed);

#endif
