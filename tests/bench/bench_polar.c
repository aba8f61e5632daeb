/* The polar factor in float32: our three accuracies against LAPACK's SVD,
 * against Muon's Newton-Schulz in C, and against torch. Before anything is
 * timed, the peers must have found what we found. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad.h>

#include "tests/bench/bench.h"
#include "tests/bench/peer.h"
#include "tests/bench/polar_peers.h"

typedef struct {
    const char *label, *torch_ns5, *torch_svd; /* the case and how torch hears of it */
    size_t rows, cols; /* torch_svd NULL: nothing new to hear */
} shape;

static const shape shapes[] = {
    {"768x768", "muon_ns5 768 768", "svd_polar 768 768", 768, 768},
    {"768x3072", "muon_ns5 768 3072", "svd_polar 768 3072", 768, 3072},
    {"3072x768", "muon_ns5 3072 768", NULL, 3072, 768},
    {"256x1024", "muon_ns5 256 1024", "svd_polar 256 1024", 256, 1024},
    {"64x512", "muon_ns5 64 512", "svd_polar 64 512", 64, 512},
    {"256x784", "muon_ns5 256 784", "svd_polar 256 784", 256, 784},
};

/* ---- Our side --------------------------------------------------------------- */

typedef struct {
    ng_mat u, x;
    ng_polar_options options;
    ng_polar_info info;
    ng_work work;
} ours;

static void run_ours(void *data)
{
    ours *o = data;
    ng_error error = {NG_OK, ""};
    bench_ok(ng_polar(o->u, NULL, o->x, &o->options, &o->work, &error), "polar", error.text);
}

static void create_ours(ours *o, const float *x, const shape *s, ng_polar_accuracy accuracy)
{
    ng_error error = {NG_OK, ""};
    float *copy = bench_floats(s->rows * s->cols, 0, 1);
    memcpy(copy, x, s->rows * s->cols * sizeof *copy);
    o->x = ng_f32(copy, s->rows, s->cols);
    o->u = ng_f32(bench_floats(s->rows * s->cols, 0, 1), s->rows, s->cols);
    ng_polar_init(&o->options);
    o->options.accuracy = accuracy;
    bench_ok(ng_work_create(&o->work, ng_polar_work(s->rows, s->cols, NG_F32, &o->options), &error),
             "workspace", error.text);
    bench_ok(ng_polar(o->u, &o->info, o->x, &o->options, &o->work, &error), "polar", error.text);
}

static void destroy_ours(ours *o)
{
    free(o->u.data);
    free(o->x.data);
    ng_work_destroy(&o->work);
}

/* ||u - peer's u|| / ||u|| must be small: else somebody computes something else. */
static void agree(const ours *o, const polar_peer *p, double tolerance, const char *what)
{
    const float *u = o->u.data;
    double error = 0, norm = 0;
    for (size_t i = 0; i < o->u.rows * o->u.cols; i++) {
        error += ((double)u[i] - (double)p->u[i]) * ((double)u[i] - (double)p->u[i]);
        norm += (double)u[i] * (double)u[i];
    }
    if (!(error <= tolerance * tolerance * norm))
        bench_fail(what, "the peer finds another matrix");
}

static void check(const ours *exact, const ours *newton, polar_peer *p)
{
    polar_gesdd(p);
    agree(exact, p, 2e-3, "sgesdd");
    polar_ns5_gemm(p);
    agree(newton, p, 2e-3, "Newton-Schulz with sgemm");
    polar_ns5_syrk(p);
    agree(newton, p, 2e-3, "Newton-Schulz with ssyrk");
}

/* ---- The machine's limits --------------------------------------------------- */

enum { GEMM = 768, TRIAD = 16000000 };

typedef struct {
    float *a, *b, *c;
} triad_job;

static void triad(void *data)
{
    triad_job *j = data;
    float *restrict a = j->a;
    const float *restrict b = j->b, *restrict c = j->c;
    for (size_t i = 0; i < TRIAD; i++)
        a[i] = b[i] + 3 * c[i];
}

static double gemm_rate(void (*run)(void *), size_t count)
{
    gemm_job j = {GEMM, bench_floats(count, 1, 1), bench_floats(count, 1, 2),
                  bench_floats(count, 0, 3)};
    memset(j.a, 0, count * sizeof(float)); /* the pattern of floats is no double */
    memset(j.b, 0, count * sizeof(float));
    bench_job job = {.run = run, .data = &j};
    double seconds = bench_time(job);
    free(j.a);
    free(j.b);
    free(j.c);
    return 2.0 * GEMM * GEMM * GEMM / seconds;
}

