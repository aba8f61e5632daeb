/* The transfer matrix against enumeration, table by table, and against exact
 * curvatures of larger lattices. */
#include "tests/lab/lattice_world.h"

static ng_error err;

static void compare(ng_lattice_model model, size_t length, double coupling)
{
    ng_lattice l = {model, length, coupling};
    ng_cumulants transfer, states;
    ng_lattice_curvature one, other;
    ng_assert_ok(ng_lattice_transfer(&transfer, &l, (size_t)1 << 30, &err), &err);
    ng_assert_ok(ng_lattice_enumerate(&states, &l, (size_t)1 << 30, &err), &err);
    ng_assert_rel(transfer.mean, states.mean, 1e-12);
    ng_assert_mat(lattice_fisher(&transfer), lattice_fisher(&states), 1e-12);
    ng_assert_mat(lattice_third(&transfer), lattice_third(&states), 1e-12);
    ng_assert_ok(ng_cumulants_curvature(&one, &transfer, &err), &err);
    ng_assert_ok(ng_cumulants_curvature(&other, &states, &err), &err);
    ng_assert_rel(one.curvature, other.curvature, 1e-11);
    ng_cumulants_destroy(&transfer);
    ng_cumulants_destroy(&states);
}

START_TEST(ising_by_states)
{
    const double couplings[] = {0.2, 0.3, ng_lattice_critical(NG_LATTICE_ISING2D), 0.6};
    for (size_t length = 3; length <= 5; length++)
        compare(NG_LATTICE_ISING2D, length, couplings[_i]);
}
END_TEST

/* Negative couplings: the matrix has negative eigenvalues too. */
START_TEST(others_by_states)
{
    compare(NG_LATTICE_ISING2D, 4, -0.3);
    compare(NG_LATTICE_POTTS3, 3, 0.4);
    compare(NG_LATTICE_POTTS3, 3, -0.5);
    compare(NG_LATTICE_POTTS4, 3, ng_lattice_critical(NG_LATTICE_POTTS4));
    compare(NG_LATTICE_POTTS4, 3, -0.5);
}
END_TEST

START_TEST(ising_exact)
{
    size_t length = (size_t)_i;
    ng_assert_rel(
        lattice_curvature(ng_lattice_transfer, lattice_critical(NG_LATTICE_ISING2D, length)),
        lattice_ising[length], 1e-11);
}
END_TEST

/* L = 4 of q = 3 enumerated elsewhere; the others with the digits published */
START_TEST(potts_published)
{
    static const lattice_value known[] = {
        {NG_LATTICE_POTTS3, 4, -208.145683088, 1e-11},
        {NG_LATTICE_POTTS3, 5, -359.51, 2e-5},
        {NG_LATTICE_POTTS4, 4, -200.65, 3e-5},
        {NG_LATTICE_POTTS4, 5, -354.59, 2e-5},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        ng_assert_rel(lattice_curvature(ng_lattice_transfer,
                                        lattice_critical(known[i].model, known[i].length)),
                      known[i].curvature, known[i].tolerance);
}
END_TEST

START_TEST(refusals)
{
    ng_cumulants c;
    const size_t room = (size_t)1 << 30;
    ng_lattice l = lattice_critical(NG_LATTICE_ISING2D, 2);
    ng_assert_fails(ng_lattice_transfer(&c, &l, room, &err), NG_EARG, &err, "L = 2");
    l.length = 14;
    ng_assert_fails(ng_lattice_transfer(&c, &l, room, &err), NG_ENOMEM, &err, "1.074e+09");
    l.length = 40;
    ng_assert_fails(ng_lattice_transfer(&c, &l, room, &err), NG_ENOMEM, &err, "L = 40");
    ck_assert_uint_eq(ng_lattice_transfer_memory(&l), SIZE_MAX);
    l.length = 5;
    ng_assert_fails(ng_lattice_transfer(&c, &l, ng_lattice_transfer_memory(&l) - 1, &err),
                    NG_ENOMEM, &err, "memory");
    ck_assert_ptr_null(c.third);
    l.coupling = 1000;
    ng_assert_fails(ng_lattice_transfer(&c, &l, room, &err), NG_ERANGE, &err, "1000");
    l = lattice_critical(NG_LATTICE_ISING3D, 3);
    ng_assert_fails(ng_lattice_transfer(&c, &l, room, &err), NG_EUNSUPPORTED, &err, "ising3d");
}
END_TEST

/* About 32 L 4^(L-1) bytes are allowed. */
START_TEST(memory)
{
    for (size_t length = 8; length <= 12; length++) {
        ng_lattice l = lattice_critical(NG_LATTICE_ISING2D, length);
        ng_assert_le((double)ng_lattice_transfer_memory(&l),
                     1.25 * 32 * (double)length * pow(4, (double)length - 1));
    }
}
END_TEST

TEST_SUITE(transfer)
{
    TCase *tcase = tcase_create("transfer");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, ising_by_states, 0, 4);
    tcase_add_test(tcase, others_by_states);
    tcase_add_loop_test(tcase, ising_exact, 3, 9);
    tcase_add_test(tcase, potts_published);
    tcase_add_test(tcase, refusals);
    tcase_add_test(tcase, memory);
    suite_add_tcase(suite, tcase);
}
