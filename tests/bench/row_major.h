/* What peers in C are written on: sgemm and ssyevd by their Fortran names,
 * for dense row-major float matrices, which Fortran sees transposed. */
#ifndef NG_BENCH_ROW_MAJOR_H
#define NG_BENCH_ROW_MAJOR_H

#include <stddef.h>

void sgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k,
            const float *alpha, const float *a, const int *lda, const float *b, const int *ldb,
            const float *beta, float *c, const int *ldc, size_t, size_t);
void ssyevd_(const char *jobz, const char *uplo, const int *n, float *a, const int *lda, float *w,
             float *work, const int *lwork, int *iwork, const int *liwork, int *info, size_t,
             size_t);

/* c (m x n) <- alpha op(a) op(b) + beta c with k the inner dimension */
static inline void row_gemm(char ta, char tb, int m, int n, int k, float alpha, const float *a,
                            const float *b, float beta, float *c)
{
    int lda = ta == 'N' ? k : m, ldb = tb == 'N' ? n : k;
    sgemm_(&tb, &ta, &n, &m, &k, &alpha, b, &ldb, a, &lda, &beta, c, &n, 1, 1);
}

#endif