static double triad_rate(void)
{
    triad_job j = {bench_floats(TRIAD, 0, 1), bench_floats(TRIAD, 0, 2), bench_floats(TRIAD, 0, 3)};
    bench_job job = {.run = triad, .data = &j};
    double seconds = bench_time(job);
    free(j.a);
    free(j.b);
    free(j.c);
    return 3.0 * TRIAD * sizeof(float) / seconds;
}

/* Returns what sgemm does in a second. */
static double print_limits(void)
{
    double single = gemm_rate(machine_sgemm, GEMM * GEMM);
    double twice = gemm_rate(machine_dgemm, 2 * GEMM * GEMM);
    printf("limits: sgemm %.1f GF/s, dgemm %.1f GF/s (%.2f of it), triad %.1f GB/s\n",
           1e-9 * single, 1e-9 * twice, twice / single, 1e-9 * triad_rate());
    return single;
}

/* A product of the matrix with one of its smaller side is the natural unit:
 * whatever a polar factor does, it does at least that. */
static void print_units(const shape *s, double sgemm, ours *const o[3])
{
    size_t small = s->rows < s->cols ? s->rows : s->cols;
    double unit = 2.0 * (double)s->rows * (double)s->cols * (double)small / sgemm;
    printf("  %s in sgemms of %zu x %zu x %zu (%.3g ms):", s->label, s->rows, s->cols, small,
           1e3 * unit);
    for (int i = 0; i < 3; i++) {
        bench_job job = {.run = run_ours, .data = o[i]};
        printf("%s %s %.1f (error %.1e)", i > 0 ? "," : "", o[i]->info.route,
               bench_time(job) / unit, o[i]->info.orthogonality_error);
    }
    printf("\n");
}

/* ---- Comparing -------------------------------------------------------------- */

static void compare_all(const shape *s, ours *const o[3], polar_peer *p, bench_peer *torch)
{
    bench_job exact = {.run = run_ours, .data = o[0]}, fast = {.run = run_ours, .data = o[1]};
    bench_job newton = {.run = run_ours, .data = o[2]};
    bench_job gesdd = {.run = polar_gesdd, .data = p};
    bench_job syrk = {.run = polar_ns5_syrk, .data = p}, gemm = {.run = polar_ns5_gemm, .data = p};
    bench_request torch_ns5 = {torch, s->torch_ns5}, torch_svd = {torch, s->torch_svd};
    bench_side our_exact = bench_job_side("exact", &exact);
    bench_side our_fast = bench_job_side("fast", &fast);
    bench_side our_newton = bench_job_side("newton_schulz", &newton);

    bench_compare("polar_exact_vs_gesdd", s->label, our_exact, bench_job_side("sgesdd", &gesdd));
    if (s->torch_svd != NULL)
        bench_compare("polar_exact_vs_torch_svd", s->label, our_exact,
                      bench_peer_side("torch svd", &torch_svd));
    bench_compare("polar_fast_vs_ns5_syrk", s->label, our_fast, bench_job_side("ns5 syrk", &syrk));
    bench_compare("polar_fast_vs_ns5_gemm", s->label, our_fast, bench_job_side("ns5 gemm", &gemm));
    bench_compare("polar_fast_vs_torch_ns5", s->label, our_fast,
                  bench_peer_side("torch ns5", &torch_ns5));
    bench_compare("polar_newton_vs_ns5_syrk", s->label, our_newton,
                  bench_job_side("ns5 syrk", &syrk));
}

static void run_shape(const shape *s, double sgemm, bench_peer *torch)
{
    float *x = bench_floats(s->rows * s->cols, 1, 7);
    ours accuracies[3], *const o[3] = {&accuracies[0], &accuracies[1], &accuracies[2]};
    polar_peer p;
    create_ours(o[0], x, s, NG_POLAR_EXACT);
    create_ours(o[1], x, s, NG_POLAR_FAST);
    create_ours(o[2], x, s, NG_POLAR_NEWTON_SCHULZ);
    polar_peer_create(&p, x, s->rows, s->cols);
    check(o[0], o[2], &p);
    compare_all(s, o, &p, torch);
    print_units(s, sgemm, o);
    for (int i = 0; i < 3; i++)
        destroy_ours(o[i]);
    polar_peer_destroy(&p);
    free(x);
}

int main(int argc, char **argv)
{
    bench_peer torch;
    bench_begin(argc, argv, "polar", 1);
    bench_torch_start(&torch);
    double sgemm = print_limits();
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        run_shape(&shapes[i], sgemm, &torch);
    bench_peer_stop(&torch);
    return bench_end();
}
