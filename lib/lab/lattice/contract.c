/* R from tables of cumulants: third cumulants to Fourier space in both
 * displacements, one whitening a leg, sums of squares. With T so whitened at
 * the waves -k1 - k2, k1, k2
 *     |kappa|^2 = 1/n sum |T(k1, k2)|^2,  n = L^d,
 *     t_gamma = 1/n sum_k,alpha T_alpha_alpha_gamma(k, 0),  |tr kappa|^2 = n |t|^2.
 * The sum over k1 does not change when a component of k2 changes its sign (a
 * reflection), so that k2 runs over 0 ... L/2 on each axis.
 *
 * The spectrum is what takes memory, and its k2 are independent: each rank has a part of them, in
 * each pass a part of that. Positions x are divided among ranks too, row by row, and what a row is
 * in Fourier space goes to everybody. Sums are of one k2 each, and added in one order on all ranks:
 * the same bits for every number of ranks and passes. */
#include "lib/lab/lattice/lattice.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"
#include "lib/lab/lattice/wave.h"

enum { MAX_LEGS = NGI_SPECIES * NGI_SPECIES * NGI_SPECIES, ROUNDINGS = 2 };

/* What one k2 leaves: sum |T|^2, the square of what errors of 1 in every third cumulant would make
 * of it if they were independent, and t_gamma before 1/n. */
typedef struct {
    double square, third, trace[NGI_SPECIES];
} part;
enum { PART = sizeof(part) / sizeof(double) };

typedef struct {
    size_t dim, length, half, sites, rows, legs, waves; /* rows L^(d-1), legs d^3, waves half^d */
    size_t first, last; /* k2 of this rank in this pass: first ... last - 1 */
    ngi_division division;
    ngi_wave wave;
    double *spectrum; /* [k2 - first][leg][row of x][re L | im L] */
    double *planes;   /* [leg][y], and room for a complex field */
    double *strip;    /* [x on the last axis][leg][k2 rows][re half | im half] */
    double *arriving; /* another rank's strip */
    part *parts;      /* [k2] */
    double *out;      /* what a transform gives */
    double *scratch;
    ngi_complex *fisher;    /* [k][d][d], with e^(+ikx) */
    ngi_complex *whitening; /* [k][d][d] */
    double *stretch;        /* [k]: squared Frobenius norm of the whitening */
} contraction;

/* Doubles of each array. */
typedef struct {
    size_t spectrum, planes, strip, arriving, parts, out, scratch, blocks, sites;
} sizes;

static sizes sizes_of(size_t dim, size_t length, size_t ranks, size_t passes)
{
    size_t half = length / 2 + 1, sites = ngi_power(length, dim), legs = dim * dim * dim;
    size_t field = legs * 2 * sites, waves = ngi_power(half, dim), units = ranks * passes;
    size_t strip = length * legs * 2 * waves;
    sizes s = {.spectrum = (waves + units - 1) / units * field,
               .planes = field,
               .strip = strip,
               .arriving = ranks > 1 ? strip : 0,
               .parts = waves * PART,
               .out = field,
               .scratch = 2 * field,
               .blocks = 2 * dim * dim * sites,
               .sites = sites};
    return s;
}

size_t ngi_contract_memory(size_t dim, size_t length, size_t ranks, size_t passes)
{
    if (ngi_torus_check(dim, length, NULL) != NG_OK || ngi_power(length, 2 * dim) > SIZE_MAX >> 11)
        return SIZE_MAX;
    sizes s = sizes_of(dim, length, ranks, passes);
    return sizeof(double) * (s.spectrum + s.planes + s.strip + s.arriving + s.parts + s.out +
                             s.scratch + 2 * s.blocks + s.sites + ngi_wave_numbers(length));
}

size_t ng_cumulants_curvature_memory(size_t dim, size_t length)
{
    return ngi_contract_memory(dim, length, 1, 1);
}

static void destroy(contraction *c)
{
    ngi_wave_destroy(&c->wave);
    free(c->spectrum);
    free(c->planes);
    free(c->strip);
    free(c->arriving);
    free(c->parts);
    free(c->out);
    free(c->scratch);
    free(c->fisher);
    free(c->whitening);
    free(c->stretch);
}

