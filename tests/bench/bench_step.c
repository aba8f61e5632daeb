/* Whole optimizer steps of one float32 matrix: FISMO and Muon of this library
 * against Muon in Newton-Schulz form and against FISMO from the textbook, both
 * in C. Every step of either side has another gradient. Before anything is
 * timed, the peers must have taken the steps we took. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench.h"
#include "tests/bench/step_ours.h"
#include "tests/bench/step_peers.h"

enum { REFRESH = 4 };

typedef struct {
    const char *label;
    size_t rows, cols;
    int mirrored; /* of a shape before it: only its claim is measured */
} shape;

static const shape shapes[] = {{"768x768", 768, 768, 0},
                               {"768x3072", 768, 3072, 0},
                               {"3072x768", 3072, 768, 1},
                               {"256x1024", 256, 1024, 0}};
static const shape textbook_shape = {"768x3072", 768, 3072, 0};

/* ---- Their side ------------------------------------------------------------- */

typedef struct {
    const problem *of;
    muon_peer muon;
    textbook_peer textbook;
    size_t steps;
} theirs;

static void run_muon(void *data)
{
    theirs *t = data;
    t->muon.g = t->of->g[t->steps++ % GRADIENTS];
    muon_peer_step(&t->muon);
}

static void run_textbook(void *data)
{
    theirs *t = data;
    t->textbook.g = t->of->g[t->steps++ % GRADIENTS];
    textbook_peer_step(&t->textbook);
}

/* The weights moved alike: else somebody computes something else. */
static void agree(const problem *a, const float *ours_w, const float *peer_w, double tolerance,
                  const char *what)
{
    double error = 0, moved = 0;
    for (size_t i = 0; i < a->rows * a->cols; i++) {
        error += ((double)ours_w[i] - (double)peer_w[i]) * ((double)ours_w[i] - (double)peer_w[i]);
        moved += ((double)ours_w[i] - (double)a->w[i]) * ((double)ours_w[i] - (double)a->w[i]);
    }
    if (!(moved > 0 && error <= tolerance * tolerance * moved))
        bench_fail(what, "the peer takes another step");
}

/* ---- Comparing -------------------------------------------------------------- */

/* Two steps, so that the average is an average. */
static void check_muon(const problem *a, theirs *t)
{
    ng_steepest_options options;
    ours o;
    ng_steepest_init_muon(&options);
    options.spectral.polar = NG_POLAR_NEWTON_SCHULZ;
    t->muon.lr = (float)options.lr;
    t->muon.momentum = (float)options.momentum;
    create_ours(&o, a, &options);
    for (int i = 0; i < 2; i++) {
        take_step(&o);
        run_muon(t);
    }
    agree(a, o.w, t->muon.w, 2e-3, "Muon");
    destroy_ours(&o);
}

static void compare_muon(const char *claim, const char *label, const problem *a, const char *name,
                         const ng_steepest_options *options, size_t together, bench_side muon)
{
    ours o;
    create_ours(&o, a, options);
    o.together = together;
    bench_job job = {.run = run_ours, .data = &o, .units = together};
    bench_compare(claim, label, bench_job_side(name, &job), muon);
    destroy_ours(&o);
}

/* FISMO that renews both factors at each step, as its textbook form does; bench_methods has the preset
 * as it comes. */
static void every_step(ng_steepest_options *options)
{
    ng_steepest_init_fismo(options);
    options->spectral.polar = NG_POLAR_EXACT;
    options->fismo.root = NG_ROOT_CHOLESKY; /* an inverse a step would not pay */
    options->fismo.one_sided = NG_ONE_SIDED_NEVER;
    options->fismo.refresh_p = options->fismo.refresh_q = 1;
}

static void compare_all(const shape *s, const problem *a, bench_side muon)
{
    ng_steepest_options options;
    every_step(&options);
    options.spectral.polar = NG_POLAR_FAST;
    compare_muon("fismo_step_vs_muon_ns5", s->label, a, "fismo fast", &options, 1, muon);
    if (s->mirrored)
        return;
    options.fismo.refresh_q = REFRESH; /* no shape here is tall: Q is the larger factor */
    compare_muon("fismo_step_refresh4_vs_muon_ns5", s->label, a, "fismo fast, Q/4", &options,
                 REFRESH, muon);
    options.fismo.refresh_q = 1;
    options.spectral.polar = NG_POLAR_EXACT;
    compare_muon("fismo_exact_step_vs_muon_ns5", s->label, a, "fismo exact", &options, 1, muon);
    ng_steepest_init_muon(&options);
    options.spectral.polar = NG_POLAR_EXACT;
    compare_muon("muon_exact_step_vs_muon_ns5", s->label, a, "muon exact", &options, 1, muon);
    options.spectral.polar = NG_POLAR_FAST;
    compare_muon("muon_step_vs_muon_ns5", s->label, a, "muon fast", &options, 1, muon);
}

static void run_shape(const shape *s)
{
    problem a;
    theirs t = {.of = &a};
    bench_job job = {.run = run_muon, .data = &t};
    bench_side muon = bench_job_side("muon ns5 gemm", &job);
    create_problem(&a, s->rows, s->cols);
    muon_peer_create(&t.muon, a.w, a.rows, a.cols);
    check_muon(&a, &t);
    compare_all(s, &a, muon);
    muon_peer_destroy(&t.muon);
    destroy_problem(&a);
}

/* Both averages are the same up to the first step. The polar factor of a
 * Gaussian matrix of this shape is well conditioned. */
static void check_textbook(const problem *a, theirs *t, ng_steepest_options options)
{
    ours o;
    t->textbook.lr = (float)options.lr;
    t->textbook.momentum = (float)options.momentum;
    t->textbook.ema_decay = (float)options.fismo.ema_decay;
    t->textbook.damping = (float)options.fismo.damping;
    create_ours(&o, a, &options);
    take_step(&o);
    run_textbook(t);
    agree(a, o.w, t->textbook.w, 1e-3, "textbook FISMO");
    destroy_ours(&o);
}

/* A step of the textbook takes seconds: a timing is one of them. */
static void run_textbook_shape(const shape *s)
{
    problem a;
    theirs t = {.of = &a};
    ng_steepest_options options;
    ours o;
    create_problem(&a, s->rows, s->cols);
    textbook_peer_create(&t.textbook, a.w, a.rows, a.cols);
    every_step(&options);
    check_textbook(&a, &t, options);
    options.spectral.polar = NG_POLAR_FAST;
    create_ours(&o, &a, &options);
    bench_job job = {.run = run_ours, .data = &o, .repeats = 1};
    bench_job textbook = {.run = run_textbook, .data = &t, .repeats = 1};
    bench_compare("fismo_step_vs_textbook", s->label, bench_job_side("fismo fast", &job),
                  bench_job_side("textbook", &textbook));
    destroy_ours(&o);
    textbook_peer_destroy(&t.textbook);
    destroy_problem(&a);
}

int main(int argc, char **argv)
{
    bench_begin(argc, argv, "step", 1);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        run_shape(&shapes[i]);
    run_textbook_shape(&textbook_shape);
    return bench_end();
}
