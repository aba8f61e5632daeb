/* Injected failures, through the linker's --wrap: LAPACK routines that do not
 * converge and allocations that fail. For one test program: test_faults. */
#ifndef NG_TEST_FAULTS_H
#define NG_TEST_FAULTS_H

#include <stddef.h>
#include <string.h>

/* ---- What fails, and when ---------------------------------------------------------- */

enum { EIGEN = 1, EIGEN_RETRY = 2, SVD = 4, SVD_RETRY = 8, CHOLESKY = 16, MEMORY = 32 };

static struct {
    int kinds;  /* which calls count */
    int at;     /* the call that fails, from 1; 0: none */
    int onward; /* and every later one */
    int calls;
} fault;

static void arm(int kinds, int at, int onward)
{
    fault.kinds = kinds;
    fault.at = at;
    fault.onward = onward;
    fault.calls = 0;
}

static int fails(int kind)
{
    if (!(fault.kinds & kind))
        return 0;
    fault.calls++;
    return fault.at > 0 && (fault.calls == fault.at || (fault.onward && fault.calls > fault.at));
}

/* a routine that fails leaves rubbish where its input was */
#define SPOIL(T, n) memset(a, 0xff, ((size_t)(*lda) * (size_t)((n)-1) + 1) * sizeof(T))

#define WRAP_LAPACK(T, potrf, syevd, syevr, gesdd, gesvd)                                          \
    void __real_##potrf(const char *, const int *, T *, const int *, int *, size_t);               \
    void __wrap_##potrf(const char *, const int *, T *, const int *, int *, size_t);               \
    void __wrap_##potrf(const char *u, const int *n, T *a, const int *lda, int *info, size_t l)    \
    {                                                                                              \
        if (!fails(CHOLESKY)) {                                                                    \
            __real_##potrf(u, n, a, lda, info, l);                                                 \
            return;                                                                                \
        }                                                                                          \
        SPOIL(T, *n);                                                                              \
        *info = 1;                                                                                 \
    }                                                                                              \
    void __real_##syevd(const char *, const char *, const int *, T *, const int *, T *, T *,       \
                        const int *, int *, const int *, int *, size_t, size_t);                   \
    void __wrap_##syevd(const char *, const char *, const int *, T *, const int *, T *, T *,       \
                        const int *, int *, const int *, int *, size_t, size_t);                   \
    void __wrap_##syevd(const char *z, const char *u, const int *n, T *a, const int *lda, T *w,    \
                        T *work, const int *lwork, int *iwork, const int *liwork, int *info,       \
                        size_t l1, size_t l2)                                                      \
    {                                                                                              \
        if (!fails(EIGEN)) {                                                                       \
            __real_##syevd(z, u, n, a, lda, w, work, lwork, iwork, liwork, info, l1, l2);          \
            return;                                                                                \
        }                                                                                          \
        SPOIL(T, *n);                                                                              \
        *info = 1;                                                                                 \
    }                                                                                              \
    void __real_##syevr(const char *, const char *, const char *, const int *, T *, const int *,   \
                        const T *, const T *, const int *, const int *, const T *, int *, T *,     \
                        T *, const int *, int *, T *, const int *, int *, const int *, int *,      \
                        size_t, size_t, size_t);                                                   \
    void __wrap_##syevr(const char *, const char *, const char *, const int *, T *, const int *,   \
                        const T *, const T *, const int *, const int *, const T *, int *, T *,     \
                        T *, const int *, int *, T *, const int *, int *, const int *, int *,      \
                        size_t, size_t, size_t);                                                   \
    void __wrap_##syevr(const char *j, const char *r, const char *u, const int *n, T *a,           \
                        const int *lda, const T *vl, const T *vu, const int *il, const int *iu,    \
                        const T *tol, int *m, T *w, T *z, const int *ldz, int *isuppz, T *work,    \
                        const int *lwork, int *iwork, const int *liwork, int *info, size_t l1,     \
                        size_t l2, size_t l3)                                                      \
    {                                                                                              \
        if (!fails(EIGEN_RETRY)) {                                                                 \
            __real_##syevr(j, r, u, n, a, lda, vl, vu, il, iu, tol, m, w, z, ldz, isuppz, work,    \
                           lwork, iwork, liwork, info, l1, l2, l3);                                \
            return;                                                                                \
        }                                                                                          \
        SPOIL(T, *n);                                                                              \
        *info = 1;                                                                                 \
    }                                                                                              \
    void __real_##gesdd(const char *, const int *, const int *, T *, const int *, T *, T *,        \
                        const int *, T *, const int *, T *, const int *, int *, int *, size_t);    \
    void __wrap_##gesdd(const char *, const int *, const int *, T *, const int *, T *, T *,        \
                        const int *, T *, const int *, T *, const int *, int *, int *, size_t);    \
    void __wrap_##gesdd(const char *j, const int *m, const int *n, T *a, const int *lda, T *s,     \
                        T *u, const int *ldu, T *vt, const int *ldvt, T *work, const int *lwork,   \
                        int *iwork, int *info, size_t l)                                           \
    {                                                                                              \
        if (!fails(SVD)) {                                                                         \
            __real_##gesdd(j, m, n, a, lda, s, u, ldu, vt, ldvt, work, lwork, iwork, info, l);     \
            return;                                                                                \
        }                                                                                          \
        SPOIL(T, *n);                                                                              \
        *info = 1;                                                                                 \
    }                                                                                              \
    void __real_##gesvd(const char *, const char *, const int *, const int *, T *, const int *,    \
                        T *, T *, const int *, T *, const int *, T *, const int *, int *, size_t,  \
                        size_t);                                                                   \
    void __wrap_##gesvd(const char *, const char *, const int *, const int *, T *, const int *,    \
                        T *, T *, const int *, T *, const int *, T *, const int *, int *, size_t,  \
                        size_t);                                                                   \
    void __wrap_##gesvd(const char *j, const char *k, const int *m, const int *n, T *a,            \
                        const int *lda, T *s, T *u, const int *ldu, T *vt, const int *ldvt,        \
                        T *work, const int *lwork, int *info, size_t l1, size_t l2)                \
    {                                                                                              \
        if (!fails(SVD_RETRY)) {                                                                   \
            __real_##gesvd(j, k, m, n, a, lda, s, u, ldu, vt, ldvt, work, lwork, info, l1, l2);    \
            return;                                                                                \
        }                                                                                          \
        SPOIL(T, *n);                                                                              \
        *info = 1;                                                                                 \
    }

WRAP_LAPACK(float, spotrf_, ssyevd_, ssyevr_, sgesdd_, sgesvd_)
WRAP_LAPACK(double, dpotrf_, dsyevd_, dsyevr_, dgesdd_, dgesvd_)

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void *__real_aligned_alloc(size_t, size_t);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);
void *__wrap_aligned_alloc(size_t, size_t);

void *__wrap_malloc(size_t size)
{
    return fails(MEMORY) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails(MEMORY) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails(MEMORY) ? NULL : __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
    return fails(MEMORY) ? NULL : __real_aligned_alloc(align, size);
}

#endif
