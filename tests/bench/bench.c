/* The harness: timing in alternating pairs. */
#define _POSIX_C_SOURCE 200809L
#include "tests/bench/bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/internal.h"

/* A timing shorter than this says more about the clock and the caches than
 * about the work; a comparison longer than that needs no further pairs (a
 * third of it where there is no goal to hold). */
static const double timing_seconds = 0.03, comparison_seconds = 0.8;

/* Where a pair takes most of a second, this is all there is time for. */
static const double patience_seconds = 2;

static struct {
    const char *name;
    int threads;
    clockid_t clock;
    FILE *csv;
    bench_result results[BENCH_RESULTS_MAX];
    size_t count;
} bench;

/* OpenBLAS has read the environment before main; absent in other BLASes. */
extern void openblas_set_num_threads(int threads) __attribute__((weak));

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void bench_fail(const char *what, const char *why)
{
    fflush(stdout);
    fprintf(stderr, "bench_%s: %s: %s\n", bench.name, what, why);
    exit(EXIT_FAILURE);
}

void bench_ok(ng_status status, const char *what, const char *why)
{
    if (status != NG_OK)
        bench_fail(what, why != NULL && *why != '\0' ? why : ng_status_name(status));
}

int bench_threads(void)
{
    return bench.threads;
}

static void open_csv(const char *path)
{
    char name[256];
    if (path == NULL) {
        snprintf(name, sizeof name, "bench-%s.csv", bench.name);
        path = name;
    }
    bench.csv = fopen(path, "w");
    if (bench.csv == NULL)
        bench_fail(path, "cannot be written");
    fprintf(bench.csv, "claim,case,ours,peer,pair,ours_seconds,peer_seconds,ratio\n");
}

/* The environment tells the peers, too. */
static void choose_clock(void)
{
    const char *wanted = getenv("NG_BENCH_CLOCK");
    int cpu = bench.threads == 1;
    if (wanted != NULL && *wanted != '\0')
        cpu = strcmp(wanted, "cpu") == 0;
    bench.clock = cpu ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
    setenv("NG_BENCH_CLOCK", cpu ? "cpu" : "wall", 1);
}

void bench_begin(int argc, char **argv, const char *name, int threads)
{
    char text[16];
    bench.name = name;
    bench.threads = threads;
    snprintf(text, sizeof text, "%d", threads);
    setenv("OPENBLAS_NUM_THREADS", text, 1);
    setenv("OMP_NUM_THREADS", text, 1);
    if (openblas_set_num_threads != NULL)
        openblas_set_num_threads(threads);
    choose_clock();
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    open_csv(argc > 1 ? argv[1] : getenv("NG_BENCH_CSV"));
    bench_print_machine(name, threads);
}

/* ---- Timing --------------------------------------------------------------- */

static double time_calls(const bench_job *job, size_t calls)
{
    double start = seconds_of(bench.clock);
    for (size_t i = 0; i < calls; i++)
        job->run(job->data);
    return seconds_of(bench.clock) - start;
}

/* The first call pays for page faults and cold caches, so that the second says
 * how many make a timing; one that is long enough all the same is the warm-up. */
static double calibrate(bench_job *job)
{
    double once = time_calls(job, 1);
    if (once < timing_seconds)
        once = time_calls(job, 1);
    job->repeats = once >= timing_seconds ? 1 : (size_t)ceil(timing_seconds / fmax(once, 1e-7));
    return once;
}

/* A job's first timing is its warm-up: nobody counts it. */
static double job_seconds(void *data)
{
    bench_job *job = data;
    size_t units = job->units > 0 ? job->units : 1;
    if (job->repeats == 0)
        return calibrate(job) / (double)units;
    return time_calls(job, job->repeats) / (double)(job->repeats * units);
}

bench_side bench_job_side(const char *name, bench_job *job)
{
    bench_side side = {name, job_seconds, job};
    return side;
}

double bench_time(bench_job job)
{
    double seconds[BENCH_PAIRS_FEW];
    job_seconds(&job);
    for (size_t i = 0; i < BENCH_PAIRS_FEW; i++)
        seconds[i] = job_seconds(&job);
    return bench_median(seconds, BENCH_PAIRS_FEW);
}

/* ---- Comparing ------------------------------------------------------------ */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(const double *x, size_t n)
{
    double sorted[BENCH_PAIRS_MAX];
    memcpy(sorted, x, n * sizeof *x);
    qsort(sorted, n, sizeof *sorted, by_size);
    return n % 2 == 1 ? sorted[n / 2] : 0.5 * (sorted[n / 2 - 1] + sorted[n / 2]);
}

