/* Cumulants by summing over all states, the last site held fixed. */
#include "lib/lab/lattice/lattice.h"

#include <natgrad/sketch.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"
#include "lib/lab/families/family.h"

enum { STATES_BITS = 40, BONDS = 192 };

typedef struct {
    size_t d, length, n, bonds;
    size_t from[BONDS], to[BONDS]; /* sites of bond b n + x */
    double coupling, total;        /* J; sum of the weights */
    ng_cumulants *out;
} world;

static size_t free_states(const ng_lattice *l)
{
    size_t n = ngi_power(l->length, ng_lattice_dimension(l->model));
    return n > STATES_BITS + 1 ? SIZE_MAX : ngi_power(ng_lattice_states(l->model), n - 1);
}

size_t ng_lattice_enumerate_memory(const ng_lattice *lattice)
{
    if (ngi_lattice_check(lattice, NULL) != NG_OK)
        return SIZE_MAX;
    size_t states = free_states(lattice), d = ng_lattice_dimension(lattice->model);
    if (states > (size_t)1 << STATES_BITS)
        return SIZE_MAX;
    size_t tables = ngi_cumulants_memory(d, lattice->length);
    size_t bonds = d * ngi_power(lattice->length, d);
    return ngi_add(tables, ng_lattice_states(lattice->model) == 2 ? ngi_mul(states, sizeof(double))
                                                                  : ngi_mul(bonds + 1, tables));
}

static void lay_out(world *w, const ng_lattice *l, ng_cumulants *out)
{
    w->d = ng_lattice_dimension(l->model);
    w->length = l->length;
    w->n = ngi_power(l->length, w->d);
    w->bonds = w->d * w->n;
    w->coupling = l->coupling;
    w->out = out;
    for (size_t b = 0; b < w->d; b++)
        for (size_t x = 0; x < w->n; x++) {
            w->from[b * w->n + x] = x;
            w->to[b * w->n + x] = ngi_site_move(l->length, x, b, 1);
        }
}

/* Table element of bond (a, 0), and bonds i and j of b n + x. */
static size_t at2(const world *w, size_t a, size_t i)
{
    return a * w->bonds + i;
}

static size_t at3(const world *w, size_t a, size_t i, size_t j)
{
    size_t b = i / w->n, x = i % w->n, c = j / w->n, y = j % w->n;
    return ((a * w->d + b) * w->d + c) * w->n * w->n + x * w->n + y;
}

/* Raw moments become cumulants. */
static void subtract(const world *w, const double *mean, const double *second)
{
    ng_cumulants *out = w->out;
    for (size_t a = 0; a < w->d; a++)
        for (size_t i = 0; i < w->bonds; i++) {
            out->fisher[at2(w, a, i)] = second[at2(w, a, i)] - mean[a] * mean[i / w->n];
            for (size_t j = 0; j < w->bonds; j++) {
                size_t b = i / w->n, c = j / w->n;
                /* <T_i T_j> by translation: i at the origin, j at y - x */
                size_t y = ngi_site_add(w->d, w->length, j % w->n,
                                        ngi_site_negate(w->d, w->length, i % w->n));
                double ij = second[at2(w, b, c * w->n + y)];
                out->third[at3(w, a, i, j)] += 2 * mean[a] * mean[b] * mean[c] - mean[a] * ij -
                                               mean[b] * second[at2(w, a, j)] -
                                               mean[c] * second[at2(w, a, i)];
            }
        }
    out->mean = mean[0];
}

/* ---- Ising ------------------------------------------------------------------ */

/* weight[state] = exp(J sum of T - |J| m) in the order of a Gray code */
static void weigh(const world *w, double *weight, size_t states)
{
    int spin[BONDS], sum = (int)w->bonds;
    double level[2 * BONDS + 1];
    size_t state = 0;
    for (int t = -sum; t <= sum; t++)
        level[t + sum] = exp(w->coupling * t - fabs(w->coupling) * sum);
    for (size_t i = 0; i < w->n; i++)
        spin[i] = 1;
    for (size_t step = 1;; step++) {
        weight[state] = level[sum + (int)w->bonds];
        if (step == states)
            return;
        size_t site = 0;
        while ((step >> site & 1) == 0)
            site++;
        int neighbours = 0;
        for (size_t b = 0; b < w->d; b++)
            neighbours += spin[w->to[b * w->n + site]] +
                          spin[ngi_site_move(w->length, site, b, w->length - 1)];
        sum -= 2 * spin[site] * neighbours;
        spin[site] = -spin[site];
        state ^= (size_t)1 << site;
    }
}

