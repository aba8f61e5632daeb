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

/* Scratch of a call that allocates as it goes: whoever opened the pool closes
 * it, {NULL} is an open one, and those between only take. */
typedef struct {
    void *top; /* the block taken last; a mark to go back to */
} ngi_pool;

/* As ngi_mat_create and ngi_array_create, the memory the pool's. */
ng_status ngi_pool_mat(ngi_pool *pool, ng_mat *mat, size_t rows, size_t cols, ng_dtype dtype,
                       ng_error *error);
ng_status ngi_pool_array(ngi_pool *pool, void *array, size_t count, size_t size, const char *what,
                         ng_error *error);

/* Frees what was taken since pool->top was mark. */
void ngi_pool_drop(ngi_pool *pool, void *mark);

/* Frees everything. Returns status, the outcome of what it was for. */
ng_status ngi_pool_close(ngi_pool *pool, ng_status status);

/* Makes room for one more item in the array *(T **)array, NULL or from
 * realloc, of `count` items of `size` bytes. NG_ENOMEM leaves it as it was. */
ng_status ngi_array_grow(void *array, size_t *capacity, size_t count, size_t size,
                         ng_error *error);

#endif
