/* Tensors with three modes of one length. */
#include <math.h>
#include <string.h>

#include "examples/tucker/tucker.h"

/* unfolded (m x m^2) <- the tensor with that mode first */
static ng_mat unfold(const double *tensor, size_t m, int mode)
{
    ng_mat out = paper_mat(m, m * m);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++)
            for (size_t k = 0; k < m; k++) {
                size_t at[3] = {i, j, k}, row = at[mode],
                       rest = at[mode == 0] * m + at[mode == 2 ? 1 : 2];
                ng_mat_set(out, row, rest, tensor[(i * m + j) * m + k]);
            }
    return out;
}

ng_mat mode_basis(ng_mat gram, double tolerance)
{
    const size_t m = gram.rows;
    ng_mat values = paper_mat(1, m), vectors = paper_mat(m, m);
    ng_error error = {NG_OK, ""};
    size_t left = 0;
    double sum = 0;
    paper_must(ng_eigh(values, vectors, NULL, gram, NULL, &error), &error);
    double all = ng_trace(gram) * tolerance * tolerance;
    while (left + 1 < m && sum + fmax(ng_mat_get(values, 0, left), 0) <= all)
        sum += fmax(ng_mat_get(values, 0, left++), 0);
    return ng_mat_block(vectors, left, 0, m - left, m);
}

/* core <- the tensor in the bases: C x_1 U x_2 V x_3 W */
static void project(tucker *t, const double *tensor)
{
    const size_t m = t->m, *r = t->rank;
    ng_mat first = paper_mat(r[0], m * m), second = paper_mat(r[0] * r[1], m),
           whole = ng_f64((double *)(uintptr_t)tensor, m, m * m);
    ng_gemm(first, t->basis[0], NG_NOTRANS, whole, NG_NOTRANS, 1, 0, NULL);
    for (size_t i = 0; i < r[0]; i++)
        ng_gemm(ng_mat_block(second, i * r[1], 0, r[1], m), t->basis[1], NG_NOTRANS,
                ng_f64((double *)first.data + i * m * m, m, m), NG_NOTRANS, 1, 0, NULL);
    ng_mat third = paper_mat(r[0] * r[1], r[2]);
    ng_gemm(third, second, NG_NOTRANS, t->basis[2], NG_TRANS, 1, 0, NULL);
    t->core = ng_f64(third.data, r[0], r[1] * r[2]);
}

void hosvd(tucker *t, const double *tensor, size_t m, double tolerance)
{
    t->m = m;
    for (int mode = 0; mode < 3; mode++) {
        ng_mat gram = paper_mat(m, m);
        ng_syrk(gram, unfold(tensor, m, mode), NG_NOTRANS, 1, 0, NULL);
        t->basis[mode] = mode_basis(gram, tolerance / sqrt(3));
        t->rank[mode] = t->basis[mode].rows;
    }
    project(t, tensor);
}

/* The best basis of one mode with the other two fixed: leading eigenvectors of the Gram matrix of
 * the tensor in their bases. */
static void improve(tucker *t, const double *tensor, int mode)
{
    const size_t m = t->m, rank = t->rank[mode];
    const int one = mode == 0, two = mode == 2 ? 1 : 2;
    ng_mat open = unfold(tensor, m, mode), gram = paper_mat(m, m), values = paper_mat(1, m),
           vectors = paper_mat(m, m), half = paper_mat(t->rank[one], m),
           small = paper_mat(m, t->rank[one] * t->rank[two]);
    ng_error error = {NG_OK, ""};
    for (size_t i = 0; i < m; i++) { /* row i is an m x m matrix of the other two modes */
        ng_mat slice = ng_f64((double *)open.data + i * m * m, m, m);
        ng_gemm(half, t->basis[one], NG_NOTRANS, slice, NG_NOTRANS, 1, 0, NULL);
        ng_gemm(ng_f64((double *)small.data + i * small.cols, t->rank[one], t->rank[two]), half,
                NG_NOTRANS, t->basis[two], NG_TRANS, 1, 0, NULL);
    }
    ng_syrk(gram, small, NG_NOTRANS, 1, 0, NULL);
    paper_must(ng_eigh(values, vectors, NULL, gram, NULL, &error), &error);
    t->basis[mode] = ng_mat_block(vectors, m - rank, 0, rank, m);
}

double als_sweep(tucker *t, const double *tensor)
{
    for (int mode = 0; mode < 3; mode++)
        improve(t, tensor, mode);
    project(t, tensor);
    return tucker_error(t, tensor);
}

