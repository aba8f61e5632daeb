#include "tests/bench/power_peers.h"

#include <math.h>
#include <stdlib.h>

#include "tests/bench/bench.h"
#include "tests/bench/row_major.h"

enum { ITERATIONS_MAX = 100 };
static const float tolerance = 1e-6F, settled = 0.5F;

void newton_peer_create(newton_peer *p, const float *a, size_t n)
{
    p->a = a;
    p->n = (int)n;
    p->x = bench_floats(n * n, 0, 1);
    p->m = bench_floats(n * n, 0, 1);
    p->next = bench_floats(n * n, 0, 1);
    p->scratch = bench_floats(n * n, 0, 1);
}

void newton_peer_destroy(newton_peer *p)
{
    free(p->x);
    free(p->m);
    free(p->next);
    free(p->scratch);
}

static void swap(float **a, float **b)
{
    float *held = *a;
    *a = *b;
    *b = held;
}

/* X = sqrt(z) I, M = z A with z = (p + 1) / (2 ||A||_F), so that the spectrum
 * of M lies in (0, p + 1) */
static void begin(newton_peer *p)
{
    size_t n = (size_t)p->n;
    double sum = 0;
    for (size_t i = 0; i < n * n; i++)
        sum += (double)p->a[i] * (double)p->a[i];
    float z = (float)(1.5 / sqrt(sum));
    for (size_t i = 0; i < n * n; i++) {
        p->m[i] = z * p->a[i];
        p->x[i] = 0;
    }
    for (size_t i = 0; i < n; i++)
        p->x[i * n + i] = sqrtf(z);
}

/* N = (3 I - M) / 2;  X <- X N,  M <- N^2 M */
static void iterate(newton_peer *p)
{
    size_t n = (size_t)p->n;
    float *step = p->scratch;
    for (size_t i = 0; i < n * n; i++)
        step[i] = -0.5F * p->m[i];
    for (size_t i = 0; i < n; i++)
        step[i * n + i] += 1.5F;
    row_gemm('N', 'N', p->n, p->n, p->n, 1, p->x, step, 0, p->next);
    swap(&p->x, &p->next);
    row_gemm('N', 'N', p->n, p->n, p->n, 1, step, p->m, 0, p->next);
    row_gemm('N', 'N', p->n, p->n, p->n, 1, step, p->next, 0, p->m);
}

static float distance_from_identity(const float *m, size_t n)
{
    float max = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            float d = fabsf(m[i * n + j] - (i == j ? 1 : 0));
            max = d > max ? d : max;
        }
    return max;
}

/* Until M is I; where float32 ends before that, until it comes no closer. On
 * its way there (`settled`) the error may stand still for a step. */
void newton_inverse_sqrt(void *data)
{
    newton_peer *p = data;
    float before;
    begin(p);
    p->error = distance_from_identity(p->m, (size_t)p->n);
    p->iterations = 0;
    do {
        before = p->error;
        iterate(p);
        p->error = distance_from_identity(p->m, (size_t)p->n);
        p->iterations++;
    } while (p->error > tolerance && (p->error < before || before > settled) &&
             p->iterations < ITERATIONS_MAX);
}
