/* The run: options, rounds of samples over ranks and threads, checkpoints between them. */
#define _POSIX_C_SOURCE 200809L
#include "lib/lab/lattice/montecarlo.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/core/try.h"

enum { CHAINS_MIN = 20, CHAINS_MAX = 4096, THREADS_MAX = 256, ROUND = 8 * NGI_BATCH, ALIGN = 64 };

ng_status ng_wolff_init_sized(ng_wolff_options *options, size_t size)
{
    const ng_wolff_options defaults = {
        .size = sizeof defaults,
        .lattice = {NG_LATTICE_ISING2D, 0, 0},
        .flips = 3,
        .chains = CHAINS_MIN,
        .threads = 1,
        .seed = 1,
        .memory = (size_t)1 << (sizeof(size_t) > 4 ? 32 : 31),
        .interval = 60,
    };
    if (options == NULL || size != sizeof defaults)
        return NG_EOPTION;
    *options = defaults;
    return NG_OK;
}

static size_t sites_of(const ng_wolff_options *o)
{
    return ngi_power(o->lattice.length, ng_lattice_dimension(o->lattice.model));
}

size_t ng_wolff_memory(const ng_wolff_options *o)
{
    if (o == NULL || o->size != sizeof *o || o->chains == 0 ||
        ngi_lattice_check(&o->lattice, NULL) != NG_OK)
        return SIZE_MAX;
    const size_t d = ng_lattice_dimension(o->lattice.model), n = sites_of(o);
    size_t classes = ngi_orbits_memory(n) / sizeof(ngi_triple);
    size_t samples = o->samples / o->chains + NGI_BATCH;
    size_t chain =
        ngi_mul(sizeof(double), ngi_add(ngi_moments_doubles(d, n, classes), ngi_mul(2, samples)));
    size_t bytes = ngi_mul(o->chains, ngi_add(chain, sizeof(ngi_chain) + 8192));
    bytes = ngi_add(bytes, ngi_mul(o->threads, ngi_chain_scratch(d, n)));
    return ngi_add(ngi_add(bytes, ngi_orbits_memory(n)), ngi_estimate_memory(d, n, o->chains));
}

