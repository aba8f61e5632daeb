/* Dense Fisher matrices over ranks (natgrad-mpi.h): their making, and how calls begin. */
#include "lib/mpi/fisher.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "lib/core/try.h"

enum { BLOCK = 64 };

/* ---- One status ------------------------------------------------------------------------------ */

/* Own status -> that of the lowest rank that failed, with its text; where none did, NG_EARG unless
 * all were told the same. */
ng_status ngi_mpi_agree(const ng_mpi_fisher *f, ng_status status, const double *told, int count,
                        ng_error *error)
{
    enum { MOST = 8 };
    double mine[1 + 2 * MOST] = {0}, all[1 + 2 * MOST];
    ng_error text = {NG_OK, ""};
    mine[0] = status != NG_OK ? -f->rank : -DBL_MAX;
    for (int i = 0; i < count && status == NG_OK; i++) {
        mine[1 + i] = told[i];
        mine[1 + count + i] = -told[i];
    }
    MPI_Allreduce(mine, all, 1 + 2 * count, MPI_DOUBLE, MPI_MAX, f->comm);
    if (all[0] > -DBL_MAX) {
        int from = (int)-all[0];
        if (f->rank == from)
            ng_error_set(&text, status, "rank %d: %.240s", from,
                         error != NULL && error->status == status ? error->text
                                                                  : ng_status_text(status));
        MPI_Bcast(&text, (int)sizeof text, MPI_BYTE, from, f->comm);
        return ng_error_set(error, text.status, "%s", text.text);
    }
    for (int i = 0; i < count; i++)
        if (all[1 + i] != -all[1 + count + i])
            return ng_error_set(error, NG_EARG, "the ranks differ in argument %d", i + 1);
    return NG_OK;
}

double ngi_mpi_sum(const ng_mpi_fisher *f, double own)
{
    double sum;
    MPI_Allreduce(&own, &sum, 1, MPI_DOUBLE, MPI_SUM, f->comm);
    return sum;
}

double ngi_mpi_largest(const ng_mpi_fisher *f, double own)
{
    double largest;
    MPI_Allreduce(&own, &largest, 1, MPI_DOUBLE, MPI_MAX, f->comm);
    return largest;
}

/* ---- Checks of one rank ---------------------------------------------------------------------- */

int ngi_mpi_none(ng_mat m)
{
    return m.data == NULL && m.rows == 0 && m.cols == 0;
}

ng_status ngi_mpi_check(ng_mat m, const char *name, size_t rows, size_t cols, ng_error *error)
{
    TRY(ng_mat_check(m, name, error));
    if (m.dtype != NG_F32 && m.dtype != NG_F64)
        return ng_error_set(error, NG_EDTYPE, "%s: f32 or f64", name);
    if (m.rows != rows || m.cols != cols)
        return ng_error_set(error, NG_ESHAPE, "%s: %zu x %zu, expected %zu x %zu", name, m.rows,
                            m.cols, rows, cols);
    return NG_OK;
}

ng_status ngi_mpi_finite(ng_mat m, const char *name, int lower, double *largest, ng_error *error)
{
    for (size_t i = 0; i < m.rows; i++)
        for (size_t j = 0; j < (lower ? i + 1 : m.cols); j++) {
            double value = ng_mat_get(m, i, j);
            if (!isfinite(value))
                return ng_error_set(error, NG_ENONFINITE, "%s: element (%zu, %zu) is not finite",
                                    name, i, j);
            *largest = fmax(*largest, fabs(value));
        }
    return NG_OK;
}

ng_status ngi_mpi_room(double **numbers, size_t count, ng_error *error)
{
    *numbers = malloc((count + 1) * sizeof **numbers);
    return *numbers != NULL ? NG_OK
                            : ng_error_set(error, NG_ENOMEM, "no memory for %zu numbers", count);
}

/* ---- Create, destroy ------------------------------------------------------------------------- */

size_t ng_mpi_fisher_memory(const ng_mpi_fisher *f)
{
    return f != NULL ? ngi_blocks_count(&f->f) * sizeof(double) : 0;
}

void ng_mpi_fisher_destroy(ng_mpi_fisher *f)
{
    int ended = 1;
    if (f == NULL)
        return;
    MPI_Finalized(&ended);
    if (!ended && f->opened) {
        ngi_grid_destroy(&f->line);
        ngi_grid_destroy(&f->grid);
        ngi_grid_forget(f->system);
        MPI_Comm_free(&f->comm);
    }
    free(f->f.data);
    free(f);
}

/* of all ranks */
static void open_grids(ng_mpi_fisher *f, MPI_Comm comm)
{
    int dims[2] = {0, 0};
    MPI_Comm_dup(comm, &f->comm);
    MPI_Comm_set_errhandler(f->comm, MPI_ERRORS_ARE_FATAL);
    MPI_Dims_create(f->ranks, 2, dims);
    f->system = ngi_grid_system(f->comm);
    ngi_grid_create(&f->grid, f->system, dims[0], f->ranks);
    ngi_grid_create(&f->line, f->system, 1, f->ranks);
    f->opened = 1;
}

static ng_status make(ng_mpi_fisher *f, size_t n, size_t block, ng_error *error)
{
    f->n = n;
    f->block = block > 0 ? block : BLOCK;
    f->normalisation = -1;
    if (n == 0 || f->block > INT_MAX)
        return ng_error_set(error, NG_EARG, "n = %zu, block = %zu", n, block);
    TRY(ngi_blocks_shape(&f->f, &f->grid, n, n, f->block, f->block, error));
    f->f.data = calloc(ngi_blocks_count(&f->f), sizeof(double));
    return f->f.data != NULL ? NG_OK
                             : ng_error_set(error, NG_ENOMEM,
                                            "no memory for this rank's part of %zu x %zu", n, n);
}

ng_status ng_mpi_fisher_create(ng_mpi_fisher **fisher, MPI_Comm comm, size_t n, size_t block,
                               ng_error *error)
{
    int begun = 0, ended = 0, own, all;
    if (fisher == NULL)
        return ng_error_set(error, NG_EARG, "no place for a Fisher matrix");
    *fisher = NULL;
    MPI_Initialized(&begun);
    MPI_Finalized(&ended);
    if (!begun || ended)
        return ng_error_set(error, NG_EARG, "MPI is not there: MPI_Init comes before");
    ng_mpi_fisher *f = calloc(1, sizeof *f);
    own = f == NULL;
    MPI_Allreduce(&own, &all, 1, MPI_INT, MPI_MAX, comm);
    if (all != 0) {
        free(f);
        return ng_error_set(error, NG_ENOMEM, "no memory for a Fisher matrix");
    }
    MPI_Comm_rank(comm, &f->rank);
    MPI_Comm_size(comm, &f->ranks);
    open_grids(f, comm);
    const double told[] = {(double)n, (double)block};
    ng_status status = ngi_mpi_agree(f, make(f, n, block, error), told, 2, error);
    if (status != NG_OK)
        ng_mpi_fisher_destroy(f);
    else
        *fisher = f;
    return status;
}
