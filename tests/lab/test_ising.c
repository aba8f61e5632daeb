/* The Ising torus by free fermions against complete enumeration and against
 * published exact values; the contraction of averaged cumulants against the
 * plain sums over all bonds. */
#include <stdlib.h>

#include <natgrad-lab.h>

#include "tests/support/tensor.h"

static const double couplings[] = {0.2, 0.3, NG_ISING_CRITICAL, 0.6};
enum { COUPLINGS = sizeof couplings / sizeof *couplings };

/* ---- Enumeration ------------------------------------------------------------ */

/* bond number alpha L^2 + x; its mask has the bits of its two sites */
static void torus_bonds(size_t *mask, size_t length)
{
    size_t n = length * length;
    for (size_t x = 0; x < n; x++) {
        size_t down = (x + length) % n, right = x / length * length + (x + 1) % length;
        mask[x] = (size_t)1 << x ^ (size_t)1 << right;
        mask[n + x] = (size_t)1 << x ^ (size_t)1 << down;
    }
}

/* _i = 4 (L - 3) + number of the coupling */
START_TEST(agrees_with_enumeration)
{
    size_t length = 3 + (size_t)(_i / COUPLINGS), n = length * length, bonds = 2 * n;
    double coupling = couplings[_i % COUPLINGS];
    size_t mask[32];
    double theta[32], mean[32], *kappa = malloc(bonds * bonds * bonds * sizeof *kappa);
    ng_mat f = dense_mat(bonds, bonds);
    ng_error error = {NG_OK, ""};
    ng_cumulants c;
    torus_bonds(mask, length);
    for (size_t a = 0; a < bonds; a++)
        theta[a] = coupling;
    tensor_walsh(f, kappa, mean, bonds, mask, theta, (int)n);

    ng_assert_ok(ng_cumulants_create(&c, 2, length, 1, &error), &error);
    ng_assert_ok(ng_ising_fermion_cumulants(&c, coupling, &error), &error);
    ng_assert_rel(c.mean, mean[0], 1e-12);
    ng_mat second = ng_f64(c.fisher, 2, bonds), third = ng_f64(c.third, 8 * n, n);
    ng_mat second_ref = dense_mat(2, bonds), third_ref = dense_mat(8 * n, n);
    for (size_t alpha = 0; alpha < 2; alpha++)
        for (size_t b = 0; b < bonds; b++) {
            ng_mat_set(second_ref, alpha, b, ng_mat_get(f, alpha * n, b));
            for (size_t d = 0; d < bonds; d++) { /* [alpha][beta][gamma][x][y] */
                size_t leg = (alpha * 2 + b / n) * 2 + d / n;
                ((double *)third_ref.data)[(leg * n + b % n) * n + d % n] =
                    kappa[(alpha * n * bonds + b) * bonds + d];
            }
        }
    ng_assert_mat(second, second_ref, 1e-12);
    ng_assert_mat(third, third_ref, 1e-11);

    tensor_norms ref = tensor_curvature(f, kappa);
    ng_lattice_curvature r, stored;
    ng_assert_ok(ng_ising_fermion(&r, length, coupling, 0, &error), &error);
    ng_assert_rel(r.curvature, ref.curvature, 1e-11);
    ng_assert_rel(r.square, ref.square, 1e-11);
    ng_assert_rel(r.trace, ref.trace, 1e-11);
    ng_assert_ok(ng_cumulants_curvature(&stored, &c, &error), &error);
    ng_assert_rel(stored.curvature, r.curvature, 1e-12);
    ng_cumulants_destroy(&c);
    free(kappa);
    dense_release();
}
END_TEST

/* J = 0: independent spins. With L = 4 no product of three bonds is 1: R = 0. */
START_TEST(free_spins)
{
    ng_lattice_curvature r;
    ng_assert_ok(ng_ising_fermion(&r, 4, 0, 0, NULL), NULL);
    ck_assert(fabs(r.curvature) < 1e-12 && fabs(r.trace) < 1e-12);
    /* L = 3: 6 closed lines of three bonds, each a triangle with R = 3/2 */
    ng_assert_ok(ng_ising_fermion(&r, 3, 0, 0, NULL), NULL);
    ng_assert_rel(r.curvature, 9, 1e-12);
}
END_TEST

/* ---- Exact values (Zhuravlev's model; two independent programs) --------------- */

static const struct {
    size_t length;
    double curvature;
} exact[] = {
    {3, -105.64184956553896}, {4, -265.312142793519}, {5, -446.2377606735},  {6, -671.247238714},
    {7, -945.531618876},      {8, -1272.14194085},    {9, -1653.340212537},  {10, -2091.004525161},
    {11, -2586.77702389},     {12, -3142.13219909},   {13, -3758.41483368},  {14, -4436.86423658},
    {15, -5178.63125199},     {16, -5984.79096411},   {18, -7794.26741965},  {20, -9872.710090524},
    {24, -14862.58298147},    {28, -21001.1261679},   {32, -28328.11636921}, {40, -46682.09465554},
    {48, -70159.00429871},    {64, -133222.1715648},
};
enum { EXACT = sizeof exact / sizeof *exact, QUICK = EXACT - 2 };

