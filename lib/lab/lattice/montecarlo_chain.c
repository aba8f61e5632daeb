/* One chain: clusters (U. Wolff, Phys. Rev. Lett. 62 (1989) 361), and sums of
 * products of Fourier modes, which are the cumulants averaged over all
 * translations. Samples are measured in batches so that the inner loops run
 * over samples. */
#include "lib/lab/lattice/montecarlo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/train/rng.h>

#include "lib/core/try.h"

/* As the kernels of the library: AVX2 where the machine has it, the same bits. */
#ifdef NG_HAVE_CLONES
#define CLONES __attribute__((target_clones("avx2", "default")))
#else
#define CLONES
#endif

enum { WIDTH = 4, GROUPS = NGI_BATCH / WIDTH };
typedef double lanes __attribute__((vector_size(WIDTH * sizeof(double))));

/* One thread's: modes k, a, re and im, a batch of samples; an image of it; the
 * bonds of the batch; the cluster's open sites. */
typedef struct {
    double *mode, *image, *bond;
    uint32_t *stack;
} scratch_space;

size_t ngi_moments_doubles(size_t dimension, size_t sites, size_t classes)
{
    size_t d = dimension, second = ngi_mul(2 * d * d, sites);
    return ngi_add(4, ngi_add(second, ngi_mul(2 * d * d * d, classes)));
}

ngi_moments ngi_moments_at(double *memory, const ngi_walk *walk)
{
    const size_t d = walk->dimension;
    ngi_complex *second = (ngi_complex *)(void *)(memory + 4);
    return (ngi_moments){memory, second, second + d * d * walk->sites};
}

/* ---- What chains share ------------------------------------------------------ */

