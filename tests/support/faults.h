/* Calls that fail on purpose. Every test program is linked with the linker's --wrap, and with the
 * libraries statically, so that the calls below, whether a library makes them or a test, arrive in
 * faults.c. They do their work unless a test says otherwise. (Calls from inside LAPACK
 * or zlib do not arrive: these are shared libraries of others.)
 *
 * Check's assertions allocate too, also those that hold: none between arming and fault_over. */
#ifndef NG_TEST_FAULTS_H
#define NG_TEST_FAULTS_H

typedef enum {
    ON_MALLOC,
    ON_CALLOC,
    ON_REALLOC,
    ON_ALIGNED_ALLOC,
    ON_STRDUP,
    ON_FREE, /* of anything but NULL; cannot fail */
    ON_WRITE,
    ON_FSYNC,
    ON_RENAME, /* renameat too */
    ON_CHMOD,  /* fchmod */
    ON_THREAD, /* pthread_create */
    ON_POTRF,  /* these for both dtypes */
    ON_SYEVD,
    ON_SYEVR,
    ON_GESDD,
    ON_GESVD
} fault_call;

typedef enum {
    SPARE,      /* it works */
    FAIL,       /* with errno fault_errno; LAPACK: info = 1 and the input destroyed */
    CUT,        /* write: seven bytes at most */
    NAN_VALUES, /* LAPACK: it works, and then a NaN stands in its last (syevr: first) value, */
    NAN_LEFT,   /* in the vectors (SVD: in our u), */
    NAN_RIGHT,  /* in the vectors (SVD: in our vt) */
    TOO_FEW     /* syevr: one eigenvalue less than there are */
} fault_kind;

/* Asked at each such call, in whatever thread it is made; NULL: SPARE. A test that sets it sets it
 * back, by fault_over. */
extern fault_kind (*fault_hook)(fault_call call);
extern int
    fault_errno; /* EIO from fault_once, fault_from and fault_over on; memory: always ENOMEM */

/* ---- The hook for most: the k-th call of a set fails ---------------------------------------- */

enum {
    FAULT_MEMORY =
        1 << ON_MALLOC | 1 << ON_CALLOC | 1 << ON_REALLOC | 1 << ON_ALIGNED_ALLOC | 1 << ON_STRDUP,
    FAULT_WRITE = 1 << ON_WRITE,
    FAULT_FSYNC = 1 << ON_FSYNC,
    FAULT_RENAME = 1 << ON_RENAME,
    FAULT_CHMOD = 1 << ON_CHMOD,
    FAULT_CHOLESKY = 1 << ON_POTRF,
    FAULT_EIGEN = 1 << ON_SYEVD,
    FAULT_EIGEN_RETRY = 1 << ON_SYEVR,
    FAULT_SVD = 1 << ON_GESDD,
    FAULT_SVD_RETRY = 1 << ON_GESVD
};

/* From now on the calls of the set are counted together, from 1, and the one numbered `at` fails;
 * 0: none does. fault_from: and every later one. */
void fault_once(int set, long at, fault_kind kind);
void fault_from(int set, long at, fault_kind kind);

/* Everything works again; how many calls of the set there were. */
long fault_over(void);

#endif