START_TEST(critical_values)
{
    ng_lattice_curvature r;
    ng_error error = {NG_OK, ""};
    size_t length = exact[_i].length;
    ng_assert_ok(ng_ising_fermion(&r, length, NG_ISING_CRITICAL, 0, &error), &error);
    ng_assert_rel(r.curvature, exact[_i].curvature, length <= 32 ? 1e-10 : 1e-9);
    ng_assert_rel(4 * r.curvature, r.square - r.trace, 1e-13);
}
END_TEST

/* Just beside the critical coupling nothing happens: R is smooth in J. */
START_TEST(smooth_at_the_critical_coupling)
{
    ng_lattice_curvature r[5];
    for (int i = 0; i < 5; i++)
        ng_assert_ok(ng_ising_fermion(&r[i], 6, NG_ISING_CRITICAL + 1e-4 * (i - 2), 0, NULL), NULL);
    /* the fourth difference of a smooth function */
    double d = r[0].curvature - 4 * r[1].curvature + 6 * r[2].curvature - 4 * r[3].curvature +
               r[4].curvature;
    ck_assert_msg(fabs(d) < 1e-9 * fabs(r[2].curvature), "fourth difference %g", d);
}
END_TEST

/* ---- The contraction, any cumulants --------------------------------------------- */

/* Squared distance on the torus of two bonds' middles, in half steps; what no
 * reflection or translation changes. */
static double distance(size_t a, size_t b, size_t dim, size_t length, size_t sites)
{
    int sum = 0, l = 2 * (int)length;
    size_t x = a % sites, y = b % sites;
    for (size_t axis = 0; axis < dim; axis++, x /= length, y /= length) {
        int r =
            2 * ((int)(x % length) - (int)(y % length)) + (a / sites == axis) - (b / sites == axis);
        r = (r % l + l) % l;
        r = r < l - r ? r : l - r;
        sum += r * r;
    }
    return sum;
}

static double made_second(size_t a, size_t b, const size_t *s)
{
    double same = a == b ? 1 : 0, kinds = (double)(a / s[2] + b / s[2]);
    return same + 0.2 * exp(-distance(a, b, s[0], s[1], s[2])) * (1 + 0.1 * kinds);
}

static double made_third(size_t a, size_t b, size_t c, const size_t *s)
{
    double ab = distance(a, b, s[0], s[1], s[2]), bc = distance(b, c, s[0], s[1], s[2]),
           ca = distance(c, a, s[0], s[1], s[2]), kinds = (double)(a / s[2] + b / s[2] + c / s[2]);
    return sin(1 + ab * bc + bc * ca + ca * ab) * exp(-0.1 * (ab + bc + ca)) + 0.3 * kinds;
}

/* _i: L = 3, 4, 5 in two dimensions, 3 in three */
START_TEST(contraction_is_the_plain_sum)
{
    size_t dim = _i < 3 ? 2 : 3, length = _i < 3 ? 3 + (size_t)_i : 3;
    size_t sites = dim == 2 ? length * length : length * length * length, n = dim * sites;
    const size_t shape[3] = {dim, length, sites};
    double *kappa = malloc(n * n * n * sizeof *kappa);
    ng_mat f = dense_mat(n, n);
    ng_cumulants c;
    ng_lattice_curvature r;
    ng_error error = {NG_OK, ""};
    ng_assert_ok(ng_cumulants_create(&c, dim, length, 1, &error), &error);
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < n; b++) {
            ng_mat_set(f, a, b, made_second(a, b, shape));
            if (a % sites == 0)
                c.fisher[a / sites * n + b] = ng_mat_get(f, a, b);
            for (size_t d = 0; d < n; d++) {
                double value = kappa[(a * n + b) * n + d] = made_third(a, b, d, shape);
                size_t leg = (a / sites * dim + b / sites) * dim + d / sites;
                if (a % sites == 0)
                    c.third[(leg * sites + b % sites) * sites + d % sites] = value;
            }
        }
    tensor_norms ref = tensor_curvature(f, kappa);
    ng_assert_ok(ng_cumulants_curvature(&r, &c, &error), &error);
    ng_assert_rel(r.square, ref.square, 1e-12);
    ng_assert_rel(r.trace, ref.trace, 1e-12);
    ng_assert_rel(r.curvature, ref.curvature, 1e-12);
    ng_cumulants_destroy(&c);
    free(kappa);
    dense_release();
}
END_TEST

/* ---- Refusals ---------------------------------------------------------------------- */

static ng_status failing_planes(void *data, double *planes, size_t x, ng_error *error)
{
    (void)data, (void)planes;
    return x < 4 ? NG_OK : ng_error_set(error, NG_EIO, "plane %zu cannot be read", x);
}

static ng_status nan_planes(void *data, double *planes, size_t x, ng_error *error)
{
    (void)error, (void)x;
    for (size_t i = 0; i < *(size_t *)data; i++)
        planes[i] = NAN;
    return NG_OK;
}

