/* What theory says about the representations, and how calls fail. */
#include "tests/fisher/worlds.h"

static test_rng rng;

static void reseed(void)
{
    rng.state = 12;
}

/* The rows' Gram matrix and F share their non-zero spectrum, and the damped
 * step is the same through either side. */
START_TEST(duality)
{
    enum { N = 30, ROWS = 8 };
    ng_fisher *dual, *primal;
    ng_mat s = world_normal(ROWS, N, NG_F64, &rng), x = world_normal(2, N, NG_F64, &rng);
    ng_mat gram = test_mat(ROWS, ROWS, PAD, NG_F64), values;
    ng_mat own = test_mat(1, N, 0, NG_F64), y1 = test_mat(2, N, 0, NG_F64), y2 = test_copy(y1);
    ng_fisher_batch sum;
    ng_fisher_batch_init(&sum);
    sum.normalisation = NG_FISHER_SUM;
    ng_assert_ok(ng_fisher_create_lowrank(&dual, N, 100, NG_F64, NULL), NULL);
    ng_assert_ok(ng_fisher_create_dense(&primal, N, NG_F64, NULL), NULL);
    ng_assert_ok(ng_fisher_accumulate(dual, s, ng_mat_none(), &sum, NULL), NULL);
    ng_assert_ok(ng_fisher_accumulate(primal, s, ng_mat_none(), &sum, NULL), NULL);
    ck_assert_uint_eq(ng_fisher_rows(dual), ROWS);
    ng_assert_ok(ng_fisher_gram(dual, gram, NULL), NULL);
    ng_assert_mat(gram, dense_mul(s, 0, s, 1), 1e-14);
    dense_eigh(&values, NULL, gram);
    ng_assert_ok(ng_fisher_eigen(primal, own, ng_mat_none(), NULL), NULL);
    ng_assert_mat(ng_mat_block(own, 0, N - ROWS, 1, ROWS), values, 1e-13);
    ng_assert_le(test_norm(ng_mat_block(own, 0, 0, 1, N - ROWS)), 1e-13 * test_norm(values));
    ng_assert_ok(ng_fisher_solve(dual, y1, x, 0.1, NULL), NULL);
    ng_assert_ok(ng_fisher_solve(primal, y2, x, 0.1, NULL), NULL);
    ng_assert_mat(y1, y2, 1e-12);
    ng_assert_mat(dense_mul(s, 1, dense_mul(s, 0, y1, 1), 0), /* s^T s y + 0.1 y = x */
                  dense_transpose(dense_add(1, x, -0.1, y1)), 1e-12);
    test_free(s), test_free(x), test_free(gram), test_free(own), test_free(y1), test_free(y2);
    ng_fisher_destroy(dual), ng_fisher_destroy(primal);
    dense_release();
}
END_TEST

/* max_rows: the nearest F of that rank, whose error the discarded eigenvalues are. */
START_TEST(compression)
{
    enum { N = 10, ROWS = 9, KEPT = 4 };
    ng_fisher *f;
    ng_mat s = world_normal(ROWS, N, NG_F64, &rng), values, d = test_mat(N, N, 0, NG_F64);
    double lost = 0;
    ng_assert_ok(ng_fisher_create_lowrank(&f, N, KEPT, NG_F64, NULL), NULL);
    ng_assert_ok(ng_fisher_accumulate(f, s, ng_mat_none(), NULL, NULL), NULL);
    ck_assert_uint_eq(ng_fisher_rows(f), KEPT);
    ng_mat exact = exact_scatter(s, NULL);
    exact = dense_scale(1.0 / ROWS, exact);
    dense_eigh(&values, NULL, exact);
    for (size_t i = 0; i < N - KEPT; i++)
        lost += ng_mat_get(values, 0, i) * ng_mat_get(values, 0, i);
    ng_assert_ok(ng_fisher_to_dense(f, d, NULL), NULL);
    ng_assert_rel(test_norm(dense_add(1, d, -1, exact)), sqrt(lost), 1e-10);
    test_free(s), test_free(d);
    ng_fisher_destroy(f);
    dense_release();
}
END_TEST

