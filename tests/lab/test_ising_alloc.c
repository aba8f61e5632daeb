/* Failing allocations of the lattice models and of geodesics: linked statically with --wrap, so
 * that calls from the libraries arrive here. The k-th allocation fails. */
#include <stdlib.h>

#include <natgrad-lab.h>

#include "tests/support/support.h"

static ng_status curvature(ng_error *error)
{
    ng_lattice_curvature r = {7, 7, 7, 7};
    ng_status status = ng_ising_fermion(&r, 3, 0.3, 0, error);
    if (status != NG_OK && r.curvature != 7)
        return NG_EARG;
    return status;
}

static ng_status cumulants(ng_error *error)
{
    ng_cumulants c;
    ng_lattice_curvature r;
    ng_status status = ng_cumulants_create(&c, 2, 3, 1, error);
    if (status == NG_OK)
        status = ng_ising_fermion_cumulants(&c, 0.3, error);
    if (status == NG_OK)
        status = ng_cumulants_curvature(&r, &c, error);
    ng_cumulants_destroy(&c);
    return status;
}

static ng_status bernoulli(void *data, ng_mat f, double *third, const double *theta,
                           ng_error *error)
{
    double p = 1 / (1 + exp(-theta[0]));
    (void)data, (void)error;
    ng_mat_set(f, 0, 0, p * (1 - p));
    third[0] = p * (1 - p) * (1 - 2 * p);
    return NG_OK;
}

static ng_status geodesic(ng_error *error)
{
    double theta = 0.1, velocity = 1;
    ng_status status = ng_geodesic_move(ng_f64(&theta, 1, 1), ng_f64(&velocity, 1, 1), 1, 0, 1e-9,
                                        bernoulli, NULL, error);
    return status == NG_OK || (theta == 0.1 && velocity == 1) ? status : NG_EARG;
}

static ng_status connection(ng_error *error)
{
    double from = 0.1, to = 0.8, velocity = 0;
    ng_status status = ng_geodesic_connect(ng_f64(&velocity, 1, 1), ng_f64(&from, 1, 1),
                                           ng_f64(&to, 1, 1), 0, 1e-9, bernoulli, NULL, error);
    return status == NG_OK || velocity == 0 ? status : NG_EARG;
}

START_TEST(every_allocation_fails_once)
{
    ng_status (*run[])(ng_error *) = {curvature, cumulants, geodesic, connection};
    ng_status status = NG_ENOMEM;
    for (long k = 0; status != NG_OK; k++) {
        ng_error error = {NG_OK, ""};
        fault_once(FAULT_MEMORY, k + 1, FAIL);
        status = run[_i](&error);
        long counted = fault_over();
        ck_assert(status == NG_OK ? counted == k : counted > k);
        if (status == NG_OK) {
            ck_assert_int_ge(k, 3);
            break;
        }
        ck_assert_int_eq(status, NG_ENOMEM);
        ck_assert(error.text[0] != '\0');
    }
}
END_TEST

TEST_SUITE(ising_alloc)
{
    TCase *tcase = tcase_create("ising alloc");
    tcase_add_loop_test(tcase, every_allocation_fails_once, 0, 4);
    suite_add_tcase(suite, tcase);
}