START_TEST(refusals)
{
    ng_error error = {NG_OK, ""};
    ng_lattice_curvature r = {7, 7, 7, 7};
    ng_cumulants c;
    ng_assert_fails(ng_ising_fermion(&r, 2, 0.3, 0, &error), NG_EARG, &error, "L = 2");
    ng_assert_fails(ng_ising_fermion(&r, 4, -0.1, 0, &error), NG_EARG, &error, "J = -0.1");
    ng_assert_fails(ng_ising_fermion(&r, 4, NAN, 0, &error), NG_EARG, &error, "J = ");
    ng_assert_fails(ng_ising_fermion(NULL, 4, 0.3, 0, &error), NG_EARG, &error, "result");
    ng_assert_fails(ng_ising_fermion(&r, 64, 0.3, 1000000, &error), NG_ENOMEM, &error,
                    "GB, more than the 0.001 GB allowed");
    ck_assert(r.curvature == 7);
    ck_assert_uint_eq(ng_ising_fermion_memory(2, 1, 1), SIZE_MAX);
    ck_assert_uint_eq(ng_ising_fermion_memory((size_t)1 << 40, 1, 1), SIZE_MAX);
    ck_assert_uint_eq(ng_ising_fermion_memory(4, 0, 1), SIZE_MAX);
    ck_assert_uint_eq(ng_ising_fermion_memory(4, 1, 17), SIZE_MAX);
    ck_assert_uint_eq(ng_cumulants_curvature_memory(4, 5), SIZE_MAX);
    ng_assert_fails(ng_cumulants_create(NULL, 2, 3, 0, &error), NG_EARG, &error, "c is NULL");
    ng_assert_fails(ng_cumulants_create(&c, 1, 3, 0, &error), NG_EARG, &error, "dimension: 1");
    ng_assert_fails(ng_cumulants_create(&c, 4, 3, 0, &error), NG_EARG, &error, "dimension: 4");
    ng_assert_fails(ng_cumulants_create(&c, 2, 2, 0, &error), NG_EARG, &error, "L = 2");
    ng_assert_fails(ng_cumulants_create(&c, 3, (size_t)1 << 40, 1, &error), NG_ENOMEM, &error,
                    "bytes");
    ck_assert(c.fisher == NULL && c.third == NULL);
}
END_TEST

START_TEST(tables_refused)
{
    ng_error error = {NG_OK, ""};
    ng_lattice_curvature r = {7, 7, 7, 7};
    ng_cumulants c;
    size_t numbers = 8 * 9;
    ng_assert_ok(ng_cumulants_create(&c, 2, 3, 0, &error), &error);
    ng_assert_fails(ng_cumulants_curvature(&r, &c, &error), NG_EARG, &error, "third");
    /* F = 0 */
    ng_assert_fails(ng_cumulants_curvature_from(&r, &c, nan_planes, &numbers, &error), NG_ESINGULAR,
                    &error, "F at momentum 0 of 9 is not positive");
    c.fisher[0] = c.fisher[27] = 1;
    ng_assert_fails(ng_cumulants_curvature_from(&r, &c, failing_planes, NULL, &error), NG_EIO,
                    &error, "plane 4");
    ng_assert_fails(ng_cumulants_curvature_from(&r, &c, nan_planes, &numbers, &error),
                    NG_ENONFINITE, &error, "not finite");
    ng_assert_fails(ng_cumulants_curvature_from(&r, &c, NULL, NULL, &error), NG_EARG, &error,
                    "planes");
    c.fisher[0] = NAN;
    ng_assert_fails(ng_cumulants_curvature_from(&r, &c, nan_planes, &numbers, &error),
                    NG_ENONFINITE, &error, "F at momentum 0 is not finite");
    ng_cumulants_destroy(&c);
    ng_cumulants_destroy(&c);
    ng_cumulants_destroy(NULL);
    ng_assert_ok(ng_cumulants_create(&c, 3, 3, 0, &error), &error);
    ng_assert_fails(ng_ising_fermion_cumulants(&c, 0.3, &error), NG_EARG, &error, "dimension: 3");
    ng_cumulants_destroy(&c);
    ck_assert(r.curvature == 7);
}
END_TEST

TEST_SUITE(ising)
{
    TCase *tcase = tcase_create("ising");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, agrees_with_enumeration, 0, 2 * COUPLINGS);
    tcase_add_test(tcase, free_spins);
    tcase_add_loop_test(tcase, critical_values, 0, QUICK);
    tcase_add_test(tcase, smooth_at_the_critical_coupling);
    tcase_add_loop_test(tcase, contraction_is_the_plain_sum, 0, 4);
    tcase_add_test(tcase, refusals);
    tcase_add_test(tcase, tables_refused);
    suite_add_tcase(suite, tcase);
    TCase *large = tcase_create("large");
    tcase_set_timeout(large, 900);
    tcase_add_loop_test(large, critical_values, QUICK, EXACT);
    suite_add_tcase(suite, large);
}
