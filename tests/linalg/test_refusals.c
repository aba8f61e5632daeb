/* What products and factorisations refuse: mixed dtypes, wrong shapes, NULL
 * data, sizes beyond the BLAS integer, NaN. One table of calls, each with the
 * shapes that fit it; every argument is spoilt in turn. */
#include "tests/linalg/common.h"

#include <stdint.h>

enum { MAX_ARGS = 4 };

enum { NEITHER, ROWS, COLS };

typedef struct {
    const char *name;
    int n_args;
    int open_view, open_side; /* a side of a view that no other view ties down */
    const char *args[MAX_ARGS];
    size_t shapes[MAX_ARGS][2]; /* as multiples of a unit */
    int finite;                 /* the last argument must be finite */
    ng_status (*call)(const ng_mat *m, ng_error *error);
} entry;

static ng_status gemm(const ng_mat *m, ng_error *error)
{
    return ng_gemm(m[0], m[1], NG_NOTRANS, m[2], NG_NOTRANS, 1, 0, error);
}

static ng_status gemm_trans(const ng_mat *m, ng_error *error)
{
    return ng_gemm(m[0], m[1], NG_TRANS, m[2], NG_TRANS, 1, 0, error);
}

static ng_status syrk(const ng_mat *m, ng_error *error)
{
    return ng_syrk(m[0], m[1], NG_NOTRANS, 1, 0, error);
}

static ng_status syrk_trans(const ng_mat *m, ng_error *error)
{
    return ng_syrk(m[0], m[1], NG_TRANS, 1, 0, error);
}

static ng_status symm_left(const ng_mat *m, ng_error *error)
{
    return ng_symm(m[0], NG_LEFT, m[1], m[2], 1, 0, error);
}

static ng_status symm_right(const ng_mat *m, ng_error *error)
{
    return ng_symm(m[0], NG_RIGHT, m[1], m[2], 1, 0, error);
}

static ng_status trsm_left(const ng_mat *m, ng_error *error)
{
    return ng_trsm(m[0], NG_LEFT, m[1], NG_NOTRANS, 1, error);
}

static ng_status trsm_right(const ng_mat *m, ng_error *error)
{
    return ng_trsm(m[0], NG_RIGHT, m[1], NG_TRANS, 1, error);
}

static ng_status cholesky(const ng_mat *m, ng_error *error)
{
    return ng_cholesky(m[0], NULL, m[1], error);
}

static ng_status cholesky_jitter(const ng_mat *m, ng_error *error)
{
    double jitter;
    return ng_cholesky(m[0], &jitter, m[1], error);
}

static ng_status eigh(const ng_mat *m, ng_error *error)
{
    return ng_eigh(m[0], m[1], NULL, m[2], NULL, error);
}

static ng_status svd(const ng_mat *m, ng_error *error)
{
    return ng_svd(m[0], m[1], m[2], NULL, m[3], NULL, error);
}

static ng_status spd_power(const ng_mat *m, ng_error *error)
{
    return ng_spd_power(m[0], m[1], -0.5, 0.1, NULL, error);
}

/* a shape of {0, x} is a single row */
static const entry entries[] = {
    {"gemm", 3, 0, NEITHER, {"c", "a", "b"}, {{2, 3}, {2, 4}, {4, 3}}, 0, gemm},
    {"gemm trans", 3, 0, NEITHER, {"c", "a", "b"}, {{2, 3}, {4, 2}, {3, 4}}, 0, gemm_trans},
    {"syrk", 2, 1, COLS, {"c", "a"}, {{2, 2}, {2, 3}}, 0, syrk},
    {"syrk trans", 2, 1, ROWS, {"c", "a"}, {{3, 3}, {2, 3}}, 0, syrk_trans},
    {"symm left", 3, 0, NEITHER, {"c", "s", "b"}, {{2, 3}, {2, 2}, {2, 3}}, 0, symm_left},
    {"symm right", 3, 0, NEITHER, {"c", "s", "b"}, {{2, 3}, {3, 3}, {2, 3}}, 0, symm_right},
    {"trsm left", 2, 0, COLS, {"b", "l"}, {{2, 3}, {2, 2}}, 0, trsm_left},
    {"trsm right", 2, 0, ROWS, {"b", "l"}, {{2, 3}, {3, 3}}, 0, trsm_right},
    {"cholesky", 2, 0, NEITHER, {"l", "a"}, {{2, 2}, {2, 2}}, 1, cholesky},
    {"cholesky jitter", 2, 0, NEITHER, {"l", "a"}, {{2, 2}, {2, 2}}, 1, cholesky_jitter},
    {"eigh", 3, 0, NEITHER, {"values", "vectors", "a"}, {{0, 2}, {2, 2}, {2, 2}}, 1, eigh},
    {"svd", 4, 0, NEITHER, {"u", "s", "vt", "a"}, {{3, 2}, {0, 2}, {2, 2}, {3, 2}}, 1, svd},
    {"spd_power", 2, 0, NEITHER, {"b", "a"}, {{2, 2}, {2, 2}}, 1, spd_power},
};
enum { N_ENTRIES = sizeof entries / sizeof *entries };