/* One sample: K-FAC is the exact block. More: EKFAC is never farther. */
START_TEST(factored_error)
{
    for (size_t rows = 1; rows <= 12; rows++) {
        enum { M = 3, C = 4, N = M * C };
        ng_fisher *kron, *ekfac;
        ng_mat a = world_normal(rows, C, NG_F64, &rng), g = world_normal(rows, M, NG_F64, &rng);
        ng_mat dk = test_mat(N, N, 0, NG_F64), de = test_mat(N, N, 0, NG_F64);
        ng_assert_ok(ng_fisher_create_kron(&kron, M, C, 0, NG_F64, NULL), NULL);
        ng_assert_ok(ng_fisher_create_ekfac(&ekfac, M, C, 0, 1, NG_F64, NULL), NULL);
        ng_assert_ok(ng_fisher_accumulate_layer(kron, a, g, ng_mat_none(), NULL, NULL), NULL);
        ng_assert_ok(ng_fisher_accumulate_layer(ekfac, a, g, ng_mat_none(), NULL, NULL), NULL);
        ng_assert_ok(ng_fisher_to_dense(kron, dk, NULL), NULL);
        ng_assert_ok(ng_fisher_to_dense(ekfac, de, NULL), NULL);
        ng_mat exact = exact_scatter(exact_scores(a, g), NULL);
        exact = dense_scale(1 / (double)rows, exact);
        double norm = test_norm(exact), error_k = test_norm(dense_add(1, dk, -1, exact));
        double error_e = test_norm(dense_add(1, de, -1, exact));
        ng_assert_le(error_e, error_k + 1e-12 * norm);
        if (rows == 1)
            ng_assert_le(error_k, 1e-14 * norm);
        test_free(a), test_free(g), test_free(dk), test_free(de);
        ng_fisher_destroy(kron), ng_fisher_destroy(ekfac);
        dense_release();
    }
}
END_TEST

/* y = W_3 W_2 W_1 x with unit Gaussian noise: the block of W_l is the mean over x
 * of J^T J, J = dy / d vec W_l (outputs x n): element (k, (i, j)) is U_ki z_j with
 * U the product of the layers above and z what arrives from below. */
static ng_mat linear_block(ng_mat u, ng_mat z)
{
    size_t n = u.cols * z.cols;
    ng_mat j = dense_mat(u.rows, n), f = dense_mat(n, n);
    for (size_t r = 0; r < z.rows; r++) {
        for (size_t k = 0; k < u.rows; k++)
            for (size_t p = 0; p < n; p++)
                ng_mat_set(j, k, p, ng_mat_get(u, k, p / z.cols) * ng_mat_get(z, r, p % z.cols));
        f = dense_add(1, f, 1 / (double)z.rows, dense_mul(j, 1, j, 0));
    }
    return f;
}

/* One row for each sample and output, g = dy_k / d(what the layer puts out), not
 * weighted, samples = the number of inputs: in a linear net g does not depend on
 * the input, and K-FAC is the exact block (Bernacchia, Lengyel & Hennequin 2018). */
START_TEST(deep_linear)
{
    enum { LAYERS = 3, INPUTS = 9 };
    static const size_t widths[LAYERS + 1] = {4, 3, 5, 2};
    ng_mat w[LAYERS], z = dense_normal(INPUTS, widths[0], &rng);
    for (size_t l = 0; l < LAYERS; l++)
        w[l] = dense_normal(widths[l + 1], widths[l], &rng);
    for (size_t l = 0; l < LAYERS; l++) {
        size_t m = widths[l + 1], c = widths[l], outputs = widths[LAYERS];
        ng_mat u = dense_identity(outputs), d = test_mat(m * c, m * c, 0, NG_F64);
        for (size_t above = LAYERS - 1; above > l; above--)
            u = dense_mul(u, 0, w[above], 0);
        ng_mat a = dense_mat(INPUTS * outputs, c), g = dense_mat(INPUTS * outputs, m);
        for (size_t r = 0; r < a.rows; r++) {
            test_assign(ng_mat_block(a, r, 0, 1, c), ng_mat_block(z, r / outputs, 0, 1, c));
            test_assign(ng_mat_block(g, r, 0, 1, m), ng_mat_block(u, r % outputs, 0, 1, m));
        }
        for (int representation = 0; representation < 2; representation++) {
            ng_fisher *f;
            ng_fisher_batch b;
            ng_error error = {NG_OK, ""};
            ng_status made = representation == 0
                                 ? ng_fisher_create_kron(&f, m, c, 0, NG_F64, &error)
                                 : ng_fisher_create_ekfac(&f, m, c, 0, 1, NG_F64, &error);
            ng_assert_ok(made, &error);
            ng_fisher_batch_init(&b);
            b.samples = INPUTS;
            ng_assert_ok(ng_fisher_accumulate_layer(f, a, g, ng_mat_none(), &b, &error), &error);
            ng_assert_ok(ng_fisher_to_dense(f, d, &error), &error);
            ng_assert_mat(d, linear_block(u, z), 1e-13);
            ng_fisher_destroy(f);
        }
        test_free(d);
        z = dense_mul(z, 0, w[l], 1);
    }
    dense_release();
}
END_TEST

