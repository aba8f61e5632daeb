/* What the engines share: checks of a lattice, sites of the torus, whitening,
 * and the classes of momentum triples. */
#ifndef NGI_LATTICE_H
#define NGI_LATTICE_H

#include <stdint.h>

#include <natgrad/exchange.h>
#include <natgrad/lab/lattice.h>

/* dimension 2 or 3, length at least 3; NG_EARG. */
ng_status ngi_torus_check(size_t dimension, size_t length, ng_error *error);

/* Known model, L >= 3 and small enough to count its sites, finite J; NG_EARG. */
ng_status ngi_lattice_check(const ng_lattice *lattice, ng_error *error);

/* NG_ENOMEM, with both numbers, if need exceeds the limit. */
ng_status ngi_memory_check(size_t need, size_t limit, const char *engine, const ng_lattice *lattice,
                           ng_error *error);

/* L^d; SIZE_MAX if that does not fit. Likewise the other sizes. */
size_t ngi_power(size_t base, size_t exponent);
size_t ngi_add(size_t a, size_t b);
size_t ngi_mul(size_t a, size_t b);

size_t ngi_cumulants_memory(size_t dimension, size_t length); /* of the tables */

/* ---- Several processes ------------------------------------------------------- */

/* Who does what: `ranks` processes, this one `rank`, each its part in `passes` turns. exchange is
 * NULL for one process alone. mark: of what all must have been told alike. */
typedef struct {
    const ng_exchange *exchange;
    size_t rank, ranks, passes;
    unsigned long long mark;
} ngi_division;

/* This process alone, or of the exchange; one pass. NG_EOPTION: an exchange of another size. */
ng_status ngi_divide(ngi_division *division, const ng_exchange *exchange, ng_error *error);

/* Own status -> the one for all ranks, with the same text. */
ng_status ngi_agree(const ngi_division *division, ng_status status, ng_error *error);

/* mark <- of mark and a further number */
unsigned long long ngi_mark(unsigned long long mark, unsigned long long number);

/* ng_cumulants_curvature_from, divided: a call of all ranks, of which each asks `planes` for its
 * own x in order, in every pass. Bytes of one rank; SIZE_MAX if that does not fit. */
ng_status ngi_contract(ng_lattice_curvature *result, const ng_cumulants *c,
                       ng_cumulant_planes planes, void *data, const ngi_division *division,
                       ng_error *error);
size_t ngi_contract_memory(size_t dimension, size_t length, size_t ranks, size_t passes);

/* x + y on the torus, digit by digit; x moved by steps along an axis. */
size_t ngi_site_add(size_t dimension, size_t length, size_t x, size_t y);
size_t ngi_site_move(size_t length, size_t x, size_t axis, size_t steps);
size_t ngi_site_negate(size_t dimension, size_t length, size_t x);
size_t ngi_site_digit(size_t length, size_t x, size_t axis);

enum { NGI_SPECIES = 3 }; /* most directions */

typedef struct {
    double re, im;
} ngi_complex;

static inline ngi_complex ngi_cmul(ngi_complex a, ngi_complex b)
{
    ngi_complex c = {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
    return c;
}

static inline ngi_complex ngi_cadd(ngi_complex a, ngi_complex b)
{
    ngi_complex c = {a.re + b.re, a.im + b.im};
    return c;
}

/* ---- Whitening: d x d blocks of F, tensors of d^3 -------------------------- */

/* whitener (n d x d blocks) <- C^-1 with C C^+ = f(k), C lower; f Hermitian
 * n d x d blocks, f_ab(k) = sum over x of exp(+ikx) Cov((a, 0), (b, x)), of
 * which the lower triangle is read. NG_ESINGULAR, NG_ENONFINITE. */
ng_status ngi_whiten(ngi_complex *whitener, const ngi_complex *f, size_t sites, size_t dimension,
                     ng_error *error);

/* t_abc <- each index multiplied by its d x d block of the whitener, for third
 * cumulants at momenta k0 + k1 + k2 = 0, sum over x, y of exp(-i(k1 x + k2 y))
 * kappa((a, 0), (b, x), (c, y)); its |t|^2. */
double ngi_whiten_third(ngi_complex *t, const ngi_complex *w0, const ngi_complex *w1,
                        const ngi_complex *w2, size_t dimension);

/* ---- Momentum triples k0 + k1 + k2 = 0 ------------------------------------- */

/* The n^2 ordered triples fall into classes under the six orders and k -> -k,
 * which only permute or conjugate the transformed cumulant. One triple of each
 * class, k[0] <= k[1] <= k[2], and how many the class has. */
typedef struct {
    uint32_t k[3];
    uint32_t multiplicity;
} ngi_triple;

typedef struct {
    size_t dimension, length, sites, count;
    ngi_triple *triple;
} ngi_orbits;

ng_status ngi_orbits_create(ngi_orbits *orbits, size_t dimension, size_t length, ng_error *error);
void ngi_orbits_destroy(ngi_orbits *orbits);
size_t ngi_orbits_memory(size_t sites); /* an upper bound */

/* Sorts k[3] ascending; order[j] is where the j-th smallest stood. */
void ngi_sort3(size_t order[3], const uint32_t k[3]);

/* |kappa|^2 and t[species], |tr kappa|^2 = n |t|^2, of the transformed cumulants
 * at orbits->triple: spectrum[i d^3 + (a d + b) d + c] = sum over x, y of
 * exp(-i(k1 x + k2 y)) kappa((a, 0), (b, x), (c, y)). */
double ngi_squares(double *t, const ngi_orbits *orbits, const ngi_complex *whitener,
                   const ngi_complex *spectrum);

#endif
