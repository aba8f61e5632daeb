/* From the chains' moments to R: averages over the point group, cross-block
 * squares, the jackknife that deletes one chain, and autocorrelation times. */
#include "lib/lab/lattice/montecarlo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"

typedef struct {
    const ngi_walk *walk;
    size_t d, n, block, cube, blocks;
    uint32_t *index;       /* n^2: class of the sorted triple (k0, k1, .), from k0 n + k1 */
    double *memory;        /* the blocks' averages, then the sum of some */
    size_t doubles;        /* of one of them */
    ngi_complex *spectrum; /* one block's central products */
    ngi_complex *fisher, *whitener;
} estimator;

static ngi_moments block_of(const estimator *e, size_t b)
{
    return ngi_moments_at(e->memory + b * e->doubles, e->walk);
}

size_t ngi_estimate_memory(size_t dimension, size_t sites, size_t chains)
{
    size_t classes = ngi_orbits_memory(sites) / sizeof(ngi_triple), d = dimension;
    size_t one = ngi_moments_doubles(d, sites, classes);
    size_t doubles = ngi_add(ngi_mul(chains + 1, one), ngi_mul(2 * d * d * d, classes));
    doubles = ngi_add(doubles, ngi_mul(4 * d * d, sites));
    return ngi_add(ngi_mul(doubles, sizeof(double)), ngi_mul(ngi_mul(sites, sites), 4));
}