static ng_status create(contraction *c, size_t dim, size_t length, ng_error *error)
{
    size_t ranks = c->division.ranks, passes = c->division.passes;
    size_t memory = ngi_contract_memory(dim, length, ranks, passes);
    if (memory == SIZE_MAX)
        return ng_error_set(error, NG_ERANGE, "L = %zu is too large", length);
    sizes s = sizes_of(dim, length, ranks, passes);
    c->dim = dim;
    c->length = length;
    c->half = length / 2 + 1;
    c->sites = ngi_power(length, dim);
    c->rows = c->sites / length;
    c->legs = dim * dim * dim;
    c->waves = ngi_power(c->half, dim);
    c->spectrum = malloc(s.spectrum * sizeof(double));
    c->planes = malloc(s.planes * sizeof(double));
    c->strip = malloc(s.strip * sizeof(double));
    c->arriving = malloc(s.arriving * sizeof(double) + 1);
    c->parts = malloc(s.parts * sizeof(double));
    c->out = malloc(s.out * sizeof(double));
    c->scratch = malloc(s.scratch * sizeof(double));
    c->fisher = malloc(s.blocks * sizeof(double));
    c->whitening = malloc(s.blocks * sizeof(double));
    c->stretch = malloc(s.sites * sizeof(double));
    if (c->spectrum == NULL || c->planes == NULL || c->strip == NULL || c->arriving == NULL ||
        c->parts == NULL || c->out == NULL || c->scratch == NULL || c->fisher == NULL ||
        c->whitening == NULL || c->stretch == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for the curvature at L = %zu: %zu bytes",
                            length, memory);
    return ngi_wave_create(&c->wave, dim, length, error);
}

/* ---- F(k) ----------------------------------------------------------------- */

static ng_status whiten_all(contraction *c, const double *fisher, ng_error *error)
{
    size_t length = c->length, d = c->dim, pairs = d * d;
    for (size_t row = 0; row < pairs * c->rows; row++) {
        memcpy(c->planes + 2 * length * row, fisher + length * row, length * sizeof(double));
        memset(c->planes + 2 * length * row + length, 0, length * sizeof(double));
    }
    TRY(ngi_wave_full(&c->wave, c->out, c->scratch, c->planes, pairs, error));
    for (size_t k = 0; k < c->sites; k++) {
        const double *re = c->out + k / length * 2 * length + k % length, *im = re + length;
        for (size_t a = 0; a < d; a++)
            for (size_t b = 0; b < d; b++) { /* Hermitian to the last bit */
                size_t ab = 2 * c->sites * (a * d + b), ba = 2 * c->sites * (b * d + a);
                c->fisher[k * pairs + a * d + b] =
                    (ngi_complex){0.5 * (re[ab] + re[ba]), 0.5 * (im[ba] - im[ab])};
            }
    }
    TRY(ngi_whiten(c->whitening, c->fisher, c->sites, d, error));
    for (size_t k = 0; k < c->sites; k++) {
        c->stretch[k] = 0;
        for (size_t i = k * pairs; i < (k + 1) * pairs; i++)
            c->stretch[k] +=
                c->whitening[i].re * c->whitening[i].re + c->whitening[i].im * c->whitening[i].im;
    }
    return NG_OK;
}

/* ---- To Fourier space ----------------------------------------------------- */

/* One row of x: strip [x][leg][k row][re, im][k] -> spectrum[k][leg][row][re, im][x] */
static void flush(contraction *c, const double *strip, size_t row)
{
    size_t length = c->length, half = c->half, field = c->waves * 2;
    for (size_t leg = 0; leg < c->legs; leg++)
        for (size_t k = c->first; k < c->last; k++) {
            const double *re = strip + leg * field + k / half * 2 * half + k % half;
            double *to =
                c->spectrum + (((k - c->first) * c->legs + leg) * c->rows + row) * 2 * length;
            for (size_t x = 0; x < length; x++, re += c->legs * field) {
                to[x] = re[0];
                to[length + x] = re[half];
            }
        }
}

static ng_status fill_strip(contraction *c, size_t row, ng_cumulant_planes planes, void *data,
                            ng_error *error)
{
    size_t field = c->waves * 2;
    for (size_t x = 0; x < c->length; x++) {
        TRY(planes(data, c->planes, row * c->length + x, error));
        TRY(ngi_wave_half(&c->wave, c->out, c->scratch, c->planes, c->legs, error));
        memcpy(c->strip + x * c->legs * field, c->out, c->legs * field * sizeof(double));
    }
    return NG_OK;
}

