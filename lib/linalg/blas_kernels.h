/* One dtype's BLAS and LAPACK. Included by blas.c once per dtype with
 * T the type, F(name) the Fortran name, K(name) our static name. The trailing
 * size_t arguments are the hidden lengths gfortran passes for CHARACTER. */

void F(gemm)(const char *, const char *, const ngi_int *, const ngi_int *, const ngi_int *,
             const T *, const T *, const ngi_int *, const T *, const ngi_int *, const T *, T *,
             const ngi_int *, size_t, size_t);
void F(gemv)(const char *, const ngi_int *, const ngi_int *, const T *, const T *, const ngi_int *,
             const T *, const ngi_int *, const T *, T *, const ngi_int *, size_t);
void F(syrk)(const char *, const char *, const ngi_int *, const ngi_int *, const T *, const T *,
             const ngi_int *, const T *, T *, const ngi_int *, size_t, size_t);
void F(symm)(const char *, const char *, const ngi_int *, const ngi_int *, const T *, const T *,
             const ngi_int *, const T *, const ngi_int *, const T *, T *, const ngi_int *, size_t,
             size_t);
void F(trsm)(const char *, const char *, const char *, const char *, const ngi_int *,
             const ngi_int *, const T *, const T *, const ngi_int *, T *, const ngi_int *, size_t,
             size_t, size_t, size_t);
void F(potrf)(const char *, const ngi_int *, T *, const ngi_int *, ngi_int *, size_t);
void F(syevd)(const char *, const char *, const ngi_int *, T *, const ngi_int *, T *, T *,
              const ngi_int *, ngi_int *, const ngi_int *, ngi_int *, size_t, size_t);
void F(syevr)(const char *, const char *, const char *, const ngi_int *, T *, const ngi_int *,
              const T *, const T *, const ngi_int *, const ngi_int *, const T *, ngi_int *, T *,
              T *, const ngi_int *, ngi_int *, T *, const ngi_int *, ngi_int *, const ngi_int *,
              ngi_int *, size_t, size_t, size_t);
void F(gesdd)(const char *, const ngi_int *, const ngi_int *, T *, const ngi_int *, T *, T *,
              const ngi_int *, T *, const ngi_int *, T *, const ngi_int *, ngi_int *, ngi_int *,
              size_t);
void F(gesvd)(const char *, const char *, const ngi_int *, const ngi_int *, T *, const ngi_int *,
              T *, T *, const ngi_int *, T *, const ngi_int *, T *, const ngi_int *, ngi_int *,
              size_t, size_t);
void F(geqrf)(const ngi_int *, const ngi_int *, T *, const ngi_int *, T *, T *, const ngi_int *,
              ngi_int *);
void F(orgqr)(const ngi_int *, const ngi_int *, const ngi_int *, T *, const ngi_int *, const T *,
              T *, const ngi_int *, ngi_int *);

static void K(gemm)(char ta, char tb, ngi_int m, ngi_int n, ngi_int k, double alpha, const void *a,
                    ngi_int lda, const void *b, ngi_int ldb, double beta, void *c, ngi_int ldc)
{
    T al = (T)alpha, be = (T)beta;
    F(gemm)(&ta, &tb, &m, &n, &k, &al, a, &lda, b, &ldb, &be, c, &ldc, 1, 1);
}

static void K(gemv)(char trans, ngi_int m, ngi_int n, double alpha, const void *a, ngi_int lda,
                    const void *x, ngi_int incx, double beta, void *y, ngi_int incy)
{
    T al = (T)alpha, be = (T)beta;
    F(gemv)(&trans, &m, &n, &al, a, &lda, x, &incx, &be, y, &incy, 1);
}

static void K(syrk)(char uplo, char trans, ngi_int n, ngi_int k, double alpha, const void *a,
                    ngi_int lda, double beta, void *c, ngi_int ldc)
{
    T al = (T)alpha, be = (T)beta;
    F(syrk)(&uplo, &trans, &n, &k, &al, a, &lda, &be, c, &ldc, 1, 1);
}

