/* Powers of a matrix that moves little: when the basis is kept, when renewed. */
#include "tests/linalg/common.h"

static test_rng rng;

/* Each test begins anew: the same numbers with and without forking. */
static void reseed(void)
{
    rng.state = 9;
}

/* _i of every loop test is the dtype */
#define DTYPE ((ng_dtype)_i)

static const size_t sizes[] = {1, 2, 5, 13, 33};
enum { N = sizeof sizes / sizeof sizes[0], MAX_N = 33 };

/* eigenvalues 1 ... 10, all different */
static void spectrum(double *w, size_t n)
{
    for (size_t k = 0; k < n; k++)
        w[k] = 1 + 9 * (double)k / (double)n;
}

static ng_mat powered(ng_mat q, const double *w, double exponent)
{
    double p[MAX_N];
    for (size_t k = 0; k < q.rows; k++)
        p[k] = pow(w[k], exponent);
    return from_spectrum(q, p);
}

static ng_mat identity(size_t n)
{
    ng_mat m = test_mat(n, n, PAD, NG_F64);
    for (size_t i = 0; i < n; i++)
        ng_mat_set(m, i, i, 1);
    return m;
}

/* ||off-diagonal part of v a v^T||_F / ||a||_F from the lower triangle of a */
static double off_diagonal(ng_mat v, ng_mat a)
{
    size_t n = a.rows;
    double sum = 0;
    ng_mat full = test_convert(a, NG_F64), half = test_mat(n, n, 0, NG_F64);
    ng_mat turned = test_mat(n, n, 0, NG_F64);
    symmetrise(full);
    test_matmul(half, v, 0, full, 0);
    test_matmul(turned, half, 0, v, 1);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            sum += i == j ? 0 : ng_mat_get(turned, i, j) * ng_mat_get(turned, i, j);
    double part = sqrt(sum) / test_norm(full);
    test_free(full), test_free(half), test_free(turned);
    return part;
}

/* a <- a + size ||a|| times a random symmetric matrix of norm 1; the upper triangle is NaN */
static void move(ng_mat a, double size)
{
    double norm = 0;
    ng_mat s = random_mat(a.rows, a.cols, NG_F64, &rng);
    symmetrise(s);
    for (size_t i = 0; i < a.rows; i++)
        for (size_t j = 0; j < a.rows; j++) {
            double x = ng_mat_get(a, i > j ? i : j, i > j ? j : i);
            norm += x * x;
        }
    size *= sqrt(norm) / test_norm(s);
    for (size_t i = 0; i < a.rows; i++)
        for (size_t j = 0; j <= i; j++)
            ng_mat_set(a, i, j, ng_mat_get(a, i, j) + size * ng_mat_get(s, i, j));
    set_upper(a, NAN);
    test_free(s);
}

typedef struct {
    ng_mat q, a, b, basis;
    double w[MAX_N];
} case_of;

static void open_case(case_of *c, size_t n, ng_dtype dtype)
{
    c->q = test_orthogonal(n, &rng);
    spectrum(c->w, n);
    ng_mat exact = from_spectrum(c->q, c->w);
    c->a = padded(exact, dtype);
    set_upper(c->a, NAN);
    c->b = test_mat(n, n, PAD, dtype);
    c->basis = identity(n);
    test_free(exact);
}

static void close_case(case_of *c)
{
    test_free(c->q), test_free(c->a), test_free(c->b), test_free(c->basis);
}

