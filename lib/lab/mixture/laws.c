/* Sums over normal laws at many points. A block of points small enough for the cache is
 * whitened for all laws at once, weighted by its responsibilities where it lies, and multiplied
 * back: two products and one pass between them. */
#include <math.h>
#include <stdint.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/lab/mixture/mixture.h"

/* numbers of a block's y; sums of squares in LANES parts, which a compiler may do at once */
#if defined(NG_HAVE_CLONES)
#define CLONES __attribute__((target_clones("avx2", "default")))
#else
#define CLONES
#endif

enum { BLOCK_NUMBERS = 1 << 16, MAX_ROWS = 512, LANES = 4 };

int ngi_wanted(ng_mat m)
{
    return m.data != NULL;
}

size_t ngi_laws_bytes(size_t k, size_t d, size_t fields)
{
    size_t wide = ng_work_mat_size(k * d, d, NG_F64), row = ng_work_mat_size(1, k * d, NG_F64),
           square = ng_work_mat_size(k, d * d, NG_F64), list = ng_work_mat_size(1, k, NG_F64);
    return wide + row + 2 * list + fields * (wide + ng_work_mat_size(k, d, NG_F64) + square) +
           3 * ng_work_mat_size(d, d, NG_F64);
}

ng_status ngi_laws_take(ngi_laws *laws, size_t k, size_t d, ng_work *work, ng_error *error)
{
    ng_mat offset, log_weight;
    void *index;
    laws->k = k;
    laws->d = d;
    TRY(ng_work_mat(work, &laws->whiten, d, k * d, NG_F64, error));
    TRY(ng_work_mat(work, &offset, 1, k * d, NG_F64, error));
    TRY(ng_work_mat(work, &log_weight, 1, k, NG_F64, error));
    TRY(ng_work_bytes(work, &index, k * sizeof(size_t), error));
    laws->offset = offset.data;
    laws->log_weight = log_weight.data;
    laws->index = index;
    return NG_OK;
}

ng_status ngi_field_take(ngi_field *field, size_t k, size_t d, ng_work *work, ng_error *error)
{
    TRY(ng_work_mat(work, &field->back, k * d, d, NG_F64, error));
    TRY(ng_work_mat(work, &field->base, k, d, NG_F64, error));
    return ng_work_mat(work, &field->within, k, d * d, NG_F64, error);
}

/* ---- One block of points ----------------------------------------------------------- */

typedef struct {
    const ngi_laws *laws;
    const ngi_field *fields;
    size_t count;
    ng_mat log_density, responsibility, x;
    ng_mat y;      /* rows x k d, then weighted by r */
    ng_mat r;      /* rows x k */
    ng_mat single; /* rows x d: f_c of one law */
} blocks;

/* y <- y - offset; r <- log weights minus half of |y_c|^2 */
CLONES static void whiten(const ngi_laws *laws, double *restrict y, double *restrict r)
{
    const double *restrict offset = laws->offset;
    const size_t d = laws->d;
    for (size_t c = 0; c < laws->k; c++, y += d, offset += d) {
        double sum[LANES] = {0};
        size_t i = 0;
        for (; i + LANES <= d; i += LANES)
            for (size_t lane = 0; lane < LANES; lane++) {
                double z = y[i + lane] -= offset[i + lane];
                sum[lane] += z * z;
            }
        for (; i < d; i++) {
            y[i] -= offset[i];
            sum[0] += y[i] * y[i];
        }
        r[c] = laws->log_weight[c] - 0.5 * (sum[0] + sum[1] + (sum[2] + sum[3]));
    }
}

/* r <- the responsibilities, y_c <- r_c y_c. Returns the log of their sum. */
CLONES static double weigh(const ngi_laws *laws, double *restrict y, double *restrict r)
{
    const size_t d = laws->d;
    double most = r[0], sum = 0;
    for (size_t c = 1; c < laws->k; c++)
        most = r[c] > most ? r[c] : most;
    for (size_t c = 0; c < laws->k; c++)
        sum += r[c] = r[c] - most < -745 ? 0 : exp(r[c] - most);
    for (size_t c = 0; c < laws->k; c++, y += d) {
        double share = r[c] /= sum;
        for (size_t i = 0; i < d; i++)
            y[i] *= share;
    }
    return most + log(sum);
}

static double *row_of(ng_mat m, size_t row)
{
    return (double *)m.data + row * m.stride;
}

/* The block's part of: spread <- sum_c r_c (D_c + (f_c - f)(f_c - f)^T). f_c comes from the
 * weighted y, so that laws of no weight count as what they are. */
