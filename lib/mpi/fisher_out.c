/* What comes out of a dense Fisher matrix over ranks. */
#include "lib/mpi/fisher.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"

static ng_status check_call(const ng_mpi_fisher *f, double damping, ng_error *error)
{
    if (!f->has_data)
        return ng_error_set(error, NG_ENODATA, "no data yet");
    if (!(damping >= 0) || !isfinite(damping))
        return ng_error_set(error, NG_EARG, "damping: %g", damping);
    return NG_OK;
}

/* ---- Vectors --------------------------------------------------------------------------------- */

/* Columns of b <- rows of x, which every rank has. */
static void scatter(const ngi_blocks *b, ng_mat x)
{
    double *to = b->data;
    for (int j = 0; j < b->cols; j++)
        for (int i = 0; i < b->rows; i++)
            *to++ = ng_mat_get(x, ngi_blocks_col(b, j), ngi_blocks_row(b, i));
}

/* Rows of y, on every rank, <- columns first ... of b; row: n numbers. */
static void gather(const ng_mpi_fisher *f, ng_mat y, const ngi_blocks *b, size_t first, double *row)
{
    for (size_t k = 0; k < y.rows; k++) {
        ng_mat numbers = ng_f64(row, 1, f->n);
        ng_fill(numbers, 0);
        for (int j = 0; j < b->cols; j++)
            for (int i = 0; i < b->rows && ngi_blocks_col(b, j) == first + k; i++)
                row[ngi_blocks_row(b, i)] = b->data[(size_t)j * (size_t)b->rows + (size_t)i];
        MPI_Allreduce(MPI_IN_PLACE, row, (int)f->n, MPI_DOUBLE, MPI_SUM, f->comm);
        ng_copy(ng_mat_block(y, k, 0, 1, f->n), numbers, NULL);
    }
}

static ng_status check_range(ng_mat y, ng_error *error)
{
    for (size_t i = 0; i < y.rows; i++)
        for (size_t j = 0; j < y.cols; j++)
            if (!isfinite(ng_mat_get(y, i, j)))
                return ng_error_set(error, NG_ERANGE, "element (%zu, %zu) overflows", i, j);
    return NG_OK;
}

/* What a call works in. */
typedef struct {
    ngi_blocks l, x, y;
    double *row, *values;
    ngi_blocks_work work;
} scratch;

static ng_status finish(scratch *s, ng_status status)
{
    free(s->l.data);
    free(s->x.data);
    free(s->y.data);
    free(s->row);
    free(s->values);
    free(s->work.numbers);
    free(s->work.integers);
    return status;
}

static ng_status make_vectors(const ng_mpi_fisher *f, scratch *s, size_t k, ng_error *error)
{
    TRY(ngi_mpi_room(&s->row, f->n, error));
    TRY(ngi_blocks_shape(&s->x, &f->grid, f->n, k, f->block, f->block, error));
    s->y = s->x;
    TRY(ngi_mpi_room(&s->x.data, ngi_blocks_count(&s->x), error));
    return ngi_mpi_room(&s->y.data, ngi_blocks_count(&s->y), error);
}

static ng_status check_vectors(const ng_mpi_fisher *f, ng_mat y, ng_mat x, double damping,
                               ng_error *error)
{
    double largest = 0;
    TRY(check_call(f, damping, error));
    TRY(ngi_mpi_check(x, "x", x.rows, f->n, error));
    TRY(ngi_mpi_check(y, "y", x.rows, f->n, error));
    return ngi_mpi_finite(x, "x", 0, &largest, error);
}

static ng_status prepare_mul(const ng_mpi_fisher *f, scratch *s, ng_mat y, ng_mat x,
                             ng_error *error)
{
    TRY(check_vectors(f, y, x, 0, error));
    return make_vectors(f, s, x.rows, error);
}

static ng_status multiply(ng_mpi_fisher *f, scratch *s, ng_mat y, ng_mat x, ng_error *error)
{
    const double told[] = {(double)x.rows};
    TRY(ngi_mpi_agree(f, prepare_mul(f, s, y, x, error), told, 1, error));
    scatter(&s->x, x);
    ngi_blocks_symm(&s->y, &f->f, &s->x);
    gather(f, y, &s->y, 0, s->row);
    return check_range(y, error);
}

ng_status ng_mpi_fisher_mul(ng_mpi_fisher *f, ng_mat y, ng_mat x, ng_error *error)
{
    scratch s = {.row = NULL};
    if (f == NULL)
        return ng_error_set(error, NG_EARG, "mul: f is NULL");
    return finish(&s, multiply(f, &s, y, x, error));
}

static ng_status square(ng_mpi_fisher *f, scratch *s, double *value, ng_mat x, ng_error *error)
{
    ng_status status = x.rows == 1 ? ngi_mpi_room(&s->values, f->n, error)
                                   : ng_error_set(error, NG_ESHAPE, "x: %zu rows", x.rows);
    TRY(ngi_mpi_agree(f, status, NULL, 0, error));
    double sum = 0;
    ng_mat y = ng_f64(s->values, 1, f->n);
    TRY(multiply(f, s, y, x, error));
    for (size_t i = 0; i < f->n; i++)
        sum += s->values[i] * ng_mat_get(x, 0, i);
    *value = sum;
    return NG_OK;
}

