#include "tests/bench/step_peers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench.h"
#include "tests/bench/row_major.h"

static float *copy_of(const float *x, size_t count)
{
    float *copy = bench_floats(count, 0, 1);
    memcpy(copy, x, count * sizeof *copy);
    return copy;
}

static float *zeros(size_t count)
{
    float *x = bench_floats(count, 0, 1);
    memset(x, 0, count * sizeof *x);
    return x;
}

/* ---- Muon ------------------------------------------------------------------- */

void muon_peer_create(muon_peer *p, const float *w, size_t rows, size_t cols)
{
    p->w = copy_of(w, rows * cols);
    p->m = zeros(rows * cols);
    p->x = zeros(rows * cols);
    p->g = NULL;
    p->lr = 0.02F;
    p->momentum = 0.95F;
    polar_peer_create(&p->polar, p->x, rows, cols);
}

void muon_peer_destroy(muon_peer *p)
{
    free(p->w);
    free(p->m);
    free(p->x);
    polar_peer_destroy(&p->polar);
}

void muon_peer_step(muon_peer *p)
{
    float rows = (float)p->polar.rows, cols = (float)p->polar.cols;
    float size = p->lr * (rows > cols ? sqrtf(rows / cols) : 1), b = p->momentum;
    size_t count = (size_t)p->polar.rows * (size_t)p->polar.cols;
    for (size_t i = 0; i < count; i++)
        p->m[i] += (1 - b) * (p->g[i] - p->m[i]);
    for (size_t i = 0; i < count; i++)
        p->x[i] = p->g[i] + b * (p->m[i] - p->g[i]);
    polar_ns5_gemm(&p->polar);
    for (size_t i = 0; i < count; i++)
        p->w[i] -= size * p->polar.u[i];
}

/* ---- FISMO from the textbook ------------------------------------------------ */

static void set_identity(float *x, size_t n)
{
    memset(x, 0, n * n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i * n + i] = 1;
}

static void factor_create(textbook_factor *f, size_t n)
{
    f->n = (int)n;
    f->factor = zeros(n * n);
    f->inverse = zeros(n * n);
    f->inverse_root = zeros(n * n);
    f->vectors = zeros(n * n);
    f->scaled = zeros(n * n);
    f->values = zeros(n);
    f->work_size = (int)(1 + 6 * n + 2 * n * n);
    f->iwork_size = (int)(3 + 5 * n);
    f->work = zeros((size_t)f->work_size);
    f->iwork = malloc((size_t)f->iwork_size * sizeof *f->iwork);
    if (f->iwork == NULL)
        bench_fail("memory", "exhausted");
    set_identity(f->factor, n);
    set_identity(f->inverse, n);
    set_identity(f->inverse_root, n);
}

static void factor_destroy(textbook_factor *f)
{
    float *blocks[] = {f->factor, f->inverse, f->inverse_root, f->vectors,
                       f->scaled, f->values,  f->work};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
    free(f->iwork);
}

/* to <- V^T diag(values^exponent) V */
static void factor_power(textbook_factor *f, float *to, double exponent)
{
    size_t n = (size_t)f->n;
    for (size_t k = 0; k < n; k++) {
        float scale = (float)pow((double)f->values[k], exponent);
        for (size_t j = 0; j < n; j++)
            f->scaled[k * n + j] = scale * f->vectors[k * n + j];
    }
    row_gemm('T', 'N', f->n, f->n, f->n, 1, f->scaled, f->vectors, 0, to);
}

static double trace(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i * n + i];
    return sum;
}

/* factor holds decay factor + (1 - decay) gram: the damping, the trace, and
 * what follows from its eigenpairs */
static void factor_finish(textbook_factor *f, double shift)
{
    size_t n = (size_t)f->n;
    int info;
    for (size_t i = 0; i < n; i++)
        f->factor[i * n + i] += (float)shift;
    float scale = (float)((double)n / trace(f->factor, n));
    for (size_t i = 0; i < n; i++) /* P <- sym(m / tr(P) P), the symmetric part included */
        for (size_t j = 0; j <= i; j++)
            f->factor[i * n + j] = f->factor[j * n + i] =
                0.5F * scale * (f->factor[i * n + j] + f->factor[j * n + i]);
    memcpy(f->vectors, f->factor, n * n * sizeof *f->vectors);
    ssyevd_("V", "U", &f->n, f->vectors, &f->n, f->values, f->work, &f->work_size, f->iwork,
            &f->iwork_size, &info, 1, 1);
    if (info != 0)
        bench_fail("ssyevd", "no convergence");
    factor_power(f, f->inverse, -1);
    factor_power(f, f->inverse_root, -0.5);
}

void textbook_peer_create(textbook_peer *p, const float *w, size_t rows, size_t cols)
{
    p->w = copy_of(w, rows * cols);
    p->m = zeros(rows * cols);
    p->x = zeros(rows * cols);
    p->y = zeros(rows * cols);
    p->g = NULL;
    p->lr = 0.02F;
    p->momentum = p->ema_decay = 0.95F;
    p->damping = 1;
    factor_create(&p->p, rows);
    factor_create(&p->q, cols);
    polar_peer_create(&p->polar, p->m, rows, cols);
}

void textbook_peer_destroy(textbook_peer *p)
{
    float *blocks[] = {p->w, p->m, p->x, p->y};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
    factor_destroy(&p->p);
    factor_destroy(&p->q);
    polar_peer_destroy(&p->polar);
}

/* P from G Q^-1 G^T / n with the old Q, then Q from G^T P^-1 G / m */
static void update_factors(textbook_peer *p)
{
    int m = p->p.n, n = p->q.n;
    float rest = 1 - p->ema_decay, fm = (float)m, fn = (float)n;
    double shift_p = (double)(rest * p->damping) * trace(p->p.factor, (size_t)m) / m;
    double shift_q = (double)(rest * p->damping) * trace(p->q.factor, (size_t)n) / n;
    row_gemm('N', 'N', m, n, n, 1, p->g, p->q.inverse, 0, p->x);
    row_gemm('N', 'T', m, m, n, rest / fn, p->x, p->g, p->ema_decay, p->p.factor);
    factor_finish(&p->p, shift_p);
    row_gemm('N', 'N', m, n, m, 1, p->p.inverse, p->g, 0, p->x);
    row_gemm('T', 'N', n, n, m, rest / fm, p->g, p->x, p->ema_decay, p->q.factor);
    factor_finish(&p->q, shift_q);
}

/* to <- P^(-1/2) from Q^(-1/2) */
static void whiten(textbook_peer *p, const float *from, float *to)
{
    int m = p->p.n, n = p->q.n;
    row_gemm('N', 'N', m, n, m, 1, p->p.inverse_root, from, 0, p->x);
    row_gemm('N', 'N', m, n, n, 1, p->x, p->q.inverse_root, 0, to);
}

void textbook_peer_step(textbook_peer *p)
{
    size_t count = (size_t)p->p.n * (size_t)p->q.n;
    update_factors(p);
    whiten(p, p->g, p->y);
    for (size_t i = 0; i < count; i++)
        p->m[i] += (1 - p->momentum) * (p->y[i] - p->m[i]);
    polar_gesdd(&p->polar);
    whiten(p, p->polar.u, p->y);
    for (size_t i = 0; i < count; i++)
        p->w[i] -= p->lr * p->y[i];
}
