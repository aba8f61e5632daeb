/* Random Fourier features against spectral bias, and the natural gradient against it: a net of one
 * hidden layer fits waves of five frequencies on a circle. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "examples/medida/medida.h"

enum { POINTS = 64, WIDTH = 128, WAVES = 5, FEATURES = 32, NETS = 3, STEPS = 2000, NATURAL = 300 };
enum { COORDINATES, RANDOM, NATURAL_GRADIENT };

static const double pi = 3.14159265358979323846;
static const size_t waves[WAVES] = {1, 2, 4, 8, 16};
static ng_error error;

/* f(x) = a . tanh(W phi(x)) / sqrt(WIDTH), phi (POINTS x dim) with rows of length 1. */
typedef struct {
    size_t dim;
    ng_mat phi, w, a, hidden, f, r, jacobian, kernel;
} net;

static double quotient[NETS][WAVES], left[NETS][WAVES];

static net create(size_t dim, const ng_random *random)
{
    net n = {.dim = dim};
    n.phi = paper_mat(POINTS, dim);
    n.w = paper_mat(WIDTH, dim);
    n.a = paper_mat(1, WIDTH);
    n.hidden = paper_mat(POINTS, WIDTH);
    n.f = paper_mat(1, POINTS);
    n.r = paper_mat(1, POINTS);
    n.jacobian = paper_mat(POINTS, WIDTH * (dim + 1));
    n.kernel = paper_mat(POINTS, POINTS);
    paper_normal(n.w, random);
    ng_scale(n.w, 4);
    paper_normal(n.a, random);
    return n;
}

static double place_of(size_t i)
{
    return 2 * pi * (double)i / POINTS;
}

/* phi <- 1, and cos and sin of b x for each b, one or many. */
static void set_features(net *n, const double *b)
{
    const size_t count = n->dim / 2;
    for (size_t i = 0; i < POINTS; i++)
        for (size_t j = 0; j < count; j++) {
            ng_mat_set(n->phi, i, 2 * j, cos(b[j] * place_of(i)) / sqrt(2.0 * (double)count));
            ng_mat_set(n->phi, i, 2 * j + 1, sin(b[j] * place_of(i)) / sqrt(2.0 * (double)count));
            ng_mat_set(n->phi, i, n->dim - 1, sqrt(0.5));
        }
}

/* r <- target - f */
static void evaluate(net *n)
{
    paper_must(ng_gemm(n->hidden, n->phi, NG_NOTRANS, n->w, NG_TRANS, 1, 0, &error), &error);
    for (size_t i = 0; i < POINTS; i++) {
        double sum = 0, target = 0;
        for (size_t j = 0; j < WIDTH; j++) {
            double t = tanh(ng_mat_get(n->hidden, i, j));
            ng_mat_set(n->hidden, i, j, t);
            sum += ng_mat_get(n->a, 0, j) * t / sqrt(WIDTH);
        }
        for (size_t k = 0; k < WAVES; k++)
            target += sin((double)waves[k] * place_of(i) + (double)k);
        ng_mat_set(n->r, 0, i, target - sum);
    }
}

/* Row i: d f(x_i) / d (a, W). */
static void differentiate(net *n)
{
    double *row = n->jacobian.data;
    const double *phi = n->phi.data, *hidden = n->hidden.data, *a = n->a.data;
    for (size_t i = 0; i < POINTS; i++, row += n->jacobian.cols, phi += n->dim, hidden += WIDTH)
        for (size_t j = 0; j < WIDTH; j++) {
            const double slope = a[j] * (1 - hidden[j] * hidden[j]) / sqrt(WIDTH);
            double *of = row + WIDTH + j * n->dim;
            row[j] = hidden[j] / sqrt(WIDTH);
            for (size_t d = 0; d < n->dim; d++)
                of[d] = slope * phi[d];
        }
}

/* J J^T, the neural tangent kernel */
static void tangent_kernel(net *n)
{
    differentiate(n);
    paper_must(ng_gemm(n->kernel, n->jacobian, NG_NOTRANS, n->jacobian, NG_TRANS, 1, 0, &error),
               &error);
}