ng_status ng_mpi_fisher_quadratic(ng_mpi_fisher *f, double *value, ng_mat x, ng_error *error)
{
    scratch s = {.row = NULL};
    if (f == NULL || value == NULL)
        return ng_error_set(error, NG_EARG, "quadratic: f or value is NULL");
    return finish(&s, square(f, &s, value, x, error));
}

/* ---- Factors --------------------------------------------------------------------------------- */

/* The rank's elements of the diagonal, one after the other: *at counts their places in b->data up;
 * 0 behind the last. */
static int next_diagonal(const ngi_blocks *b, int *col, size_t *at)
{
    for (; *col < b->cols; (*col)++) {
        size_t whole = ngi_blocks_col(b, *col);
        int processes = b->grid->rows, block = b->block_rows;
        if ((int)(whole / (size_t)block % (size_t)processes) != b->grid->row)
            continue;
        size_t row =
            whole / ((size_t)block * (size_t)processes) * (size_t)block + whole % (size_t)block;
        *at = (size_t)(*col)++ * (size_t)b->rows + row;
        return 1;
    }
    return 0;
}

static ng_status copy_of(const ng_mpi_fisher *f, ngi_blocks *l, ng_error *error)
{
    *l = f->f;
    l->data = NULL;
    TRY(ngi_mpi_room(&l->data, ngi_blocks_count(l), error));
    memcpy(l->data, f->f.data, ngi_blocks_count(l) * sizeof(double));
    return NG_OK;
}

/* l, a copy of F, <- the factor of F + damping I; *logdet: its logarithm. The same on all ranks. */
static ng_status factor(const ng_mpi_fisher *f, const ngi_blocks *l, double damping, double *logdet,
                        ng_error *error)
{
    int col = 0;
    size_t at;
    double largest = 0, least = DBL_MAX, logs = 0;
    while (next_diagonal(l, &col, &at)) {
        largest = fmax(largest, l->data[at]);
        l->data[at] += damping;
    }
    largest = ngi_mpi_largest(f, largest);
    int info = (int)ngi_mpi_largest(f, ngi_blocks_factor(l));
    if (info != 0)
        return ng_error_set(error, NG_ESINGULAR, "F + %g I is singular (%zu x %zu, minor %d)",
                            damping, f->n, f->n, info);
    for (col = 0; next_diagonal(l, &col, &at);) {
        least = fmin(least, l->data[at] * l->data[at]);
        logs += 2 * log(l->data[at]);
    }
    least = -ngi_mpi_largest(f, -least);
    *logdet = ngi_mpi_sum(f, logs);
    /* Without damping the rounding of a singular matrix may pass for a pivot. */
    if (!(least > (damping > 0 ? 0 : (double)f->n * DBL_EPSILON * largest)))
        return ng_error_set(error, NG_ESINGULAR,
                            "F + %g I is singular: a pivot is %g, the largest element %g", damping,
                            least, largest);
    return NG_OK;
}

static ng_status prepare_solve(const ng_mpi_fisher *f, scratch *s, ng_mat y, ng_mat x,
                               double damping, ng_error *error)
{
    TRY(check_vectors(f, y, x, damping, error));
    TRY(copy_of(f, &s->l, error));
    return make_vectors(f, s, x.rows, error);
}

static ng_status solve(ng_mpi_fisher *f, scratch *s, ng_mat y, ng_mat x, double damping,
                       ng_error *error)
{
    const double told[] = {(double)x.rows, damping};
    double ignored;
    TRY(ngi_mpi_agree(f, prepare_solve(f, s, y, x, damping, error), told, 2, error));
    TRY(factor(f, &s->l, damping, &ignored, error));
    scatter(&s->y, x);
    ngi_blocks_solve(&s->y, &s->l);
    gather(f, y, &s->y, 0, s->row);
    return check_range(y, error);
}

ng_status ng_mpi_fisher_solve(ng_mpi_fisher *f, ng_mat y, ng_mat x, double damping, ng_error *error)
{
    scratch s = {.row = NULL};
    if (f == NULL)
        return ng_error_set(error, NG_EARG, "solve: f is NULL");
    return finish(&s, solve(f, &s, y, x, damping, error));
}

static ng_status prepare_logdet(const ng_mpi_fisher *f, scratch *s, double damping, ng_error *error)
{
    TRY(check_call(f, damping, error));
    return copy_of(f, &s->l, error);
}

static ng_status determine(ng_mpi_fisher *f, scratch *s, double *value, double damping,
                           ng_error *error)
{
    TRY(ngi_mpi_agree(f, prepare_logdet(f, s, damping, error), &damping, 1, error));
    return factor(f, &s->l, damping, value, error);
}

