/* Classes of momentum triples, and the whitened squares as sums over them. */
#include "lib/lab/lattice/lattice.h"

#include <stdlib.h>
#include <string.h>

void ngi_sort3(size_t order[3], const uint32_t k[3])
{
    size_t o[3] = {0, 1, 2};
    for (int pass = 0; pass < 2; pass++)
        for (int j = 0; j < 2; j++)
            if (k[o[j]] > k[o[j + 1]]) {
                size_t swap = o[j];
                o[j] = o[j + 1];
                o[j + 1] = swap;
            }
    memcpy(order, o, sizeof o);
}

/* How many ordered triples the class of a <= b <= c has; 0 if another triple,
 * the negative of this one, stands for it. */
static uint32_t multiplicity(const ngi_orbits *o, const uint32_t k[3])
{
    uint32_t negative[3];
    size_t order[3];
    for (int j = 0; j < 3; j++)
        negative[j] = (uint32_t)ngi_site_negate(o->dimension, o->length, k[j]);
    ngi_sort3(order, negative);
    for (int j = 0; j < 3; j++) {
        if (k[j] > negative[order[j]])
            return 0;
        if (k[j] < negative[order[j]])
            break;
    }
    uint32_t orders = k[0] == k[2] ? 1 : k[0] == k[1] || k[1] == k[2] ? 3 : 6;
    int own = k[0] == negative[order[0]] && k[1] == negative[order[1]];
    return own ? orders : 2 * orders;
}

/* Counts the classes, and lists them if there is a list. */
static size_t list(const ngi_orbits *o)
{
    size_t count = 0;
    for (size_t a = 0; a < o->sites; a++)
        for (size_t b = a; b < o->sites; b++) {
            size_t c = ngi_site_negate(o->dimension, o->length,
                                       ngi_site_add(o->dimension, o->length, a, b));
            ngi_triple t = {{(uint32_t)a, (uint32_t)b, (uint32_t)c}, 0};
            if (c < b || (t.multiplicity = multiplicity(o, t.k)) == 0)
                continue;
            if (o->triple != NULL)
                o->triple[count] = t;
            count++;
        }
    return count;
}

ng_status ngi_orbits_create(ngi_orbits *orbits, size_t dimension, size_t length, ng_error *error)
{
    *orbits = (ngi_orbits){dimension, length, ngi_power(length, dimension), 0, NULL};
    if (orbits->sites > UINT32_MAX)
        return ng_error_set(error, NG_ENOMEM, "no memory for the momenta of L = %zu", length);
    orbits->count = list(orbits);
    orbits->triple = malloc(orbits->count * sizeof *orbits->triple);
    if (orbits->triple == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu momentum triples", orbits->count);
    list(orbits);
    return NG_OK;
}

void ngi_orbits_destroy(ngi_orbits *orbits)
{
    free(orbits->triple);
    orbits->triple = NULL;
}

/* By Burnside's count: of the 12 operations only the identity keeps all n^2
 * triples, the three swaps keep n each, the two cycles at most 27; -1 keeps at
 * most 64, the three swaps with it n each, the two cycles with it one. */
size_t ngi_orbits_memory(size_t sites)
{
    return ngi_mul(ngi_add(ngi_mul(sites, sites) / 12, sites / 2 + 16), sizeof(ngi_triple));
}

/* ---- Squares -------------------------------------------------------------- */

double ngi_squares(double *t, const ngi_orbits *orbits, const ngi_complex *whitener,
                   const ngi_complex *spectrum)
{
    const size_t d = orbits->dimension, block = d * d, cube = d * block;
    ngi_complex v[NGI_SPECIES * NGI_SPECIES * NGI_SPECIES];
    double sum = 0;
    memset(t, 0, d * sizeof *t);
    for (size_t i = 0; i < orbits->count; i++) {
        const ngi_triple *o = &orbits->triple[i];
        memcpy(v, spectrum + i * cube, cube * sizeof *v);
        sum += o->multiplicity * ngi_whiten_third(v, whitener + o->k[0] * block,
                                                  whitener + o->k[1] * block,
                                                  whitener + o->k[2] * block, d);
        if (o->k[0] != 0)
            continue;
        /* (0, k, -k): in the sum over k it stands for k and -k */
        for (size_t c = 0; c < d; c++)
            for (size_t a = 0; a < d; a++)
                t[c] += (o->k[1] == o->k[2] ? 1 : 2) * v[c * block + a * d + a].re;
    }
    for (size_t c = 0; c < d; c++)
        t[c] /= (double)orbits->sites;
    return sum / (double)orbits->sites;
}
