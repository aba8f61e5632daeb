/* The one place that allocates matrices and growing arrays: no product of
 * sizes wraps, nothing comes back uninitialised. */
#ifndef NGI_MEMORY_H
#define NGI_MEMORY_H

#include <natgrad/mat.h>

/* A dense rows x cols matrix of zeros; freed with free(mat->data), which is
 * never NULL on success and NULL on failure. NG_ENOMEM. */
ng_status ngi_mat_create(ng_mat *mat, size_t rows, size_t cols, ng_dtype dtype, ng_error *error);

/* *(T **)array <- count zeroed items of size bytes, never NULL on success;
 * freed with free. what: their name in the text. NG_ENOMEM. */
ng_status ngi_array_create(void *array, size_t count, size_t size, const char *what,
                           ng_error *error);

/* Makes room for one more item in the array *(T **)array, NULL or from
 * realloc, of `count` items of `size` bytes. NG_ENOMEM leaves it as it was. */
ng_status ngi_array_grow(void *array, size_t *capacity, size_t count, size_t size,
                         ng_error *error);

#endif
