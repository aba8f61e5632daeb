/* The score of a mixture, 10^5 points x 64 components in 16 dimensions, against the dgemm it
 * cannot do without: whitening for all components, points x 16 x 1024, and back, points x 1024 x
 * 16, as square products of as many operations, which is where dgemm is at its best. Beside it the
 * same two products in their own shapes. */
#include <stdlib.h>

#include <natgrad-lab.h>

#include "tests/bench/bench.h"

enum { POINTS = 100000, COMPONENTS = 64, DIMENSION = 16, SQUARE = 512 };

typedef struct {
    ng_mixture *mixture;
    ng_mat x, score;
} ours;

static void run_ours(void *data)
{
    ours *o = data;
    const ng_mixture_fields f = {.score = o->score};
    ng_error error = {NG_OK, ""};
    bench_ok(ng_mixture_evaluate(o->mixture, &f, o->x, 0.8, 0.6, NG_MIXTURE_ALL, &error),
             "evaluate", error.text);
}

typedef struct {
    ng_mat a, b, c;
    int times;
} squares;

static void run_squares(void *data)
{
    squares *s = data;
    for (int i = 0; i < s->times; i++)
        bench_ok(ng_gemm(s->c, s->a, NG_NOTRANS, s->b, NG_NOTRANS, 1, 0, NULL), "gemm", NULL);
}

typedef struct {
    ng_mat x, whiten, y, back, score;
} shapes;

static void run_shapes(void *data)
{
    shapes *s = data;
    bench_ok(ng_gemm(s->y, s->x, NG_NOTRANS, s->whiten, NG_NOTRANS, 1, 0, NULL), "gemm", NULL);
    bench_ok(ng_gemm(s->score, s->y, NG_NOTRANS, s->back, NG_NOTRANS, 1, 0, NULL), "gemm", NULL);
}

static ng_mat doubles(size_t rows, size_t cols, const ng_random *random, double scale)
{
    double *data = calloc(rows * cols, sizeof *data);
    if (data == NULL)
        bench_fail("memory", "exhausted");
    random->fill_normal(random->data, data, rows * cols);
    for (size_t i = 0; i < rows * cols; i++)
        data[i] *= scale;
    return ng_f64(data, rows, cols);
}

int main(int argc, char **argv)
{
    bench_begin(argc, argv, "mixture", 1);
    ng_random random;
    ng_error error = {NG_OK, ""};
    bench_ok(ng_rng_create(&random, 1, &error), "random", error.text);
    const size_t wide = COMPONENTS * DIMENSION;
    ng_mat means = doubles(COMPONENTS, DIMENSION, &random, 1),
           covariances = doubles(wide, DIMENSION, &random, 0.02);
    for (size_t i = 0; i < wide; i++)
        ng_mat_set(covariances, i, i % DIMENSION, 1);
    ours o = {.x = doubles(POINTS, DIMENSION, &random, 1),
              .score = doubles(POINTS, DIMENSION, &random, 1)};
    bench_ok(ng_mixture_create(&o.mixture, means, covariances, NULL, NULL, &error), "mixture",
             error.text);
    squares s = {doubles(SQUARE, SQUARE, &random, 1), doubles(SQUARE, SQUARE, &random, 1),
                 doubles(SQUARE, SQUARE, &random, 1), 0};
    s.times =
        (int)(2.0 * POINTS * COMPONENTS * DIMENSION * DIMENSION / SQUARE / SQUARE / SQUARE + 0.5);
    shapes p = {o.x, doubles(DIMENSION, wide, &random, 1), doubles(POINTS, wide, &random, 1),
                doubles(wide, DIMENSION, &random, 1), o.score};
    bench_job score = {.run = run_ours, .data = &o}, square = {.run = run_squares, .data = &s},
              shape = {.run = run_shapes, .data = &p};
    bench_side side = bench_job_side("score", &score);
    bench_compare("mixture_score_vs_dgemm", "1e5x64x16", side, bench_job_side("dgemm", &square));
    bench_compare("mixture_score_vs_shapes", "1e5x64x16", side, bench_job_side("shapes", &shape));
    ng_mixture_destroy(o.mixture);
    ng_rng_destroy(&random);
    ng_mat all[] = {means, covariances, o.x, o.score, s.a, s.b, s.c, p.whiten, p.y, p.back};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i].data);
    return bench_end();
}
