/* The Fortran names, once per dtype. dgemm_ and not cblas_dgemm: a program
 * that links libgslcblas first would hijack the CBLAS names. */
#include "lib/linalg/blas.h"

#include <limits.h>
#include <pthread.h>

#define T float
#define F(name) s##name##_
#define K(name) f32_##name
#include "lib/linalg/blas_kernels.h"
#undef T
#undef F
#undef K

#define T double
#define F(name) d##name##_
#define K(name) f64_##name
#include "lib/linalg/blas_kernels.h"
#undef T
#undef F
#undef K

const ngi_blas_table *const ngi_blas[2] = {[NG_F32] = &f32_table, [NG_F64] = &f64_table};

ng_status ngi_narrow(ng_mat m, const char *name, ng_error *error)
{
    if (m.rows > INT_MAX || m.cols > INT_MAX || (m.rows > 1 && m.stride > INT_MAX))
        return ng_error_set(error, NG_ERANGE, "%s: %zu x %zu (stride %zu) exceeds the BLAS integer",
                            name, m.rows, m.cols, m.stride);
    return NG_OK;
}

/* weak: other BLAS libraries lack them */
int openblas_get_num_threads(void) __attribute__((weak));
void openblas_set_num_threads(int) __attribute__((weak));

int ngi_blas_threads(void)
{
    return openblas_get_num_threads != NULL && openblas_set_num_threads != NULL
               ? openblas_get_num_threads()
               : 0;
}

/* ---- Who owns that number ------------------------------------------------------------ */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned long next, served; /* numbers of those who wait */
    size_t in[2];               /* of each kind */
    int before;                 /* the number to set again */
} room = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static _Thread_local int depth; /* how often this thread is in */

void ngi_blas_join(void)
{
    depth++;
}

void ngi_blas_part(void)
{
    depth--;
}

void ngi_blas_enter(ngi_blas_use use)
{
    if (depth++ > 0)
        return;
    pthread_mutex_lock(&room.lock);
    unsigned long mine = room.next++;
    while (mine != room.served || room.in[!use] > 0)
        pthread_cond_wait(&room.changed, &room.lock);
    room.served++;
    if (room.in[use]++ == 0 && use == NGI_BLAS_SINGLE) {
        room.before = openblas_get_num_threads();
        openblas_set_num_threads(1);
    }
    pthread_cond_broadcast(&room.changed);
    pthread_mutex_unlock(&room.lock);
}

void ngi_blas_leave(ngi_blas_use use)
{
    if (--depth > 0)
        return;
    pthread_mutex_lock(&room.lock);
    if (--room.in[use] == 0 && use == NGI_BLAS_SINGLE)
        openblas_set_num_threads(room.before);
    pthread_cond_broadcast(&room.changed);
    pthread_mutex_unlock(&room.lock);
}
