/* R of the critical 2-D Ising torus by free fermions, third cumulants and
 * contraction, against matrix products of the same arithmetic: one dgemm of
 * 512^3 at L = 10, of 2048^3 at L = 24. The published script (finite
 * differences, L = 4) is not part of this project: its seconds on a machine
 * like this are the second argument, 6.6 unless given. Last, L = 64 once: its
 * seconds over a minute, the peak of the memory over 6 GB. */
#define _DEFAULT_SOURCE
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include <natgrad-lab.h>

#include "tests/bench/bench.h"

void dgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k,
            const double *alpha, const double *a, const int *lda, const double *b, const int *ldb,
            const double *beta, double *c, const int *ldc, size_t, size_t);

static void curvature(void *data)
{
    ng_lattice_curvature r;
    ng_error error = {NG_OK, ""};
    bench_ok(ng_ising_fermion(&r, *(size_t *)data, NG_ISING_CRITICAL, 0, &error), "curvature",
             error.text);
}

typedef struct {
    int n;
    double *a, *b, *c;
} product;

static double *numbers(size_t count)
{
    double *x = malloc(count * sizeof *x);
    if (x == NULL)
        bench_fail("dgemm", "no memory");
    for (size_t i = 0; i < count; i++)
        x[i] = (double)(i % 17) - 8;
    return x;
}

static void dgemm(void *data)
{
    static const double one = 1, zero = 0;
    product *p = data;
    dgemm_("N", "N", &p->n, &p->n, &p->n, &one, p->a, &p->n, p->b, &p->n, &zero, p->c, &p->n, 1, 1);
}

static void compare_dgemm(const char *claim, size_t length, int n)
{
    size_t count = (size_t)n * (size_t)n;
    product p = {n, numbers(count), numbers(count), numbers(count)};
    bench_job ours = {.run = curvature, .data = &length}, peer = {.run = dgemm, .data = &p};
    bench_compare(claim, "J_c", bench_job_side("natgrad", &ours), bench_job_side("dgemm", &peer));
    free(p.a);
    free(p.b);
    free(p.c);
}

static double script_seconds(void *data)
{
    return *(double *)data;
}

static void compare_script(double seconds)
{
    size_t length = 4;
    bench_job ours = {.run = curvature, .data = &length};
    bench_side script = {"script", script_seconds, &seconds};
    bench_compare("curvature_vs_script", "L=4", bench_job_side("natgrad", &ours), script);
}

static void state_large(void)
{
    struct rusage usage;
    size_t length = 64;
    clock_t start = clock();
    curvature(&length);
    bench_state("curvature_L64_over_60s", "L=64", (double)(clock() - start) / CLOCKS_PER_SEC / 60);
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        bench_state("curvature_L64_over_6GB", "L=64", 1024.0 * (double)usage.ru_maxrss / 6e9);
}

int main(int argc, char **argv)
{
    double script = argc > 2 ? strtod(argv[2], NULL) : 6.6;
    bench_begin(argc, argv, "curvature", 1);
    if (!(script > 0))
        bench_fail("second argument", "expected the script's seconds");
    compare_dgemm("curvature_L10_vs_dgemm512", 10, 512);
    compare_dgemm("curvature_L24_vs_dgemm2048", 24, 2048);
    compare_script(script);
    state_large();
    return bench_end();
}
