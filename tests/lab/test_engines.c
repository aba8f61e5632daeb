/* Three ways to the Ising torus that share nothing but the contraction: free
 * fermions, the transfer matrix, and the exponential family of its bonds, all
 * states enumerated. */
#include <stdlib.h>

#include "tests/lab/lattice_world.h"

static ng_error err;

static const double couplings[] = {0.2, 0.3, NG_ISING_CRITICAL, 0.6};
enum { COUPLINGS = sizeof couplings / sizeof *couplings };

static ng_status by_family(ng_cumulants *c, const ng_lattice *l, size_t memory, ng_error *error)
{
    const size_t n = l->length * l->length, m = 2 * n;
    uint32_t edge[50];
    double theta[50], *slab = malloc(m * m * sizeof *slab);
    ng_family *f;
    (void)memory;
    for (size_t i = 0; i < m; i++) {
        size_t x = i % n, y = i < n ? x - x % l->length + (x + 1) % l->length : (x + l->length) % n;
        edge[i] = (uint32_t)1 << x | (uint32_t)1 << y;
        theta[i] = l->coupling;
    }
    ng_assert_ok(ng_cumulants_create(c, 2, l->length, 1, error), error);
    ng_assert_ok(ng_family_create_ising(&f, n, edge, m, error), error);
    ng_assert_ok(ng_family_set(f, theta, error), error);
    c->mean = ng_family_mean(f)[0];
    for (size_t a = 0; a < 2; a++) {
        ng_assert_ok(ng_family_fisher(f, ng_f64(slab, m, m), error), error);
        memcpy(c->fisher + a * m, slab + a * n * m, m * sizeof *slab);
        ng_assert_ok(ng_family_third(f, a * n, ng_f64(slab, m, m), error), error);
        for (size_t i = 0; i < m * m; i++) {
            size_t b = i / m, d = i % m, leg = (a * 2 + b / n) * 2 + d / n;
            c->third[(leg * n + b % n) * n + d % n] = slab[i];
        }
    }
    ng_family_destroy(f);
    free(slab);
    return NG_OK;
}

static ng_status by_fermions(ng_cumulants *c, const ng_lattice *l, size_t memory, ng_error *error)
{
    (void)memory;
    ng_assert_ok(ng_cumulants_create(c, 2, l->length, 1, error), error);
    return ng_ising_fermion_cumulants(c, l->coupling, error);
}

/* Tables and R of both to 1e-11. */
static void compare(lattice_engine one, lattice_engine other, ng_lattice l)
{
    ng_cumulants x, y;
    ng_lattice_curvature r, s;
    ng_assert_ok(one(&x, &l, (size_t)1 << 30, &err), &err);
    ng_assert_ok(other(&y, &l, (size_t)1 << 30, &err), &err);
    ng_assert_rel(x.mean, y.mean, 1e-11);
    ng_assert_mat(lattice_fisher(&x), lattice_fisher(&y), 1e-11);
    ng_assert_mat(lattice_third(&x), lattice_third(&y), 1e-11);
    ng_assert_ok(ng_cumulants_curvature(&r, &x, &err), &err);
    ng_assert_ok(ng_cumulants_curvature(&s, &y, &err), &err);
    ng_assert_rel(r.curvature, s.curvature, 1e-11);
    ng_cumulants_destroy(&x);
    ng_cumulants_destroy(&y);
}

/* _i = 4 (L - 3) + number of the coupling */
static ng_lattice lattice_of(int i)
{
    return (ng_lattice){NG_LATTICE_ISING2D, 3 + (size_t)(i / COUPLINGS), couplings[i % COUPLINGS]};
}

START_TEST(family_and_fermions)
{
    compare(by_family, by_fermions, lattice_of(_i));
}
END_TEST

START_TEST(transfer_and_fermions)
{
    compare(ng_lattice_transfer, by_fermions, lattice_of(_i));
}
END_TEST

/* R without tables on the way */
START_TEST(fermions_with_and_without_tables)
{
    ng_lattice l = lattice_of(_i);
    ng_lattice_curvature r;
    ng_assert_ok(ng_ising_fermion(&r, l.length, l.coupling, 0, &err), &err);
    ng_assert_rel(r.curvature, lattice_curvature(by_fermions, l), 1e-11);
}
END_TEST

/* The 3 x 3 torus with all 18 bonds dense in quadruple precision (libquadmath): what rounding
 * leaves is no larger than it says, and it does not say much more. */
START_TEST(rounding)
{
    static const struct {
        double coupling, curvature, most;
    } known[] = {{0.1, 9.4679286493121897, 2e-14},  {0.3, -7.0700021817598750, 3e-13},
                 {0.6, -555.57931533027662, 2e-12}, {1, 11631.718075379259, 1e-9},
                 {1.5, 16448433.221018170, 1e-7},   {2, 7338717238.2784003, 2e-5}};
    static const lattice_engine all[] = {by_fermions, ng_lattice_transfer, ng_lattice_enumerate};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
            ng_lattice l = {NG_LATTICE_ISING2D, 3, known[i].coupling};
            ng_cumulants c;
            ng_lattice_curvature r;
            ng_assert_ok(all[k](&c, &l, (size_t)1 << 30, &err), &err);
            ng_assert_ok(ng_cumulants_curvature(&r, &c, &err), &err);
            ng_assert_le(fabs(r.curvature - known[i].curvature), r.rounding);
            ng_assert_le(r.rounding, known[i].most * fabs(r.curvature));
            ng_cumulants_destroy(&c);
        }
}
END_TEST

TEST_SUITE(engines)
{
    TCase *tcase = tcase_create("engines");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, family_and_fermions, 0, 3 * COUPLINGS);
    tcase_add_loop_test(tcase, transfer_and_fermions, 0, 6 * COUPLINGS);
    tcase_add_loop_test(tcase, fermions_with_and_without_tables, 0, 6 * COUPLINGS);
    tcase_add_test(tcase, rounding);
    suite_add_tcase(suite, tcase);
}
