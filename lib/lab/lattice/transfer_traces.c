/* One sector's part of the correlations of bonds in different rows. With the
 * bonds' deviations as slices E_b of the transfer matrix in its eigenbasis,
 *     <A B C> = tr(E_A Lambda^(p-1) E_B Lambda^(q-1) E_C Lambda^(r-1)) / Z
 * for rows p, q and r = L - p - q apart, and E_AB in place of the first three
 * factors for p = 0. The traces are cyclic: p <= q, r is enough. */
#include "lib/lab/lattice/transfer.h"

#include <string.h>

#include "lib/core/try.h"

enum { BLOCK = 1 << 14 };

typedef struct {
    ngi_transfer *t;
    size_t sector, m;
    double *power;         /* L x m: lambda^e */
    ng_mat slices;         /* 2L x m^2: row b is E_b */
    ng_mat build, y, left; /* m x m */
    ng_mat scaled, sum;    /* L x a block of rows; L x 2L */
    ng_error *error;
} sector_state;

static size_t block_rows(size_t m)
{
    size_t rows = BLOCK / m;
    return rows < 1 ? 1 : rows < m ? rows : m;
}

size_t ngi_transfer_traces_work(size_t m, size_t length)
{
    size_t square = ng_work_mat_size(m, m, NG_F64), all = ngi_mul(3, square);
    all = ngi_add(all, ng_work_mat_size(2 * length, ngi_mul(m, m), NG_F64));
    all = ngi_add(all, ng_work_mat_size(length, m, NG_F64));
    all = ngi_add(all, ng_work_mat_size(length, block_rows(m) * m, NG_F64));
    return ngi_add(all, ng_work_mat_size(length, 2 * length, NG_F64));
}

static ng_mat slice(const sector_state *s, size_t b)
{
    return ng_f64((double *)s->slices.data + b * s->m * s->m, s->m, s->m);
}

/* out <- V O V^T, or its transpose, O being T with the deviations of the bonds */
static ng_status represent(sector_state *s, ng_mat out, size_t b, size_t also, int transposed)
{
    const ngi_transfer *t = s->t;
    double *o = s->build.data;
    memset(o, 0, s->m * s->m * sizeof *o);
    for (size_t i = 0; i < s->m; i++)
        for (size_t a = 0; a < t->group; a++)
            for (size_t r = 0; r < s->m; r++) {
                size_t column = a * s->m + r;
                double x = ngi_transfer_entry(t, i, column) * ngi_transfer_delta(t, i, column, b);
                if (also < t->bonds)
                    x *= ngi_transfer_delta(t, i, column, also);
                o[i * s->m + r] += ngi_character(s->sector, a) * x;
            }
    ng_mat v = t->vectors[s->sector];
    ng_trans op = transposed ? NG_TRANS : NG_NOTRANS;
    TRY(ng_gemm(s->left, v, NG_NOTRANS, s->build, op, 1, 0, s->error));
    return ng_gemm(out, s->left, NG_NOTRANS, v, NG_TRANS, 1, 0, s->error);
}

/* sum[q][c] <- sum over j, i of y_ji lambda_j^(q-1) E_c(j, i) lambda_i^(total-q-1)
 * for q = least ... total - least; y is the transpose of what stands before. */
static ng_status contract(sector_state *s, size_t total, size_t least)
{
    const size_t m = s->m, rows = block_rows(m), count = total - 2 * least + 1;
    ng_mat sum = ng_mat_block(s->sum, least, 0, count, s->t->bonds);
    for (size_t at = 0; at < m; at += rows) {
        size_t now = m - at < rows ? m - at : rows;
        ng_mat scaled = ng_mat_block(s->scaled, 0, 0, count, now * m);
        for (size_t k = 0; k < count; k++) {
            const double *pj = s->power + (least + k - 1) * m;
            const double *pi = s->power + (total - least - k - 1) * m;
            for (size_t j = 0; j < now; j++) {
                const double *y = (const double *)s->y.data + (at + j) * m;
                double *z = (double *)scaled.data + k * scaled.stride + j * m;
                for (size_t i = 0; i < m; i++)
                    z[i] = y[i] * pi[i] * pj[at + j];
            }
        }
        ng_mat part = ng_mat_block(s->slices, 0, at * m, s->t->bonds, now * m);
        TRY(ng_gemm(sum, scaled, NG_NOTRANS, part, NG_TRANS, 1, at > 0, s->error));
    }
    return NG_OK;
}

