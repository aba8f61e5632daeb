/* Chains in several processes: each runs its own, and then everybody has all of them. */
#include "lib/core/try.h"
#include "lib/lab/lattice/montecarlo.h"

enum { STATE = 6, COUNTS = 2 }; /* doubles: of a generator (natgrad/train/rng.h); drawn, done */

static ng_exchange_item item_of(void *numbers, size_t count, size_t owner)
{
    return (ng_exchange_item){ng_f64(numbers, 1, count), (int)owner};
}

static ng_status share_chain(const ngi_division *d, const ngi_walk *walk, ngi_chain *c,
                             size_t owner, ng_error *error)
{
    double state[STATE] = {0}, counts[COUNTS] = {(double)c->drawn, (double)c->done};
    size_t moments = ngi_moments_doubles(walk->dimension, walk->sites, walk->orbits.count);
    const ng_exchange_item items[] = {
        item_of(state, STATE, owner),
        item_of(counts, COUNTS, owner),
        item_of(c->draws, NGI_DRAWS, owner),
        item_of(c->spin, (walk->sites + 7) / 8, owner),
        item_of(c->memory, moments + 2 * walk->samples, owner),
    };
    int own = owner == d->rank;
    if (own && c->random.save(c->random.data, state, sizeof state) != sizeof state)
        state[0] = 0; /* which nobody loads */
    d->exchange->share(d->exchange->data, items, sizeof items / sizeof *items);
    c->drawn = (size_t)counts[0];
    c->done = (size_t)counts[1];
    return own || c->random.load(c->random.data, state, sizeof state) == 0
               ? NG_OK
               : ng_error_set(error, NG_EUNSUPPORTED, "an unknown generator");
}

ng_status ngi_chains_share(const ngi_division *d, const ngi_walk *walk, ngi_chain *chains,
                           size_t count, ng_error *error)
{
    ng_status worst = NG_OK;
    for (size_t b = 0; d->exchange != NULL && b < count; b++) {
        ng_status status = share_chain(d, walk, &chains[b], b % d->ranks, error);
        worst = worst == NG_OK ? status : worst;
    }
    return ngi_agree(d, worst, error);
}

void ngi_decide(const ngi_division *d, double *wishes, int *stop, int *due)
{
    wishes[2 * d->rank] = *stop;
    wishes[2 * d->rank + 1] = *due;
    for (size_t r = 0; d->exchange != NULL && r < d->ranks; r++) {
        ng_exchange_item item = item_of(wishes + 2 * r, 2, r);
        d->exchange->share(d->exchange->data, &item, 1);
    }
    for (size_t r = 0; r < d->ranks; r++)
        *stop = *stop || wishes[2 * r] != 0;
    *due = wishes[1] != 0;
}
