/* natgrad/work.h: memory for scratch matrices, given once and used many times.
 *
 * A workspace is a stack in a block of bytes. Calls that need scratch memory
 * take an ng_work *: they push what they need and leave the stack as they
 * found it. With NULL they allocate and free for the one call. How many bytes
 * a call needs is told by the function beside it (ng_eigh_work,
 * ng_polar_work, ...). Too small a workspace is NG_ENOMEM, never an overrun. */
#ifndef NATGRAD_WORK_H
#define NATGRAD_WORK_H

#include <stddef.h>
#include <natgrad/mat.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    void *data;  /* the block */
    size_t size; /* its bytes */
    size_t used; /* bytes taken at the moment */
    int owned;   /* data came from ng_work_create */
} ng_work;

/* A workspace over memory of the caller, who keeps and frees it. A block that
 * is not aligned to 64 needs 64 bytes more than the size functions say. */
static inline ng_work ng_work_on(void *data, size_t size)
{
    ng_work w = {data, size, 0, 0};
    return w;
}

/* Allocates size bytes. NG_ENOMEM. */
NG_API ng_status ng_work_create(ng_work *work, size_t size, ng_error *error);

/* Frees what ng_work_create allocated. NULL and unowned blocks are fine. */
NG_API void ng_work_destroy(ng_work *work);

/* Bytes that ng_work_bytes, or ng_work_mat for a rows x cols matrix, takes off
 * a block aligned to 64 (rounded up to 64; SIZE_MAX if it does not fit). */
NG_API size_t ng_work_bytes_size(size_t size);
NG_API size_t ng_work_mat_size(size_t rows, size_t cols, ng_dtype dtype);

/* Takes a dense rows x cols matrix off the stack, its content undefined.
 * NG_ENOMEM when it does not fit. Give it back by restoring work->used. */
NG_API ng_status ng_work_mat(ng_work *work, ng_mat *mat, size_t rows, size_t cols,
                             ng_dtype dtype, ng_error *error);

/* Takes size bytes, aligned to 64. */
NG_API ng_status ng_work_bytes(ng_work *work, void **bytes, size_t size, ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