static ng_status create(estimator *e, const ngi_walk *walk, size_t blocks, ng_error *error)
{
    const size_t d = walk->dimension, n = walk->sites, count = walk->orbits.count;
    *e = (estimator){.walk = walk, .d = d, .n = n, .blocks = blocks};
    e->block = d * d;
    e->cube = d * d * d;
    e->doubles = ngi_moments_doubles(d, n, count);
    e->index = malloc(n * n * sizeof *e->index);
    e->memory = calloc((blocks + 1) * e->doubles, sizeof *e->memory);
    e->spectrum = malloc(count * e->cube * sizeof *e->spectrum);
    e->fisher = malloc(n * e->block * sizeof *e->fisher);
    e->whitener = malloc(n * e->block * sizeof *e->whitener);
    if (e->index == NULL || e->memory == NULL || e->spectrum == NULL || e->fisher == NULL ||
        e->whitener == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for the estimates of %zu chains", blocks);
    for (size_t i = 0; i < n * n; i++)
        e->index[i] = UINT32_MAX;
    for (size_t i = 0; i < count; i++)
        e->index[walk->orbits.triple[i].k[0] * n + walk->orbits.triple[i].k[1]] = (uint32_t)i;
    return NG_OK;
}

static void release(estimator *e)
{
    free(e->index);
    free(e->memory);
    free(e->spectrum);
    free(e->fisher);
    free(e->whitener);
}

/* ---- Reflections ------------------------------------------------------------ */

/* An element: axes exchanged by order, those in the bits of mirrored turned
 * round. It takes a configuration into one as probable, whose modes are
 *     T'_a(k) = exp(i k_a)^[a mirrored] T_order[a](k'):
 * the mirror image of the bond from x to x + e_a ends at -x. */
typedef struct {
    size_t order[NGI_SPECIES];
    unsigned mirrored;
} symmetry;

static size_t symmetries(symmetry *list, size_t d)
{
    size_t count = 0;
    for (size_t code = 0; code < ngi_power(d, d); code++) {
        symmetry s = {{0}, 0};
        unsigned seen = 0;
        for (size_t a = 0; a < d; a++) {
            s.order[a] = ngi_site_digit(d, code, a);
            seen |= 1u << s.order[a];
        }
        for (s.mirrored = 0; seen == (1u << d) - 1 && s.mirrored < 1u << d; s.mirrored++)
            list[count++] = s;
    }
    return count;
}

/* Momentum k', and the phases of the directions. */
static size_t turn(const ngi_walk *w, ngi_complex *phase, const symmetry *s, size_t k)
{
    size_t image = 0;
    for (size_t a = 0; a < w->dimension; a++) {
        size_t digit = ngi_site_digit(w->length, k, a), turned = digit;
        phase[a] = (ngi_complex){1, 0};
        if (s->mirrored >> a & 1) {
            phase[a] = (ngi_complex){w->wave[2 * digit], -w->wave[2 * digit + 1]};
            turned = (w->length - digit) % w->length;
        }
        image += turned * ngi_power(w->length, s->order[a]);
    }
    return image;
}

/* Where T_a T_b T_c at the momenta k stands: its class, which of the class'
 * momenta each factor has, and whether the entry is the conjugate. */
static size_t find(const estimator *e, size_t place[3], int *conjugate, const uint32_t k[3])
{
    uint32_t use[3] = {k[0], k[1], k[2]};
    for (*conjugate = 0;; ++*conjugate) {
        size_t order[3];
        ngi_sort3(order, use);
        for (size_t j = 0; j < 3; j++)
            place[order[j]] = j;
        uint32_t i = e->index[use[order[0]] * e->n + use[order[1]]];
        if (i != UINT32_MAX)
            return i;
        for (size_t j = 0; j < 3; j++)
            use[j] = (uint32_t)ngi_site_negate(e->d, e->walk->length, k[j]);
    }
}

/* to[abc] += weight times the turned product at class i */
static void add_turned(const estimator *e, ngi_complex *to, const ngi_moments *from,
                       const symmetry *s, const uint32_t k[3], double weight)
{
    const size_t d = e->d;
    ngi_complex phase[3][NGI_SPECIES];
    uint32_t image[3];
    size_t place[3], step[3] = {d * d, d, 1};
    int conjugate;
    for (size_t j = 0; j < 3; j++)
        image[j] = (uint32_t)turn(e->walk, phase[j], s, k[j]);
    const ngi_complex *entry = from->third + find(e, place, &conjugate, image) * e->cube;
    for (size_t a = 0; a < d; a++)
        for (size_t b = 0; b < d; b++)
            for (size_t c = 0; c < d; c++, to++) {
                ngi_complex x = entry[s->order[a] * step[place[0]] + s->order[b] * step[place[1]] +
                                      s->order[c] * step[place[2]]];
                x.im = conjugate ? -x.im : x.im;
                x = ngi_cmul(ngi_cmul(phase[0][a], phase[1][b]), ngi_cmul(phase[2][c], x));
                to->re += weight * x.re;
                to->im += weight * x.im;
            }
}

/* to <- averages of one chain over samples and symmetries */
static void average(const estimator *e, ngi_moments to, const ngi_moments *from, size_t samples)
{
    const size_t d = e->d;
    symmetry list[48];
    size_t count = symmetries(list, d);
    double weight = 1 / ((double)samples * (double)count);
    for (size_t a = 0; a < d; a++)
        for (size_t b = 0; b < d; b++)
            to.first[a] += from->first[b] / ((double)samples * (double)d);
    for (size_t g = 0; g < count; g++) {
        const symmetry *s = &list[g];
        for (size_t k = 0; k < e->n; k++) {
            ngi_complex phase[NGI_SPECIES];
            const ngi_complex *entry = from->second + turn(e->walk, phase, s, k) * e->block;
            for (size_t a = 0; a < d; a++)
                for (size_t b = 0; b < d; b++) {
                    ngi_complex back = {phase[b].re, -phase[b].im};
                    ngi_complex x =
                        ngi_cmul(ngi_cmul(phase[a], back), entry[s->order[a] * d + s->order[b]]);
                    to.second[k * e->block + a * d + b].re += weight * x.re;
                    to.second[k * e->block + a * d + b].im += weight * x.im;
                }
        }
        for (size_t i = 0; i < e->walk->orbits.count; i++)
            add_turned(e, to.third + i * e->cube, from, s, e->walk->orbits.triple[i].k, weight);
    }
}

/* ---- Squares ---------------------------------------------------------------- */

/* spectrum <- 1/n times the products about the mean centre = <T(0)>, of
 * moments that sum `terms` blocks: only momentum 0 knows of the centre. */
static void centre_products(const estimator *e, const ngi_moments *m, double centre, double terms)
{
    const size_t d = e->d;
    const double scale = 1 / (double)e->n;
    for (size_t i = 0; i < e->walk->orbits.count; i++) {
        const uint32_t *k = e->walk->orbits.triple[i].k;
        const ngi_complex *raw = m->third + i * e->cube, *s0 = m->second;
        const ngi_complex *s1 = m->second + k[1] * e->block;
        ngi_complex *to = e->spectrum + i * e->cube;
        for (size_t abc = 0; abc < e->cube; abc++) {
            size_t a = abc / (d * d), b = abc / d % d, c = abc % d;
            ngi_complex x = raw[abc];
            if (k[0] == 0) { /* (0, k, -k); the others by the same with k = 0 */
                x.re -= centre * s1[b * d + c].re;
                x.im -= centre * s1[b * d + c].im;
            }
            if (k[1] == 0) {
                x.re -= centre * (s0[a * d + c].re + s0[a * d + b].re);
                x.re += centre * centre * (m->first[a] + m->first[b] + m->first[c]);
                x.re -= terms * centre * centre * centre;
            }
            to[abc] = (ngi_complex){scale * x.re, scale * x.im};
        }
    }
}

static ng_status whiten(estimator *e, const ngi_moments *sum, double centre, double terms,
                        ng_error *error)
{
    const double scale = 1 / (terms * (double)e->n);
    for (size_t i = 0; i < e->n * e->block; i++) {
        double shift = i < e->block ? terms * centre * centre : 0;
        e->fisher[i] =
            (ngi_complex){scale * (sum->second[i].re - shift), scale * sum->second[i].im};
    }
    return ngi_whiten(e->whitener, e->fisher, e->n, e->d, error);
}

/* |kappa|^2 - |tr kappa|^2 of e->spectrum */
static double difference(const estimator *e)
{
    double t[NGI_SPECIES], square = ngi_squares(t, &e->walk->orbits, e->whitener, e->spectrum);
    for (size_t c = 0; c < e->d; c++)
        square -= (double)e->n * t[c] * t[c];
    return square;
}

/* R from all blocks but one (e->blocks: from all). The squares of |kappa| and
 * |tr kappa| are both quadratic forms, so their difference is one too. */
static ng_status curvature(estimator *e, double *plain, double *cross, size_t without,
                           ng_error *error)
{
    double terms = 0, own = 0, centre;
    double *total = e->memory + e->blocks * e->doubles;
    memset(total, 0, e->doubles * sizeof *total);
    for (size_t b = 0; b < e->blocks; b++) {
        const double *one = e->memory + b * e->doubles;
        if (b == without)
            continue;
        for (size_t i = 0; i < e->doubles; i++)
            total[i] += one[i];
        terms++;
    }
    ngi_moments sum = block_of(e, e->blocks);
    centre = sum.first[0] / terms;
    TRY(whiten(e, &sum, centre, terms, error));
    centre_products(e, &sum, centre, terms);
    double all = difference(e);
    for (size_t b = 0; b < e->blocks; b++) {
        ngi_moments block = block_of(e, b);
        if (b == without)
            continue;
        centre_products(e, &block, centre, 1);
        own += difference(e);
    }
    *plain = all / (terms * terms) / 4;
    *cross = (all - own) / (terms * (terms - 1)) / 4;
    return NG_OK;
}

static ng_status jackknife(estimator *e, ng_wolff_result *r, ng_error *error)
{
    const double blocks = (double)e->blocks;
    double mean = 0, square = 0, plain;
    TRY(curvature(e, &r->plain, &r->cross, e->blocks, error));
    for (size_t b = 0; b < e->blocks; b++) {
        double left;
        TRY(curvature(e, &plain, &left, b, error));
        double step = left - mean; /* Welford's recurrence */
        mean += step / (double)(b + 1);
        square += step * (left - mean);
    }
    r->corrected = blocks * r->cross - (blocks - 1) * mean;
    r->difference = r->plain - r->corrected;
    r->sigma = sqrt((blocks - 1) / blocks * square);
    return NG_OK;
}

/* ---- Autocorrelation -------------------------------------------------------- */

/* sum over chains and samples of (x_i - mean)(x_{i+lag} - mean), a pair */
static double covariance(const ngi_chain *chains, size_t count, size_t samples, int energy,
                         double mean, size_t lag)
{
    double sum = 0;
    for (size_t b = 0; b < count; b++) {
        const double *x = energy ? chains[b].energy : chains[b].mode;
        for (size_t i = 0; i + lag < samples; i++)
            sum += (x[i] - mean) * (x[i + lag] - mean);
    }
    return sum / ((double)count * (double)(samples - lag));
}

/* 1/2 + sum of rho, over a window of six of itself (A. Sokal's rule). */
static double autocorrelation(const ngi_chain *chains, size_t count, size_t samples, int energy)
{
    double mean = 0, tau = 0.5;
    for (size_t b = 0; b < count; b++)
        for (size_t i = 0; i < samples; i++)
            mean += (energy ? chains[b].energy : chains[b].mode)[i];
    mean /= (double)count * (double)samples;
    double variance = covariance(chains, count, samples, energy, mean, 0);
    for (size_t lag = 1; lag < samples && (double)lag < 6 * tau + 1 && variance > 0; lag++)
        tau += covariance(chains, count, samples, energy, mean, lag) / variance;
    return tau > 0.5 ? tau : 0.5;
}

static ng_status run(estimator *e, ng_wolff_result *result, const ngi_chain *chains, size_t count,
                     ng_error *error)
{
    const ngi_walk *walk = e->walk;
    for (size_t b = 0; b < count; b++)
        average(e, block_of(e, b), &chains[b].sum, walk->samples);
    TRY(jackknife(e, result, error));
    ngi_moments sum = block_of(e, count); /* of all but the last chain */
    double mean = sum.first[0] + block_of(e, count - 1).first[0];
    result->mean = mean / (double)count / (double)walk->sites;
    result->tau_energy = autocorrelation(chains, count, walk->samples, 1);
    result->tau_mode = autocorrelation(chains, count, walk->samples, 0);
    return NG_OK;
}

ng_status ngi_estimate(ng_wolff_result *result, const ngi_walk *walk, const ngi_chain *chains,
                       size_t count, ng_error *error)
{
    estimator e;
    ng_status status = create(&e, walk, count, error);
    if (status == NG_OK)
        status = run(&e, result, chains, count, error);
    release(&e);
    return status;
}
