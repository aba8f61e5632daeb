/* Runs of Wolff's chains at the critical point, and their comparison bit for bit. */
#ifndef NG_TEST_WOLFF_WORLD_H
#define NG_TEST_WOLFF_WORLD_H

#include "tests/lab/lattice_world.h"

static ng_error err;

static inline ng_wolff_options options_of(ng_lattice_model model, size_t length, size_t samples)
{
    ng_wolff_options o;
    ng_wolff_init(&o);
    o.lattice = lattice_critical(model, length);
    o.samples = samples;
    return o;
}

static inline ng_wolff_result run(const ng_wolff_options *o)
{
    ng_wolff_result r;
    ng_assert_ok(ng_wolff_run(&r, o, &err), &err);
    ck_assert_double_eq(r.difference, r.plain - r.corrected);
    ck_assert_uint_ge(r.samples, o->samples);
    ck_assert_uint_lt(r.samples, o->samples + 32 * o->chains);
    ck_assert(r.tau_energy >= 0.5 && r.tau_mode >= 0.5 && r.sigma > 0);
    return r;
}

static inline void assert_same(const ng_wolff_result *x, const ng_wolff_result *y)
{
    const double a[] = {x->plain, x->cross,      x->corrected, x->sigma,
                        x->mean,  x->tau_energy, x->tau_mode};
    const double b[] = {y->plain, y->cross,      y->corrected, y->sigma,
                        y->mean,  y->tau_energy, y->tau_mode};
    ck_assert_mem_eq(a, b, sizeof a);
    ck_assert_uint_eq(x->samples, y->samples);
}

#endif
