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
 * 0 if a pivot is not positive. Whatever comes from a pivot comes from its row, inside the block
 * and beyond: what cancellation leaves of an ill-conditioned matrix may be noise to one part in a
 * thousand, and the row and the column do not have the same. */
CPU static int K(block)(T d[8][8], T m[8][8], T *inverse, T *root)
{
    static const K(eight) unit[8] = {{1},
                                     {0, 1},
                                     {0, 0, 1},
                                     {0, 0, 0, 1},
                                     {0, 0, 0, 0, 1},
                                     {0, 0, 0, 0, 0, 1},
                                     {0, 0, 0, 0, 0, 0, 1},
                                     {0, 0, 0, 0, 0, 0, 0, 1}};
    K(eight) v[8];
    int positive = 1;
#pragma GCC unroll 8
    for (size_t i = 0; i < 8; i++)
        v[i] = *(K(eight) *)d[i];
#pragma GCC unroll 8
    for (size_t k = 0; k < 8; k++) {
        T pivot = v[k][k];
        positive &= pivot > 0 && pivot <= LARGEST;
        inverse[k] = 1 / pivot;
        root[k] = positive ? 1 / SQRT(pivot) : 0;
        K(eight) others = 1 - unit[k], x = v[k] * others, row = x * inverse[k];
        *(K(eight) *)m[k] = row;
        row -= unit[k] * inverse[k]; /* makes the pivot's column, emptied, x / pivot */
#pragma GCC unroll 8
        for (size_t i = 0; i < 8; i++)
            v[i] = v[i] * others - row * x[i];
        v[k] = row;
    }
#pragma GCC unroll 8
    for (size_t i = 0; i < 8; i++)
        *(K(eight) *)d[i] = v[i];
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

/* lower triangle onto the upper one */
CPU static void K(mirror)(void *xv, size_t ld, size_t n)
{
    T *x = xv;
    size_t whole = n / 8 * 8;
    for (size_t i = 0; i < n; i += 8)
        for (size_t j = 0; j < i && i < whole; j += 8)
            K(transpose)(x + j * ld + i, ld, x + i * ld + j, ld);
    for (size_t i = 0; i < n; i++)
        for (size_t j = i < whole ? i / 8 * 8 : 0; j < i; j++)
            x[j * ld + i] = x[i * ld + j];
}

/* ---- Small matrices: one matrix a lane ------------------------------------------------ */

static inline size_t K(row)(size_t i)
{
    return i * (i + 1) / 2;
}

/* x <- column k of the symmetric a (lower triangle row by row, a vector of LANES matrices each: of
 * 32 rows it fits into 32 KB) */
CPU static inline void K(column)(K(vector) * x, const K(vector) * a, size_t n, size_t k)
{
    for (size_t i = 0; i < k; i++)
        x[i] = a[K(row)(k) + i];
    for (size_t i = k; i < n; i++)
        x[i] = a[K(row)(i) + k];
}

/* column and row k of a <- x */
CPU static inline void K(put_column)(K(vector) * a, const K(vector) * x, size_t n, size_t k)
{
    for (size_t i = 0; i < k; i++)
        a[K(row)(k) + i] = x[i];
    for (size_t i = k; i < n; i++)
        a[K(row)(i) + k] = x[i];
}

CPU static inline int K(all_positive)(K(vector) pivot)
{
    int positive = 1;
    for (size_t l = 0; l < LANES; l++)
        positive &= pivot[l] > 0 && pivot[l] <= LARGEST;
    return positive;
}

/* a -= x p x^T + y q y^T, two rows at once: what this costs is its stores */
CPU static inline void K(add_two)(K(vector) * a, const K(vector) * x, K(vector) p,
                                  const K(vector) * y, K(vector) q, size_t n)
{
    size_t i = 0;
    for (; i + 1 < n; i += 2) {
        K(vector) px = x[i] * p, px1 = x[i + 1] * p, qy = y[i] * q, qy1 = y[i + 1] * q;
        K(vector) *row = a + K(row)(i), *next = row + i + 1;
        for (size_t j = 0; j <= i; j++) {
            row[j] = row[j] - px * x[j] - qy * y[j];
            next[j] = next[j] - px1 * x[j] - qy1 * y[j];
        }
        next[i + 1] = next[i + 1] - px1 * x[i + 1] - qy1 * y[i + 1];
    }
    for (; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            a[K(row)(i) + j] -= x[i] * p * x[j] + y[i] * q * y[j];
}

/* a <- minus the inverses, two pivots at once; x: two columns of scratch. The second pivot's column
 * is what the first one makes of it. With n odd the last pivot has none beside it. */
CPU static int K(sweep_lanes)(K(vector) * a, K(vector) * x, size_t n)
{
    const K(vector) none = {0};
    K(vector) *y = x + n;
    int positive = 1;
    for (size_t k = 0; k < n; k += 2) {
        int two = k + 1 < n;
        K(column)(x, a, n, k);
        positive &= K(all_positive)(x[k]);
        K(vector) p = 1 / x[k], q = none, link = none;
        memset(y, 0, n * sizeof *y);
        if (two) {
            link = x[k + 1] * p;
            K(column)(y, a, n, k + 1);
            for (size_t i = 0; i < n; i++)
                y[i] -= x[i] * link;
            positive &= K(all_positive)(y[k + 1]);
            q = 1 / y[k + 1];
            x[k + 1] = y[k + 1] = none;
        }
        x[k] = y[k] = none;
        K(add_two)(a, x, p, y, q, n);
        for (size_t i = 0; i < n; i++) {
            y[i] *= q;
            x[i] = x[i] * p - y[i] * link;
        }
        x[k] = -p - link * link * q;
        if (two) {
            x[k + 1] = y[k] = link * q;
            y[k + 1] = -q;
            K(put_column)(a, y, n, k + 1);
        }
        K(put_column)(a, x, n, k);
    }
    return positive;
}

/* k (lower triangle) += sum of w_j (x + t_j p)^-1 over at most LANES terms; work: n (n +
 * 5) / 2 vectors */
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
            a[K(row)(i) + j] = shift * (p != NULL ? p[i * ldp + j] : (T)(i == j)) + x[i * ldx + j];
    if (!K(sweep_lanes)(a, a + K(row)(n), n))
        return 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            K(vector) sum = weight * a[K(row)(i) + j];
            for (size_t l = 0; l < LANES; l++)
                k[i * ldk + j] += sum[l];
        }
    return 1;
}
