/* One dtype's LAPACK routines. Included by faults.c once per dtype with T the type, W(name) the
 * wrapper's name and R(name) the real routine's. */

void R(potrf)(const char *, const int *, T *, const int *, int *, size_t);
void R(syevd)(const char *, const char *, const int *, T *, const int *, T *, T *, const int *,
              int *, const int *, int *, size_t, size_t);
void R(syevr)(const char *, const char *, const char *, const int *, T *, const int *, const T *,
              const T *, const int *, const int *, const T *, int *, T *, T *, const int *, int *,
              T *, const int *, int *, const int *, int *, size_t, size_t, size_t);
void R(gesdd)(const char *, const int *, const int *, T *, const int *, T *, T *, const int *, T *,
              const int *, T *, const int *, int *, int *, size_t);
void R(gesvd)(const char *, const char *, const int *, const int *, T *, const int *, T *, T *,
              const int *, T *, const int *, T *, const int *, int *, size_t, size_t);
void W(potrf)(const char *, const int *, T *, const int *, int *, size_t);
void W(syevd)(const char *, const char *, const int *, T *, const int *, T *, T *, const int *,
              int *, const int *, int *, size_t, size_t);
void W(syevr)(const char *, const char *, const char *, const int *, T *, const int *, const T *,
              const T *, const int *, const int *, const T *, int *, T *, T *, const int *, int *,
              T *, const int *, int *, const int *, int *, size_t, size_t, size_t);
void W(gesdd)(const char *, const int *, const int *, T *, const int *, T *, T *, const int *, T *,
              const int *, T *, const int *, int *, int *, size_t);
void W(gesvd)(const char *, const char *, const int *, const int *, T *, const int *, T *, T *,
              const int *, T *, const int *, T *, const int *, int *, size_t, size_t);

/* columns of m elements, ld apart: rubbish, and finite, so that no check for NaN finds it */
static void W(scribble)(T *a, int m, int n, int ld)
{
    for (int j = 0; j < n; j++)
        for (int i = 0; i < m; i++)
            a[(size_t)j * (size_t)ld + (size_t)i] = (T)1234.5;
}

void W(potrf)(const char *uplo, const int *n, T *a, const int *lda, int *info, size_t l)
{
    fault_kind kind = ask(ON_POTRF);
    if (kind == FAIL) {
        W(scribble)(a, *n, *n, *lda);
        *info = 1;
        return;
    }
    R(potrf)(uplo, n, a, lda, info, l);
    if (kind != SPARE)
        a[(size_t)(*n - 1) * (size_t)*lda + (size_t)(*n - 1)] = (T)NAN;
}

void W(syevd)(const char *job, const char *uplo, const int *n, T *a, const int *lda, T *w, T *work,
              const int *lwork, int *iwork, const int *liwork, int *info, size_t l1, size_t l2)
{
    fault_kind kind = ask(ON_SYEVD);
    if (kind == FAIL) {
        W(scribble)(a, *n, *n, *lda);
        *info = 1;
        return;
    }
    R(syevd)(job, uplo, n, a, lda, w, work, lwork, iwork, liwork, info, l1, l2);
    if (kind == NAN_VALUES)
        w[*n - 1] = (T)NAN;
    if (kind == NAN_LEFT || kind == NAN_RIGHT)
        a[(size_t)(*n - 1) * (size_t)*lda] = (T)NAN;
}

void W(syevr)(const char *job, const char *range, const char *uplo, const int *n, T *a,
              const int *lda, const T *vl, const T *vu, const int *il, const int *iu,
              const T *abstol, int *m, T *w, T *z, const int *ldz, int *isuppz, T *work,
              const int *lwork, int *iwork, const int *liwork, int *info, size_t l1, size_t l2,
              size_t l3)
{
    fault_kind kind = ask(ON_SYEVR);
    if (kind == FAIL) {
        W(scribble)(a, *n, *n, *lda);
        *m = *n;
        *info = 1;
        return;
    }
    R(syevr)
    (job, range, uplo, n, a, lda, vl, vu, il, iu, abstol, m, w, z, ldz, isuppz, work, lwork, iwork,
     liwork, info, l1, l2, l3);
    if (kind == NAN_VALUES)
        w[0] = (T)NAN;
    if (kind == NAN_LEFT || kind == NAN_RIGHT)
        z[0] = (T)NAN;
    if (kind == TOO_FEW)
        *m = *n - 1;
}

/* What Fortran calls u is our vt: NAN_LEFT is our u. */
static void W(spoil_svd)(fault_kind kind, int k, T *s, T *u, T *vt)
{
    if (kind == NAN_VALUES)
        s[k - 1] = (T)NAN;
    if (kind == NAN_LEFT)
        vt[0] = (T)NAN;
    if (kind == NAN_RIGHT)
        u[0] = (T)NAN;
}

void W(gesdd)(const char *job, const int *m, const int *n, T *a, const int *lda, T *s, T *u,
              const int *ldu, T *vt, const int *ldvt, T *work, const int *lwork, int *iwork,
              int *info, size_t l)
{
    fault_kind kind = ask(ON_GESDD);
    if (kind == FAIL) {
        W(scribble)(a, *m, *n, *lda);
        *info = 1;
        return;
    }
    R(gesdd)(job, m, n, a, lda, s, u, ldu, vt, ldvt, work, lwork, iwork, info, l);
    W(spoil_svd)(kind, *m < *n ? *m : *n, s, u, vt);
}

void W(gesvd)(const char *jobu, const char *jobvt, const int *m, const int *n, T *a, const int *lda,
              T *s, T *u, const int *ldu, T *vt, const int *ldvt, T *work, const int *lwork,
              int *info, size_t l1, size_t l2)
{
    fault_kind kind = ask(ON_GESVD);
    if (kind == FAIL) {
        W(scribble)(a, *m, *n, *lda);
        *info = 1;
        return;
    }
    R(gesvd)(jobu, jobvt, m, n, a, lda, s, u, ldu, vt, ldvt, work, lwork, info, l1, l2);
    W(spoil_svd)(kind, *m < *n ? *m : *n, s, u, vt);
}
