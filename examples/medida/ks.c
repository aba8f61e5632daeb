/* Kuramoto and Sivashinsky's equation on a circle by Fourier's series. */
#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "examples/medida/medida.h"

static const double pi = 3.14159265358979323846;

/* ---- Transforms --------------------------------------------------------------------------------
 */

/* v <- sum_j v_j exp(sign 2 pi i j k / N), N a power of two */
static void transform(double complex *v, int sign)
{
    static double complex turn[N / 2];
    if (turn[0] == 0)
        for (size_t k = 0; k < N / 2; k++)
            turn[k] = cexp(CMPLX(0, -2 * pi * (double)k / N));
    for (size_t i = 1, j = 0; i < N; i++) {
        size_t bit = N >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            double complex swap = v[i];
            v[i] = v[j];
            v[j] = swap;
        }
    }
    for (size_t half = 1; half < N; half *= 2)
        for (size_t start = 0; start < N; start += 2 * half)
            for (size_t k = 0; k < half; k++) {
                double complex w = turn[k * (N / 2 / half)];
                double complex odd = v[start + k + half] * (sign < 0 ? w : conj(w));
                v[start + k + half] = v[start + k] - odd;
                v[start + k] += odd;
            }
}

static void forward(double complex *v, const double *u)
{
    for (size_t i = 0; i < N; i++)
        v[i] = u[i];
    transform(v, -1);
}

static void backward(double *u, const double complex *v)
{
    double complex w[N];
    memcpy(w, v, sizeof w);
    transform(w, 1);
    for (size_t i = 0; i < N; i++)
        u[i] = creal(w[i]) / N;
}

static double wave(size_t k)
{
    return 2 * pi / LENGTH * (k <= N / 2 ? (double)k : (double)k - N);
}

/* The q-th derivative; the wave that has no sign has no odd ones. */
static void derive(double complex *out, const double complex *v, int q)
{
    for (size_t k = 0; k < N; k++) {
        out[k] = k == N / 2 && q % 2 == 1 ? 0 : v[k];
        for (int i = 0; i < q; i++)
            out[k] *= CMPLX(0, wave(k));
    }
}

/* ---- The two integrators -----------------------------------------------------------------------
 */

/* -(c_0 (u^2)_x / 2 + c_4 (u^3)_x / 3), transformed */
static void products(double complex *out, const double complex *v, const double *c)
{
    double u[N], w[N];
    double complex flux[N];
    backward(u, v);
    for (size_t i = 0; i < N; i++)
        w[i] = -u[i] * u[i] * (c[0] / 2 + c[4] * u[i] / 3);
    forward(flux, w);
    derive(out, flux, 1);
}

static double complex symbol(size_t k, const double *c)
{
    double w = wave(k), square = w * w;
    return c[1] * square - c[2] * square * square + (k == N / 2 ? 0 : CMPLX(0, c[3] * w * square));
}

static const double truth[COEFFICIENTS] = {1, 1, 1, 0, 0};

/* Kassam and Trefethen's weights (2005): means over a circle around z = step times the symbol. */
typedef struct {
    double step, whole[N], half[N], q[N], f[3][N];
} weights;

static void set_weights(weights *e, double step)
{
    enum { POINTS = 32 };
    memset(e, 0, sizeof *e);
    e->step = step;
    for (size_t k = 0; k < N; k++) {
        double z = step * creal(symbol(k, truth));
        e->whole[k] = exp(z);
        e->half[k] = exp(z / 2);
        for (int j = 0; j < POINTS; j++) {
            double complex r = z + cexp(CMPLX(0, pi * (j + 0.5) / POINTS)), x = cexp(r),
                           cube = r * r * r;
            e->q[k] += step / POINTS * creal((cexp(r / 2) - 1) / r);
            e->f[0][k] += step / POINTS * creal((-4 - r + x * (4 - 3 * r + r * r)) / cube);
            e->f[1][k] += step / POINTS * creal((2 + r + x * (r - 2)) / cube);
            e->f[2][k] += step / POINTS * creal((-4 - 3 * r - r * r + x * (4 - r)) / cube);
        }
    }
}

void ks_truth(double *u, double step, size_t count)
{
    static weights e;
    double complex v[N], a[N], b[N], c[N], n[4][N];
    if (e.step != step)
        set_weights(&e, step);
    forward(v, u);
    for (size_t i = 0; i < count; i++) {
        products(n[0], v, truth);
        for (size_t k = 0; k < N; k++)
            a[k] = e.half[k] * v[k] + e.q[k] * n[0][k];
        products(n[1], a, truth);
        for (size_t k = 0; k < N; k++)
            b[k] = e.half[k] * v[k] + e.q[k] * n[1][k];
        products(n[2], b, truth);
        for (size_t k = 0; k < N; k++)
            c[k] = e.half[k] * a[k] + e.q[k] * (2 * n[2][k] - n[0][k]);
        products(n[3], c, truth);
        for (size_t k = 0; k < N; k++)
            v[k] = e.whole[k] * v[k] + e.f[0][k] * n[0][k] + 2 * e.f[1][k] * (n[1][k] + n[2][k]) +
                   e.f[2][k] * n[3][k];
    }
    backward(u, v);
}

void ks_model(double *next, const double *u, const double *before, const double *c, double step)
{
    double complex v[N], old[N], now[N], then[N];
    forward(v, u);
    forward(old, before);
    products(now, v, c);
    products(then, old, c);
    for (size_t k = 0; k < N; k++) {
        double complex l = 0.5 * step * symbol(k, c);
        v[k] = ((1 + l) * v[k] + step * (1.5 * now[k] - 0.5 * then[k])) / (1 - l);
    }
    backward(next, v);
}

/* ---- Terms
 * --------------------------------------------------------------------------------------- */

void ks_terms(ng_mat phi, size_t first, const double *u)
{
    double complex v[N], d[N];
    double derivative[5][N];
    forward(v, u);
    for (int q = 1; q < 5; q++) {
        derive(d, v, q);
        backward(derivative[q], d);
    }
    for (size_t j = 0; j < N; j++)
        for (size_t p = 0; p < 5; p++)
            for (size_t q = p == 0; q < 5; q++)
                ng_mat_set(phi, first + j, ks_term(p, q),
                           pow(u[j], (double)p) * (q == 0 ? 1 : derivative[q][j]));
}

size_t ks_term(size_t p, size_t q)
{
    return 5 * p + q - 1;
}

const char *ks_term_name(size_t i)
{
    static const char *const derivative[] = {"", "u_x", "u_xx", "u_xxx", "u_xxxx"};
    static char name[32];
    const size_t p = (i + 1) / 5, q = (i + 1) % 5;
    if (p == 0)
        return derivative[q];
    if (p == 1)
        snprintf(name, sizeof name, "u%s%s", q > 0 ? "_times_" : "", derivative[q]);
    else
        snprintf(name, sizeof name, "u^%zu%s%s", p, q > 0 ? "_times_" : "", derivative[q]);
    return name;
}
