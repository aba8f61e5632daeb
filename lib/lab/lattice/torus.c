/* Cumulants and curvature of the 2-D Ising torus from the tables of free
 * fermions: kappa_ab = (1-t^2)^2 w_ab and kappa_abc = (1-t^2)^3 w_abc for
 * distinct bonds; T^2 = 1 gives the others. Sites in the tables of fermions are
 * row-major; their direction 0 is direction 1 here. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"
#include "lib/lab/lattice/fermion.h"
#include "lib/lab/lattice/lattice.h"

typedef struct {
    ngi_fermion fermion;
    const ng_cumulants *filled; /* mean and fisher are */
} torus;

/* The index of displacement (0, 0) - x in the wide tables. */
static size_t wide_index(const ngi_fermion *f, size_t x)
{
    return (f->length - 1 - x / f->length) * f->wide + f->length - 1 - x % f->length;
}

/* out[y] += sum_jk M_bc(y-x)[j][k] H[j][k](y), one row of y: H[j][k] =
 * s_k (h[0][j] M_ac(y)[0][1-k] + h[1][j] M_ac(y)[1][1-k]), h = +-M_ab(x). */
static void add_row(double *restrict out, const double *restrict ac, const double *restrict bc,
                    size_t step, const double h[2][2], size_t length)
{
    const double h00 = h[0][0], h01 = h[0][1], h10 = h[1][0], h11 = h[1][1];
    for (size_t y = 0; y < length; y++) {
        double a00 = ac[y], a01 = ac[y + step], a10 = ac[y + 2 * step], a11 = ac[y + 3 * step];
        double k0 = bc[y] * (h00 * a01 + h10 * a11) + bc[y + 2 * step] * (h01 * a01 + h11 * a11);
        double k1 =
            bc[y + step] * (h00 * a00 + h10 * a10) + bc[y + 3 * step] * (h01 * a00 + h11 * a10);
        out[y] += k0 - k1;
    }
}

/* w_abc of a = (0, alpha), b = (x, beta), c = (y, gamma) for all y. */
static void third_plane(const ngi_fermion *f, double *out, size_t x, int alpha, int beta, int gamma)
{
    size_t length = f->length, wide = f->wide, step = wide * wide;
    size_t origin = wide_index(f, 0), away = wide_index(f, x);
    size_t to_b = 2 * origin - away; /* displacement x */
    int ab = 2 * alpha + beta, bc = 2 * beta + gamma, ac = 2 * alpha + gamma;
    double fixed = f->constant[4 * alpha + bc] + f->mixed[gamma][ab][to_b];
    for (size_t y0 = 0; y0 < length; y0++) {
        double *row = out + y0 * length;
        const double *by_a = f->mixed[alpha][bc] + away + y0 * wide;
        const double *by_b = f->mixed[beta][ac] + origin + y0 * wide;
        for (size_t y1 = 0; y1 < length; y1++)
            row[y1] = fixed + by_a[y1] + by_b[y1];
    }
    for (int s = 0; s < NGI_SECTORS; s++) {
        const double *m = f->bond[s][ab] + to_b;
        double h[2][2]; /* h[i][j] = share s_(1-i) M_ab(x)[1-i][j] */
        for (size_t j = 0; j < 2; j++) {
            h[0][j] = -f->share[s] * m[(2 + j) * step];
            h[1][j] = f->share[s] * m[j * step];
        }
        for (size_t y0 = 0; y0 < length; y0++)
            add_row(out + y0 * length, f->bond[s][ac] + origin + y0 * wide,
                    f->bond[s][bc] + away + y0 * wide, step, h, length);
    }
}

/* kappa_aab = -2 <T> kappa_ab wherever two of the three bonds are one. */
static void patch_plane(const torus *t, double *out, size_t x, int alpha, int beta, int gamma)
{
    size_t sites = t->filled->length * t->filled->length;
    const double *fisher = t->filled->fisher, twice = -2 * t->filled->mean;
    const double *ab = fisher + (size_t)(2 * alpha + beta) * sites;
    if (alpha == beta && x == 0)
        for (size_t y = 0; y < sites; y++)
            out[y] = twice * fisher[(size_t)(2 * alpha + gamma) * sites + y];
    if (alpha == gamma)
        out[0] = twice * ab[x];
    if (beta == gamma)
        out[x] = twice * ab[x];
}

/* kappa_abc, one leg number (alpha beta gamma) and all y. */
static void fill_plane(const torus *t, double *out, size_t leg, size_t x)
{
    int alpha = (int)leg / 4, beta = (int)leg / 2 % 2, gamma = (int)leg % 2;
    size_t sites = t->filled->length * t->filled->length;
    double slope = 1 - t->fermion.t * t->fermion.t, scale = slope * slope * slope;
    third_plane(&t->fermion, out, x, 1 - alpha, 1 - beta, 1 - gamma);
    for (size_t y = 0; y < sites; y++)
        out[y] *= scale;
    patch_plane(t, out, x, alpha, beta, gamma);
}