ng_status ngi_walk_create(ngi_walk *walk, const ng_wolff_options *o, ng_error *error)
{
    const size_t d = ng_lattice_dimension(o->lattice.model), length = o->lattice.length;
    const double pi = 3.14159265358979323846;
    size_t chain = (o->samples + o->chains - 1) / o->chains;
    *walk = (ngi_walk){.dimension = d, .length = length, .sites = ngi_power(length, d)};
    walk->samples = (chain + NGI_BATCH - 1) / NGI_BATCH * NGI_BATCH;
    walk->flips = o->flips;
    walk->warmup = o->warmup > 0 ? o->warmup : 200 + 20 * length;
    walk->join = -expm1(-2 * o->lattice.coupling);
    walk->neighbour = malloc(walk->sites * 2 * d * sizeof *walk->neighbour);
    walk->wave = malloc(2 * length * sizeof *walk->wave);
    if (walk->neighbour == NULL || walk->wave == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a lattice of %zu sites", walk->sites);
    for (size_t x = 0; x < walk->sites; x++)
        for (size_t a = 0; a < d; a++) {
            uint32_t *to = walk->neighbour + x * 2 * d + 2 * a;
            to[0] = (uint32_t)ngi_site_move(length, x, a, 1);
            to[1] = (uint32_t)ngi_site_move(length, x, a, length - 1);
        }
    for (size_t j = 0; j < length; j++) {
        walk->wave[2 * j] = cos(2 * pi * (double)j / (double)length);
        walk->wave[2 * j + 1] = -sin(2 * pi * (double)j / (double)length);
    }
    return ngi_orbits_create(&walk->orbits, d, length, error);
}

void ngi_walk_destroy(ngi_walk *walk)
{
    free(walk->neighbour);
    free(walk->wave);
    ngi_orbits_destroy(&walk->orbits);
}

ng_status ngi_chain_create(ngi_chain *chain, const ngi_walk *walk, unsigned long seed,
                           ng_error *error)
{
    size_t moments = ngi_moments_doubles(walk->dimension, walk->sites, walk->orbits.count);
    memset(chain, 0, sizeof *chain);
    TRY(ng_rng_create(&chain->random, seed, error));
    chain->drawn = NGI_DRAWS;
    chain->spin = calloc((walk->sites + 7) / 8, 8);
    chain->memory = calloc(moments + 2 * walk->samples, sizeof *chain->memory);
    if (chain->spin == NULL || chain->memory == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a chain of %zu samples",
                            walk->samples);
    memset(chain->spin, 1, walk->sites);
    chain->sum = ngi_moments_at(chain->memory, walk);
    chain->energy = chain->memory + moments;
    chain->mode = chain->energy + walk->samples;
    return NG_OK;
}

void ngi_chain_destroy(ngi_chain *chain)
{
    ng_rng_destroy(&chain->random);
    free(chain->spin);
    free(chain->memory);
}

/* ---- Clusters --------------------------------------------------------------- */

static double draw(ngi_chain *c)
{
    if (c->drawn == NGI_DRAWS) {
        c->random.fill_uniform(c->random.data, c->draws, NGI_DRAWS);
        c->drawn = 0;
    }
    return c->draws[c->drawn++];
}

static void flip_cluster(ngi_chain *c, const ngi_walk *w, uint32_t *stack)
{
    size_t open = 1, neighbours = 2 * w->dimension;
    stack[0] = (uint32_t)(draw(c) * (double)w->sites);
    const signed char old = c->spin[stack[0]];
    c->spin[stack[0]] = (signed char)-old;
    while (open > 0) {
        const uint32_t *to = w->neighbour + stack[--open] * neighbours;
        for (size_t j = 0; j < neighbours; j++)
            if (c->spin[to[j]] == old && draw(c) < w->join) {
                c->spin[to[j]] = (signed char)-old;
                stack[open++] = to[j];
            }
    }
}

/* ---- Modes of a batch ------------------------------------------------------- */

static double *mode_of(double *base, size_t d, size_t k, size_t a)
{
    return base + (k * d + a) * 2 * NGI_BATCH;
}

/* to (re, im) += (cos, -sin) from; real: from has no imaginary part */
static inline void add_wave(double *to, const double *from, const double *wave, int real)
{
    double c = wave[0], s = wave[1];
    for (size_t l = 0; l < NGI_BATCH; l++) {
        double re = from[l], im = real ? 0 : from[NGI_BATCH + l];
        to[l] += real ? c * re : c * re - s * im;
        to[NGI_BATCH + l] += real ? s * re : c * im + s * re;
    }
}

/* image <- transform of mode along one axis, where k along axis 0 is at most
 * L/2: the bonds are real and the rest follows by conjugation. */
CLONES static void transform(const ngi_walk *w, scratch_space *s, size_t axis)
{
    const size_t d = w->dimension, length = w->length, half = length / 2 + 1;
    memset(s->image, 0, w->sites * d * 2 * NGI_BATCH * sizeof *s->image);
    for (size_t to = 0; to < w->sites; to++) {
        size_t k = ngi_site_digit(length, to, axis);
        if (to % length >= half)
            continue;
        for (size_t x = 0; x < length; x++) {
            size_t from = ngi_site_move(length, to, axis, (x + length - k) % length);
            const double *wave = w->wave + 2 * (k * x % length);
            for (size_t a = 0; a < d; a++)
                if (axis == 0)
                    add_wave(mode_of(s->image, d, to, a), s->bond + (from * d + a) * NGI_BATCH,
                             wave, 1);
                else
                    add_wave(mode_of(s->image, d, to, a), mode_of(s->mode, d, from, a), wave, 0);
        }
    }
    double *swap = s->mode;
    s->mode = s->image;
    s->image = swap;
}

static void complete(const ngi_walk *w, scratch_space *s)
{
    const size_t d = w->dimension;
    for (size_t k = 0; k < w->sites; k++) {
        if (k % w->length <= w->length / 2)
            continue;
        size_t minus = ngi_site_negate(d, w->length, k);
        for (size_t a = 0; a < d; a++) {
            double *to = mode_of(s->mode, d, k, a), *from = mode_of(s->mode, d, minus, a);
            for (size_t l = 0; l < NGI_BATCH; l++) {
                to[l] = from[l];
                to[NGI_BATCH + l] = -from[NGI_BATCH + l];
            }
        }
    }
}

/* ---- Products --------------------------------------------------------------- */

__attribute__((always_inline)) static inline double total(const lanes *v)
{
    return ((*v)[0] + (*v)[1]) + ((*v)[2] + (*v)[3]);
}

/* sum[(a d + b) d + c] += the batch's T_a(k0) T_b(k1) T_c(k2). Always inline:
 * on its own it would not be compiled for the clone that calls it. */
__attribute__((always_inline)) static inline void add_triple(ngi_complex *sum, const double *mode,
                                                             const uint32_t k[3], const size_t d)
{
    const lanes *t0 = (const lanes *)(const void *)(mode + k[0] * d * 2 * NGI_BATCH);
    const lanes *t1 = (const lanes *)(const void *)(mode + k[1] * d * 2 * NGI_BATCH);
    const lanes *t2 = (const lanes *)(const void *)(mode + k[2] * d * 2 * NGI_BATCH);
    for (size_t b = 0; b < d; b++)
        for (size_t c = 0; c < d; c++) {
            const lanes *u = t1 + b * 2 * GROUPS, *v = t2 + c * 2 * GROUPS;
            lanes re[NGI_SPECIES] = {{0}}, im[NGI_SPECIES] = {{0}};
            for (size_t g = 0; g < GROUPS; g++) {
                lanes pr = u[g] * v[g] - u[GROUPS + g] * v[GROUPS + g];
                lanes pi = u[g] * v[GROUPS + g] + u[GROUPS + g] * v[g];
                for (size_t a = 0; a < d; a++) {
                    lanes tr = t0[a * 2 * GROUPS + g], ti = t0[a * 2 * GROUPS + GROUPS + g];
                    re[a] += tr * pr - ti * pi;
                    im[a] += tr * pi + ti * pr;
                }
            }
            for (size_t a = 0; a < d; a++) {
                sum[(a * d + b) * d + c].re += total(&re[a]);
                sum[(a * d + b) * d + c].im += total(&im[a]);
            }
        }
}

CLONES static void add_thirds(ngi_complex *sum, const ngi_orbits *orbits, const double *mode)
{
    if (orbits->dimension == 2)
        for (size_t i = 0; i < orbits->count; i++)
            add_triple(sum + i * 8, mode, orbits->triple[i].k, 2);
    else
        for (size_t i = 0; i < orbits->count; i++)
            add_triple(sum + i * 27, mode, orbits->triple[i].k, 3);
}

CLONES static void add_seconds(ngi_complex *sum, double *mode, size_t sites, size_t d)
{
    for (size_t k = 0; k < sites; k++)
        for (size_t a = 0; a < d; a++)
            for (size_t b = 0; b < d; b++, sum++) {
                const double *u = mode_of(mode, d, k, a), *v = mode_of(mode, d, k, b);
                for (size_t l = 0; l < NGI_BATCH; l++) {
                    sum->re += u[l] * v[l] + u[NGI_BATCH + l] * v[NGI_BATCH + l];
                    sum->im += u[NGI_BATCH + l] * v[l] - u[l] * v[NGI_BATCH + l];
                }
            }
}

/* The sum of T, and |T(k)|^2 at the longest wave along each axis. */
static void record(ngi_chain *c, const ngi_walk *w, double *mode)
{
    const size_t d = w->dimension;
    double *energy = c->energy + c->done, *slow = c->mode + c->done;
    for (size_t l = 0; l < NGI_BATCH; l++) {
        energy[l] = slow[l] = 0;
        for (size_t a = 0; a < d; a++) {
            c->sum.first[a] += mode_of(mode, d, 0, a)[l];
            energy[l] += mode_of(mode, d, 0, a)[l];
            for (size_t axis = 0, k = 1; axis < d; axis++, k *= w->length) {
                const double *t = mode_of(mode, d, k, a);
                slow[l] += t[l] * t[l] + t[NGI_BATCH + l] * t[NGI_BATCH + l];
            }
        }
    }
}

/* Bonds of the spins as they are, sample l of a batch. */
static void copy_bonds(const ngi_chain *c, const ngi_walk *w, double *bond, size_t l)
{
    const size_t d = w->dimension;
    for (size_t x = 0; x < w->sites; x++)
        for (size_t a = 0; a < d; a++)
            bond[(x * d + a) * NGI_BATCH + l] =
                c->spin[x] * c->spin[w->neighbour[x * 2 * d + 2 * a]];
}

size_t ngi_chain_scratch(size_t dimension, size_t sites)
{
    size_t modes = ngi_mul(ngi_mul(sites, dimension), 5 * NGI_BATCH * sizeof(double));
    return ngi_add(modes, ngi_mul(sites, sizeof(uint32_t)));
}

/* scratch is aligned to 64 */
void ngi_chain_run(ngi_chain *c, const ngi_walk *w, void *scratch, size_t count)
{
    const size_t modes = w->sites * w->dimension * 2 * NGI_BATCH;
    double *base = scratch;
    scratch_space s = {base, base + modes, base + 2 * modes, NULL};
    s.stack = (uint32_t *)(void *)(s.bond + modes / 2);
    for (size_t i = 0; c->done == 0 && i < w->warmup; i++)
        flip_cluster(c, w, s.stack);
    for (size_t end = c->done + count; c->done < end; c->done += NGI_BATCH) {
        for (size_t l = 0; l < NGI_BATCH; l++) {
            for (size_t i = 0; i < w->flips; i++)
                flip_cluster(c, w, s.stack);
            copy_bonds(c, w, s.bond, l);
        }
        for (size_t axis = 0; axis < w->dimension; axis++)
            transform(w, &s, axis);
        complete(w, &s);
        record(c, w, s.mode);
        add_seconds(c->sum.second, s.mode, w->sites, w->dimension);
        add_thirds(c->sum.third, &w->orbits, s.mode);
    }
}
