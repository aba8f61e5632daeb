#include "tests/support/dense.h"

/* ---- Ownership -------------------------------------------------------------- */

static ng_mat *owned;
static size_t owned_count, owned_capacity;

ng_mat dense_mat(size_t rows, size_t cols)
{
    ng_mat m = test_mat(rows, cols, 0, NG_F64);
    if (owned_count == owned_capacity) {
        owned_capacity = 2 * owned_capacity + 64;
        owned = realloc(owned, owned_capacity * sizeof *owned);
        ck_assert_ptr_nonnull(owned);
    }
    owned[owned_count++] = m;
    return m;
}

void dense_release(void)
{
    while (owned_count > 0)
        test_free(owned[--owned_count]);
    free(owned);
    owned = NULL;
    owned_capacity = 0;
}

ng_mat dense_of(ng_mat m)
{
    ng_mat copy = dense_mat(m.rows, m.cols);
    test_assign(copy, m);
    return copy;
}

/* ---- Sums and products ------------------------------------------------------- */

static double *at(ng_mat m, size_t i, size_t j)
{
    return (double *)m.data + i * m.stride + j;
}

ng_mat dense_identity(size_t n)
{
    ng_mat x = dense_mat(n, n);
    for (size_t i = 0; i < n; i++)
        *at(x, i, i) = 1;
    return x;
}

ng_mat dense_mul(ng_mat a, int ta, ng_mat b, int tb)
{
    ng_mat c = dense_mat(ta ? a.cols : a.rows, tb ? b.rows : b.cols);
    test_matmul(c, a, ta, b, tb);
    return c;
}

ng_mat dense_add(double a, ng_mat x, double b, ng_mat y)
{
    ng_mat z = dense_mat(x.rows, x.cols);
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++)
            *at(z, i, j) = a * ng_mat_get(x, i, j) + b * ng_mat_get(y, i, j);
    return z;
}

ng_mat dense_scale(double a, ng_mat x)
{
    return dense_add(a, x, 0, x);
}

ng_mat dense_transpose(ng_mat x)
{
    ng_mat y = dense_mat(x.cols, x.rows);
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++)
            *at(y, j, i) = ng_mat_get(x, i, j);
    return y;
}

ng_mat dense_kron(ng_mat p, ng_mat q)
{
    ng_mat f = dense_mat(p.rows * q.rows, p.cols * q.cols);
    for (size_t i = 0; i < f.rows; i++)
        for (size_t j = 0; j < f.cols; j++)
            *at(f, i, j) =
                ng_mat_get(p, i / q.rows, j / q.cols) * ng_mat_get(q, i % q.rows, j % q.cols);
    return f;
}

ng_mat dense_with_ones(ng_mat a)
{
    ng_mat result = dense_mat(a.rows, a.cols + 1);
    for (size_t i = 0; i < a.rows; i++) {
        for (size_t j = 0; j < a.cols; j++)
            ng_mat_set(result, i, j, ng_mat_get(a, i, j));
        ng_mat_set(result, i, a.cols, 1);
    }
    return result;
}

double dense_trace(ng_mat x)
{
    double sum = 0;
    for (size_t i = 0; i < x.rows; i++)
        sum += ng_mat_get(x, i, i);
    return sum;
}

double dense_dot(ng_mat x, ng_mat y)
{
    double sum = 0;
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++)
            sum += ng_mat_get(x, i, j) * ng_mat_get(y, i, j);
    return sum;
}

double dense_asymmetry(ng_mat x)
{
    return test_norm(dense_add(0.5, x, -0.5, dense_transpose(x)));
}

/* ---- Symmetric eigenproblem ---------------------------------------------------- */

/* c, s of the rotation that annihilates the off-diagonal b of [[a, b], [b, d]] */
static void rotation(double a, double b, double d, double *c, double *s)
{
    double theta = (d - a) / (2 * b);
    double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(1 + theta * theta));
    *c = 1 / sqrt(1 + t * t);
    *s = t * *c;
}

/* rows p, q of x <- [c -s; s c] rows p, q */
static void rotate_rows(ng_mat x, size_t p, size_t q, double c, double s)
{
    for (size_t j = 0; j < x.cols; j++) {
        double xp = *at(x, p, j), xq = *at(x, q, j);
        *at(x, p, j) = c * xp - s * xq;
        *at(x, q, j) = s * xp + c * xq;
    }
}

static void rotate_cols(ng_mat x, size_t p, size_t q, double c, double s)
{
    for (size_t i = 0; i < x.rows; i++) {
        double xp = *at(x, i, p), xq = *at(x, i, q);
        *at(x, i, p) = c * xp - s * xq;
        *at(x, i, q) = s * xp + c * xq;
    }
}

/* rows of x and the entries of values into the order of the values */
static void sort_rows(ng_mat values, ng_mat x, int descending)
{
    size_t n = values.cols;
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n; k++) {
            double a = *at(values, 0, i), b = *at(values, 0, k);
            if (descending ? a >= b : a <= b)
                continue;
            *at(values, 0, i) = b;
            *at(values, 0, k) = a;
            rotate_rows(x, i, k, 0, 1);
        }
}

void dense_eigh(ng_mat *values, ng_mat *vectors, ng_mat a)
{
    size_t n = a.rows;
    ng_mat x = dense_of(a), v = dense_identity(n), l = dense_mat(1, n);
    double scale = test_norm(a), left = scale;
    for (int sweep = 0; sweep < 60 && left > 1e-17 * scale; sweep++) {
        left = 0;
        for (size_t p = 0; p < n; p++)
            for (size_t q = p + 1; q < n; q++) {
                double b = *at(x, p, q), c, s;
                left = fmax(left, fabs(b));
                if (b == 0)
                    continue;
                rotation(*at(x, p, p), b, *at(x, q, q), &c, &s);
                rotate_rows(x, p, q, c, s);
                rotate_cols(x, p, q, c, s);
                rotate_rows(v, p, q, c, s);
            }
    }
    for (size_t i = 0; i < n; i++)
        *at(l, 0, i) = *at(x, i, i);
    sort_rows(l, v, 0);
    if (values != NULL)
        *values = l;
    if (vectors != NULL)
        *vectors = v;
}

