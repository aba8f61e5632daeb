/* What is read from a layer's spectrum (natgrad/esd.h) against LAPACK's singular values and the fit
 * as its definition says it; and natgrad-spectrum's pass over a file in two threads against one, on
 * the wall's clock, which means little on a machine that is busy otherwise. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <natgrad.h>

#include "examples/spectrum/spectrum.h"
#include "examples/support/progress.h"
#include "tests/bench/bench.h"

enum { ROWS = 4096, COLS = 1024, LAYERS = 8, HEIGHT = 2048, WIDTH = 512 };

void sgesdd_(const char *jobz, const int *m, const int *n, float *a, const int *lda, float *s,
             float *u, const int *ldu, float *vt, const int *ldvt, float *work, const int *lwork,
             int *iwork, int *info, size_t);

/* ---- Numbers for the random order ------------------------------------------------------ */

static void fill_uniform(void *data, double *out, size_t n)
{
    unsigned long long *state = data;
    for (size_t i = 0; i < n; i++) {
        *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
        out[i] = (double)(*state >> 11) / 9007199254740992.0;
    }
}

/* ---- Both sides ----------------------------------------------------------------------------- */

typedef struct {
    float *x, *copy;
    ng_esd esd;
    ng_esd_options options;
    float values[COLS], *work;
    int work_size, iwork[8 * COLS];
    double alpha;
} job;

static void run_ours(void *data)
{
    job *j = data;
    ng_error error = {NG_OK, ""};
    bench_ok(ng_esd_measure(&j->esd, ng_mat_none(), ng_f32(j->x, ROWS, COLS), &j->options, &error),
             "spectrum", error.text);
}

static double distance(const double *x, size_t i, size_t n, double alpha)
{
    double most = 0, count = (double)(n - i);
    for (size_t j = i; j < n; j++)
        most = fmax(most, fabs(1 - pow(x[j] / x[i], 1 - alpha) - (double)(j - i) / count));
    return alpha > 1 ? most : 1;
}

static double plain_scan(const double *x, size_t n)
{
    double least = HUGE_VAL, best = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        double sum = 0;
        for (size_t k = i; k < n; k++)
            sum += log(x[k] / x[i]);
        double alpha = 1 + (double)(n - i) / sum, d = distance(x, i, n, alpha);
        if (d < least) {
            least = d;
            best = alpha;
        }
    }
    return best;
}

static void run_peer(void *data)
{
    job *j = data;
    static const int cols = COLS, rows = ROWS, one = 1;
    int info;
    float none = 0;
    double squares[COLS];
    memcpy(j->copy, j->x, sizeof(float) * ROWS * COLS);
    sgesdd_("N", &cols, &rows, j->copy, &cols, j->values, &none, &one, &none, &one, j->work,
            &j->work_size, j->iwork, &info, 1);
    if (info != 0)
        bench_fail("sgesdd", "no convergence");
    for (size_t i = 0; i < COLS; i++)
        squares[i] = (double)j->values[COLS - 1 - i] * (double)j->values[COLS - 1 - i];
    j->alpha = plain_scan(squares, COLS);
}

static void compare_layer(void)
{
    static job j;
    static unsigned long long state = 1;
    const ng_random random = {.fill_uniform = fill_uniform, .data = &state};
    j.x = bench_floats((size_t)ROWS * COLS, 0.05, 5);
    j.copy = bench_floats((size_t)ROWS * COLS, 0, 1);
    j.work_size = 8 * COLS + ROWS + 64 * (ROWS + COLS);
    j.work = bench_floats((size_t)j.work_size, 0, 1);
    ng_esd_init(&j.options);
    run_ours(&j);
    run_peer(&j);
    if (!(fabs(j.esd.tail.alpha - j.alpha) <= 1e-3 * j.alpha))
        bench_fail("sgesdd", "the peer finds another exponent");
    bench_job ours = {.run = run_ours, .data = &j}, peer = {.run = run_peer, .data = &j};
    bench_compare("spectrum_vs_gesdd", "4096x1024/plain", bench_job_side("plain", &ours),
                  bench_job_side("sgesdd", &peer));
    bench_job all = {.run = run_ours, .data = &j};
    j.options.random = &random;
    bench_compare("spectrum_vs_gesdd", "4096x1024", bench_job_side("spectrum", &all),
                  bench_job_side("sgesdd", &peer));
    free(j.x);
    free(j.copy);
    free(j.work);
}

/* ---- Two threads over a file ------------------------------------------------------------------
 */

static void write_file(const char *path)
{
    ng_tensors_writer *out;
    ng_error error = {NG_OK, ""};
    const size_t shape[2] = {HEIGHT, WIDTH};
    bench_ok(ng_tensors_writer_create(&out, path, &error), path, error.text);
    for (int i = 0; i < LAYERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "fc%d.weight", i);
        bench_ok(ng_tensors_writer_add(out, name, NG_TENSOR_F32, shape, 2, &error), path,
                 error.text);
    }
    for (int i = 0; i < LAYERS; i++) {
        float *x = bench_floats((size_t)HEIGHT * WIDTH, 0.05, 10 + (unsigned)i);
        bench_ok(ng_tensors_writer_write_mat(out, ng_f32(x, HEIGHT, WIDTH), &error), path,
                 error.text);
        free(x);
    }
    bench_ok(ng_tensors_writer_commit(out, &error), path, error.text);
}

static char file[] = "/tmp/natgrad-bench-XXXXXX";

/* The wall's seconds of all layers in as many threads as *data says. */
static double seconds_of(void *data)
{
    const config c = {.model = file, .least = 10, .threads = *(const int *)data, .seeds = {{1}, 1}};
    struct timespec from, to;
    model m = {NULL};
    if (model_open(&m, &c) != 0)
        bench_fail(file, "cannot be read");
    clock_gettime(CLOCK_MONOTONIC, &from);
    if (model_measure(&m, &c) != 0 || m.measured != LAYERS)
        bench_fail(file, "not measured");
    clock_gettime(CLOCK_MONOTONIC, &to);
    model_close(&m);
    return (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
}

static void compare_threads(void)
{
    int one = 1, two = 2, descriptor = mkstemp(file);
    if (descriptor < 0)
        bench_fail(file, "cannot be made");
    close(descriptor);
    write_file(file);
    progress_silence();
    bench_compare("spectrum_two_threads", "8x2048x512", (bench_side){"2 threads", seconds_of, &two},
                  (bench_side){"1 thread", seconds_of, &one});
    remove(file);
}

int main(int argc, char **argv)
{
    bench_begin(argc, argv, "spectrum", 1);
    compare_layer();
    compare_threads();
    return bench_end();
}
