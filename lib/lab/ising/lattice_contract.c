/* From tables over displacements to R: a transform along every axis, then sums
 * over momentum triples. The lengths are small and the transform is a fraction
 * of the work that made the tables, so each axis is a plain sum. */
#include "lib/lab/ising/lattice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    size_t d, length, n, axes; /* axes of one table: 2 d */
    ngi_orbits orbits;
    ngi_complex *wave;              /* L: exp(-2 pi i j / L) */
    ngi_complex *table;             /* n^2 */
    ngi_complex *line;              /* n^2 / L x L: one axis' worth */
    ngi_complex *spectrum;          /* orbits.count d^3 */
    ngi_complex *fisher, *whitener; /* n d^2 */
} plan;

static size_t plan_bytes(size_t d, size_t n)
{
    size_t classes = ngi_orbits_memory(n) / sizeof(ngi_triple);
    size_t spectrum = ngi_mul(ngi_mul(classes, d * d * d), sizeof(ngi_complex));
    size_t tables =
        ngi_mul(ngi_add(ngi_mul(ngi_mul(n, n), 2), ngi_mul(2 * d * d, n)), sizeof(ngi_complex));
    return ngi_add(ngi_orbits_memory(n), ngi_add(spectrum, tables));
}

size_t ng_cumulants_memory(size_t dimension, size_t length)
{
    return plan_bytes(dimension, ngi_power(length, dimension));
}

static void plan_free(plan *p)
{
    ngi_orbits_destroy(&p->orbits);
    free(p->wave);
    free(p->table);
    free(p->line);
    free(p->spectrum);
    free(p->fisher);
    free(p->whitener);
}

static ng_status plan_create(plan *p, size_t d, size_t length, ng_error *error)
{
    size_t n = ngi_power(length, d), block = d * d;
    *p = (plan){.d = d, .length = length, .n = n, .axes = 2 * d};
    ng_status status = ngi_orbits_create(&p->orbits, d, length, error);
    if (status != NG_OK)
        return status;
    p->wave = malloc(length * sizeof *p->wave);
    p->table = malloc(n * n * sizeof *p->table);
    p->line = malloc(n * n * sizeof *p->line);
    p->spectrum = malloc(p->orbits.count * block * d * sizeof *p->spectrum);
    p->fisher = malloc(n * block * sizeof *p->fisher);
    p->whitener = malloc(n * block * sizeof *p->whitener);
    if (p->wave == NULL || p->table == NULL || p->line == NULL || p->spectrum == NULL ||
        p->fisher == NULL || p->whitener == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory to contract the cumulants of L = %zu",
                            length);
    const double pi = 3.14159265358979323846;
    for (size_t j = 0; j < length; j++) {
        double angle = 2 * pi * (double)j / (double)length;
        p->wave[j] = (ngi_complex){cos(angle), -sin(angle)};
    }
    return NG_OK;
}

/* table (extents L^axes) <- its Fourier transform, exp(-ikx) along every axis */
static void transform(plan *p, size_t axes)
{
    size_t total = ngi_power(p->length, axes), inner = 1;
    for (size_t axis = 0; axis < axes; axis++, inner *= p->length) {
        size_t chunk = inner * p->length;
        memset(p->line, 0, total * sizeof *p->line);
        for (size_t at = 0; at < total; at += chunk)
            for (size_t k = 0; k < p->length; k++)
                for (size_t x = 0; x < p->length; x++) {
                    const ngi_complex w = p->wave[k * x % p->length];
                    const ngi_complex *from = p->table + at + x * inner;
                    ngi_complex *to = p->line + at + k * inner;
                    for (size_t i = 0; i < inner; i++) {
                        to[i].re += w.re * from[i].re - w.im * from[i].im;
                        to[i].im += w.re * from[i].im + w.im * from[i].re;
                    }
                }
        ngi_complex *swap = p->table;
        p->table = p->line;
        p->line = swap;
    }
}

static void load(plan *p, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        p->table[i] = (ngi_complex){values[i], 0};
}

/* Site x + L^d y of a table over (x, y) is stored at x n + y: the axes of y
 * come first, which the transform does not mind. */
static void transform_third(plan *p, const double *third)
{
    const size_t cube = p->d * p->d * p->d;
    for (size_t abc = 0; abc < cube; abc++) {
        load(p, third + abc * p->n * p->n, p->n * p->n);
        transform(p, p->axes);
        for (size_t i = 0; i < p->orbits.count; i++) {
            const uint32_t *k = p->orbits.triple[i].k;
            p->spectrum[i * cube + abc] = p->table[k[1] * p->n + k[2]];
        }
    }
}

/* f_ab(k), with the sign of ngi_whiten, made Hermitian to the last bit. */
static void transform_fisher(plan *p, const double *fisher)
{
    const size_t d = p->d, block = d * d;
    for (size_t ab = 0; ab < block; ab++) {
        load(p, fisher + ab * p->n, p->n);
        transform(p, p->axes / 2);
        for (size_t k = 0; k < p->n; k++)
            p->fisher[k * block + ab] = (ngi_complex){p->table[k].re, -p->table[k].im};
    }
    for (size_t k = 0; k < p->n; k++)
        for (size_t a = 0; a < d; a++)
            for (size_t b = 0; b <= a; b++) {
                ngi_complex *u = &p->fisher[k * block + a * d + b];
                ngi_complex *v = &p->fisher[k * block + b * d + a];
                const ngi_complex mean = {(u->re + v->re) / 2, (u->im - v->im) / 2};
                *u = mean;
                *v = (ngi_complex){mean.re, -mean.im};
            }
}

static int finite(const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return 0;
    return 1;
}

ng_status ng_cumulants_contract(ng_lattice_curvature *curvature, const ng_cumulants *cumulants,
                                ng_error *error)
{
    if (curvature == NULL || cumulants == NULL || cumulants->fisher == NULL ||
        cumulants->third == NULL)
        return ng_error_set(error, NG_EARG, "%s is NULL",
                            curvature == NULL ? "curvature" : "a table of cumulants");
    size_t d = cumulants->dimension, n = ngi_power(cumulants->length, d);
    if (!finite(cumulants->fisher, d * d * n) || !finite(cumulants->third, d * d * d * n * n))
        return ng_error_set(error, NG_ENONFINITE, "cumulants of L = %zu: NaN or infinity",
                            cumulants->length);
    plan p;
    ng_status status = plan_create(&p, d, cumulants->length, error);
    if (status == NG_OK) {
        transform_fisher(&p, cumulants->fisher);
        status = ngi_whiten(p.whitener, p.fisher, n, d, error);
    }
    if (status == NG_OK) {
        double t[NGI_SPECIES], trace = 0;
        transform_third(&p, cumulants->third);
        double square = ngi_squares(t, &p.orbits, p.whitener, p.spectrum);
        for (size_t c = 0; c < d; c++)
            trace += (double)n * t[c] * t[c];
        *curvature = (ng_lattice_curvature){(square - trace) / 4, square, trace};
    }
    plan_free(&p);
    return status;
}
