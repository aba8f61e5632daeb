/* What the files of ng_mpi_fisher share. */
#ifndef NGI_MPI_FISHER_H
#define NGI_MPI_FISHER_H

#include "lib/mpi/blocks.h"

struct ng_mpi_fisher {
    MPI_Comm comm; /* ours */
    int rank, ranks, opened;
    size_t n, block;
    int system;          /* of the grids */
    ngi_grid grid, line; /* line: one row of ranks, for scores */
    ngi_blocks f;        /* its lower triangle */
    double weight;       /* of the samples so far */
    int normalisation;   /* < 0: none yet */
    int has_data;
};

/* ---- Of all ranks ---------------------------------------------------------------------------- */

/* Own status -> that of the lowest rank that failed, with its text; where none did, NG_EARG unless
 * all were told the same numbers, at most 8. */
ng_status ngi_mpi_agree(const ng_mpi_fisher *f, ng_status status, const double *told, int count,
                        ng_error *error);
double ngi_mpi_sum(const ng_mpi_fisher *f, double own);
double ngi_mpi_largest(const ng_mpi_fisher *f, double own);

/* ---- Of one rank ----------------------------------------------------------------------------- */

int ngi_mpi_none(ng_mat m);

/* A view of f32 or f64 and that shape. */
ng_status ngi_mpi_check(ng_mat m, const char *name, size_t rows, size_t cols, ng_error *error);

/* All elements, or those of the lower triangle, are finite; *largest: of them and itself. */
ng_status ngi_mpi_finite(ng_mat m, const char *name, int lower, double *largest, ng_error *error);

ng_status ngi_mpi_room(double **numbers, size_t count, ng_error *error);

#endif