static ng_status spread(const blocks *b, const ngi_field *field, size_t first, size_t rows,
                        ng_error *error)
{
    const size_t d = b->laws->d;
    ng_mat out = ng_mat_block(field->spread, first, 0, rows, d * d);
    ng_mat single = ng_mat_block(b->single, 0, 0, rows, d);
    TRY(ng_gemm(out, ng_mat_block(b->r, 0, 0, rows, b->laws->k), NG_NOTRANS, field->within,
                NG_NOTRANS, 1, 0, error));
    for (size_t c = 0; c < b->laws->k; c++) {
        TRY(ng_gemm(single, ng_mat_block(b->y, 0, c * d, rows, d), NG_NOTRANS,
                    ng_mat_block(field->back, c * d, 0, d, d), NG_NOTRANS, 1, 0, error));
        for (size_t row = 0; row < rows; row++) {
            double r = row_of(b->r, row)[c], *f = row_of(single, row), *to = row_of(out, row);
            const double *mean = row_of(field->out, first + row);
            for (size_t i = 0; i < d; i++)
                f[i] += r * ((ngi_wanted(field->base) ? row_of(field->base, c)[i] : 0) - mean[i]);
            for (size_t i = 0; i < d && r > 1e-290; i++)
                for (size_t j = 0; j < d; j++)
                    to[i * d + j] += f[i] / r * f[j];
        }
    }
    return NG_OK;
}

static ng_status apply(const blocks *b, const ngi_field *field, size_t first, size_t rows,
                       ng_error *error)
{
    const ngi_laws *laws = b->laws;
    ng_mat out = ng_mat_block(field->out, first, 0, rows, laws->d);
    TRY(ng_gemm(out, ng_mat_block(b->y, 0, 0, rows, laws->k * laws->d), NG_NOTRANS, field->back,
                NG_NOTRANS, 1, 0, error));
    if (ngi_wanted(field->base))
        TRY(ng_gemm(out, ng_mat_block(b->r, 0, 0, rows, laws->k), NG_NOTRANS, field->base,
                    NG_NOTRANS, 1, 1, error));
    if (!ng_is_finite(out))
        return ng_error_set(error, NG_ERANGE, "a field overflows between rows %zu and %zu", first,
                            first + rows - 1);
    return ngi_wanted(field->spread) ? spread(b, field, first, rows, error) : NG_OK;
}

static ng_status block(const blocks *b, size_t first, size_t rows, ng_error *error)
{
    const ngi_laws *laws = b->laws;
    ng_mat y = ng_mat_block(b->y, 0, 0, rows, laws->k * laws->d);
    TRY(ng_gemm(y, ng_mat_block(b->x, first, 0, rows, laws->d), NG_NOTRANS, laws->whiten,
                NG_NOTRANS, 1, 0, error));
    for (size_t row = 0; row < rows; row++) {
        double *r = row_of(b->r, row);
        whiten(laws, row_of(y, row), r);
        double log_density = weigh(laws, row_of(y, row), r);
        if (!isfinite(log_density))
            return ng_error_set(error, NG_ERANGE, "x: the density at row %zu overflows",
                                first + row);
        if (ngi_wanted(b->log_density))
            ng_mat_set(b->log_density, first + row, 0, log_density);
        for (size_t c = 0; c < laws->k && ngi_wanted(b->responsibility); c++)
            ng_mat_set(b->responsibility, first + row, laws->index[c], r[c]);
    }
    for (size_t i = 0; i < b->count; i++)
        if (ngi_wanted(b->fields[i].out))
            TRY(apply(b, &b->fields[i], first, rows, error));
    return NG_OK;
}

static ng_status all_blocks(blocks *b, size_t rows, ng_work *work, ng_error *error)
{
    const size_t k = b->laws->k, d = b->laws->d;
    TRY(ng_work_mat(work, &b->y, rows, k * d, NG_F64, error));
    TRY(ng_work_mat(work, &b->r, rows, k, NG_F64, error));
    TRY(ng_work_mat(work, &b->single, rows, d, NG_F64, error));
    for (size_t first = 0; first < b->x.rows; first += rows)
        TRY(block(b, first, b->x.rows - first < rows ? b->x.rows - first : rows, error));
    return NG_OK;
}

ng_status ngi_laws_evaluate(const ngi_laws *laws, ng_mat log_density, ng_mat responsibility,
                            const ngi_field *fields, size_t count, ng_mat x, ng_error *error)
{
    blocks b = {laws, fields, count, log_density, responsibility, x, .y = ng_mat_none()};
    const size_t wide = laws->k * laws->d;
    size_t rows = BLOCK_NUMBERS / wide;
    ng_work work;
    rows = rows < 16 ? 16 : rows > MAX_ROWS ? MAX_ROWS : rows;
    rows = x.rows < rows ? x.rows : rows;
    if (rows == 0)
        return NG_OK;
    TRY(ng_work_create(&work,
                       ng_work_mat_size(rows, wide, NG_F64) +
                           ng_work_mat_size(rows, laws->k, NG_F64) +
                           ng_work_mat_size(rows, laws->d, NG_F64),
                       error));
    ng_status status = all_blocks(&b, rows, &work, error);
    ng_work_destroy(&work);
    return status;
}
