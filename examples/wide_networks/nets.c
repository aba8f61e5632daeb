#include "examples/wide_networks/wide.h"

#include <math.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "examples/support/program.h"

enum { LAYERS = 4 };

/* Matrices of one net, freed with it. */
typedef struct {
    double *numbers[4 * LAYERS + 8];
    size_t count;
} store;

static ng_mat take(store *s, size_t rows, size_t cols)
{
    double *numbers = calloc(rows * cols, sizeof *numbers);
    if (numbers == NULL)
        exit(program_end(program_no_memory()));
    s->numbers[s->count++] = numbers;
    return ng_f64(numbers, rows, cols);
}

static void give_back(store *s)
{
    while (s->count > 0)
        free(s->numbers[--s->count]);
}

static ng_mat draw(store *s, size_t rows, size_t cols, double scale, const ng_random *random)
{
    ng_mat w = take(s, rows, cols);
    random->fill_normal(random->data, w.data, rows * cols);
    ng_scale(w, scale);
    return w;
}

static double activate(ng_wide_activation activation, double h)
{
    return activation == NG_WIDE_ERF ? erf(h) : h <= 0 ? 0 : activation == NG_WIDE_RELU ? h : 1;
}

static double slope(ng_wide_activation activation, double h)
{
    return activation == NG_WIDE_ERF ? 2 / sqrt(acos(-1)) * exp(-h * h) : h > 0;
}

static void apply(ng_mat a, ng_mat h, double (*f)(ng_wide_activation, double),
                  ng_wide_activation activation)
{
    for (size_t i = 0; i < h.rows; i++)
        for (size_t j = 0; j < h.cols; j++)
            ng_mat_set(a, i, j, f(activation, ng_mat_get(h, i, j)));
}

/* g <- g o f'(h) */
static void through(ng_mat g, ng_mat h, ng_wide_activation activation)
{
    for (size_t i = 0; i < h.rows; i++)
        for (size_t j = 0; j < h.cols; j++)
            ng_mat_set(g, i, j, ng_mat_get(g, i, j) * slope(activation, ng_mat_get(h, i, j)));
}

/* kernel += scale a a^T o g g^T; without g: o 1 */
static void add_layer(ng_mat kernel, ng_mat a, ng_mat g, double scale)
{
    for (size_t i = 0; i < kernel.rows; i++)
        for (size_t j = 0; j < kernel.cols; j++) {
            double inner =
                scale * ng_dot(ng_mat_block(a, i, 0, 1, a.cols), ng_mat_block(a, j, 0, 1, a.cols));
            if (g.data != NULL)
                inner *= ng_dot(ng_mat_block(g, i, 0, 1, g.cols), ng_mat_block(g, j, 0, 1, g.cols));
            ng_mat_set(kernel, i, j, ng_mat_get(kernel, i, j) + inner);
        }
}

void nets_mlp(ng_mat ntk, ng_mat features, ng_mat x, size_t hidden, size_t width,
              const ng_random *random)
{
    store s = {.count = 0};
    const size_t k = x.rows;
    const double gain = 2 / (double)width, first = 1 / (double)x.cols;
    ng_mat w[LAYERS], h[LAYERS], a[LAYERS + 1] = {x};
    for (size_t l = 0; l < hidden; l++) {
        w[l] = draw(&s, width, a[l].cols, sqrt(l == 0 ? first : gain), random);
        h[l] = take(&s, k, width);
        a[l + 1] = take(&s, k, width);
        ng_gemm(h[l], a[l], NG_NOTRANS, w[l], NG_TRANS, 1, 0, NULL);
        apply(a[l + 1], h[l], activate, NG_WIDE_RELU);
    }
    ng_mat v = draw(&s, 1, width, sqrt(gain), random), g = take(&s, k, width),
           next = take(&s, k, width);
    ng_fill(features, 0);
    add_layer(features, a[hidden], ng_mat_none(), gain);
    ng_copy(ntk, features, NULL);
    for (size_t i = 0; i < k; i++)
        ng_copy(ng_mat_block(g, i, 0, 1, width), v, NULL);
    for (size_t l = hidden; l-- > 0;) {
        through(g, h[l], NG_WIDE_RELU);
        add_layer(ntk, a[l], g, l == 0 ? first : gain);
        if (l == 0)
            break;
        ng_gemm(next, g, NG_NOTRANS, w[l], NG_NOTRANS, 1, 0, NULL);
        ng_copy(g, next, NULL);
    }
    give_back(&s);
}

void nets_features(ng_mat features, ng_mat x, ng_wide_activation activation, size_t width,
                   const ng_random *random)
{
    store s = {.count = 0};
    ng_mat w = draw(&s, width, x.cols, 1 / sqrt((double)x.cols), random),
           h = take(&s, x.rows, width);
    ng_gemm(h, x, NG_NOTRANS, w, NG_TRANS, 1, 0, NULL);
    apply(h, h, activate, activation);
    ng_fill(features, 0);
    add_layer(features, h, ng_mat_none(), 1 / (double)width);
    give_back(&s);
}

