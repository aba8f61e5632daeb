/* What every test uses: assertions with relative tolerances, seeded random
 * matrices that need no part of the library under test, owned matrices, calls
 * that fail on purpose (faults.h), and suites. */
#ifndef NG_TEST_SUPPORT_H
#define NG_TEST_SUPPORT_H

#include <check.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/mat.h>

#include "tests/support/faults.h"

/* |x - ref| <= tol * |ref|; Check's own comparisons are absolute. */
#define ng_assert_rel(x, ref, tol)                                                                 \
    do {                                                                                           \
        double x_ = (x), ref_ = (ref), tol_ = (tol);                                               \
        ck_assert_msg(fabs(x_ - ref_) <= tol_ * fabs(ref_),                                        \
                      "%s = %.17g, expected %s = %.17g, relative error %.3g > %.3g", #x, x_, #ref, \
                      ref_, fabs(x_ - ref_) / fabs(ref_), tol_);                                   \
    } while (0)

/* x <= bound, NaN fails */
#define ng_assert_le(x, bound)                                                                    \
    do {                                                                                          \
        double x_ = (x), bound_ = (bound);                                                        \
        ck_assert_msg(x_ <= bound_, "%s = %.17g exceeds %s = %.17g", #x, x_, #bound, bound_);     \
    } while (0)

/* ||x - ref||_F <= tol * ||ref||_F */
#define ng_assert_mat(x, ref, tol)                                                              \
    do {                                                                                        \
        double error_ = test_rel_error(x, ref), tol_ = (tol);                                   \
        ck_assert_msg(error_ <= tol_, "%s differs from %s: relative error %.3g > %.3g", #x,     \
                      #ref, error_, tol_);                                                      \
    } while (0)

/* the call returns NG_OK; err is an ng_error in scope or NULL */
#define ng_assert_ok(call, err)                                                                 \
    do {                                                                                        \
        ng_error *err_ = (err);                                                                 \
        ng_status status_ = (call);                                                             \
        ck_assert_msg(status_ == NG_OK, "%s: %s (%s)", #call, ng_status_name(status_),          \
                      err_ != NULL ? err_->text : "");                                          \
    } while (0)

/* the call returns that status and the text names the culprit */
#define ng_assert_fails(call, expected, err, culprit)                                           \
    do {                                                                                        \
        ng_error *err_ = (err);                                                                 \
        ng_status status_ = (call);                                                             \
        ck_assert_msg(status_ == (expected), "%s: %s, expected %s", #call,                      \
                      ng_status_name(status_), #expected);                                      \
        ck_assert_int_eq(err_->status, (expected));                                             \
        ck_assert_msg(strstr(err_->text, (culprit)) != NULL, "\"%s\" does not name \"%s\"",     \
                      err_->text, (culprit));                                                   \
    } while (0)

/* ---- Random numbers: splitmix64, independent of the library ------------- */

typedef struct {
    unsigned long long state;
} test_rng;

double test_uniform(test_rng *rng); /* [0, 1) */
double test_normal(test_rng *rng);  /* N(0, 1) */

/* ---- Matrices ------------------------------------------------------------ */

/* An allocated matrix, zero, whose rows lie `pad` elements further apart than
 * they need to; the gaps hold a canary. Free with test_free, which checks that
 * nobody wrote into the gaps. */
ng_mat test_mat(size_t rows, size_t cols, size_t pad, ng_dtype dtype);
void test_free(ng_mat m);

ng_mat test_copy(ng_mat m);                            /* dense copy, same dtype */
ng_mat test_convert(ng_mat m, ng_dtype dtype);         /* dense copy, other dtype */
void test_fill_normal(ng_mat m, test_rng *rng);
void test_assign(ng_mat to, ng_mat from);              /* element by element, any dtypes */
double test_norm(ng_mat m);                            /* Frobenius, naive */
double test_rel_error(ng_mat x, ng_mat ref);           /* ||x - ref||_F / ||ref||_F */
int test_same_bits(ng_mat x, ng_mat y);                /* element by element */

/* c <- op(a) op(b), naive triple loop in double; ta, tb non-zero transpose. */
void test_matmul(ng_mat c, ng_mat a, int ta, ng_mat b, int tb);

/* A random n x n orthogonal matrix in double (modified Gram-Schmidt, twice). */
ng_mat test_orthogonal(size_t n, test_rng *rng);

/* ---- Parity vectors: text blocks `name rows cols` ------------------------ */

/* The block of that name as a double matrix; aborts the test if absent.
 * file is relative to tests/vectors. */
ng_mat test_vector(const char *file, const char *name);
int test_vector_exists(const char *file, const char *name);

/* ---- Threads -------------------------------------------------------------- */

/* work(data), work(data + size), ...: `count` <= 8 of them, each in a thread of its own, begun at
 * the same moment; each must return NG_OK. Check's assertions belong to the caller's thread. */
void test_together(ng_status (*work)(void *data), void *data, size_t size, size_t count);

/* ---- Suites --------------------------------------------------------------- */

/* At the end of tests/MODULE/test_NAME.c, what it tests:
 *     TEST_SUITE(NAME)
 *     {
 *         TCase *tcase = tcase_create("...");
 *         ...
 *         suite_add_tcase(suite, tcase);
 *     }
 * With its row in the module's .am, main.c runs it. */
#define TEST_SUITE(name)                                                                           \
    static void name##_fill(Suite *suite);                                                         \
    Suite *name##_suite(void);                                                                     \
    Suite *name##_suite(void)                                                                      \
    {                                                                                              \
        Suite *suite = suite_create(#name);                                                        \
        name##_fill(suite);                                                                        \
        return suite;                                                                              \
    }                                                                                              \
    static void name##_fill(Suite *suite)

#endif
