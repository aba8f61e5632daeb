/* A row-major matrix is, to Fortran, its transpose: here `lead` x `other` =
 * cols x rows with leading dimension cols. */
#include "tests/bench/polar_peers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench.h"

void sgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k,
            const float *alpha, const float *a, const int *lda, const float *b, const int *ldb,
            const float *beta, float *c, const int *ldc, size_t, size_t);
void dgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k,
            const double *alpha, const double *a, const int *lda, const double *b, const int *ldb,
            const double *beta, double *c, const int *ldc, size_t, size_t);
void ssyrk_(const char *uplo, const char *trans, const int *n, const int *k, const float *alpha,
            const float *a, const int *lda, const float *beta, float *c, const int *ldc, size_t,
            size_t);
void ssymm_(const char *side, const char *uplo, const int *m, const int *n, const float *alpha,
            const float *a, const int *lda, const float *b, const int *ldb, const float *beta,
            float *c, const int *ldc, size_t, size_t);
void sgesdd_(const char *jobz, const int *m, const int *n, float *a, const int *lda, float *s,
             float *u, const int *ldu, float *vt, const int *ldvt, float *work, const int *lwork,
             int *iwork, int *info, size_t);

static const float one = 1, zero = 0;

static void gemm(char ta, char tb, int m, int n, int k, float alpha, const float *a, int lda,
                 const float *b, int ldb, float beta, float *c, int ldc)
{
    sgemm_(&ta, &tb, &m, &n, &k, &alpha, a, &lda, b, &ldb, &beta, c, &ldc, 1, 1);
}

static size_t count(const polar_peer *p)
{
    return (size_t)p->rows * (size_t)p->cols;
}

void polar_peer_create(polar_peer *p, const float *x, size_t rows, size_t cols)
{
    size_t small = rows < cols ? rows : cols;
    float size = 0;
    int query = -1, info;
    p->x = x;
    p->rows = (int)rows;
    p->cols = (int)cols;
    p->small = (int)small;
    p->u = bench_floats(rows * cols, 0, 1);
    p->a = bench_floats(rows * cols, 0, 1);
    p->b = bench_floats(rows * cols, 0, 1);
    p->gram = bench_floats(small * small, 0, 1);
    p->square = bench_floats(small * small, 0, 1);
    p->left = bench_floats(cols * small, 0, 1);
    p->right = bench_floats(small * rows, 0, 1);
    p->values = bench_floats(small, 0, 1);
    p->iwork = malloc(8 * small * sizeof *p->iwork);
    sgesdd_("S", &p->cols, &p->rows, p->a, &p->cols, p->values, p->left, &p->cols, p->right,
            &p->small, &size, &query, p->iwork, &info, 1);
    p->work_size = (int)size + 1024; /* small sizes: a float holds them exactly */
    p->work = bench_floats((size_t)p->work_size, 0, 1);
    if (p->iwork == NULL)
        bench_fail("memory", "exhausted");
}

void polar_peer_destroy(polar_peer *p)
{
    float *blocks[] = {p->u,    p->a,     p->b,      p->gram, p->square,
                       p->left, p->right, p->values, p->work};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
    free(p->iwork);
}

void polar_gesdd(void *data)
{
    polar_peer *p = data;
    int info;
    memcpy(p->a, p->x, count(p) * sizeof *p->a);
    sgesdd_("S", &p->cols, &p->rows, p->a, &p->cols, p->values, p->left, &p->cols, p->right,
            &p->small, p->work, &p->work_size, p->iwork, &info, 1);
    if (info != 0)
        bench_fail("sgesdd", "no convergence");
    gemm('N', 'N', p->cols, p->rows, p->small, one, p->left, p->cols, p->right, p->small, zero,
         p->u, p->cols);
}

/* ---- Newton-Schulz ---------------------------------------------------------- */

static const float muon[3] = {3.4445F, -4.7750F, 2.0315F};

/* x / (||x|| + 1e-7) */
static void normalise(const polar_peer *p, float *to)
{
    double sum = 0;
    for (size_t i = 0; i < count(p); i++)
        sum += (double)p->x[i] * (double)p->x[i];
    float factor = (float)(1 / (sqrt(sum) + 1e-7));
    for (size_t i = 0; i < count(p); i++)
        to[i] = factor * p->x[i];
}

/* next <- a x + (b G + c G^2) x with G the Gram matrix of the smaller side */
static void quintic_gemm(const polar_peer *p, float *next, const float *x)
{
    int k = p->small, lead = p->cols, other = p->rows;
    size_t square = (size_t)k * (size_t)k;
    if (other == k)
        gemm('T', 'N', k, k, lead, one, x, lead, x, lead, zero, p->gram, k);
    else
        gemm('N', 'T', k, k, other, one, x, lead, x, lead, zero, p->gram, k);
    memcpy(p->square, p->gram, square * sizeof *p->square);
    gemm('N', 'N', k, k, k, muon[2], p->gram, k, p->gram, k, muon[1], p->square, k);
    memcpy(next, x, count(p) * sizeof *next);
    if (other == k)
        gemm('N', 'N', lead, k, k, one, x, lead, p->square, k, muon[0], next, lead);
    else
        gemm('N', 'N', k, other, k, one, p->square, k, x, lead, muon[0], next, lead);
}

static void mirror(float *lower, size_t n)
{
    enum { TILE = 32 };
    for (size_t i0 = 0; i0 < n; i0 += TILE)
        for (size_t j0 = 0; j0 <= i0; j0 += TILE)
            for (size_t i = i0; i < i0 + TILE && i < n; i++)
                for (size_t j = j0; j < j0 + TILE && j < i; j++)
                    lower[i * n + j] = lower[j * n + i];
}

static void quintic_syrk(const polar_peer *p, float *next, const float *x)
{
    int k = p->small, lead = p->cols, other = p->rows, inner = lead == k ? other : lead;
    size_t square = (size_t)k * (size_t)k;
    ssyrk_("L", other == k ? "T" : "N", &k, &inner, &one, x, &lead, &zero, p->gram, &k, 1, 1);
    mirror(p->gram, (size_t)k);
    memcpy(p->square, p->gram, square * sizeof *p->square);
    ssyrk_("L", "N", &k, &k, &muon[2], p->gram, &k, &muon[1], p->square, &k, 1, 1);
    memcpy(next, x, count(p) * sizeof *next);
    ssymm_(other == k ? "R" : "L", "L", &lead, &other, &one, p->square, &k, x, &lead, &muon[0],
           next, &lead, 1, 1);
}

static void newton_schulz(polar_peer *p,
                          void (*quintic)(const polar_peer *, float *, const float *))
{
    normalise(p, p->a);
    quintic(p, p->b, p->a);
    quintic(p, p->a, p->b);
    quintic(p, p->b, p->a);
    quintic(p, p->a, p->b);
    quintic(p, p->u, p->a);
}

void polar_ns5_gemm(void *data)
{
    newton_schulz(data, quintic_gemm);
}

void polar_ns5_syrk(void *data)
{
    newton_schulz(data, quintic_syrk);
}

/* ---- The machine ------------------------------------------------------------ */

void machine_sgemm(void *data)
{
    gemm_job *j = data;
    gemm('N', 'N', j->n, j->n, j->n, one, j->a, j->n, j->b, j->n, zero, j->c, j->n);
}

void machine_dgemm(void *data)
{
    static const double alpha = 1, beta = 0;
    gemm_job *j = data;
    dgemm_("N", "N", &j->n, &j->n, &j->n, &alpha, j->a, &j->n, j->b, &j->n, &beta, j->c, &j->n, 1,
           1);
}