static ng_status check(const ng_wolff_options *o, ng_error *error)
{
    TRY(ngi_lattice_check(&o->lattice, error));
    if (ng_lattice_states(o->lattice.model) != 2)
        return ng_error_set(error, NG_EUNSUPPORTED, "model: no Monte Carlo for %s",
                            ng_lattice_name(o->lattice.model));
    if (o->lattice.coupling < 0)
        return ng_error_set(error, NG_EOPTION, "coupling: J = %g, expected a number >= 0",
                            o->lattice.coupling);
    const size_t n = sites_of(o), least = ngi_mul(20, ngi_mul(n, n));
    if (o->samples < least || o->samples > SIZE_MAX / 64)
        return ng_error_set(error, NG_EOPTION,
                            "samples: %zu, at L = %zu at least 20 n^2 = %zu are needed (n = %zu)",
                            o->samples, o->lattice.length, least, n);
    const struct {
        const char *name;
        size_t value, low, high;
    } ranges[] = {
        {"flips", o->flips, 1, 1000000},
        {"warmup", o->warmup, 0, SIZE_MAX},
        {"chains", o->chains, CHAINS_MIN, CHAINS_MAX},
        {"threads", o->threads, 1, THREADS_MAX},
        {"seed", o->seed, 0, 0xffffffffUL},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (ranges[i].value < ranges[i].low || ranges[i].value > ranges[i].high)
            return ng_error_set(error, NG_EOPTION, "%s: %zu, expected %zu to %zu", ranges[i].name,
                                ranges[i].value, ranges[i].low, ranges[i].high);
    if (!(o->interval >= 0))
        return ng_error_set(error, NG_EOPTION, "interval: %g seconds, expected a number >= 0",
                            o->interval);
    return ngi_memory_check(ng_wolff_memory(o), o->memory, "Monte Carlo", &o->lattice, error);
}

/* splitmix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014) */
static uint64_t mix(uint64_t z)
{
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* A chain's seed: of the run's, the chain's number and the lattice, so that two
 * sizes share no stream. */
static unsigned long seed_of(const ng_wolff_options *o, size_t chain)
{
    uint64_t lattice = (uint64_t)o->lattice.model << 32 | o->lattice.length;
    return (unsigned long)(mix(mix((uint64_t)o->seed << 32 | chain) ^ lattice) >> 32);
}

/* ---- Rounds ----------------------------------------------------------------- */

typedef struct {
    const ng_wolff_options *options;
    ngi_division division;
    ngi_walk walk;
    ngi_chain *chains;
    size_t done;            /* samples of each chain */
    double *wishes;         /* of ranks (ngi_decide) */
    unsigned char *scratch; /* threads x scratch_size */
    size_t scratch_size, threads;
} job;

typedef struct {
    const job *all;
    size_t number;
} worker;

static size_t left(const job *j)
{
    size_t rest = j->walk.samples - j->done;
    return rest < ROUND ? rest : ROUND;
}

/* Chains share nothing, so who runs which is of no account. */
static void *work(void *argument)
{
    const worker *w = argument;
    const job *j = w->all;
    size_t ranks = j->division.ranks, first = j->division.rank + w->number * ranks;
    for (size_t b = first; b < j->options->chains; b += j->threads * ranks)
        ngi_chain_run(&j->chains[b], &j->walk, j->scratch + w->number * j->scratch_size, left(j));
    return NULL;
}

static void play_round(job *j)
{
    pthread_t thread[THREADS_MAX];
    worker w[THREADS_MAX];
    char started[THREADS_MAX] = {0};
    for (size_t i = 0; i < j->threads; i++) {
        w[i] = (worker){j, i};
        started[i] = i > 0 && pthread_create(&thread[i], NULL, work, &w[i]) == 0;
    }
    for (size_t i = 0; i < j->threads; i++)
        if (!started[i]) /* the caller's own share, and that of threads we did not get */
            work(&w[i]);
    for (size_t i = 0; i < j->threads; i++)
        if (started[i])
            pthread_join(thread[i], NULL);
    j->done += left(j);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Rank 0 writes what all of them have. */
static ng_status save(job *j, ng_error *error)
{
    const ng_wolff_options *o = j->options;
    TRY(ngi_chains_share(&j->division, &j->walk, j->chains, o->chains, error));
    ng_status status =
        j->division.rank == 0 ? ngi_checkpoint_save(o, &j->walk, j->chains, error) : NG_OK;
    return ngi_agree(&j->division, status, error);
}

static ng_status play(job *j, ng_error *error)
{
    const ng_wolff_options *o = j->options;
    const size_t total = j->walk.samples * o->chains;
    double written = now();
    for (;;) {
        size_t done = j->done * o->chains; /* the chains keep step */
        int stop = o->progress != NULL && o->progress(o->data, done, total) != 0;
        int due = done > 0 && now() - written >= o->interval;
        ngi_decide(&j->division, j->wishes, &stop, &due);
        if (o->checkpoint != NULL && (due || stop || done == total)) {
            TRY(save(j, error));
            written = now();
        }
        if (done == total)
            return NG_OK;
        if (stop)
            return ng_error_set(error, NG_STOPPED, "stopped after %zu of %zu samples", done, total);
        play_round(j);
    }
}

static ng_status allocate(job *j, ng_error *error)
{
    const ng_wolff_options *o = j->options;
    TRY(check(o, error));
    TRY(ngi_walk_create(&j->walk, o, error));
    j->threads = o->threads < o->chains ? o->threads : o->chains;
    j->scratch_size = ngi_chain_scratch(j->walk.dimension, j->walk.sites);
    j->scratch_size = (j->scratch_size + ALIGN - 1) / ALIGN * ALIGN;
    j->scratch = aligned_alloc(ALIGN, j->threads * j->scratch_size);
    j->chains = calloc(o->chains, sizeof *j->chains);
    j->wishes = calloc(2 * j->division.ranks, sizeof *j->wishes);
    if (j->scratch == NULL || j->chains == NULL || j->wishes == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu chains", o->chains);
    for (size_t b = 0; b < o->chains; b++)
        TRY(ngi_chain_create(&j->chains[b], &j->walk, seed_of(o, b), error));
    return NG_OK;
}

/* What the ranks must have been told alike. */
static unsigned long long mark_of(const ng_wolff_options *o)
{
    union {
        double number;
        unsigned long long bits;
    } coupling = {.number = o->lattice.coupling};
    const unsigned long long told[] = {o->lattice.model, o->lattice.length, coupling.bits,
                                       o->samples,       o->flips,          o->warmup,
                                       o->chains,        o->seed,           o->checkpoint != NULL};
    unsigned long long mark = 0;
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        mark = ngi_mark(mark, told[i]);
    return mark;
}

/* All ranks read one file, and go on from the same place. */
static ng_status load(job *j, int *resumed, ng_error *error)
{
    const ng_wolff_options *o = j->options;
    ngi_division *d = &j->division;
    ng_status status =
        o->checkpoint != NULL ? ngi_checkpoint_load(resumed, o, &j->walk, j->chains, error) : NG_OK;
    j->done = j->chains[0].done;
    d->mark = ngi_mark(d->mark, j->done);
    return ngi_agree(d, status, error);
}

static ng_status run(job *j, ng_wolff_result *r, ng_error *error)
{
    const ng_wolff_options *o = j->options;
    j->division.mark = mark_of(o);
    TRY(ngi_agree(&j->division, allocate(j, error), error));
    TRY(load(j, &r->resumed, error));
    TRY(play(j, error));
    TRY(ngi_chains_share(&j->division, &j->walk, j->chains, o->chains, error));
    ng_status status = ngi_estimate(r, &j->walk, j->chains, o->chains, error);
    r->samples = j->walk.samples * o->chains;
    return ngi_agree(&j->division, status, error);
}

ng_status ng_wolff_run(ng_wolff_result *result, const ng_wolff_options *options, ng_error *error)
{
    job j = {.options = options};
    ng_wolff_result r = {.resumed = 0};
    if (result == NULL || options == NULL)
        return ng_error_set(error, NG_EARG, "result or options is NULL");
    if (options->size != sizeof *options)
        return ng_error_set(error, NG_EOPTION, "size: %zu, call ng_wolff_init first",
                            options->size);
    TRY(ngi_divide(&j.division, options->exchange, error));
    ng_status status = run(&j, &r, error);
    if (status == NG_OK)
        *result = r;
    for (size_t b = 0; j.chains != NULL && b < options->chains; b++)
        ngi_chain_destroy(&j.chains[b]);
    free(j.chains);
    free(j.wishes);
    free(j.scratch);
    ngi_walk_destroy(&j.walk);
    return status;
}