/* Who comes first changes from pair to pair: whoever follows may find the
 * caches, or the clock rate, as the other left them. 0 if a side is absent. */
static int measure_pair(bench_result *result, bench_side ours, bench_side peer)
{
    double *pair[2] = {&result->ours[result->pairs], &result->peer[result->pairs]};
    bench_side side[2] = {ours, peer};
    size_t first = result->pairs % 2;
    for (size_t i = 0; i < 2; i++) {
        size_t which = first ^ i;
        *pair[which] = side[which].seconds(side[which].data);
        if (!(*pair[which] > 0))
            return 0;
    }
    result->pairs++;
    return 1;
}

/* Patience is of the clock that measures: a busy machine costs no pairs. */
static int enough(size_t pairs, int claimed, double seconds, double measured)
{
    if (pairs < BENCH_PAIRS_FEW)
        return 0;
    if (!claimed)
        return pairs >= BENCH_PAIRS_MAX || 3 * seconds > comparison_seconds;
    if (pairs < BENCH_PAIRS_MIN)
        return measured > patience_seconds;
    return pairs >= BENCH_PAIRS_MAX || seconds > comparison_seconds;
}

static void measure(bench_result *result, bench_side ours, bench_side peer)
{
    if (ours.seconds(ours.data) < 0 || peer.seconds(peer.data) < 0) /* the warm-up */
        return;
    int claimed = bench_goal(result->claim, result->label) >= 0;
    double start = seconds_of(CLOCK_MONOTONIC), measured = seconds_of(bench.clock);
    while (!enough(result->pairs, claimed, seconds_of(CLOCK_MONOTONIC) - start,
                   seconds_of(bench.clock) - measured))
        if (!measure_pair(result, ours, peer)) {
            result->pairs = 0;
            return;
        }
}

static void evaluate(bench_result *result)
{
    double ratio[BENCH_PAIRS_MAX];
    for (size_t i = 0; i < result->pairs; i++) {
        ratio[i] = result->ours[i] / result->peer[i];
        result->low = i == 0 ? ratio[i] : fmin(result->low, ratio[i]);
        result->high = i == 0 ? ratio[i] : fmax(result->high, ratio[i]);
        fprintf(bench.csv, "%s,%s,%s,%s,%zu,%.9g,%.9g,%.6g\n", result->claim, result->label,
                result->ours_name, result->peer_name, i, result->ours[i], result->peer[i],
                ratio[i]);
    }
    result->value = result->pairs > 0 ? bench_median(ratio, result->pairs) : -1;
}

static bench_result *new_result(const char *claim, const char *label)
{
    if (bench.count == BENCH_RESULTS_MAX)
        bench_fail(claim, "too many comparisons for one program");
    if (bench.count == 0)
        bench_print_heading();
    bench_result *result = &bench.results[bench.count++];
    result->claim = claim;
    result->label = label;
    return result;
}

void bench_state(const char *claim, const char *label, double ratio)
{
    bench_result *result = new_result(claim, label);
    result->stated = 1;
    result->value = ratio;
    bench_print_row(result);
}

double bench_compare(const char *claim, const char *label, bench_side ours, bench_side peer)
{
    bench_result *result = new_result(claim, label);
    result->ours_name = ours.name;
    result->peer_name = peer.name;
    measure(result, ours, peer);
    evaluate(result);
    bench_print_row(result);
    return result->value;
}

int bench_end(void)
{
    int failed = ferror(bench.csv);
    bench_print_claims(bench.results, bench.count);
    if (fclose(bench.csv) != 0 || failed)
        bench_fail("CSV", "cannot be written");
    return EXIT_SUCCESS;
}

/* ---- Data ----------------------------------------------------------------- */

/* Uniform in (0, 1) from a 64-bit linear congruential generator (Knuth's
 * multiplier), upper bits. Good enough to multiply matrices with. */
static double uniform(unsigned long long *state)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return ((double)(*state >> 12) + 0.5) / 4503599627370496.0;
}

float *bench_floats(size_t count, double scale, unsigned seed)
{
    unsigned long long state = seed;
    void *block = NULL;
    if (posix_memalign(&block, 64, (count > 0 ? count : 1) * sizeof(float)) != 0)
        bench_fail("memory", "exhausted");
    float *x = block;
    uniform(&state);
    for (size_t i = 0; i < count; i++) { /* Box and Muller */
        double radius = sqrt(-2 * log(uniform(&state)));
        x[i] = (float)(scale * radius * cos(6.283185307179586 * uniform(&state)));
    }
    return x;
}
