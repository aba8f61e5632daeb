/* Failing allocations: linked statically with --wrap, so that calls from the
 * library arrive here. The k-th allocation fails; no leak (run under ASan or
 * valgrind), nothing half-built is returned. */
#include "tests/lab/lattice_world.h"

static ng_error err;

typedef ng_status (*call)(void);

/* Fails each allocation in turn until none is left. */
static void survive(call act, long least)
{
    ng_status status = NG_ENOMEM;
    long k;
    for (k = 0; status != NG_OK; k++) {
        fault_once(FAULT_MEMORY, k + 1, FAIL);
        status = act();
        fault_over();
        if (status == NG_OK)
            break;
        ck_assert_int_eq(status, NG_ENOMEM);
        ck_assert_msg(strstr(err.text, "no memory") != NULL, "%s", err.text);
    }
    ck_assert_int_ge(k, least); /* the wrapping works: something was made to fail */
}

static ng_status with_engine(lattice_engine engine, ng_lattice_model model)
{
    ng_cumulants c = {.third = (double *)&err};
    ng_lattice l = lattice_critical(model, 3);
    ng_status status = engine(&c, &l, (size_t)1 << 30, &err);
    if (status != NG_OK && c.third != NULL)
        return NG_EARG; /* a half-built table */
    ng_cumulants_destroy(&c);
    return status;
}

static ng_status enumerate_ising(void)
{
    return with_engine(ng_lattice_enumerate, NG_LATTICE_ISING2D);
}

static ng_status enumerate_potts(void)
{
    return with_engine(ng_lattice_enumerate, NG_LATTICE_POTTS3);
}

static ng_status transfer_ising(void)
{
    return with_engine(ng_lattice_transfer, NG_LATTICE_ISING2D);
}

static ng_cumulants tables;

static ng_status contract(void)
{
    ng_lattice_curvature r;
    return ng_cumulants_curvature(&r, &tables, &err);
}

static ng_status wolff(void)
{
    ng_wolff_options o;
    ng_wolff_result r;
    ng_wolff_init(&o);
    o.lattice = lattice_critical(NG_LATTICE_ISING2D, 3);
    o.samples = 1620;
    return ng_wolff_run(&r, &o, &err);
}

START_TEST(engines_survive)
{
    survive(enumerate_ising, 3);
    survive(enumerate_potts, 3);
    survive(transfer_ising, 3);
}
END_TEST

START_TEST(contraction_survives)
{
    ng_lattice l = lattice_critical(NG_LATTICE_ISING2D, 3);
    ng_assert_ok(ng_lattice_enumerate(&tables, &l, (size_t)1 << 30, &err), &err);
    survive(contract, 7);
    ng_cumulants_destroy(&tables);
}
END_TEST

START_TEST(chains_survive)
{
    survive(wolff, 60);
}
END_TEST

TEST_SUITE(lattice_alloc)
{
    TCase *tcase = tcase_create("lattice_alloc");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, engines_survive);
    tcase_add_test(tcase, contraction_survives);
    tcase_add_test(tcase, chains_survive);
    suite_add_tcase(suite, tcase);
}