/* rows of step t of all sequences: a view, k x width */
static ng_mat at(ng_mat all, size_t t, size_t steps)
{
    ng_mat m = all;
    m.data = (double *)all.data + t * all.stride;
    m.rows = all.rows / steps;
    m.stride = steps * all.stride;
    return m;
}

/* One recurrent net; rows of h, a, g and from: all steps of the first sequence, then of the next */
typedef struct {
    const ng_wide_rnn *o;
    size_t width;
    ng_mat x, w, u, b, v, h, a, g, out;
    ng_mat from; /* what a row of h was made of, so scaled that products are those of derivatives */
} recurrent;

static void run_step(recurrent *r, size_t t)
{
    const ng_wide_rnn *o = r->o;
    const size_t width = r->width, d = r->x.cols;
    ng_mat h = at(r->h, t, o->steps), from = at(r->from, t, o->steps), x = at(r->x, t, o->steps);
    for (size_t i = 0; i < h.rows; i++) {
        ng_copy(ng_mat_block(h, i, 0, 1, width), r->b, NULL);
        ng_mat_set(from, i, width + d, sqrt(o->var_b));
    }
    ng_gemm(h, x, NG_NOTRANS, r->u, NG_TRANS, 1, 1, NULL);
    ng_axpby(ng_mat_block(from, 0, width, h.rows, d), x, sqrt(o->var_u / (double)d), 0, NULL);
    if (t > 0) {
        ng_mat before = at(r->a, t - 1, o->steps);
        ng_gemm(h, before, NG_NOTRANS, r->w, NG_TRANS, 1, 1, NULL);
        ng_axpby(ng_mat_block(from, 0, 0, h.rows, width), before, sqrt(o->var_w / (double)width), 0,
                 NULL);
    }
    apply(at(r->a, t, o->steps), h, activate, o->activation);
}

/* c_t */
static double read_out(const ng_wide_rnn *o, size_t t)
{
    return o->pooled ? 1 / (double)o->steps : (double)(t + 1 == o->steps);
}

static void return_step(recurrent *r, size_t t)
{
    const ng_wide_rnn *o = r->o;
    ng_mat g = at(r->g, t, o->steps);
    ng_axpby(r->out, at(r->a, t, o->steps), read_out(o, t), 1, NULL);
    for (size_t i = 0; i < g.rows; i++)
        ng_axpby(ng_mat_block(g, i, 0, 1, r->width), r->v, read_out(o, t), 0, NULL);
    if (t + 1 < o->steps)
        ng_gemm(g, at(r->g, t + 1, o->steps), NG_NOTRANS, r->w, NG_NOTRANS, 1, 1, NULL);
    through(g, at(r->h, t, o->steps), o->activation);
}

void nets_rnn(ng_mat ntk, ng_mat x, const ng_wide_rnn *rnn, size_t width, const ng_random *random)
{
    store s = {.count = 0};
    const size_t steps = rnn->steps, rows = x.rows;
    const double n = (double)width;
    recurrent r = {.o = rnn, .width = width, .x = x};
    r.w = draw(&s, width, width, sqrt(rnn->var_w / n), random);
    r.u = draw(&s, width, x.cols, sqrt(rnn->var_u / (double)x.cols), random);
    r.b = draw(&s, 1, width, sqrt(rnn->var_b), random);
    r.v = draw(&s, 1, width, sqrt(rnn->var_v / n), random);
    r.h = take(&s, rows, width), r.a = take(&s, rows, width), r.g = take(&s, rows, width);
    r.from = take(&s, rows, width + x.cols + 1), r.out = take(&s, ntk.rows, width);
    for (size_t t = 0; t < steps; t++)
        run_step(&r, t);
    for (size_t t = steps; t-- > 0;)
        return_step(&r, t);
    ng_mat terms = take(&s, rows, rows);
    add_layer(terms, r.from, r.g, 1);
    ng_fill(ntk, 0);
    add_layer(ntk, r.out, ng_mat_none(), rnn->var_v / n);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < rows; j++)
            ng_mat_set(ntk, i / steps, j / steps,
                       ng_mat_get(ntk, i / steps, j / steps) + ng_mat_get(terms, i, j));
    give_back(&s);
}

void nets_shallow(ng_mat outputs, ng_mat j, ng_mat u, ng_mat v, ng_mat x)
{
    const size_t width = u.rows, d = u.cols;
    const double gain = sqrt(2 / (double)width), first = 1 / sqrt((double)d);
    for (size_t i = 0; i < x.rows; i++) {
        double sum = 0;
        for (size_t m = 0; m < width; m++) {
            double h = first * ng_dot(ng_mat_block(u, m, 0, 1, d), ng_mat_block(x, i, 0, 1, d));
            double a = h > 0 ? h : 0, g = h > 0 ? gain * ng_mat_get(v, 0, m) * first : 0;
            sum += gain * ng_mat_get(v, 0, m) * a;
            if (j.data == NULL)
                continue;
            for (size_t l = 0; l < d; l++)
                ng_mat_set(j, i, m * d + l, g * ng_mat_get(x, i, l));
            ng_mat_set(j, i, width * d + m, gain * a);
        }
        ng_mat_set(outputs, 0, i, sum);
    }
}