/* _i = 2 * entry + dtype */
#define ENTRY (&entries[_i / 2])
#define DTYPE ((ng_dtype)(_i % 2))

static size_t rows_of(const entry *e, int k)
{
    return e->shapes[k][0] == 0 ? 1 : 2 * e->shapes[k][0];
}

static void make(const entry *e, ng_mat *m, ng_dtype dtype)
{
    for (int k = 0; k < e->n_args; k++) {
        m[k] = test_mat(rows_of(e, k), 2 * e->shapes[k][1], PAD, dtype);
        for (size_t i = 0; i < m[k].rows && i < m[k].cols; i++)
            ng_mat_set(m[k], i, i, 1);
    }
}

static void release(const entry *e, ng_mat *m)
{
    for (int k = 0; k < e->n_args; k++)
        test_free(m[k]);
}

/* argument k is replaced; the call returns status and every view keeps its bits */
static void refused(const entry *e, ng_mat *m, int k, ng_mat bad, ng_status status,
                    const char *culprit)
{
    ng_mat all[MAX_ARGS], before[MAX_ARGS];
    ng_error error = {NG_OK, ""};
    memcpy(all, m, sizeof all);
    all[k] = bad;
    for (int i = 0; i < e->n_args; i++)
        before[i] = test_copy(m[i]);
    ng_status got = e->call(all, &error);
    ck_assert_msg(got == status, "%s, %s spoilt: %s instead of %s (%s)", e->name, e->args[k],
                  ng_status_name(got), ng_status_name(status), error.text);
    ck_assert_int_eq(error.status, status);
    ck_assert_msg(culprit == NULL || strstr(error.text, culprit) != NULL,
                  "%s, %s spoilt: \"%s\" does not name \"%s\"", e->name, e->args[k], error.text,
                  culprit);
    ck_assert_int_eq(e->call(all, NULL), status);
    for (int i = 0; i < e->n_args; i++) {
        ck_assert_msg(test_same_bits(m[i], before[i]), "%s wrote %s", e->name, e->args[i]);
        test_free(before[i]);
    }
}

START_TEST(fits)
{
    ng_mat m[MAX_ARGS] = {{0}};
    ng_error error = {NG_OK, ""};
    make(ENTRY, m, DTYPE);
    ng_assert_ok(ENTRY->call(m, &error), &error);
    ng_assert_ok(ENTRY->call(m, NULL), NULL);
    release(ENTRY, m);
}
END_TEST

/* Where two views disagree either may be the one at fault, so that the text
 * need not name the one spoilt here; a view that is wrong by itself is named. */
START_TEST(wrong_views)
{
    ng_mat m[MAX_ARGS] = {{0}};
    const entry *e = ENTRY;
    make(e, m, DTYPE);
    for (int k = 0; k < e->n_args; k++) {
        ng_mat bad = m[k], other = test_mat(bad.rows, bad.cols, 0, (ng_dtype)!DTYPE);
        refused(e, m, k, other, NG_EDTYPE, "f");
        bad.dtype = (ng_dtype)9;
        refused(e, m, k, bad, NG_EDTYPE, "unknown dtype");
        bad = m[k], bad.data = NULL;
        refused(e, m, k, bad, NG_EARG, e->args[k]);
        if (bad.rows > 1) {
            bad = m[k], bad.stride = bad.cols - 1;
            refused(e, m, k, bad, NG_ESHAPE, e->args[k]);
        }
        int open = k == e->open_view ? e->open_side : NEITHER;
        if (open != COLS)
            refused(e, m, k, ng_mat_block(m[k], 0, 0, m[k].rows, m[k].cols - 1), NG_ESHAPE, " x ");
        if (m[k].rows > 1 && open != ROWS)
            refused(e, m, k, ng_mat_block(m[k], 0, 0, m[k].rows - 1, m[k].cols), NG_ESHAPE, " x ");
        test_free(other);
    }
    release(e, m);
}
END_TEST

/* Factorisations of symmetric matrices want square ones. */
START_TEST(not_square)
{
    ng_mat m[MAX_ARGS] = {{0}};
    const entry *e = ENTRY;
    if (!e->finite || strcmp(e->name, "svd") == 0)
        return;
    make(e, m, DTYPE);
    int last = e->n_args - 1;
    ng_mat wide = test_mat(4, 5, 0, DTYPE), tall = test_mat(5, 4, 0, DTYPE);
    refused(e, m, last, wide, NG_ESHAPE, "a");
    refused(e, m, last, tall, NG_ESHAPE, NULL);
    test_free(wide), test_free(tall);
    release(e, m);
}
END_TEST