/* EKFAC from scores, which need not be outer products: the diagonal is theirs in the
 * basis of the factors, with the batches' weights. _i: the dtype. */
START_TEST(ekfac_scores)
{
    enum { M = 3, C = 4, N = M * C, ROWS = 5 };
    ng_dtype dtype = (ng_dtype)_i;
    double tol = dtype == NG_F32 ? 1e-5 : 1e-10;
    ng_mat p = dense_normal(M, M, &rng), q = dense_normal(C, C, &rng), u, v;
    ng_mat fp = test_convert(dense_mul(p, 0, p, 1), dtype), d = test_mat(N, N, PAD, dtype);
    ng_mat fq = test_convert(dense_mul(q, 0, q, 1), dtype), before = test_mat(N, N, 0, dtype);
    ng_mat s[2] = {world_normal(ROWS, N, dtype, &rng), world_normal(ROWS, N, dtype, &rng)};
    ng_mat w = world_normal(1, ROWS, dtype, &rng), diagonal = dense_mat(N, N);
    ng_fisher *f;
    ng_fisher_batch b;
    ng_error error = {NG_OK, ""};
    for (size_t i = 0; i < ROWS; i++)
        ng_mat_set(w, 0, i, fabs(ng_mat_get(w, 0, i)));
    ng_fisher_batch_init(&b);
    ng_assert_ok(ng_fisher_create_ekfac(&f, M, C, 0, 1, dtype, &error), &error);
    ng_assert_fails(ng_fisher_accumulate(f, s[0], ng_mat_none(), &b, &error), NG_ENODATA, &error, "basis");
    ng_assert_ok(ng_fisher_set_factors(f, fp, fq, 1, &error), &error);
    b.scale = 2, b.samples = ROWS;
    for (int k = 0; k < 2; k++) {
        b.decay = k == 0 ? 0 : 0.5;
        ng_assert_ok(ng_fisher_accumulate(f, s[k], w, &b, &error), &error);
    }
    dense_eigh(NULL, &u, fp), dense_eigh(NULL, &v, fq);
    double norm = b.scale * b.scale / (0.5 * ROWS + ROWS);
    ng_mat exact = dense_add(0.5 * norm, exact_scatter(s[0], &w), norm, exact_scatter(s[1], &w));
    ng_mat basis = dense_kron(u, v);
    ng_mat turned = dense_mul(dense_mul(basis, 0, exact, 0), 0, basis, 1);
    for (size_t i = 0; i < N; i++)
        ng_mat_set(diagonal, i, i, ng_mat_get(turned, i, i));
    ng_assert_ok(ng_fisher_to_dense(f, d, &error), &error);
    ng_assert_mat(d, dense_mul(dense_mul(basis, 1, diagonal, 0), 0, basis, 0), tol);
    ng_mat_set(s[1], 2, 3, NAN); /* refused, and unchanged */
    ng_assert_fails(ng_fisher_accumulate(f, s[1], w, &b, &error), NG_ENONFINITE, &error, "scores");
    ng_assert_ok(ng_fisher_to_dense(f, before, &error), &error);
    ck_assert(test_same_bits(before, d));
    ng_fisher_destroy(f);
    test_free(fp), test_free(fq), test_free(d), test_free(before);
    test_free(s[0]), test_free(s[1]), test_free(w);
    dense_release();
}
END_TEST