static void K(symm)(char side, char uplo, ngi_int m, ngi_int n, double alpha, const void *a,
                    ngi_int lda, const void *b, ngi_int ldb, double beta, void *c, ngi_int ldc)
{
    T al = (T)alpha, be = (T)beta;
    F(symm)(&side, &uplo, &m, &n, &al, a, &lda, b, &ldb, &be, c, &ldc, 1, 1);
}

static void K(trsm)(char side, char uplo, char trans, ngi_int m, ngi_int n, double alpha,
                    const void *a, ngi_int lda, void *b, ngi_int ldb)
{
    T al = (T)alpha;
    F(trsm)(&side, &uplo, &trans, "N", &m, &n, &al, a, &lda, b, &ldb, 1, 1, 1, 1);
}

static ngi_int K(potrf)(char uplo, ngi_int n, void *a, ngi_int lda)
{
    ngi_int info = 0;
    F(potrf)(&uplo, &n, a, &lda, &info, 1);
    return info;
}

static ngi_int K(syevd)(char job, char uplo, ngi_int n, void *a, ngi_int lda, void *w, void *work,
                        ngi_int lwork, ngi_int *iwork, ngi_int liwork)
{
    ngi_int info = 0;
    F(syevd)(&job, &uplo, &n, a, &lda, w, work, &lwork, iwork, &liwork, &info, 1, 1);
    return info;
}

static ngi_int K(syevr)(char uplo, ngi_int n, void *a, ngi_int lda, void *w, void *z, ngi_int ldz,
                        ngi_int *isuppz, void *work, ngi_int lwork, ngi_int *iwork, ngi_int liwork)
{
    ngi_int info = 0, found = 0, first = 1, last = n;
    T zero = 0; /* no interval; abstol 0 lets LAPACK choose */
    F(syevr)
    ("V", "A", &uplo, &n, a, &lda, &zero, &zero, &first, &last, &zero, &found, w, z, &ldz, isuppz,
     work, &lwork, iwork, &liwork, &info, 1, 1, 1);
    return info == 0 && found != n ? 1 : info;
}

static ngi_int K(gesdd)(ngi_int m, ngi_int n, void *a, ngi_int lda, void *s, void *u, ngi_int ldu,
                        void *vt, ngi_int ldvt, void *work, ngi_int lwork, ngi_int *iwork)
{
    ngi_int info = 0;
    F(gesdd)("S", &m, &n, a, &lda, s, u, &ldu, vt, &ldvt, work, &lwork, iwork, &info, 1);
    return info;
}

static ngi_int K(gesvd)(ngi_int m, ngi_int n, void *a, ngi_int lda, void *s, void *u, ngi_int ldu,
                        void *vt, ngi_int ldvt, void *work, ngi_int lwork)
{
    ngi_int info = 0;
    F(gesvd)("S", "S", &m, &n, a, &lda, s, u, &ldu, vt, &ldvt, work, &lwork, &info, 1, 1);
    return info;
}

static ngi_int K(geqrf)(ngi_int m, ngi_int n, void *a, ngi_int lda, void *tau, void *work,
                        ngi_int lwork)
{
    ngi_int info = 0;
    F(geqrf)(&m, &n, a, &lda, tau, work, &lwork, &info);
    return info;
}

static ngi_int K(orgqr)(ngi_int m, ngi_int n, ngi_int k, void *a, ngi_int lda, const void *tau,
                        void *work, ngi_int lwork)
{
    ngi_int info = 0;
    F(orgqr)(&m, &n, &k, a, &lda, tau, work, &lwork, &info);
    return info;
}

static const ngi_blas_table K(table) = {
    .gemm = K(gemm),
    .gemv = K(gemv),
    .syrk = K(syrk),
    .symm = K(symm),
    .trsm = K(trsm),
    .potrf = K(potrf),
    .syevd = K(syevd),
    .syevr = K(syevr),
    .gesdd = K(gesdd),
    .gesvd = K(gesvd),
    .geqrf = K(geqrf),
    .orgqr = K(orgqr),
};