/* by expanding: |C|^2 - |core|^2 would lose everything below 1e-8 */
double tucker_error(const tucker *t, const double *tensor)
{
    const size_t m = t->m, *r = t->rank;
    ng_mat first = paper_mat(m, r[1] * r[2]), plane = paper_mat(m, r[2]), full = paper_mat(m, m),
           whole = ng_f64((double *)(uintptr_t)tensor, m * m, m);
    double sum = 0;
    ng_gemm(first, t->basis[0], NG_TRANS, t->core, NG_NOTRANS, 1, 0, NULL);
    for (size_t i = 0; i < m; i++) {
        ng_gemm(plane, t->basis[1], NG_TRANS,
                ng_f64((double *)first.data + i * first.cols, r[1], r[2]), NG_NOTRANS, 1, 0, NULL);
        ng_gemm(full, plane, NG_NOTRANS, t->basis[2], NG_NOTRANS, 1, 0, NULL);
        ng_axpby(full, ng_mat_block(whole, i * m, 0, m, m), -1, 1, NULL);
        sum += ng_dot(full, full);
    }
    return sqrt(sum) / ng_norm(whole);
}

void from_terms(double *tensor, const ng_mat factors[3], const double *weights)
{
    const size_t m = factors[0].rows, terms = factors[0].cols;
    ng_mat pair = paper_mat(m, terms);
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < m; j++)
            for (size_t k = 0; k < terms; k++)
                ng_mat_set(pair, j, k,
                           weights[k] * ng_mat_get(factors[0], i, k) *
                               ng_mat_get(factors[1], j, k));
        ng_gemm(ng_f64(tensor + i * m * m, m, m), pair, NG_NOTRANS, factors[2], NG_TRANS, 1, 0,
                NULL);
    }
}

/* The unfolding is U W Z^T, column k of Z being u_k u_k^T, of which one triangle is enough with the
 * others' weight. With Z = A S V^T its singular values are those of U W V S: a Gram matrix would
 * lose all below 1e-8. */
size_t rank_of_terms(ng_mat factors, const double *weights, double tolerance)
{
    const size_t m = factors.rows, terms = factors.cols, pairs = m * (m + 1) / 2;
    ng_mat z = paper_mat(pairs, terms), a = paper_mat(pairs, terms), s = paper_mat(1, terms),
           vt = paper_mat(terms, terms), scaled = paper_mat(m, terms),
           product = paper_mat(m, terms);
    const size_t least = m < terms ? m : terms;
    ng_mat left = paper_mat(m, least), values = paper_mat(1, least),
           right = paper_mat(least, terms);
    ng_error error = {NG_OK, ""};
    size_t row = 0, rank = least;
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j <= i; j++, row++)
            for (size_t k = 0; k < terms; k++)
                ng_mat_set(z, row, k,
                           (i == j ? 1 : sqrt(2)) * ng_mat_get(factors, i, k) *
                               ng_mat_get(factors, j, k));
    paper_must(ng_svd(a, s, vt, NULL, z, NULL, &error), &error);
    for (size_t i = 0; i < m; i++)
        for (size_t k = 0; k < terms; k++)
            ng_mat_set(scaled, i, k, weights[k] * ng_mat_get(factors, i, k));
    ng_gemm(product, scaled, NG_NOTRANS, vt, NG_TRANS, 1, 0, NULL);
    for (size_t k = 0; k < terms; k++)
        ng_scale(ng_mat_block(product, 0, k, m, 1), ng_mat_get(s, 0, k));
    paper_must(ng_svd(left, values, right, NULL, product, NULL, &error), &error);
    double all = ng_norm(values) * tolerance / sqrt(3), sum = 0;
    while (rank > 1) {
        sum = hypot(sum, ng_mat_get(values, 0, rank - 1));
        if (sum > all)
            break;
        rank--;
    }
    return rank;
}

size_t reduced_rank(ng_mat factors, const double *weights, double tolerance)
{
    const size_t m = factors.rows, terms = factors.cols, least = m < terms ? m : terms;
    ng_mat scaled = paper_mat(m, terms), u = paper_mat(m, least), values = paper_mat(1, least),
           vt = paper_mat(least, terms);
    ng_error error = {NG_OK, ""};
    size_t rank = least;
    double sum = 0;
    for (size_t i = 0; i < m; i++)
        for (size_t k = 0; k < terms; k++)
            ng_mat_set(scaled, i, k, cbrt(weights[k]) * ng_mat_get(factors, i, k));
    paper_must(ng_svd(u, values, vt, NULL, scaled, NULL, &error), &error);
    while (rank > 1 && (sum = hypot(sum, ng_mat_get(values, 0, rank - 1))) <= tolerance / 3)
        rank--;
    return rank;
}

/* mode by mode: the basis functions at a coordinate, then the core in them */
double tucker_value(const tucker *t, const double x[3])
{
    double at[3][64], sum = 0;
    for (int mode = 0; mode < 3; mode++)
        for (size_t i = 0; i < t->rank[mode] && i < 64; i++)
            at[mode][i] =
                chebyshev((double *)t->basis[mode].data + i * t->basis[mode].stride, t->m, x[mode]);
    for (size_t i = 0; i < t->rank[0]; i++)
        for (size_t j = 0; j < t->rank[1]; j++)
            for (size_t k = 0; k < t->rank[2]; k++)
                sum += at[0][i] * at[1][j] * at[2][k] * ng_mat_get(t->core, i, j * t->rank[2] + k);
    return sum;
}
