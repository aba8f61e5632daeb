/* What a step of each preset, as it comes, costs in steps of plain Muon: five Newton-Schulz
 * quintics by sgemm. Small matrices and large ones, and both sets of OpenBLAS's kernels: /H those
 * for AVX2 (Haswell), /A those it picks itself. A process has one set, so the program runs itself
 * for each. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/step_ours.h"
#include "tests/bench/step_peers.h"

enum { TOGETHER = 10 }; /* steps in one call: presets refresh something every ten */

static const struct {
    const char *label[2]; /* H, A */
    size_t rows, cols;
    int gram; /* soap and shampoo too */
    int wide; /* fismo with a larger side of low rank too */
} shapes[] = {
    {{"10x128/H", "10x128/A"}, 10, 128, 0, 0},       {{"32x32/H", "32x32/A"}, 32, 32, 0, 0},
    {{"64x64/H", "64x64/A"}, 64, 64, 0, 0},          {{"128x128/H", "128x128/A"}, 128, 128, 0, 0},
    {{"256x256/H", "256x256/A"}, 256, 256, 0, 0},    {{"512x512/H", "512x512/A"}, 512, 512, 0, 0},
    {{"768x768/H", "768x768/A"}, 768, 768, 0, 0},    {{"64x256/H", "64x256/A"}, 64, 256, 0, 1},
    {{"128x640/H", "128x640/A"}, 128, 640, 1, 1},    {{"256x784/H", "256x784/A"}, 256, 784, 0, 1},
    {{"768x3072/H", "768x3072/A"}, 768, 3072, 0, 1},
};

typedef struct {
    const problem *of;
    muon_peer muon;
    size_t steps;
} theirs;

static void run_muon(void *data)
{
    theirs *t = data;
    t->muon.g = t->of->g[t->steps++ % GRADIENTS];
    muon_peer_step(&t->muon);
}

/* rank: of the larger side's factor, or NULL: the preset as it comes */
static void compare(const char *claim, const char *preset, const char *rank, const char *label,
                    const problem *a, bench_side muon)
{
    void *options;
    ours o;
    bench_ok(ng_options_new(&options, preset, NULL), preset, NULL);
    if (rank != NULL)
        bench_ok(ng_options_set_text(options, "rank", rank, NULL), preset, NULL);
    create_ours(&o, a, options);
    o.together = TOGETHER;
    bench_job job = {.run = run_ours, .data = &o, .units = TOGETHER};
    bench_compare(claim, label, bench_job_side(preset, &job), muon);
    destroy_ours(&o);
    ng_options_free(options);
}

static void run_shape(size_t i, int set)
{
    problem a;
    theirs t = {.of = &a};
    bench_job job = {.run = run_muon, .data = &t};
    bench_side muon = bench_job_side("muon ns5 gemm", &job);
    create_problem(&a, shapes[i].rows, shapes[i].cols);
    muon_peer_create(&t.muon, a.w, a.rows, a.cols);
    t.muon.lr = 0.005F;
    t.muon.momentum = 0.95F;
    compare("muon_step_vs_ns5", "muon", NULL, shapes[i].label[set], &a, muon);
    compare("fismo_step_vs_ns5", "fismo", NULL, shapes[i].label[set], &a, muon);
    if (shapes[i].wide)
        compare("fismo_rank32_vs_ns5", "fismo", "32", shapes[i].label[set], &a, muon);
    if (shapes[i].gram) {
        compare("soap_step_vs_ns5", "soap", NULL, shapes[i].label[set], &a, muon);
        compare("shampoo_step_vs_ns5", "shampoo", NULL, shapes[i].label[set], &a, muon);
    }
    muon_peer_destroy(&t.muon);
    destroy_problem(&a);
}

/* This program again, with another name for its CSV file. */
static void run_with(char *program, const char *set, const char *coretype)
{
    char csv[64];
    int status;
    snprintf(csv, sizeof csv, "bench-methods-%s.csv", set);
    char *arguments[] = {program, csv, NULL};
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        setenv("NG_BENCH_KERNELS", set, 1);
        unsetenv("OPENBLAS_L2_SIZE");
        if (coretype == NULL || setenv("OPENBLAS_CORETYPE", coretype, 1) != 0)
            unsetenv("OPENBLAS_CORETYPE");
        execv("/proc/self/exe", arguments);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        bench_fail("kernels", set);
}

int main(int argc, char **argv)
{
    const char *set = getenv("NG_BENCH_KERNELS");
    if (set == NULL) {
        run_with(argv[0], "H", "Haswell");
        run_with(argv[0], "A", NULL);
        return EXIT_SUCCESS;
    }
    bench_begin(argc, argv, "methods", 1);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        run_shape(i, strcmp(set, "A") == 0);
    return bench_end();
}