/* parameters += J^T v */
static void move(net *n, ng_mat v, double rate)
{
    const double *j = n->jacobian.data;
    for (size_t i = 0; i < POINTS; i++, j += n->jacobian.cols) {
        const double share = rate * ng_mat_get(v, 0, i);
        double *a = n->a.data, *w = n->w.data;
        for (size_t k = 0; k < WIDTH; k++)
            a[k] += share * j[k];
        for (size_t k = 0; k < WIDTH * n->dim; k++)
            w[k] += share * j[WIDTH + k];
    }
}

/* The part of r in wave k, as a share of the target's. */
static double part(ng_mat r, size_t k)
{
    double c = 0, s = 0;
    for (size_t i = 0; i < POINTS; i++) {
        c += ng_mat_get(r, 0, i) * cos((double)k * place_of(i)) * 2 / POINTS;
        s += ng_mat_get(r, 0, i) * sin((double)k * place_of(i)) * 2 / POINTS;
    }
    return hypot(c, s);
}

/* Rayleigh's quotients of the kernel in the waves; returns its largest eigenvalue. */
static double spectrum(net *n, double *of)
{
    ng_mat values = paper_mat(1, POINTS), v = paper_mat(1, POINTS), kv = paper_mat(1, POINTS);
    tangent_kernel(n);
    for (size_t k = 0; k < WAVES; k++) {
        of[k] = 0;
        for (int shift = 0; shift < 2; shift++) {
            for (size_t i = 0; i < POINTS; i++)
                ng_mat_set(v, 0, i, sin((double)waves[k] * place_of(i) + shift * pi / 2));
            paper_must(ng_gemm(kv, v, NG_NOTRANS, n->kernel, NG_NOTRANS, 1, 0, &error), &error);
            of[k] += 0.5 * ng_dot(kv, v) / ng_dot(v, v);
        }
    }
    paper_must(ng_eigenvalues(values, n->kernel, &error), &error);
    return ng_mat_get(values, 0, POINTS - 1);
}

static void descend(net *n, double rate)
{
    for (int step = 0; step < STEPS; step++) {
        evaluate(n);
        differentiate(n);
        move(n, n->r, rate);
    }
    evaluate(n);
}

/* Natural gradient steps: r divided by the damped kernel, so that all waves fade alike. The damping
 * falls while the loss does; a step that raised it is taken back. */
static void descend_naturally(net *n, double damping)
{
    ng_mat root = paper_mat(POINTS, POINTS), v = paper_mat(1, POINTS);
    ng_mat w = paper_mat(WIDTH, n->dim), a = paper_mat(1, WIDTH);
    evaluate(n);
    for (int step = 0; step < NATURAL; step++) {
        const double before = ng_norm(n->r);
        tangent_kernel(n);
        ng_add_diagonal(n->kernel, damping);
        paper_must(ng_cholesky(root, NULL, n->kernel, &error), &error);
        paper_must(ng_copy(v, n->r, &error), &error);
        paper_must(ng_trsm(v, NG_RIGHT, root, NG_TRANS, 1, &error), &error);
        paper_must(ng_trsm(v, NG_RIGHT, root, NG_NOTRANS, 1, &error), &error);
        paper_must(ng_copy(w, n->w, &error), &error);
        paper_must(ng_copy(a, n->a, &error), &error);
        move(n, v, 1);
        evaluate(n);
        damping *= ng_norm(n->r) < before ? 0.3 : 4;
        if (!(ng_norm(n->r) < before)) {
            paper_must(ng_copy(n->w, w, &error), &error);
            paper_must(ng_copy(n->a, a, &error), &error);
            evaluate(n);
        }
    }
}

