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
typedef BITS K(mask) __attribute__((vector_size(8 * sizeof(T)), aligned(sizeof(T)), may_alias));

/* to (8 x 8) <- from^T */
CPU static inline void K(transpose)(T *to, size_t ldt, const T *from, size_t ldf)
{
    K(eight) r[8], t[8];
#pragma GCC unroll 8
    for (size_t i = 0; i < 8; i++)
        r[i] = *(const K(eight) *)(from + i * ldf);
#pragma GCC unroll 4
    for (size_t i = 0; i < 8; i += 2) {
        t[i] = SHUFFLE(r[i], r[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        t[i + 1] = SHUFFLE(r[i], r[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
#pragma GCC unroll 2
    for (size_t i = 0; i < 8; i += 4)
#pragma GCC unroll 2
        for (size_t j = i; j < i + 2; j++) {
            r[j] = SHUFFLE(t[j], t[j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            r[j + 2] = SHUFFLE(t[j], t[j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
#pragma GCC unroll 4
    for (size_t j = 0; j < 4; j++) {
        t[j] = SHUFFLE(r[j], r[j + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        t[j + 4] = SHUFFLE(r[j], r[j + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
#pragma GCC unroll 8
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

/* to (8 x 8) <- the symmetric from, given by its lower triangle; they may be the same */
CPU static inline void K(whole)(T *to, size_t ldt, const T *from, size_t ldf)
{
    const K(eight) column = {0, 1, 2, 3, 4, 5, 6, 7};
    T other[8][8] __attribute__((aligned(64)));
    K(transpose)(other[0], 8, from, ldf);
#pragma GCC unroll 8
    for (size_t r = 0; r < 8; r++) {
        K(mask) above = column > (T)r, row = *(const K(mask) *)(from + r * ldf);
        *(K(mask) *)(to + r * ldt) = (row & ~above) | (*(const K(mask) *)other[r] & above);
    }
}

/* to (8 rows) <- from, its first n columns */
CPU static inline void K(rows)(T *to, const T *from, size_t np, size_t n)
{
    for (size_t r = 0; r < 8; r++)
        for (size_t i = 0; i < n; i += 8)
            *(K(eight) *)(to + r * np + i) = *(const K(eight) *)(from + r * np + i);
}

/* p (w x np) <- rows k ... k + w - 1 of the symmetric matrix */
CPU static void K(gather)(T *p, const T *a, size_t np, size_t k, size_t w)
{
    for (size_t at = k; at < k + w; at += 8, p += 8 * np) {
        K(rows)(p, a + at * np, np, at);
        K(whole)(p + at, np, a + at * np + at, np);
        for (size_t i = at + 8; i < np; i += 8)
            K(transpose)(p + i, np, a + i * np + at, np);
    }
}

/* and back */
CPU static void K(scatter)(T *a, const T *p, size_t np, size_t k, size_t w)
{
    for (size_t j = 0; j < w; j += 8)
        K(rows)(a + (k + j) * np, p + j * np, np, k + j + 8);
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
            for (size_t i = 0; i < w; i += 8) /* the panel's own columns are done */
                *(K(eight) *)(c + j * np + k + i) = (K(eight)){0};
        K(update)(a, c, np, w);
        K(scatter)(a, p, np, k, w);
    }
    return 1;
}

/* a (np x np) <- x + t p, with the identity behind its n rows; p NULL: the identity. What is above
 * the diagonal is anything. */
CPU static void K(load)(void *av, size_t np, size_t n, const void *xv, size_t ldx, double t,
                        const void *pv, size_t ldp)
{
    const T shift = (T)t;
    const K(vector) none = {0};
    for (size_t i = 0; i < np; i++) {
        const T *x = (const T *)xv + i * ldx, *p = pv != NULL ? (const T *)pv + i * ldp : x;
        T *row = (T *)av + i * np;
        size_t j = 0, filled = i < n ? i + 1 : 0;
        for (; j < filled && j + LANES <= n; j += LANES) {
            K(vector) sum = *(const K(vector) *)(x + j);
            if (pv != NULL)
                sum += shift * *(const K(vector) *)(p + j);
            *(K(vector) *)(row + j) = sum;
        }
        for (; j < filled; j++)
            row[j] = pv != NULL ? x[j] + shift * p[j] : x[j];
        for (; j % LANES != 0; j++)
            row[j] = 0;
        for (; j < np; j += LANES)
            *(K(vector) *)(row + j) = none;
        if (i >= n)
            row[i] = 1;
        else if (pv == NULL)
            row[i] += shift;
    }
}

/* k (lower triangle) += w times minus the swept a; what is above the diagonal becomes anything */
CPU static void K(add)(void *kv, size_t ldk, double w, const void *av, size_t np, size_t n)
{
    const T weight = (T)-w;
    for (size_t i = 0; i < n; i++) {
        const T *row = (const T *)av + i * np;
        T *to = (T *)kv + i * ldk;
        size_t j = 0;
        for (; j <= i && j + LANES <= n; j += LANES)
            *(K(vector) *)(to + j) += weight * *(const K(vector) *)(row + j);
        for (; j <= i; j++)
            to[j] += weight * row[j];
    }
}

/* lower triangle onto the upper one */
CPU static void K(mirror)(void *xv, size_t ld, size_t n)
{
    T *x = xv;
    size_t whole = n / 8 * 8;
    for (size_t i = 0; i < whole; i += 8) {
        for (size_t j = 0; j < i; j += 8)
            K(transpose)(x + j * ld + i, ld, x + i * ld + j, ld);
        K(whole)(x + i * ld + i, ld, x + i * ld + i, ld);
    }
    for (size_t i = whole; i < n; i++)
        for (size_t j = 0; j < i; j++)
            x[j * ld + i] = x[i * ld + j];
}

#include "lib/linalg/lanes_kernels.h"