static ng_status planes(void *data, double *out, size_t x, ng_error *error)
{
    const torus *t = data;
    size_t sites = t->filled->length * t->filled->length;
    (void)error;
    for (size_t leg = 0; leg < 8; leg++)
        fill_plane(t, out + leg * sites, leg, x);
    return NG_OK;
}

static void fill_fisher(ng_cumulants *c, const ngi_fermion *f)
{
    size_t sites = f->length * f->length;
    double slope = 1 - f->t * f->t;
    c->mean = f->t + slope * 0.5 * (f->overall[0] + f->overall[1]);
    for (size_t pair = 0; pair < 4; pair++)
        for (size_t x = 0; x < sites; x++)
            c->fisher[pair * sites + x] =
                slope * slope * f->pair[3 - pair][2 * wide_index(f, 0) - wide_index(f, x)];
    c->fisher[0] = c->fisher[3 * sites] = 1 - c->mean * c->mean;
}

static ng_status open_torus(torus *t, ng_cumulants *c, double coupling, ng_error *error)
{
    if (!(coupling >= 0 && coupling <= 2)) /* NaN too */
        return ng_error_set(error, NG_EARG, "coupling J = %g, expected 0 to 2", coupling);
    TRY(ngi_fermion_create(&t->fermion, c->length, coupling, error));
    fill_fisher(c, &t->fermion);
    t->filled = c;
    return NG_OK;
}

ng_status ng_ising_fermion_cumulants(ng_cumulants *c, double coupling, ng_error *error)
{
    torus t;
    if (c == NULL || c->fisher == NULL)
        return ng_error_set(error, NG_EARG, "c or c->fisher is NULL");
    if (c->dimension != 2)
        return ng_error_set(error, NG_EARG, "dimension: %zu, free fermions live in 2",
                            c->dimension);
    TRY(ngi_torus_check(c->dimension, c->length, error));
    TRY(open_torus(&t, c, coupling, error));
    size_t sites = c->length * c->length;
    for (size_t leg = 0; leg < 8 && c->third != NULL; leg++)
        for (size_t x = 0; x < sites; x++)
            fill_plane(&t, c->third + (leg * sites + x) * sites, leg, x);
    ngi_fermion_destroy(&t.fermion);
    return NG_OK;
}

/* ---- R ----------------------------------------------------------------------- */

size_t ng_ising_fermion_memory(size_t length, size_t ranks, size_t passes)
{
    size_t memory = ranks > 0 && ranks < 1 << 16 && passes > 0 && passes <= NG_ISING_PASSES
                        ? ngi_contract_memory(2, length, ranks, passes)
                        : SIZE_MAX;
    return memory == SIZE_MAX
               ? memory
               : memory + sizeof(double) * (ngi_fermion_numbers(length) + 4 * length * length);
}

/* The fewest passes that fit. */
static ng_status fit(ngi_division *d, size_t length, size_t memory, ng_error *error)
{
    size_t need = ng_ising_fermion_memory(length, d->ranks, 1);
    while (memory > 0 && need > memory && d->passes < NG_ISING_PASSES)
        need = ng_ising_fermion_memory(length, d->ranks, ++d->passes);
    return memory == 0 || need <= memory
               ? NG_OK
               : ng_error_set(error, NG_ENOMEM,
                              "L = %zu needs %.3g GB, more than the %.3g GB allowed", length,
                              1e-9 * (double)need, 1e-9 * (double)memory);
}

static ng_status prepare(torus *t, ng_cumulants *c, ngi_division *d, size_t length, double coupling,
                         size_t memory, ng_error *error)
{
    union {
        double number;
        unsigned long long bits;
    } j = {.number = coupling};
    TRY(ngi_torus_check(2, length, error));
    TRY(fit(d, length, memory, error));
    d->mark = ngi_mark(ngi_mark(ngi_mark(0, length), j.bits), d->passes);
    TRY(ng_cumulants_create(c, 2, length, 0, error));
    return open_torus(t, c, coupling, error);
}

ng_status ng_ising_fermion_shared(ng_lattice_curvature *result, size_t length, double coupling,
                                  size_t memory, const ng_exchange *exchange, ng_error *error)
{
    torus t = {.filled = NULL};
    ng_cumulants c = {.length = 0};
    ngi_division d;
    if (result == NULL)
        return ng_error_set(error, NG_EARG, "result is NULL");
    TRY(ngi_divide(&d, exchange, error));
    ng_status status = prepare(&t, &c, &d, length, coupling, memory, error);
    status = ngi_agree(&d, status, error);
    if (status == NG_OK)
        status = ngi_contract(result, &c, planes, &t, &d, error);
    ngi_fermion_destroy(&t.fermion);
    ng_cumulants_destroy(&c);
    return status;
}

ng_status ng_ising_fermion(ng_lattice_curvature *result, size_t length, double coupling,
                           size_t memory, ng_error *error)
{
    return ng_ising_fermion_shared(result, length, coupling, memory, NULL, error);
}