/* The geometric means over nets are what is judged. */
static void run(paper *p, int kind, size_t number)
{
    const double one = 1;
    const ng_random *random = paper_random(p, 1000 + number);
    double b[FEATURES], of[WAVES];
    net n = create(kind == RANDOM ? 2 * FEATURES + 1 : 3, random);
    random->fill_normal(random->data, b, FEATURES);
    for (int j = 0; j < FEATURES; j++)
        b[j] = nearbyint(10 * b[j]);
    set_features(&n, kind == RANDOM ? b : &one);
    evaluate(&n);
    double most = spectrum(&n, of);
    if (kind == NATURAL_GRADIENT)
        descend_naturally(&n, 1e-4 * most);
    else
        descend(&n, 1 / most);
    for (size_t k = 0; k < WAVES; k++) {
        quotient[kind][k] += log(of[k] / most) / (double)p->samples;
        left[kind][k] += log(part(n.r, waves[k])) / (double)p->samples;
    }
}

static int small(int kind, double bound)
{
    int all = 1;
    for (size_t k = 0; k < WAVES; k++)
        all &= left[kind][k] < bound;
    return all;
}

static void judge(void)
{
    const double *q = quotient[COORDINATES], *f = quotient[RANDOM], *l = left[COORDINATES];
    target_print("medida", "log10_kernel_k=1_over_k=16_coordinates", 4, log10(q[0] / q[WAVES - 1]),
                 0.7);
    target_print("medida", "log10_kernel_k=1_over_k=16_random_features", 0,
                 log10(f[0] / f[WAVES - 1]), 0.7);
    target_print("medida", "left_of_k=1_coordinates", 0, l[0], 0.01);
    target_print("medida", "left_of_k=16_coordinates", 0.8, l[WAVES - 1], 0.2);
    target_print("medida", "left_of_k=16_random_features", 0, left[RANDOM][WAVES - 1], 0.01);
    target_print("medida", "left_of_k=16_natural_gradient", 0, left[NATURAL_GRADIENT][WAVES - 1],
                 0.01);
    verdict_print("medida", "gradient descent on coordinates fits slow waves alone",
                  l[0] < 0.01 && l[WAVES - 1] > 0.5 ? VERDICT_YES : VERDICT_NO);
    verdict_print("medida", "random Fourier features undo that",
                  small(RANDOM, 0.01) ? VERDICT_YES : VERDICT_NO);
    verdict_print("medida", "a natural gradient undoes it on coordinates",
                  small(NATURAL_GRADIENT, 0.01) ? VERDICT_YES : VERDICT_NO);
}

void features(paper *p)
{
    static const char *const name[NETS] = {"coordinates", "random features", "natural gradient"};
    for (int i = 0; i < NETS; i++)
        for (size_t j = 0; j < p->samples; j++)
            run(p, i, j);
    printf("share of the largest eigenvalue of the kernel, and of the wave that is left\n%-17s",
           "");
    for (size_t k = 0; k < WAVES; k++)
        printf("  k = %-13zu", waves[k]);
    for (int i = 0; i < NETS; i++) {
        printf("\n%-17s", name[i]);
        for (size_t k = 0; k < WAVES; k++) {
            quotient[i][k] = exp(quotient[i][k]);
            left[i][k] = exp(left[i][k]);
            printf("  %.1e, %.1e", quotient[i][k], left[i][k]);
        }
    }
    printf("\n");
    judge();
}

void features_draw(FILE *script)
{
    static const char *const title[NETS] = {"coordinates, gradient descent",
                                            "random features, gradient descent",
                                            "coordinates, natural gradient"};
    fputs("$left << END\n", script);
    for (size_t k = 0; k < WAVES; k++)
        fprintf(script, "%zu,%g,%g,%g\n", waves[k], left[0][k], left[1][k], left[2][k]);
    fputs(
        "END\nset logscale xy\nset xrange [0.9:18]\nset yrange [*:2]\nset xtics (1, 2, 4, 8, 16)\n"
        "set xlabel 'frequency'\nset ylabel 'share of the wave that is left'\n"
        "set title 'spectral bias'\nset format y '10^{%T}'\nset key right center\nplot ",
        script);
    for (int i = 0; i < NETS; i++)
        fprintf(script, "%s$left using 1:%d with linespoints pt %d lc rgb '%s' title '%s'",
                i > 0 ? ", " : "", i + 2, i + 5, plot_colour((size_t)i), title[i]);
    fputs("\n", script);
}