ng_status ng_mpi_fisher_logdet(ng_mpi_fisher *f, double *value, double damping, ng_error *error)
{
    scratch s = {.row = NULL};
    double logdet = 0;
    if (f == NULL || value == NULL)
        return ng_error_set(error, NG_EARG, "logdet: f or value is NULL");
    ng_status status = finish(&s, determine(f, &s, &logdet, damping, error));
    *value = status == NG_OK ? logdet : *value;
    return status;
}

ng_status ng_mpi_fisher_trace(ng_mpi_fisher *f, double *value, ng_error *error)
{
    int col = 0;
    size_t at;
    double sum = 0;
    if (f == NULL || value == NULL)
        return ng_error_set(error, NG_EARG, "trace: f or value is NULL");
    TRY(ngi_mpi_agree(f, check_call(f, 0, error), NULL, 0, error));
    while (next_diagonal(&f->f, &col, &at))
        sum += f->f.data[at];
    *value = ngi_mpi_sum(f, sum);
    return NG_OK;
}

/* ---- Spectrum -------------------------------------------------------------------------------- */

static ng_status prepare_eigen(const ng_mpi_fisher *f, scratch *s, ng_mat values, ng_mat vectors,
                               ng_error *error)
{
    TRY(check_call(f, 0, error));
    TRY(ngi_mpi_check(values, "values", 1, values.cols, error));
    if (values.cols == 0 || values.cols > f->n)
        return ng_error_set(error, NG_ESHAPE, "values: %zu of %zu", values.cols, f->n);
    TRY(copy_of(f, &s->l, error));
    TRY(ngi_mpi_room(&s->values, f->n, error));
    if (!ngi_mpi_none(vectors)) {
        TRY(ngi_mpi_check(vectors, "vectors", values.cols, f->n, error));
        TRY(ngi_mpi_room(&s->row, f->n, error));
        s->y = s->l;
        s->y.data = NULL;
        TRY(ngi_mpi_room(&s->y.data, ngi_blocks_count(&s->y), error));
    }
    return NG_OK;
}

static ng_status room_to_work(scratch *s, ng_error *error)
{
    TRY(ngi_mpi_room(&s->work.numbers, (size_t)s->work.number_count, error));
    s->work.integers = malloc((size_t)s->work.integer_count * sizeof(int));
    return s->work.integers != NULL
               ? NG_OK
               : ng_error_set(error, NG_ENOMEM, "no memory for %d integers", s->work.integer_count);
}

static ng_status find_eigen(ng_mpi_fisher *f, scratch *s, ng_mat values, ng_mat vectors,
                            ng_error *error)
{
    const ngi_blocks *z = ngi_mpi_none(vectors) ? NULL : &s->y;
    const double told[] = {(double)values.cols, z != NULL};
    size_t k = values.cols;
    TRY(ngi_mpi_agree(f, prepare_eigen(f, s, values, vectors, error), told, 2, error));
    ngi_blocks_eigen(s->values, z, &s->l, &s->work);
    TRY(ngi_mpi_agree(f, room_to_work(s, error), NULL, 0, error));
    int info = (int)ngi_mpi_largest(f, abs(ngi_blocks_eigen(s->values, z, &s->l, &s->work)));
    if (info != 0)
        return ng_error_set(error, NG_ENOCONV, "eigenvalues did not converge: %d", info);
    MPI_Bcast(s->values, (int)f->n, MPI_DOUBLE, 0, f->comm); /* the same bits */
    TRY(ng_copy(values, ng_f64(s->values + f->n - k, 1, k), error));
    if (z != NULL)
        gather(f, vectors, z, f->n - k, s->row);
    return check_range(values, error);
}

ng_status ng_mpi_fisher_eigen(ng_mpi_fisher *f, ng_mat values, ng_mat vectors, ng_error *error)
{
    scratch s = {.row = NULL};
    if (f == NULL)
        return ng_error_set(error, NG_EARG, "eigen: f is NULL");
    return finish(&s, find_eigen(f, &s, values, vectors, error));
}

/* ---- All of it ------------------------------------------------------------------------------- */

static ng_status prepare_dense(const ng_mpi_fisher *f, scratch *s, ng_mat dense, ng_error *error)
{
    TRY(check_call(f, 0, error));
    TRY(ngi_mpi_check(dense, "dense", f->n, f->n, error));
    return ngi_mpi_room(&s->row, f->n, error);
}

/* Column by column of the lower triangle, each to its row too. */
static ng_status collect(ng_mpi_fisher *f, scratch *s, ng_mat dense, ng_error *error)
{
    TRY(ngi_mpi_agree(f, prepare_dense(f, s, dense, error), NULL, 0, error));
    for (size_t col = 0; col < f->n; col++) {
        gather(f, ng_mat_block(dense, col, 0, 1, f->n), &f->f, col, s->row);
        for (size_t row = 0; row < col; row++)
            ng_mat_set(dense, col, row, ng_mat_get(dense, row, col));
    }
    return check_range(dense, error);
}

ng_status ng_mpi_fisher_to_dense(ng_mpi_fisher *f, ng_mat dense, ng_error *error)
{
    scratch s = {.row = NULL};
    if (f == NULL)
        return ng_error_set(error, NG_EARG, "to_dense: f is NULL");
    return finish(&s, collect(f, &s, dense, error));
}
