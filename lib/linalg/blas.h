/* BLAS and LAPACK behind one table per dtype. blas.c and blas_kernels.h are
 * the only files that spell a Fortran name.
 *
 * Everything here is column-major, as Fortran is; linalg's files translate.
 * Sizes are ngi_int already: ngi_narrow is where size_t ends. */
#ifndef NGI_BLAS_H
#define NGI_BLAS_H

#include <stddef.h>
#include <natgrad/mat.h>

typedef int ngi_int; /* the BLAS integer (LP64) */

typedef struct {
    void (*gemm)(char ta, char tb, ngi_int m, ngi_int n, ngi_int k, double alpha, const void *a,
                 ngi_int lda, const void *b, ngi_int ldb, double beta, void *c, ngi_int ldc);
    void (*gemv)(char trans, ngi_int m, ngi_int n, double alpha, const void *a, ngi_int lda,
                 const void *x, ngi_int incx, double beta, void *y, ngi_int incy);
    void (*syrk)(char uplo, char trans, ngi_int n, ngi_int k, double alpha, const void *a,
                 ngi_int lda, double beta, void *c, ngi_int ldc);
    void (*symm)(char side, char uplo, ngi_int m, ngi_int n, double alpha, const void *a,
                 ngi_int lda, const void *b, ngi_int ldb, double beta, void *c, ngi_int ldc);
    void (*trsm)(char side, char uplo, char trans, ngi_int m, ngi_int n, double alpha,
                 const void *a, ngi_int lda, void *b, ngi_int ldb);
    /* The LAPACK routines return info: 0, > 0 numerical failure, < 0 misuse. */
    ngi_int (*potrf)(char uplo, ngi_int n, void *a, ngi_int lda);
    /* job: 'V' with eigenvectors, in place of a; 'N' without, a is lost */
    ngi_int (*syevd)(char job, char uplo, ngi_int n, void *a, ngi_int lda, void *w, void *work,
                     ngi_int lwork, ngi_int *iwork, ngi_int liwork);
    ngi_int (*syevr)(char uplo, ngi_int n, void *a, ngi_int lda, void *w, void *z, ngi_int ldz,
                     ngi_int *isuppz, void *work, ngi_int lwork, ngi_int *iwork, ngi_int liwork);
    ngi_int (*gesdd)(ngi_int m, ngi_int n, void *a, ngi_int lda, void *s, void *u, ngi_int ldu,
                     void *vt, ngi_int ldvt, void *work, ngi_int lwork, ngi_int *iwork);
    ngi_int (*gesvd)(ngi_int m, ngi_int n, void *a, ngi_int lda, void *s, void *u, ngi_int ldu,
                     void *vt, ngi_int ldvt, void *work, ngi_int lwork);
    ngi_int (*geqrf)(ngi_int m, ngi_int n, void *a, ngi_int lda, void *tau, void *work,
                     ngi_int lwork);
    ngi_int (*orgqr)(ngi_int m, ngi_int n, ngi_int k, void *a, ngi_int lda, const void *tau,
                     void *work, ngi_int lwork);
} ngi_blas_table;

extern const ngi_blas_table *const ngi_blas[2]; /* indexed by ng_dtype */

/* NG_ERANGE, naming the matrix, if a size of m exceeds the BLAS integer. */
ng_status ngi_narrow(ng_mat m, const char *name, ng_error *error);

/* OpenBLAS's process-wide number of threads; 0 where the BLAS has no such setting. */
int ngi_blas_threads(void);

/* That number has one owner: who computes within the process, and how many threads its BLAS has
 * meanwhile. Any number may be in at once that take it AS_IT_IS, or that want it SINGLE: 1, until
 * the last of them leaves and the old number is set again. The two kinds never meet; who comes
 * while the other kind is in waits, in the order of coming. */
typedef enum { NGI_BLAS_AS_IT_IS, NGI_BLAS_SINGLE } ngi_blas_use;
void ngi_blas_enter(ngi_blas_use use);
void ngi_blas_leave(ngi_blas_use use);

/* Around what a thread does for somebody who is in. Who is in, by either way, and enters again
 * (from a callback) is in already, whatever it wants. */
void ngi_blas_join(void);
void ngi_blas_part(void);

/* The leading dimension LAPACK wants: the stride, at least 1. */
static inline ngi_int ngi_ld(ng_mat m)
{
    size_t ld = m.rows > 1 ? m.stride : m.cols;
    return ld > 0 ? (ngi_int)ld : 1;
}

#endif
