/* The symmetric sweep for one dtype and one instruction set. Included by sweep.c with T the type,
 * LANES the elements of a vector, SQRT its square root, CPU the attribute that names the
 * instruction set, K(name) our static name.
 *
 * Sweeping pivot k of a symmetric matrix turns a_kk into -1/d, a_ik into a_ik/d and a_ij into
 * a_ij - a_ik a_jk/d, d the old a_kk; after all pivots the matrix is minus its inverse, and every
 * step keeps it symmetric, so the lower triangle will do. Panels of eight pivots are swept in
 * registers, pivot by pivot (inverting the 8 x 8 block explicitly loses a factor 40 of accuracy);
 * what they do to the rest is a product of depth eight or sixteen. */

typedef T K(vector) __attribute__((vector_size(LANES * sizeof(T)), aligned(sizeof(T)), may_alias));
typedef T K(eight) __attribute__((vector_size(8 * sizeof(T)), aligned(sizeof(T)), may_alias));

/* to (8 x 8) <- from^T */
CPU static inline void K(transpose)(T *to, size_t ldt, const T *from, size_t ldf)
{
    K(eight) r[8], t[8];
    for (size_t i = 0; i < 8; i++)
        r[i] = *(const K(eight) *)(from + i * ldf);
    for (size_t i = 0; i < 8; i += 2) {
        t[i] = SHUFFLE(r[i], r[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        t[i + 1] = SHUFFLE(r[i], r[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
    for (size_t i = 0; i < 8; i += 4)
        for (size_t j = i; j < i + 2; j++) {
            r[j] = SHUFFLE(t[j], t[j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            r[j + 2] = SHUFFLE(t[j], t[j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (size_t j = 0; j < 4; j++) {
        t[j] = SHUFFLE(r[j], r[j + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        t[j + 4] = SHUFFLE(r[j], r[j + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
    for (size_t i = 0; i < 8; i++)
        *(K(eight) *)(to + i * ldt) = t[i];
}

/* a (rows x nv vectors) -= ci^T cj, both of depth w; rows and nv are constants of the caller */
CPU static inline __attribute__((always_inline)) void
K(tile)(T *a, size_t ld, const T *ci, const T *cj, size_t ldc, size_t w, size_t rows, size_t nv)
{
    K(vector) sum[8][3], x[3];
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 3
        for (size_t v = 0; v < nv; v++)
            sum[r][v] = *(K(vector) *)(a + r * ld + v * LANES);
    for (size_t k = 0; k < w; k++) {
#pragma GCC unroll 3
        for (size_t v = 0; v < nv; v++)
            x[v] = *(const K(vector) *)(cj + k * ldc + v * LANES);
#pragma GCC unroll 8
        for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 3
            for (size_t v = 0; v < nv; v++)
                sum[r][v] -= x[v] * ci[k * ldc + r];
    }
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 3
        for (size_t v = 0; v < nv; v++)
            *(K(vector) *)(a + r * ld + v * LANES) = sum[r][v];
}

/* Sweeps the 8 x 8 block d; m[k] <- its row k over the pivot, before pivot k, with 0 at k. Returns
 * 0 if a pivot is not positive. Whatever comes from a pivot comes from its row, inside the block and
 * beyond: what cancellation leaves of an ill-conditioned matrix may be noise to one part in a
 * thousand, and the row and the column do not have the same. */
CPU static int K(block)(T d[8][8], T m[8][8], T *inverse, T *root)
{
    int positive = 1;
    for (size_t k = 0; k < 8; k++) {
        T pivot = d[k][k];
        positive &= pivot > 0 && pivot <= LARGEST;
        inverse[k] = 1 / pivot;
        root[k] = positive ? 1 / SQRT(pivot) : 0;
        d[k][k] = 0;
        T x[8];
        memcpy(x, d[k], sizeof x); /* and not the column, which rounding may have made another */
        K(eight) row = *(K(eight) *)d[k] * inverse[k];
        *(K(eight) *)m[k] = row;
        for (size_t i = 0; i < 8; i++) {
            *(K(eight) *)d[i] -= row * x[i];
            d[i][k] = x[i] * inverse[k];
        }
        *(K(eight) *)d[k] = row;
        d[k][k] = -inverse[k];
    }
    return positive;
}

/* Eight pivots from column `at` on: p (8 x np), the rows of the matrix that they are, is swept; c
 * (8 x np) <- each row as it was at its pivot over the pivot's root. */
CPU static int K(pivots)(T *p, T *c, size_t np, size_t at)
{
    T d[8][8] __attribute__((aligned(64))), m[8][8] __attribute__((aligned(64)));
    T inverse[8], root[8];
    for (size_t i = 0; i < 8; i++)
        memcpy(d[i], p + i * np + at, sizeof d[i]);
    if (!K(block)(d, m, inverse, root))
        return 0;
    for (size_t i = 0; i < np; i += LANES) {
        K(vector) v[8];
#pragma GCC unroll 8
        for (size_t k = 0; k < 8; k++)
            v[k] = *(K(vector) *)(p + k * np + i);
#pragma GCC unroll 8
        for (size_t k = 0; k < 8; k++) {
            K(vector) x = v[k];
            *(K(vector) *)(c + k * np + i) = x * root[k];
#pragma GCC unroll 8
            for (size_t j = 0; j < 8; j++)
                v[j] = j == k ? x * inverse[k] : v[j] - x * m[k][j];
        }
#pragma GCC unroll 8
        for (size_t k = 0; k < 8; k++)
            *(K(vector) *)(p + k * np + i) = v[k];
    }
    for (size_t i = 0; i < 8; i++)
        memcpy(p + i * np + at, d[i], sizeof d[i]);
    return 1;
}

/* p (w x np) <- rows k ... k + w - 1 of the symmetric matrix */
CPU static void K(gather)(T *p, const T *a, size_t np, size_t k, size_t w)
{
    for (size_t j = 0; j < w; j += 8) {
        for (size_t i = k + j; i < np; i += 8)
            K(transpose)(p + j * np + i, np, a + i * np + k + j, np);
        for (size_t r = j; r < j + 8; r++) {
            memcpy(p + r * np, a + (k + r) * np, (k + r + 1) * sizeof(T));
            for (size_t q = j; q < r; q++)
                p[q * np + k + r] = a[(k + r) * np + k + q];
        }
    }
}

/* and back */
CPU static void K(scatter)(T *a, const T *p, size_t np, size_t k, size_t w)
{
    for (size_t j = 0; j < w; j++)
        memcpy(a + (k + j) * np, p + j * np, (k + j + 1) * sizeof(T));
    for (size_t i = k + w; i < np; i += 8)
        for (size_t j = 0; j < w; j += 8)
            K(transpose)(a + i * np + k + j, np, p + j * np + i, np);
}

/* All pivots of the panel p (w x np), the second eight with what the first did to them. */
CPU static int K(panel)(T *p, T *c, size_t np, size_t k, size_t w)
{
    for (size_t s = 0; s < w; s += 8) {
        if (!K(pivots)(p + s * np, c + s * np, np, k + s))
            return 0;
        for (size_t q = 0; q < w; q += 8) {
            if (q == s)
                continue;
            for (size_t i = 0; i < np; i += LANES)
                K(tile)(p + q * np + i, np, c + s * np + k + q, c + s * np + i, np, 8, 8, 1);
            K(transpose)(p + q * np + k + s, np, p + s * np + k + q, np); /* a_ik/d is theirs too */
        }
    }
    return 1;
}

/* a (np x np, lower triangle) -= c^T c, c of depth w */
CPU static void K(update)(T *a, const T *c, size_t np, size_t w)
{
    for (size_t i = 0; i < np; i += 4) {
        size_t j = 0, vectors = (i + 4 + LANES - 1) / LANES;
        T *row = a + i * np;
        for (; vectors >= 3; vectors -= 3, j += 3 * LANES)
            K(tile)(row + j, np, c + i, c + j, np, w, 4, 3);
        if (vectors == 2)
            K(tile)(row + j, np, c + i, c + j, np, w, 4, 2);
        if (vectors == 1)
            K(tile)(row + j, np, c + i, c + j, np, w, 4, 1);
    }
}

/* a (np x np, lower triangle) <- -a^-1; p and c are scratch of WIDTH x np. Returns 0, and leaves a
 * half swept, if a is not positive definite. */
CPU static int K(sweep)(void *av, void *pv, void *cv, size_t np)
{
    T *a = av, *p = pv, *c = cv;
    size_t width = np < WIDE_FROM ? 8 : WIDTH;
    for (size_t k = 0; k < np; k += width) {
        size_t w = np - k < width ? np - k : width;
        K(gather)(p, a, np, k, w);
        if (!K(panel)(p, c, np, k, w))
            return 0;
        for (size_t j = 0; j < w; j++)
            memset(c + j * np + k, 0, w * sizeof(T)); /* the panel's own columns are done */
        K(update)(a, c, np, w);
        K(scatter)(a, p, np, k, w);
    }
    return 1;
}

/* a (np x np) <- x + t p, with the identity behind its n rows; p NULL: the identity */
CPU static void K(load)(void *av, size_t np, size_t n, const void *xv, size_t ldx, double t,
                        const void *pv, size_t ldp)
{
    const T *x = xv, *p = pv;
    T shift = (T)t;
    for (size_t i = 0; i < np; i++) {
        T *row = (T *)av + i * np;
        size_t filled = i < n ? i + 1 : 0;
        memset(row + filled, 0, (np - filled) * sizeof(T));
        if (i >= n)
            row[i] = 1;
        else if (p == NULL) {
            memcpy(row, x + i * ldx, filled * sizeof(T));
            row[i] += shift;
        } else
            for (size_t j = 0; j <= i; j++)
                row[j] = x[i * ldx + j] + shift * p[i * ldp + j];
    }
}

/* k (lower triangle) += w times minus the swept a */
CPU static void K(add)(void *kv, size_t ldk, double w, const void *av, size_t np, size_t n)
{
    T weight = (T)-w;
    for (size_t i = 0; i < n; i++) {
        const T *restrict row = (const T *)av + i * np;
        T *restrict to = (T *)kv + i * ldk;
        for (size_t j = 0; j <= i; j++)
            to[j] += weight * row[j];
    }
}

/* ---- Small matrices: one matrix a lane ------------------------------------------------ */

/* a[(i n + j)] (lower triangle, a vector of LANES matrices each) <- minus the inverses */
CPU static int K(sweep_lanes)(K(vector) * a, K(vector) * x, size_t n)
{
    int positive = 1;
    for (size_t k = 0; k < n; k++) {
        K(vector) pivot = a[k * n + k], inverse = 1 / pivot;
        for (size_t l = 0; l < LANES; l++)
            positive &= pivot[l] > 0 && pivot[l] <= LARGEST;
        for (size_t i = 0; i < k; i++)
            x[i] = a[k * n + i];
        x[k] = (K(vector)){0};
        for (size_t i = k + 1; i < n; i++)
            x[i] = a[i * n + k];
        size_t i = 0;
        for (; i + 1 < n; i += 2) { /* two rows at once load x half as often */
            K(vector) y = x[i] * inverse, z = x[i + 1] * inverse, *row = a + i * n, *next = row + n;
            for (size_t j = 0; j <= i; j++) {
                row[j] -= y * x[j];
                next[j] -= z * x[j];
            }
            next[i + 1] -= z * x[i + 1];
        }
        for (; i < n; i++)
            for (size_t j = 0; j <= i; j++)
                a[i * n + j] -= x[i] * inverse * x[j];
        for (i = 0; i < k; i++)
            a[k * n + i] = x[i] * inverse;
        a[k * n + k] = -inverse;
        for (i = k + 1; i < n; i++)
            a[i * n + k] = x[i] * inverse;
    }
    return positive;
}

/* k (lower triangle) += sum of w_j (x + t_j p)^-1 over at most LANES terms; work: n (n + 1)
 * vectors */
CPU __attribute__((unused)) static int K(few)(void *kv, size_t ldk, size_t n, const void *xv,
                                              size_t ldx, const void *pv, size_t ldp,
                                              const double *t, const double *w, size_t terms,
                                              void *work)
{
    K(vector) *a = work, shift = {0}, weight = {0};
    const T *x = xv, *p = pv;
    T *k = kv;
    for (size_t l = 0; l < LANES; l++) {
        shift[l] = (T)t[l < terms ? l : 0]; /* idle lanes do what the first does, for nothing */
        weight[l] = l < terms ? (T)-w[l] : 0;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            a[i * n + j] = shift * (p != NULL ? p[i * ldp + j] : (T)(i == j)) + x[i * ldx + j];
    if (!K(sweep_lanes)(a, a + n * n, n))
        return 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            K(vector) sum = weight * a[i * n + j];
            for (size_t l = 0; l < LANES; l++)
                k[i * ldk + j] += sum[l];
        }
    return 1;
}
