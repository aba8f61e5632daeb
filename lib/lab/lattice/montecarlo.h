/* Wolff's clusters: chains, their moments, and what is made of them. */
#ifndef NGI_MONTECARLO_H
#define NGI_MONTECARLO_H

#include <natgrad/random.h>

#include "lib/lab/lattice/lattice.h"

enum { NGI_BATCH = 32, NGI_DRAWS = 256 };

/* What all chains of a run read. */
typedef struct {
    size_t dimension, length, sites, samples; /* samples of one chain */
    size_t flips, warmup;
    double join;         /* probability that a satisfied bond joins the cluster */
    uint32_t *neighbour; /* sites x 2 d: forward, backward */
    double *wave;        /* 2 L: cos, -sin of 2 pi j / L */
    ngi_orbits orbits;
} ngi_walk;

/* Sums over samples of T(k) = sum over x of exp(-ikx) T(x), raw:
 *     first[a]               T_a(0)
 *     second[k d^2 + a d + b]     T_a(k) conj T_b(k)
 *     third[i d^3 + (a d + b) d + c]  T_a(k0) T_b(k1) T_c(k2), orbits->triple[i] */
typedef struct {
    double *first;
    ngi_complex *second, *third;
} ngi_moments;

typedef struct {
    ng_random random;
    double draws[NGI_DRAWS];
    size_t drawn, done;
    signed char *spin; /* sites, +1 or -1; whole doubles */
    double *memory;    /* the moments, then the series */
    ngi_moments sum;
    double *energy, *mode; /* one each sample */
} ngi_chain;

size_t ngi_moments_doubles(size_t dimension, size_t sites, size_t classes);
ngi_moments ngi_moments_at(double *memory, const ngi_walk *walk);

ng_status ngi_walk_create(ngi_walk *walk, const ng_wolff_options *options, ng_error *error);
void ngi_walk_destroy(ngi_walk *walk);

ng_status ngi_chain_create(ngi_chain *chain, const ngi_walk *walk, unsigned long seed,
                           ng_error *error);
void ngi_chain_destroy(ngi_chain *chain);

/* Who has chain b: rank b mod ranks. Every chain <- its owner's, on all ranks. */
ng_status ngi_chains_share(const ngi_division *division, const ngi_walk *walk, ngi_chain *chains,
                           size_t count, ng_error *error);

/* *stop <- does any rank wish to?, *due <- rank 0's. wishes: 2 ranks numbers */
void ngi_decide(const ngi_division *division, double *wishes, int *stop, int *due);

/* Bytes of scratch for one thread; count samples more, a multiple of NGI_BATCH. */
size_t ngi_chain_scratch(size_t dimension, size_t sites);
void ngi_chain_run(ngi_chain *chain, const ngi_walk *walk, void *scratch, size_t count);

/* All of *result but samples and resumed. */
ng_status ngi_estimate(ng_wolff_result *result, const ngi_walk *walk, const ngi_chain *chains,
                       size_t count, ng_error *error);
size_t ngi_estimate_memory(size_t dimension, size_t sites, size_t chains);

/* Writes the chains; reads them: *found = 0 when there is no file. Every value is checked as it
 * is read; after an error the chains are fit for nothing but ngi_chain_destroy. */
ng_status ngi_checkpoint_save(const ng_wolff_options *options, const ngi_walk *walk,
                              ngi_chain *chains, ng_error *error);
ng_status ngi_checkpoint_load(int *found, const ng_wolff_options *options, const ngi_walk *walk,
                              ngi_chain *chains, ng_error *error);

#endif