/* Strides that the BLAS integer, or even a byte offset, cannot hold. The call
 * must not touch the second row. */
START_TEST(beyond_the_blas_integer)
{
    const entry *e = ENTRY;
    ng_mat m[MAX_ARGS] = {{0}};
    make(e, m, DTYPE);
    for (int k = 0; k < e->n_args; k++) { /* the stride alone */
        ng_mat bad = m[k];
        if (bad.rows == 1)
            continue;
        bad.stride = TOO_MANY;
        refused(e, m, k, bad, NG_ERANGE, e->args[k]);
        bad.stride = SIZE_MAX / 4;
        refused(e, m, k, bad, NG_ERANGE, e->args[k]);
    }
    release(e, m);
}
END_TEST

/* Views that lie about their size, alike, so that the shapes fit. Nothing may
 * be dereferenced. _i is the dtype. */
START_TEST(huge_shapes)
{
    ng_dtype t = (ng_dtype)_i;
    size_t h = TOO_MANY; /* h x h floats do not even fit memory */
    ng_mat row = fake(1, h, t), col = fake(h, 1, t), one = fake(1, 1, t), square = fake(h, h, t);
    ng_error error = {NG_OK, ""};
    ng_assert_fails(ng_gemm(row, one, NG_NOTRANS, row, NG_NOTRANS, 1, 0, &error), NG_ERANGE, &error,
                    "exceeds");
    ng_assert_fails(ng_gemm(col, col, NG_NOTRANS, one, NG_NOTRANS, 1, 0, &error), NG_ERANGE, &error,
                    "exceeds");
    ng_assert_fails(ng_gemm(one, row, NG_NOTRANS, row, NG_TRANS, 1, 0, &error), NG_ERANGE, &error,
                    "exceeds");
    ng_assert_fails(ng_syrk(one, row, NG_NOTRANS, 1, 0, &error), NG_ERANGE, &error, "a");
    ng_assert_fails(ng_syrk(one, col, NG_TRANS, 1, 0, &error), NG_ERANGE, &error, "a");
    ng_assert_fails(ng_symm(row, NG_LEFT, one, row, 1, 0, &error), NG_ERANGE, &error, "b");
    ng_assert_fails(ng_symm(col, NG_RIGHT, one, col, 1, 0, &error), NG_ERANGE, &error, "b");
    ng_assert_fails(ng_trsm(row, NG_LEFT, one, NG_NOTRANS, 1, &error), NG_ERANGE, &error, "b");
    ng_assert_fails(ng_trsm(col, NG_RIGHT, one, NG_NOTRANS, 1, &error), NG_ERANGE, &error, "b");
    ng_assert_fails(ng_svd(one, one, row, NULL, row, NULL, &error), NG_ERANGE, &error, "a");
    ng_assert_fails(ng_svd(col, one, one, NULL, col, NULL, &error), NG_ERANGE, &error, "a");
    ng_assert_fails(ng_cholesky(square, NULL, square, &error), NG_ERANGE, &error, "a");
    ng_assert_fails(ng_eigh(row, square, NULL, square, NULL, &error), NG_ERANGE, &error, "a");
    ng_assert_fails(ng_spd_power(square, square, 1, 0, NULL, &error), NG_ERANGE, &error, "a");
}
END_TEST

/* Anywhere in what is read: the lower triangle, or all of a for the SVD. */
START_TEST(not_finite)
{
    static const double bad[] = {NAN, INFINITY, -INFINITY};
    const entry *e = ENTRY;
    ng_mat m[MAX_ARGS] = {{0}};
    if (!e->finite)
        return;
    make(e, m, DTYPE);
    ng_mat a = m[e->n_args - 1];
    for (size_t i = 0; i < a.rows; i++)
        for (size_t j = 0; j < a.cols; j++)
            for (int k = 0; k < 3 && (j <= i || strcmp(e->name, "svd") == 0); k++) {
                double old = ng_mat_get(a, i, j);
                ng_mat_set(a, i, j, bad[k]);
                refused(e, m, e->n_args - 1, a, NG_ENONFINITE, "a ");
                ng_mat_set(a, i, j, old);
            }
    release(e, m);
}
END_TEST

TEST_SUITE(refusals)
{
    TCase *tc = tcase_create("refusals");
    tcase_add_loop_test(tc, fits, 0, 2 * N_ENTRIES);
    tcase_add_loop_test(tc, wrong_views, 0, 2 * N_ENTRIES);
    tcase_add_loop_test(tc, not_square, 0, 2 * N_ENTRIES);
    tcase_add_loop_test(tc, beyond_the_blas_integer, 0, 2 * N_ENTRIES);
    tcase_add_loop_test(tc, huge_shapes, 0, 2);
    tcase_add_loop_test(tc, not_finite, 0, 2 * N_ENTRIES);
    suite_add_tcase(suite, tc);
}