static int update(case_of *c, double exponent, double tolerance)
{
    int reused = -1;
    ng_error err = {NG_OK, ""};
    ng_mat a0 = test_copy(c->a);
    ng_assert_ok(
        ng_spd_power_update(c->b, &reused, c->basis, c->a, exponent, 0, tolerance, NULL, &err),
        &err);
    ck_assert(test_same_bits(a0, c->a));
    ck_assert_msg(reused == 0 || reused == 1, "%d", reused);
    ng_assert_le(row_defect(c->basis), 1e-14 * (1 + (double)c->a.rows));
    for (size_t i = 0; i < c->b.rows; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert(ng_mat_get(c->b, i, j) == ng_mat_get(c->b, j, i));
    test_free(a0);
    return reused;
}

static const double exponents[] = {-0.5, -1, 0.5, 1, 0, 2};
enum { EXPONENTS = sizeof exponents / sizeof exponents[0] };

/* From the identity the basis is renewed (a 1 x 1 matrix needs none), the
 * result is the power; a second call on the same matrix keeps it. */
START_TEST(renewed_then_kept)
{
    for (size_t t = 0; t < N * EXPONENTS; t++) {
        case_of c;
        double exponent = exponents[t / N];
        open_case(&c, sizes[t % N], DTYPE);
        ng_mat ref = powered(c.q, c.w, exponent);
        double tol = 50 * ng_dtype_eps(DTYPE); /* kappa = 10, |exponent| <= 2 */
        ck_assert_int_eq(update(&c, exponent, 1e-6), c.a.rows == 1);
        ng_assert_mat(c.b, ref, tol);
        ng_assert_le(off_diagonal(c.basis, c.a), 1e-14);
        ng_mat basis = test_copy(c.basis), first = test_copy(c.b);
        ck_assert_int_eq(update(&c, exponent, 1e-6), 1);
        ck_assert(test_same_bits(basis, c.basis));
        ng_assert_mat(c.b, first, 1e-13 + ng_dtype_eps(DTYPE));
        test_free(basis), test_free(first), test_free(ref);
        close_case(&c);
    }
}
END_TEST

/* Tolerance 0: the same bits as ng_spd_power, and a new basis every time. */
START_TEST(zero_always_renews)
{
    for (size_t t = 0; t < N; t++) {
        case_of c;
        open_case(&c, sizes[t], DTYPE);
        ng_mat plain = test_copy(c.b);
        for (int again = 0; again < 3; again++) {
            ck_assert_int_eq(update(&c, -0.5, 0), 0);
            ng_assert_ok(ng_spd_power(plain, c.a, -0.5, 0, NULL, NULL), NULL);
            ck_assert(test_same_bits(plain, c.b));
            ng_assert_le(off_diagonal(c.basis, c.a), 1e-14);
        }
        test_free(plain);
        close_case(&c);
    }
}
END_TEST

/* The criterion to the letter, by moves on both sides of it: half the
 * tolerance is kept, with an error of its order; twice is renewed. */
START_TEST(criterion)
{
    static const double moves[] = {1e-4, 1e-3, 1e-2, 5e-2};
    for (size_t t = 0; t < N * 4; t++) {
        case_of c;
        open_case(&c, sizes[t % N], DTYPE);
        update(&c, -0.5, 1e-6);
        move(c.a, moves[t / N]);
        double part = off_diagonal(c.basis, c.a);
        ng_mat before = test_copy(c.basis), ref = test_copy(c.b);
        ng_assert_ok(ng_spd_power(ref, c.a, -0.5, 0, NULL, NULL), NULL);
        if (c.a.rows > 1) {
            ck_assert_int_eq(update(&c, -0.5, part * 1.01), 1);
            ck_assert(test_same_bits(before, c.basis));
            /* d(a^-1/2) is at most kappa^(3/2)/2 of what was dropped, relative to both norms */
            ng_assert_mat(c.b, ref, 16 * part + 50 * ng_dtype_eps(DTYPE));
            ck_assert(test_rel_error(c.b, ref) > part * 1e-3 || DTYPE == NG_F32);
            ck_assert_int_eq(update(&c, -0.5, part * 0.99), 0);
            ck_assert(!test_same_bits(before, c.basis));
        } else
            ck_assert_int_eq(update(&c, -0.5, 1e-9), 1);
        ng_assert_mat(c.b, ref, 50 * ng_dtype_eps(DTYPE));
        test_free(before), test_free(ref);
        close_case(&c);
    }
}
END_TEST

/* b may be a; reused may be NULL; the floor holds with a kept basis too. */
START_TEST(aliases_and_floor)
{
    case_of c;
    open_case(&c, 13, DTYPE);
    update(&c, -0.5, 1e-6);
    double largest = c.w[12], w[MAX_N];
    for (size_t k = 0; k < 13; k++)
        w[k] = fmax(c.w[k], 0.5 * largest);
    ng_mat ref = powered(c.q, w, -0.5), b = test_copy(c.b);
    ng_assert_ok(ng_spd_power_update(b, NULL, c.basis, c.a, -0.5, 0.5, 1e-6, NULL, NULL), NULL);
    ng_assert_mat(b, ref, 50 * ng_dtype_eps(DTYPE));
    ng_assert_ok(ng_spd_power_update(c.a, NULL, c.basis, c.a, -0.5, 0.5, 1e-6, NULL, NULL), NULL);
    ck_assert(test_same_bits(b, c.a));
    test_free(ref), test_free(b);
    close_case(&c);
}
END_TEST

/* exactly the promised bytes, and one line less */
START_TEST(workspace)
{
    for (size_t t = 0; t < 2 * N; t++) {
        case_of c;
        ng_work work;
        ng_error err = {NG_OK, ""};
        size_t n = sizes[t / 2], size = ng_spd_power_work(n, DTYPE);
        double tolerance = t % 2 ? 1e-6 : 0;
        open_case(&c, n, DTYPE);
        ng_assert_ok(ng_work_create(&work, size, &err), &err);
        ng_mat a = padded(c.a, DTYPE);
        ng_assert_ok(ng_spd_power_update(c.b, NULL, c.basis, a, -1, 0, tolerance, &work, &err),
                     &err);
        ck_assert_uint_eq(work.used, 0);
        work.size -= 64;
        ng_assert_fails(ng_spd_power_update(c.b, NULL, c.basis, a, -1, 0, tolerance, &work, &err),
                        NG_ENOMEM, &err, "workspace");
        work.size += 64;
        ng_work_destroy(&work);
        test_free(a);
        close_case(&c);
    }
}
END_TEST

START_TEST(errors)
{
    static const double tolerances[] = {-1e-9, 1, 2, NAN, INFINITY};
    case_of c;
    ng_error err = {NG_OK, ""};
    open_case(&c, 5, DTYPE);
    ng_mat narrow = test_mat(5, 5, 0, NG_F32), small = test_mat(4, 5, 0, NG_F64);
    ng_mat none = c.basis, b = c.b, a = c.a, basis = c.basis;
    none.data = NULL;
#define CALL(...) ng_spd_power_update(__VA_ARGS__, NULL, &err)
    for (int i = 0; i < 5; i++)
        ng_assert_fails(CALL(b, NULL, basis, a, -1, 0, tolerances[i]), NG_EARG, &err, "tolerance");
    ng_assert_fails(CALL(b, NULL, basis, a, NAN, 0, 0.1), NG_EARG, &err, "exponent");
    ng_assert_fails(CALL(b, NULL, basis, a, -1, 1, 0.1), NG_EARG, &err, "floor");
    ng_assert_fails(CALL(b, NULL, none, a, -1, 0, 0.1), NG_EARG, &err, "basis");
    ng_assert_fails(CALL(b, NULL, narrow, a, -1, 0, 0.1), NG_EDTYPE, &err, "basis");
    ng_assert_fails(CALL(b, NULL, small, a, -1, 0, 0.1), NG_ESHAPE, &err, "basis");
    /* the kept basis finds the eigenvalue 0 just as the new one does */
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < 5; i++)
            for (size_t j = 0; j <= i; j++)
                ng_mat_set(a, i, j, i == j && i > 0 ? (double)i : 0);
        ng_assert_fails(CALL(b, NULL, basis, a, -1, 0, round ? 0 : 0.5), NG_ESINGULAR, &err,
                        "singular");
    }
    ng_mat_set(a, 3, 1, _i ? NAN : INFINITY);
    ng_assert_fails(CALL(b, NULL, basis, a, 1, 0, 0.5), NG_ENONFINITE, &err, "");
    ng_assert_fails(CALL(b, NULL, basis, a, -1, 0, 0), NG_ENONFINITE, &err, "");
    ng_assert_fails(CALL(b, NULL, basis, a, -1, 0, 0.5), NG_ENONFINITE, &err, "");
#undef CALL
    test_free(narrow), test_free(small);
    close_case(&c);
}
END_TEST

START_TEST(empty)
{
    int reused;
    ng_mat a = test_mat(0, 0, 0, DTYPE), b = test_mat(0, 0, 0, DTYPE), basis = identity(0);
    ng_assert_ok(ng_spd_power_update(b, &reused, basis, a, -1, 0, 0.1, NULL, NULL), NULL);
    test_free(a), test_free(b), test_free(basis);
}
END_TEST

TEST_SUITE(power_update)
{
    TCase *tcase = tcase_create("bases");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, reseed, NULL);
    tcase_add_loop_test(tcase, renewed_then_kept, 0, 2);
    tcase_add_loop_test(tcase, zero_always_renews, 0, 2);
    tcase_add_loop_test(tcase, criterion, 0, 2);
    tcase_add_loop_test(tcase, aliases_and_floor, 0, 2);
    tcase_add_loop_test(tcase, workspace, 0, 2);
    tcase_add_loop_test(tcase, errors, 0, 2);
    tcase_add_loop_test(tcase, empty, 0, 2);
    suite_add_tcase(suite, tcase);
}