/* Without data; then F = 0: a zero factor. a: rows of activations. */
static void check_empty(const world *w, ng_mat x, ng_mat y, ng_mat a)
{
    ng_fisher *empty = world_empty(w->representation, w->dtype, w->n, w->outputs);
    ng_mat zero = test_mat(2, w->n, 0, w->dtype), none = test_mat(2, w->outputs, 0, w->dtype);
    ng_error error = {NG_OK, ""};
    ng_assert_fails(ng_fisher_mul(empty, y, x, &error), NG_ENODATA, &error, "mul");
    if (ng_fisher_can(empty, NG_FISHER_ACCUMULATE_LAYER))
        ng_assert_ok(ng_fisher_accumulate_layer(empty, a, none, ng_mat_none(), NULL, &error), &error);
    else
        ng_assert_ok(ng_fisher_accumulate(empty, zero, ng_mat_none(), NULL, &error), &error);
    ng_assert_fails(ng_fisher_solve(empty, y, x, 0, &error), NG_ESINGULAR, &error, "singular");
    ng_assert_ok(ng_fisher_solve(empty, y, x, 0.5, &error), &error);
    ng_assert_mat(y, dense_scale(2, x), w->tol);
    ng_fisher_destroy(empty);
    test_free(zero), test_free(none);
}

/* _i runs over all worlds: refused calls change nothing. */
START_TEST(failures)
{
    world w = world_open(_i, 1, NULL, 0, &rng);
    ng_error error = {NG_OK, ""};
    size_t n = w.n, c = n / w.outputs, inputs = c > 1 ? c - 1 : c;
    ng_mat x = world_normal(2, n, w.dtype, &rng), y = test_mat(2, n, 0, w.dtype);
    ng_mat other = test_mat(2, n, 0, w.dtype == NG_F32 ? NG_F64 : NG_F32);
    ng_mat before = test_mat(n, n, 0, w.dtype), after = test_mat(n, n, 0, w.dtype);
    ng_mat a = test_mat(2, inputs, 0, w.dtype), g = test_mat(2, w.outputs, 0, w.dtype);
    ng_assert_ok(ng_fisher_to_dense(w.f, before, NULL), NULL);
    ng_assert_fails(ng_fisher_solve(w.f, y, x, -1, &error), NG_EARG, &error, "damping");
    ng_assert_fails(ng_fisher_solve(w.f, y, other, 1, &error), NG_EDTYPE, &error, "x");
    ng_assert_fails(ng_fisher_mul(w.f, ng_mat_block(y, 0, 0, 1, n), x, &error), NG_ESHAPE, &error,
                    "y");
    ng_assert_fails(ng_fisher_mul(NULL, y, x, &error), NG_EARG, &error, "NULL");
    ng_assert_fails(ng_fisher_trace(w.f, NULL, &error), NG_EARG, &error, "NULL");
    for (int k = 0; k < 2; k++) { /* NaN, then squares that overflow */
        double bad = k == 0 ? (double)NAN : w.dtype == NG_F32 ? 1e30 : 1e200;
        ng_status expected = k == 0 ? NG_ENONFINITE : NG_ERANGE;
        ng_mat_set(x, 1, n - 1, bad);
        ng_mat_set(g, 1, 0, bad);
        if (ng_fisher_can(w.f, NG_FISHER_ACCUMULATE))
            ck_assert_int_eq(ng_fisher_accumulate(w.f, x, ng_mat_none(), NULL, &error), expected);
        if (ng_fisher_can(w.f, NG_FISHER_ACCUMULATE_LAYER))
            ck_assert_int_eq(ng_fisher_accumulate_layer(w.f, a, g, ng_mat_none(), NULL, &error), expected);
        if (w.representation != FREE)
            ck_assert_int_eq(error.status, expected);
    }
    ng_assert_ok(ng_fisher_to_dense(w.f, after, NULL), NULL);
    ck_assert(test_same_bits(before, after));
    test_fill_normal(x, &rng), test_fill_normal(a, &rng);
    if (w.representation != FREE)
        check_empty(&w, x, y, a);
    test_free(x), test_free(y), test_free(other), test_free(before), test_free(after);
    test_free(a), test_free(g);
    world_close(&w);
}
END_TEST

TEST_SUITE(theory)
{
    TCase *tc = tcase_create("theory");
    tcase_add_checked_fixture(tc, reseed, NULL);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, duality);
    tcase_add_test(tc, compression);
    tcase_add_test(tc, factored_error);
    tcase_add_test(tc, deep_linear);
    tcase_add_loop_test(tc, ekfac_scores, 0, 2);
    tcase_add_loop_test(tc, failures, 0, WORLDS);
    suite_add_tcase(suite, tc);
}
