/* Matrices in blocks over a grid of ranks, and what ScaLAPACK does with them. Fortran's order:
 * element (i, j) of a process lies at i + j lld. */
#ifndef NGI_MPI_BLOCKS_H
#define NGI_MPI_BLOCKS_H

#include <natgrad-mpi.h>

/* All ranks as rows x cols; this one is (row, col). */
typedef struct {
    int context, rows, cols, row, col;
} ngi_grid;

/* n x m in blocks, the first at (0, 0) of the grid; of this rank rows x cols. */
typedef struct {
    const ngi_grid *grid;
    int desc[9];
    int block_rows, block_cols, rows, cols;
    double *data;
} ngi_blocks;

/* What BLACS calls the ranks of comm, until it is forgotten, after their grids. */
int ngi_grid_system(MPI_Comm comm);
void ngi_grid_forget(int system);

/* Calls of all ranks, of which the number of rows is a divisor. */
void ngi_grid_create(ngi_grid *grid, int system, int rows, int ranks);
void ngi_grid_destroy(ngi_grid *grid);

/* Shapes alone; data is the caller's, ngi_blocks_count numbers (1 at least). NG_ERANGE where some
 * rank's part is beyond int. */
ng_status ngi_blocks_shape(ngi_blocks *b, const ngi_grid *grid, size_t n, size_t m,
                           size_t block_rows, size_t block_cols, ng_error *error);
size_t ngi_blocks_count(const ngi_blocks *b);

/* Where the rank's row i and column j are in the whole. */
size_t ngi_blocks_row(const ngi_blocks *b, int i);
size_t ngi_blocks_col(const ngi_blocks *b, int j);

/* to <- from, of the same shape in other blocks */
void ngi_blocks_move(const ngi_blocks *to, const ngi_blocks *from);

/* Lower triangles: f <- keep f + add s s^T; y <- f x; l <- its Cholesky factor, return: 0 or the
 * first minor that is not positive; y <- (l l^T)^-1 y. */
void ngi_blocks_syrk(const ngi_blocks *f, const ngi_blocks *s, double add, double keep);
void ngi_blocks_symm(const ngi_blocks *y, const ngi_blocks *f, const ngi_blocks *x);
int ngi_blocks_factor(const ngi_blocks *l);
void ngi_blocks_solve(const ngi_blocks *y, const ngi_blocks *l);

/* values (n, ascending) and, unless z is NULL, eigenvectors in z's columns; a is destroyed.
 * numbers: NULL, and *count is what both must hold; else so many doubles and ints. Return: what
 * LAPACK says, 0 done. */
typedef struct {
    double *numbers;
    int *integers;
    int number_count, integer_count;
} ngi_blocks_work;
int ngi_blocks_eigen(double *values, const ngi_blocks *z, const ngi_blocks *a,
                     ngi_blocks_work *work);

#endif