ng_mat dense_power(ng_mat a, double p)
{
    ng_mat l, v;
    dense_eigh(&l, &v, a);
    ng_mat scaled = dense_of(v);
    for (size_t i = 0; i < a.rows; i++)
        for (size_t j = 0; j < a.rows; j++)
            *at(scaled, i, j) *= pow(*at(l, 0, i), p);
    return dense_mul(v, 1, scaled, 0);
}

/* ---- Singular values ------------------------------------------------------------ */

/* wide a: rotates rows until they are orthogonal, so that rotated = turn a */
static void orthogonalise_rows(ng_mat rotated, ng_mat turn)
{
    double worst = 1;
    for (int sweep = 0; sweep < 60 && worst > 1e-16; sweep++) {
        worst = 0;
        for (size_t p = 0; p < rotated.rows; p++)
            for (size_t q = p + 1; q < rotated.rows; q++) {
                ng_mat x = ng_mat_block(rotated, p, 0, 1, rotated.cols);
                ng_mat y = ng_mat_block(rotated, q, 0, 1, rotated.cols);
                double xx = dense_dot(x, x), yy = dense_dot(y, y), xy = dense_dot(x, y), c, s;
                if (xy == 0 || fabs(xy) <= 1e-17 * sqrt(xx) * sqrt(yy))
                    continue;
                worst = fmax(worst, fabs(xy) / (sqrt(xx) * sqrt(yy)));
                rotation(xx, xy, yy, &c, &s);
                rotate_rows(rotated, p, q, c, s);
                rotate_rows(turn, p, q, c, s);
            }
    }
}

dense_svd_result dense_svd(ng_mat a)
{
    dense_svd_result f;
    if (a.rows > a.cols) {
        f = dense_svd(dense_transpose(a));
        ng_mat u = dense_transpose(f.vt);
        f.vt = dense_transpose(f.u);
        f.u = u;
        return f;
    }
    ng_mat x = dense_of(a), turn = dense_identity(a.rows), order = dense_mat(1, a.rows);
    orthogonalise_rows(x, turn);
    f.s = dense_mat(1, a.rows);
    for (size_t i = 0; i < a.rows; i++)
        *at(f.s, 0, i) = *at(order, 0, i) = test_norm(ng_mat_block(x, i, 0, 1, a.cols));
    sort_rows(f.s, x, 1);
    sort_rows(order, turn, 1);
    for (size_t i = 0; i < a.rows; i++)
        for (size_t j = 0; j<a.cols && * at(f.s, 0, i)> 0; j++)
            *at(x, i, j) /= *at(f.s, 0, i);
    f.u = dense_transpose(turn);
    f.vt = x;
    return f;
}

ng_mat dense_polar(ng_mat a, double tau)
{
    dense_svd_result f = dense_svd(a);
    ng_mat kept = dense_of(f.vt);
    for (size_t i = 0; i < f.s.cols; i++)
        for (size_t j = 0; j < kept.cols; j++)
            if (!(*at(f.s, 0, i) > tau * *at(f.s, 0, 0)))
                *at(kept, i, j) = 0;
    return dense_mul(f.u, 0, kept, 0);
}

double dense_nuclear(ng_mat a)
{
    dense_svd_result f = dense_svd(a);
    double sum = 0;
    for (size_t i = 0; i < f.s.cols; i++)
        sum += *at(f.s, 0, i);
    return sum;
}

double dense_spectral(ng_mat a)
{
    return *at(dense_svd(a).s, 0, 0);
}

/* ---- Matrices to test with -------------------------------------------------------- */

dense_svd_result dense_frame(size_t m, size_t n, const double *s, test_rng *rng)
{
    size_t k = m < n ? m : n;
    ng_mat q1 = test_orthogonal(m, rng), q2 = test_orthogonal(n, rng);
    dense_svd_result f = {dense_mat(m, k), dense_mat(1, k), dense_mat(k, n)};
    test_assign(f.u, ng_mat_block(q1, 0, 0, m, k));
    test_assign(f.vt, ng_mat_block(q2, 0, 0, k, n));
    for (size_t i = 0; i < k; i++)
        *at(f.s, 0, i) = s[i];
    test_free(q1);
    test_free(q2);
    return f;
}

ng_mat dense_compose(dense_svd_result f)
{
    ng_mat scaled = dense_of(f.vt);
    for (size_t i = 0; i < scaled.rows; i++)
        for (size_t j = 0; j < scaled.cols; j++)
            *at(scaled, i, j) *= *at(f.s, 0, i);
    return dense_mul(f.u, 0, scaled, 0);
}

ng_mat dense_isometry(dense_svd_result f)
{
    return dense_mul(f.u, 0, f.vt, 0);
}

ng_mat dense_normal(size_t m, size_t n, test_rng *rng)
{
    ng_mat x = dense_mat(m, n);
    test_fill_normal(x, rng);
    return x;
}

static ng_mat integers(size_t m, size_t n, test_rng *rng)
{
    ng_mat x = dense_mat(m, n);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            *at(x, i, j) = floor(7 * test_uniform(rng)) - 3;
    return x;
}

ng_mat dense_rank(size_t m, size_t n, size_t r, test_rng *rng)
{
    return r == 0 ? dense_mat(m, n) : dense_mul(integers(m, r, rng), 0, integers(r, n, rng), 0);
}
