/* ScaLAPACK's calls: J. Choi et al., Scientific Programming 5 (1996) 173; Users' Guide, SIAM 1997.
 */
#include "lib/mpi/blocks.h"

#include <limits.h>

/* PBLAS and BLACS are C and take addresses as Fortran does; the rest is Fortran, and wants the
 * lengths of texts behind all. */
int Csys2blacs_handle(MPI_Comm comm);
void Cfree_blacs_system_handle(int handle);
void Cblacs_gridinit(int *context, const char *order, int rows, int cols);
void Cblacs_gridinfo(int context, int *rows, int *cols, int *row, int *col);
void Cblacs_gridexit(int context);
void Cpdgemr2d(int m, int n, double *a, int ia, int ja, const int *desc_a, double *b, int ib,
               int jb, const int *desc_b, int context);
void pdsyrk_(const char *uplo, const char *trans, const int *n, const int *k, const double *alpha,
             const double *a, const int *ia, const int *ja, const int *desc_a, const double *beta,
             double *c, const int *ic, const int *jc, const int *desc_c);
void pdsymm_(const char *side, const char *uplo, const int *m, const int *n, const double *alpha,
             const double *a, const int *ia, const int *ja, const int *desc_a, const double *b,
             const int *ib, const int *jb, const int *desc_b, const double *beta, double *c,
             const int *ic, const int *jc, const int *desc_c);
void pdpotrf_(const char *uplo, const int *n, double *a, const int *ia, const int *ja,
              const int *desc_a, int *info, size_t uplo_length);
void pdpotrs_(const char *uplo, const int *n, const int *k, const double *a, const int *ia,
              const int *ja, const int *desc_a, double *b, const int *ib, const int *jb,
              const int *desc_b, int *info, size_t uplo_length);
void pdsyevd_(const char *job, const char *uplo, const int *n, double *a, const int *ia,
              const int *ja, const int *desc_a, double *w, double *z, const int *iz, const int *jz,
              const int *desc_z, double *work, const int *lwork, int *iwork, const int *liwork,
              int *info, size_t job_length, size_t uplo_length);
void pdsyevr_(const char *job, const char *range, const char *uplo, const int *n, double *a,
              const int *ia, const int *ja, const int *desc_a, const double *vl, const double *vu,
              const int *il, const int *iu, int *m, int *nz, double *w, double *z, const int *iz,
              const int *jz, const int *desc_z, double *work, const int *lwork, int *iwork,
              const int *liwork, int *info, size_t job_length, size_t range_length,
              size_t uplo_length);

static const int one = 1;

enum {
    DENSE = 1,
    TYPE = 0,
    CONTEXT,
    ROWS,
    COLS,
    BLOCK_ROWS,
    BLOCK_COLS,
    FIRST_ROW,
    FIRST_COL,
    LLD
};

/* ---- Grids and blocks ------------------------------------------------------------------------ */

int ngi_grid_system(MPI_Comm comm)
{
    return Csys2blacs_handle(comm);
}

void ngi_grid_forget(int system)
{
    Cfree_blacs_system_handle(system);
}

void ngi_grid_create(ngi_grid *grid, int system, int rows, int ranks)
{
    grid->context = system;
    Cblacs_gridinit(&grid->context, "Row", rows, ranks / rows);
    Cblacs_gridinfo(grid->context, &grid->rows, &grid->cols, &grid->row, &grid->col);
}

void ngi_grid_destroy(ngi_grid *grid)
{
    Cblacs_gridexit(grid->context);
}

/* Of n in blocks, what process `me` of so many has. */
static size_t part_of(size_t n, size_t block, int me, int processes)
{
    size_t p = (size_t)processes, m = (size_t)me, full = n / block;
    size_t part = full / p * block;
    if (full % p > m)
        part += block;
    return full % p == m ? part + n % block : part;
}

