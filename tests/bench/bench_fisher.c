/* A moving average of a dense Fisher matrix, checks of the batch included,
 * against the product of the same batch alone: ssyrk by its Fortran name, which
 * writes the triangle where the average has to read it, too. */
#include <stdio.h>
#include <stdlib.h>

#include <natgrad.h>

#include "tests/bench/bench.h"

void ssyrk_(const char *uplo, const char *trans, const int *n, const int *k, const float *alpha,
            const float *a, const int *lda, const float *beta, float *c, const int *ldc, size_t,
            size_t);

enum { N = 2000, BATCH = 256 };

typedef struct {
    ng_mat scores;
    ng_fisher_batch rule;
    ng_fisher *f;
    float *c;
} job;

static void accumulate(void *data)
{
    job *j = data;
    ng_error error = {NG_OK, ""};
    bench_ok(ng_fisher_accumulate(j->f, j->scores, ng_mat_none(), &j->rule, &error), "accumulate",
             error.text);
}

/* The row-major scores are their transpose to Fortran, lower is upper. */
static void product(void *data)
{
    job *j = data;
    const int n = N, batch = BATCH;
    const float alpha = 1.0F / BATCH, beta = 0;
    ssyrk_("U", "N", &n, &batch, &alpha, j->scores.data, &n, &beta, j->c, &n, 1, 1);
}

/* Without a past both sides make the same lower triangle. */
static void agree(job *j)
{
    float *dense = bench_floats((size_t)N * N, 0, 1);
    ng_mat made = ng_f32(dense, N, N), peer = ng_f32(j->c, N, N);
    accumulate(j);
    product(j);
    bench_ok(ng_fisher_to_dense(j->f, made, NULL), "to_dense", NULL);
    ng_mirror(peer);
    ng_axpby(made, peer, -1, 1, NULL);
    double error = ng_norm(made) / ng_norm(peer);
    printf("n=%d, batch %d: relative difference of the two products %.1e\n", N, BATCH, error);
    if (!(error < 1e-6))
        bench_fail("ssyrk", "finds another matrix");
    free(dense);
}

int main(int argc, char **argv)
{
    job j = {.scores = ng_f32(NULL, 0, 0)};
    bench_begin(argc, argv, "fisher", 1);
    j.scores = ng_f32(bench_floats((size_t)N * BATCH, 1, 1), BATCH, N);
    j.c = bench_floats((size_t)N * N, 0, 2);
    ng_fisher_batch_init(&j.rule);
    j.rule.decay = 0.95;
    bench_ok(ng_fisher_create_dense(&j.f, N, NG_F32, NULL), "create", NULL);
    agree(&j);
    bench_job ours = {.run = accumulate, .data = &j}, peer = {.run = product, .data = &j};
    bench_compare("fisher_accumulate_vs_syrk", "n=2000", bench_job_side("accumulate", &ours),
                  bench_job_side("ssyrk", &peer));
    ng_fisher_destroy(j.f);
    free(j.scores.data);
    free(j.c);
    return bench_end();
}