/* The rank's strip, here. */
static const double *bring_strip(contraction *c, size_t rank)
{
    const ng_exchange *e = c->division.exchange;
    double *strip = rank == c->division.rank ? c->strip : c->arriving;
    size_t count = c->length * c->legs * c->waves * 2;
    ng_exchange_item item = {ng_f64(strip, 1, count), (int)rank};
    if (e != NULL)
        e->share(e->data, &item, 1);
    return strip;
}

static ng_status transform(contraction *c, ng_cumulant_planes planes, void *data, ng_error *error)
{
    size_t ranks = c->division.ranks;
    for (size_t begin = 0; begin < c->rows; begin += ranks) {
        size_t own = begin + c->division.rank;
        ng_status status = own < c->rows ? fill_strip(c, own, planes, data, error) : NG_OK;
        TRY(ngi_agree(&c->division, status, error));
        for (size_t r = 0; r < ranks && begin + r < c->rows; r++)
            flush(c, bring_strip(c, r), begin + r);
    }
    return NG_OK;
}

/* ---- Sums ------------------------------------------------------------------ */

/* All k1 of one k2. */
static part sum_waves(const contraction *c, size_t q)
{
    size_t d = c->dim, length = c->length, pairs = d * d;
    part p = {0};
    ngi_complex t[MAX_LEGS];
    for (size_t k = 0; k < c->sites; k++) {
        const double *re = c->out + k / length * 2 * length + k % length;
        size_t rest = ngi_site_negate(d, length, ngi_site_add(d, length, k, q));
        for (size_t leg = 0; leg < c->legs; leg++, re += 2 * c->sites)
            t[leg] = (ngi_complex){re[0], re[length]};
        double square = ngi_whiten_third(t, c->whitening + rest * pairs, c->whitening + k * pairs,
                                         c->whitening + q * pairs, d);
        p.square += square;
        p.third += square * c->stretch[rest] * c->stretch[k];
        for (size_t a = 0; q == 0 && a < d; a++)
            for (size_t g = 0; g < d; g++)
                p.trace[g] += t[(a * d + a) * d + g].re;
    }
    return p;
}

/* half-space number k2 -> its wave, and how many k2 it stands for */
static size_t unfold(const contraction *c, size_t k, double *weight)
{
    size_t wave = 0, place = 1;
    *weight = 1;
    for (size_t axis = 0; axis < c->dim; axis++, place *= c->length, k /= c->half) {
        size_t component = k % c->half;
        wave += component * place;
        *weight *= component == 0 || 2 * component == c->length ? 1 : 2;
    }
    return wave;
}

/* k2 of a rank in a pass */
static size_t first_of(const contraction *c, size_t pass, size_t rank)
{
    return c->waves * (pass * c->division.ranks + rank) / (c->division.passes * c->division.ranks);
}

static ng_status sum_parts(contraction *c, ng_error *error)
{
    double weight;
    size_t field = c->legs * 2 * c->sites;
    for (size_t k = c->first; k < c->last; k++) {
        TRY(ngi_wave_full(&c->wave, c->out, c->scratch, c->spectrum + (k - c->first) * field,
                          c->legs, error));
        c->parts[k] = sum_waves(c, unfold(c, k, &weight));
    }
    return NG_OK;
}

/* Everybody's parts of a pass, here. */
static void share_parts(contraction *c, size_t pass)
{
    const ng_exchange *e = c->division.exchange;
    for (size_t r = 0; e != NULL && r < c->division.ranks; r++) {
        size_t first = first_of(c, pass, r), count = first_of(c, pass, r + 1) - first;
        double *numbers = (double *)(void *)(c->parts + first);
        ng_exchange_item item = {ng_f64(numbers, 1, count * PART), (int)r};
        if (count > 0)
            e->share(e->data, &item, 1);
    }
}

/* What rounding leaves of |kappa|^2, relative. Cumulants are differences of numbers of size 1, so
 * each has an error of about eps; their sums over n and n^2 displacements sqrt(n) and n
 * of these. Whitening stretches them: T by |C^-1| on each of three legs, and by |C^-1|^2 times
 * the error of F: third and second are the squares of both. */
