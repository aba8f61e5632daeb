/* Exact curvatures at J_c that other programs found, and short forms of calls. */
#ifndef NG_TEST_LATTICE_WORLD_H
#define NG_TEST_LATTICE_WORLD_H

#include <natgrad-lab.h>

#include "tests/support/support.h"

typedef ng_status (*lattice_engine)(ng_cumulants *, const ng_lattice *, size_t, ng_error *);

typedef struct {
    ng_lattice_model model;
    size_t length;
    double curvature, tolerance; /* tolerance of the digits known */
} lattice_value;

/* Two-dimensional Ising: two programs for free fermions, L = 3, 4, 5 enumerated
 * besides. */
static const double lattice_ising[] = {
    [3] = -105.64184956553896, [4] = -265.312142793519, [5] = -446.2377606735, [6] = -671.247238714,
    [7] = -945.531618876,      [8] = -1272.14194085,    [9] = -1653.340212537,
};

static inline ng_lattice lattice_critical(ng_lattice_model model, size_t length)
{
    ng_lattice l = {model, length, ng_lattice_critical(model)};
    return l;
}

static inline double lattice_curvature(lattice_engine engine, ng_lattice lattice)
{
    ng_error err;
    ng_cumulants tables;
    ng_lattice_curvature r;
    ng_assert_ok(engine(&tables, &lattice, (size_t)4 << 30, &err), &err);
    ng_assert_ok(ng_cumulants_curvature(&r, &tables, &err), &err);
    ng_cumulants_destroy(&tables);
    ng_assert_rel(r.curvature, (r.square - r.trace) / 4, 1e-14);
    return r.curvature;
}

static inline ng_mat lattice_fisher(const ng_cumulants *c)
{
    size_t n = c->dimension == 2 ? c->length * c->length : c->length * c->length * c->length;
    return ng_f64(c->fisher, c->dimension * c->dimension, n);
}

static inline ng_mat lattice_third(const ng_cumulants *c)
{
    size_t n = c->dimension == 2 ? c->length * c->length : c->length * c->length * c->length;
    return ng_f64(c->third, c->dimension * c->dimension * c->dimension, n * n);
}

#endif