ng_status ngi_blocks_shape(ngi_blocks *b, const ngi_grid *grid, size_t n, size_t m,
                           size_t block_rows, size_t block_cols, ng_error *error)
{
    /* process (0, 0) has most */
    size_t rows = part_of(n, block_rows, 0, grid->rows);
    size_t cols = part_of(m, block_cols, 0, grid->cols);
    if (n > INT_MAX || m > INT_MAX || (rows > 0 && cols > INT_MAX / rows))
        return ng_error_set(error, NG_ERANGE, "%zu x %zu is too large for %d x %d ranks", n, m,
                            grid->rows, grid->cols);
    *b = (ngi_blocks){.grid = grid, .block_rows = (int)block_rows, .block_cols = (int)block_cols};
    b->rows = (int)part_of(n, block_rows, grid->row, grid->rows);
    b->cols = (int)part_of(m, block_cols, grid->col, grid->cols);
    b->desc[TYPE] = DENSE;
    b->desc[CONTEXT] = grid->context;
    b->desc[ROWS] = (int)n;
    b->desc[COLS] = (int)m;
    b->desc[BLOCK_ROWS] = b->block_rows;
    b->desc[BLOCK_COLS] = b->block_cols;
    b->desc[LLD] = b->rows > 0 ? b->rows : 1;
    return NG_OK;
}

size_t ngi_blocks_count(const ngi_blocks *b)
{
    size_t count = (size_t)b->rows * (size_t)b->cols;
    return count > 0 ? count : 1;
}

static size_t place(int i, int block, int me, int processes)
{
    return ((size_t)(i / block) * (size_t)processes + (size_t)me) * (size_t)block +
           (size_t)(i % block);
}

size_t ngi_blocks_row(const ngi_blocks *b, int i)
{
    return place(i, b->block_rows, b->grid->row, b->grid->rows);
}

size_t ngi_blocks_col(const ngi_blocks *b, int j)
{
    return place(j, b->block_cols, b->grid->col, b->grid->cols);
}

void ngi_blocks_move(const ngi_blocks *to, const ngi_blocks *from)
{
    Cpdgemr2d(to->desc[ROWS], to->desc[COLS], from->data, 1, 1, from->desc, to->data, 1, 1,
              to->desc, to->grid->context);
}

/* ---- Algebra --------------------------------------------------------------------------------- */

void ngi_blocks_syrk(const ngi_blocks *f, const ngi_blocks *s, double add, double keep)
{
    pdsyrk_("L", "N", &s->desc[ROWS], &s->desc[COLS], &add, s->data, &one, &one, s->desc, &keep,
            f->data, &one, &one, f->desc);
}

void ngi_blocks_symm(const ngi_blocks *y, const ngi_blocks *f, const ngi_blocks *x)
{
    const double unit = 1, zero = 0;
    pdsymm_("L", "L", &x->desc[ROWS], &x->desc[COLS], &unit, f->data, &one, &one, f->desc, x->data,
            &one, &one, x->desc, &zero, y->data, &one, &one, y->desc);
}

int ngi_blocks_factor(const ngi_blocks *l)
{
    int info;
    pdpotrf_("L", &l->desc[ROWS], l->data, &one, &one, l->desc, &info, 1);
    return info;
}

void ngi_blocks_solve(const ngi_blocks *y, const ngi_blocks *l)
{
    int info;
    pdpotrs_("L", &l->desc[ROWS], &y->desc[COLS], l->data, &one, &one, l->desc, y->data, &one, &one,
             y->desc, &info, 1);
}

int ngi_blocks_eigen(double *values, const ngi_blocks *z, const ngi_blocks *a,
                     ngi_blocks_work *work)
{
    const int query = work->numbers == NULL, *n = &a->desc[ROWS];
    const int lwork = query ? -1 : work->number_count, liwork = query ? -1 : work->integer_count;
    double numbers[8] = {0}, *w = query ? numbers : work->numbers, none = 0;
    int integers[8] = {0}, *iw = query ? integers : work->integers, info, found, vectors, skip = 0;
    if (z != NULL)
        pdsyevd_("V", "L", n, a->data, &one, &one, a->desc, values, z->data, &one, &one, z->desc, w,
                 &lwork, iw, &liwork, &info, 1, 1);
    else
        pdsyevr_("N", "A", "L", n, a->data, &one, &one, a->desc, &none, &none, &skip, &skip, &found,
                 &vectors, values, a->data, &one, &one, a->desc, w, &lwork, iw, &liwork, &info, 1,
                 1, 1);
    if (query) {
        /* pdsyevd forgets what pdormtr wants where a block is larger than the rest */
        int block = a->block_rows;
        work->number_count = (int)numbers[0] + block * (a->rows + a->cols + 2 * block) + 1;
        work->integer_count = integers[0] + 1;
    }
    return info;
}