static double rounding(double square, double third, double second, double n)
{
    if (!(square > 0))
        return 0;
    return ROUNDINGS * DBL_EPSILON *
           (1 + 2 * n * sqrt(third) / square + 3 * sqrt(n) * sqrt(second) / square);
}

static ng_status add_parts(const contraction *c, ng_lattice_curvature *result, ng_error *error)
{
    double square = 0, third = 0, second = 0, norm = 0, n = (double)c->sites;
    for (size_t k = 0; k < c->waves; k++) {
        const part *p = &c->parts[k];
        double weight, stretch = c->stretch[unfold(c, k, &weight)];
        square += weight * p->square;
        third += weight * p->third * stretch;
        second += weight * (p->square * stretch) * (p->square * stretch);
    }
    for (size_t g = 0; g < c->dim; g++) /* k2 = 0 alone has a trace */
        norm += c->parts[0].trace[g] * c->parts[0].trace[g];
    ng_lattice_curvature r = {.square = square / n, .trace = norm / n};
    r.curvature = 0.25 * (r.square - r.trace);
    r.rounding = rounding(square, third, second, n) * 0.25 * (r.square + r.trace);
    if (!isfinite(r.curvature))
        return ng_error_set(error, NG_ENONFINITE, "third cumulants at L = %zu are not finite",
                            c->length);
    *result = r;
    return NG_OK;
}

/* ---- The calls -------------------------------------------------------------- */

static ng_status check(ng_lattice_curvature *result, const ng_cumulants *c, ng_error *error)
{
    if (result == NULL || c == NULL || c->fisher == NULL)
        return ng_error_set(error, NG_EARG, "result, c or c->fisher is NULL");
    return ngi_torus_check(c->dimension, c->length, error);
}

static ng_status prepare(contraction *work, const ng_cumulants *c, ng_error *error)
{
    TRY(create(work, c->dimension, c->length, error));
    return whiten_all(work, c->fisher, error);
}

static ng_status run(contraction *work, ng_lattice_curvature *result, const ng_cumulants *c,
                     ng_cumulant_planes planes, void *data, ng_error *error)
{
    TRY(ngi_agree(&work->division, prepare(work, c, error), error));
    for (size_t pass = 0; pass < work->division.passes; pass++) {
        work->first = first_of(work, pass, work->division.rank);
        work->last = first_of(work, pass, work->division.rank + 1);
        TRY(transform(work, planes, data, error));
        TRY(ngi_agree(&work->division, sum_parts(work, error), error));
        share_parts(work, pass);
    }
    return add_parts(work, result, error);
}

ng_status ngi_contract(ng_lattice_curvature *result, const ng_cumulants *c,
                       ng_cumulant_planes planes, void *data, const ngi_division *division,
                       ng_error *error)
{
    contraction work = {.division = *division};
    ng_status status = run(&work, result, c, planes, data, error);
    destroy(&work);
    return status;
}

ng_status ng_cumulants_curvature_from(ng_lattice_curvature *result, const ng_cumulants *c,
                                      ng_cumulant_planes planes, void *data, ng_error *error)
{
    const ngi_division alone = {.ranks = 1, .passes = 1};
    TRY(check(result, c, error));
    if (planes == NULL)
        return ng_error_set(error, NG_EARG, "planes is NULL");
    return ngi_contract(result, c, planes, data, &alone, error);
}

static ng_status stored_planes(void *data, double *planes, size_t x, ng_error *error)
{
    const ng_cumulants *c = data;
    size_t sites = ngi_power(c->length, c->dimension);
    (void)error;
    for (size_t leg = 0; leg < c->dimension * c->dimension * c->dimension; leg++)
        memcpy(planes + leg * sites, c->third + (leg * sites + x) * sites, sites * sizeof *planes);
    return NG_OK;
}

ng_status ng_cumulants_curvature(ng_lattice_curvature *result, const ng_cumulants *c,
                                 ng_error *error)
{
    ng_cumulants copy;
    TRY(check(result, c, error));
    if (c->third == NULL)
        return ng_error_set(error, NG_EARG, "c->third is NULL");
    copy = *c;
    return ng_cumulants_curvature_from(result, &copy, stored_planes, &copy, error);
}
