/* Sums of inverses of small symmetric matrices, one matrix a lane. Included by sweep_kernels.h,
 * once per dtype and instruction set.
 *
 * A lane holds one element of FEW matrices; a vector is a lane, or two that are neighbours in their
 * row. The lower triangle is kept row by row, each row with an even number of lanes: 32 rows of
 * eight floats take 17 KB, and four pivots at once read and write them eight times. The matrix ends
 * in rows of the identity, so that their number is a multiple of four. */

#define FEW (LANES < 8 ? LANES : 8)
#define ACROSS (LANES / FEW) /* lanes of a vector */

typedef T K(lane) __attribute__((vector_size(FEW * sizeof(T)), aligned(sizeof(T)), may_alias));

/* the same lane all over a vector */
CPU static inline K(vector) K(wide)(K(lane) x)
{
#if LANES > 8
    return SHUFFLE(x, x, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7);
#else
    return x;
#endif
}

/* where row i begins */
static inline size_t K(row)(size_t i)
{
    return (i / 2 + i % 2) * 2 * (i / 2 + 1);
}

/* The LDL^T factors of the four pivots at k, from y (four columns of n): l below its diagonal, and
 * inverse, 1 / D. Returns 0 if a pivot of any lane is not positive. */
CPU static inline int K(factor_four)(K(lane) l[4][4], K(lane) inverse[4], const K(lane) * y,
                                     size_t n, size_t k)
{
    K(lane) d[4][4];
    int positive = 1;
#pragma GCC unroll 4
    for (size_t r = 0; r < 4; r++)
#pragma GCC unroll 4
        for (size_t s = r; s < 4; s++)
            d[s][r] = y[r * n + k + s];
#pragma GCC unroll 4
    for (size_t r = 0; r < 4; r++) {
        for (size_t f = 0; f < FEW; f++)
            positive &= d[r][r][f] > 0 && d[r][r][f] <= LARGEST;
        inverse[r] = 1 / d[r][r];
#pragma GCC unroll 4
        for (size_t s = r + 1; s < 4; s++)
            l[s][r] = d[s][r] * inverse[r];
#pragma GCC unroll 4
        for (size_t s = r + 1; s < 4; s++)
#pragma GCC unroll 4
            for (size_t q = s; q < 4; q++)
                d[q][s] -= d[q][r] * l[s][r];
    }
    return positive;
}

/* y (four columns of n) <- Y L^-T: each column as it is when its pivot's turn comes. In the pivots'
 * own rows -L^-T, of which the way back makes minus the block's inverse. */
CPU static inline void K(forth)(K(lane) * y, const K(lane) l[4][4], size_t n, size_t k)
{
    const K(lane) none = {0}, minus = none - 1;
    for (size_t i = 0; i < n; i++)
#pragma GCC unroll 4
        for (size_t s = 1; s < 4; s++)
#pragma GCC unroll 4
            for (size_t r = 0; r < s; r++)
                y[s * n + i] -= y[r * n + i] * l[s][r];
    for (size_t m = 0; m < 4; m++)
        for (size_t r = 0; r < 4; r++) {
            K(lane) sum = none;
            for (size_t s = m; s < r; s++)
                sum -= l[r][s] * y[s * n + k + m];
            y[r * n + k + m] = r == m ? minus : sum;
        }
}

/* y <- y D^-1 L^-1 */
CPU static inline void K(back)(K(lane) * y, const K(lane) l[4][4], const K(lane) inverse[4],
                               size_t n)
{
    for (size_t i = 0; i < n; i++)
#pragma GCC unroll 4
        for (size_t q = 0; q < 4; q++) {
            size_t r = 3 - q;
            y[r * n + i] *= inverse[r];
#pragma GCC unroll 4
            for (size_t s = r + 1; s < 4; s++)
                y[r * n + i] -= y[s * n + i] * l[s][r];
        }
}

/* a -= y D^-1 y^T, two rows at once */
CPU static inline void K(add_four)(K(lane) * a, const K(lane) * y, const K(lane) inverse[4],
                                   size_t n)
{
    for (size_t i = 0; i < n; i += 2) {
        K(vector) x[4], x1[4];
        K(lane) *row = a + K(row)(i), *next = a + K(row)(i + 1);
#pragma GCC unroll 4
        for (size_t r = 0; r < 4; r++) {
            x[r] = K(wide)(y[r * n + i] * inverse[r]);
            x1[r] = K(wide)(y[r * n + i + 1] * inverse[r]);
        }
        for (size_t j = 0; j < i + 2; j += ACROSS) {
            K(vector) sum = *(K(vector) *)(row + j), sum1 = *(K(vector) *)(next + j);
#pragma GCC unroll 4
            for (size_t r = 0; r < 4; r++) {
                K(vector) of_y = *(const K(vector) *)(y + r * n + j);
                sum -= x[r] * of_y;
                sum1 -= x1[r] * of_y;
            }
            *(K(vector) *)(row + j) = sum;
            *(K(vector) *)(next + j) = sum1;
        }
    }
}

