/* The scratch stack. */
#include <natgrad/work.h>

#include <stdint.h>
#include <stdlib.h>

enum { ALIGN = 64 };

size_t ng_work_bytes_size(size_t size)
{
    return size > SIZE_MAX - ALIGN ? SIZE_MAX : (size + ALIGN - 1) / ALIGN * ALIGN;
}

ng_status ng_work_create(ng_work *work, size_t size, ng_error *error)
{
    *work = ng_work_on(NULL, 0);
    if (size == 0)
        return NG_OK;
    void *data = size > SIZE_MAX - 2 * ALIGN ? NULL : aligned_alloc(ALIGN, ng_work_bytes_size(size));
    if (data == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a workspace of %zu bytes", size);
    work->data = data;
    work->size = ng_work_bytes_size(size);
    work->owned = 1;
    return NG_OK;
}

void ng_work_destroy(ng_work *work)
{
    if (work != NULL && work->owned)
        free(work->data);
    if (work != NULL)
        *work = ng_work_on(NULL, 0);
}

size_t ng_work_mat_size(size_t rows, size_t cols, ng_dtype dtype)
{
    size_t item = ng_dtype_size(dtype);
    if (rows != 0 && cols > SIZE_MAX / item / rows)
        return SIZE_MAX;
    return ng_work_bytes_size(rows * cols * item);
}

ng_status ng_work_bytes(ng_work *work, void **bytes, size_t size, ng_error *error)
{
    size_t skip = (ALIGN - ((uintptr_t)work->data + work->used) % ALIGN) % ALIGN;
    size_t left = work->size - work->used;
    *bytes = NULL;
    if (size == 0)
        return NG_OK;
    if (skip > left || ng_work_bytes_size(size) > left - skip)
        return ng_error_set(error, NG_ENOMEM, "workspace too small: %zu bytes more wanted, %zu left",
                            size, left);
    *bytes = (char *)work->data + work->used + skip;
    work->used += skip + ng_work_bytes_size(size);
    return NG_OK;
}

ng_status ng_work_mat(ng_work *work, ng_mat *mat, size_t rows, size_t cols, ng_dtype dtype,
                      ng_error *error)
{
    ng_mat m = {NULL, rows, cols, cols, dtype};
    size_t bytes = ng_work_mat_size(rows, cols, dtype);
    *mat = m;
    if (bytes == SIZE_MAX)
        return ng_error_set(error, NG_ENOMEM, "a %zu x %zu scratch matrix does not fit memory", rows,
                            cols);
    return ng_work_bytes(work, &mat->data, bytes, error);
}