static ng_status enumerate_ising(world *w, size_t states, ng_error *error)
{
    double mean[NGI_SPECIES], second[NGI_SPECIES * BONDS];
    size_t mask[BONDS];
    double *weight = malloc(states * sizeof *weight);
    if (weight == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu weights", states);
    weigh(w, weight, states);
    ng_walsh_hadamard(weight, states, NULL); /* weight[mask]: sum of (-1)^|mask & state| weights */
    for (size_t i = 0; i < w->bonds; i++)
        mask[i] = (((size_t)1 << w->from[i]) ^ ((size_t)1 << w->to[i])) & (states - 1);
    w->total = weight[0];
    for (size_t a = 0; a < w->d; a++) {
        const size_t origin = mask[a * w->n];
        mean[a] = weight[origin] / w->total;
        for (size_t i = 0; i < w->bonds; i++) {
            second[at2(w, a, i)] = weight[origin ^ mask[i]] / w->total;
            for (size_t j = 0; j < w->bonds; j++)
                w->out->third[at3(w, a, i, j)] = weight[origin ^ mask[i] ^ mask[j]] / w->total;
        }
    }
    free(weight);
    subtract(w, mean, second);
    return NG_OK;
}

/* ---- Potts ------------------------------------------------------------------ */

/* How many states of each level (satisfied bonds) have the bonds of a moment
 * satisfied: integers, so that nothing is lost before the weights come in.
 * count[level (d^3 n^2 + 1)], the last of each level being its states. */
static void add_state(const world *w, uint64_t *count, const unsigned char *colour)
{
    size_t satisfied[BONDS], level = 0, stride = w->d * w->bonds * w->bonds + 1;
    for (size_t i = 0; i < w->bonds; i++)
        if (colour[w->from[i]] == colour[w->to[i]])
            satisfied[level++] = i;
    count += level * stride;
    count[stride - 1]++;
    for (size_t a = 0; a < w->d; a++) {
        if (colour[0] != colour[w->to[a * w->n]])
            continue;
        for (size_t i = 0; i < level; i++)
            for (size_t j = 0; j < level; j++)
                count[at3(w, a, satisfied[i], satisfied[j])]++;
    }
}

static void weigh_levels(world *w, const uint64_t *count)
{
    const size_t size = w->d * w->bonds * w->bonds;
    const double best = w->coupling > 0 ? (double)w->bonds : 0;
    for (size_t level = 0; level <= w->bonds; level++, count += size + 1) {
        double weight = exp(w->coupling * ((double)level - best));
        w->total += weight * (double)count[size];
        for (size_t i = 0; i < size; i++)
            w->out->third[i] += weight * (double)count[i];
    }
    for (size_t i = 0; i < size; i++)
        w->out->third[i] /= w->total;
}

static ng_status enumerate_potts(world *w, size_t colours, ng_error *error)
{
    unsigned char colour[BONDS] = {0};
    double mean[NGI_SPECIES], second[NGI_SPECIES * BONDS];
    size_t site, stride = w->d * w->bonds * w->bonds + 1;
    uint64_t *count = calloc((w->bonds + 1) * stride, sizeof *count);
    if (count == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu counts", w->bonds * stride);
    do {
        add_state(w, count, colour);
        for (site = 0; site + 1 < w->n && ++colour[site] == colours; site++)
            colour[site] = 0;
    } while (site + 1 < w->n);
    weigh_levels(w, count);
    free(count);
    for (size_t a = 0; a < w->d; a++) { /* T^2 = T */
        mean[a] = w->out->third[at3(w, a, a * w->n, a * w->n)];
        for (size_t i = 0; i < w->bonds; i++)
            second[at2(w, a, i)] = w->out->third[at3(w, a, i, i)];
    }
    subtract(w, mean, second);
    return NG_OK;
}

/* Model, size, memory; before any work. */
static ng_status check(const ng_lattice *lattice, size_t memory, ng_error *error)
{
    TRY(ngi_lattice_check(lattice, error));
    if (free_states(lattice) > (size_t)1 << STATES_BITS)
        return ng_error_set(error, NG_EUNSUPPORTED,
                            "length: %s at L = %zu has more states than 2^%d",
                            ng_lattice_name(lattice->model), lattice->length, STATES_BITS);
    return ngi_memory_check(ng_lattice_enumerate_memory(lattice), memory, "enumeration", lattice,
                            error);
}

static ng_status run(world *w, const ng_lattice *lattice, ng_error *error)
{
    size_t colours = ng_lattice_states(lattice->model);
    if (colours == 2)
        TRY(enumerate_ising(w, free_states(lattice), error));
    else
        TRY(enumerate_potts(w, colours, error));
    if (!(w->total > 1e-290))
        return ng_error_set(error, NG_ERANGE, "coupling: the weights underflow at J = %g",
                            lattice->coupling);
    return NG_OK;
}

ng_status ng_lattice_enumerate(ng_cumulants *cumulants, const ng_lattice *lattice, size_t memory,
                               ng_error *error)
{
    world w = {.total = 0};
    if (cumulants == NULL)
        return ng_error_set(error, NG_EARG, "cumulants is NULL");
    memset(cumulants, 0, sizeof *cumulants);
    TRY(check(lattice, memory, error));
    ng_cumulants out;
    TRY(ng_cumulants_create(&out, ng_lattice_dimension(lattice->model), lattice->length, 1, error));
    lay_out(&w, lattice, &out);
    ng_status status = run(&w, lattice, error);
    if (status == NG_OK)
        *cumulants = out;
    else
        ng_cumulants_destroy(&out);
    return status;
}