/* to[q][c] += multiplicity / Z * sum[q][c] */
static void collect(const sector_state *s, double *to, size_t total, size_t least)
{
    const ngi_transfer *t = s->t;
    double factor = t->multiplicity[s->sector] / t->partition;
    for (size_t q = least; q <= total - least; q++)
        for (size_t c = 0; c < t->bonds; c++)
            to[q * t->bonds + c] += factor * ng_mat_get(s->sum, q, c);
}

/* The first bond A is number 0 or L of its row. */
static ng_status pair(sector_state *s, size_t a, size_t p, size_t b)
{
    ngi_transfer *t = s->t;
    const size_t first = a * t->length, total = t->length - p, least = p > 0 ? p : 1;
    if (p == 0)
        TRY(represent(s, s->y, first, b, 1));
    else /* left = E_A Lambda^(p-1) is there: y = (left E_B)^T */
        TRY(ng_gemm(s->y, slice(s, b), NG_TRANS, s->left, NG_TRANS, 1, 0, s->error));
    TRY(contract(s, total, least));
    collect(s, t->three + ngi_transfer_at(t, a, p, b, 0), total, least);
    return NG_OK;
}

static ng_status from_first(sector_state *s, size_t a)
{
    ngi_transfer *t = s->t;
    ng_mat first = slice(s, a * t->length);
    TRY(ng_transpose(s->y, first, s->error));
    TRY(contract(s, t->length, 1));
    collect(s, t->two + a * t->length * t->bonds, t->length, 1);
    for (size_t p = 0; p <= t->length / 3; p++) {
        for (size_t i = 0; p > 0 && i < s->m; i++)
            for (size_t j = 0; j < s->m; j++)
                ng_mat_set(s->left, i, j, ng_mat_get(first, i, j) * s->power[(p - 1) * s->m + j]);
        for (size_t b = 0; b < t->bonds; b++)
            TRY(pair(s, a, p, b));
    }
    return NG_OK;
}

static ng_status cut(sector_state *s)
{
    ng_work *w = &s->t->work;
    const size_t m = s->m, length = s->t->length;
    ng_mat power;
    const struct {
        ng_mat *mat;
        size_t rows, cols;
    } cuts[] = {
        {&s->slices, 2 * length, m * m},
        {&s->build, m, m},
        {&s->y, m, m},
        {&s->left, m, m},
        {&s->sum, length, 2 * length},
        {&s->scaled, length, block_rows(m) * m},
        {&power, length, m},
    };
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++)
        TRY(ng_work_mat(w, cuts[i].mat, cuts[i].rows, cuts[i].cols, NG_F64, s->error));
    s->power = power.data;
    for (size_t e = 0; e < length; e++)
        for (size_t i = 0; i < m; i++)
            s->power[e * m + i] =
                e == 0 ? 1 : s->power[(e - 1) * m + i] * s->t->lambda[s->sector][i];
    return NG_OK;
}

ng_status ngi_transfer_traces(ngi_transfer *t, size_t sector, ng_error *error)
{
    sector_state s = {.t = t, .sector = sector, .m = t->m, .error = error};
    TRY(cut(&s));
    for (size_t b = 0; b < t->bonds; b++)
        TRY(represent(&s, slice(&s, b), b, t->bonds, 0));
    for (size_t a = 0; a < 2; a++)
        TRY(from_first(&s, a));
    return NG_OK;
}