/* y (four columns of n) <- columns k ... k + 3 of the symmetric a */
CPU static inline void K(columns)(K(lane) * y, const K(lane) * a, size_t n, size_t k)
{
    for (size_t r = 0; r < 4; r++) {
        const K(lane) *row = a + K(row)(k + r);
        for (size_t i = 0; i <= k + r; i++)
            y[r * n + i] = row[i];
    }
    for (size_t i = k + 1; i < k + 4; i++)
        for (size_t r = 0; k + r < i; r++)
            y[r * n + i] = a[K(row)(i) + k + r];
    for (size_t i = k + 4; i < n; i++) {
        const K(lane) *row = a + K(row)(i) + k;
#pragma GCC unroll 4
        for (size_t r = 0; r < 4; r++)
            y[r * n + i] = row[r];
    }
}

/* and back */
CPU static inline void K(put_columns)(K(lane) * a, const K(lane) * y, size_t n, size_t k)
{
    for (size_t r = 0; r < 4; r++) {
        K(lane) *row = a + K(row)(k + r);
        for (size_t i = 0; i <= k + r; i++)
            row[i] = y[r * n + i];
    }
    for (size_t i = k + 4; i < n; i++) {
        K(lane) *row = a + K(row)(i) + k;
#pragma GCC unroll 4
        for (size_t r = 0; r < 4; r++)
            row[r] = y[r * n + i];
    }
}

/* a <- minus the inverses, four pivots at once; y: four columns of scratch */
CPU static int K(sweep_lanes)(K(lane) * a, K(lane) * y, size_t n)
{
    K(lane) l[4][4], inverse[4];
    int positive = 1;
    for (size_t k = 0; k < n; k += 4) {
        K(columns)(y, a, n, k);
        positive &= K(factor_four)(l, inverse, y, n, k);
        K(forth)(y, l, n, k);
        K(add_four)(a, y, inverse, n);
        K(back)(y, l, inverse, n);
        K(put_columns)(a, y, n, k);
    }
    return positive;
}

/* *to <- the sums over the lanes of a times their weights, eight of them */
CPU static inline void K(sums)(K(eight) * to, const K(lane) * a, K(lane) weight)
{
    K(eight) sum = {0};
#if LANES >= 8
    T turned[8][8] __attribute__((aligned(64)));
    K(transpose)(turned[0], 8, (const T *)a, 8);
#pragma GCC unroll 8
    for (size_t f = 0; f < 8; f++)
        sum += weight[f] * *(const K(eight) *)turned[f];
#else
    for (size_t j = 0; j < 8; j++)
        for (size_t f = 0; f < FEW; f++)
            sum[j] += weight[f] * a[j][f];
#endif
    *to = sum;
}

/* k (lower triangle) += the sums; what is above the diagonal becomes anything */
CPU static inline void K(add_sums)(T *k, size_t ldk, const K(lane) * a, K(lane) weight, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j += 8) {
            K(eight) sum;
            K(sums)(&sum, a + K(row)(i) + j, weight);
            if (j + 8 <= n)
                *(K(eight) *)(k + i * ldk + j) += sum;
            else
                for (size_t s = 0; j + s <= i; s++)
                    k[i * ldk + j + s] += sum[s];
        }
}

/* a (np rows) <- x + shift p, with the identity behind its n rows; p NULL: the identity */
CPU static inline void K(load_lanes)(K(lane) * a, K(lane) shift, const T *x, size_t ldx, const T *p,
                                     size_t ldp, size_t n, size_t np)
{
    const K(lane) none = {0};
    for (size_t i = 0; i < n; i++) {
        K(lane) *row = a + K(row)(i);
        const T *of_x = x + i * ldx;
        row[i + 1 - i % 2] = none; /* an even number of lanes */
        if (p == NULL)
            for (size_t j = 0; j <= i; j++)
                row[j] = none + of_x[j];
        else
            for (size_t j = 0; j <= i; j++)
                row[j] = shift * p[i * ldp + j] + of_x[j];
        if (p == NULL)
            row[i] += shift;
    }
    for (size_t i = n; i < np; i++)
        for (size_t j = 0; j < i + 2 - i % 2; j++)
            a[K(row)(i) + j] = none + (T)(i == j);
}

/* k (lower triangle) += sum of w_j (x + t_j p)^-1 over at most FEW terms; work: np (np + 10) / 2
 * lanes for np, n up to a multiple of four */
CPU static int K(few)(void *k, size_t ldk, size_t n, const void *x, size_t ldx, const void *p,
                      size_t ldp, const double *t, const double *w, size_t terms, void *work)
{
    size_t np = (n + 3) / 4 * 4;
    K(lane) *a = work, *y = a + K(row)(np), shift = {0}, weight = {0};
    for (size_t f = 0; f < FEW; f++) {
        shift[f] = (T)t[f < terms ? f : 0]; /* idle lanes do what the first does, for nothing */
        weight[f] = f < terms ? (T)-w[f] : 0;
    }
    K(load_lanes)(a, shift, x, ldx, p, ldp, n, np);
    if (!K(sweep_lanes)(a, y, np))
        return 0;
    K(add_sums)(k, ldk, a, weight, n);
    return 1;
}

#undef FEW
#undef ACROSS
