/* Allocation (memory.h). */
#include "lib/core/memory.h"

#include <stdlib.h>
#include <string.h>

#include "lib/core/size.h"

enum { FIRST_CAPACITY = 8 };

/* calloc that tells no memory from no items */
static void *zeroed(size_t count, size_t size)
{
    size_t bytes = ngi_size_mul(count, size);
    return bytes == SIZE_MAX ? NULL : calloc(bytes > 0 ? bytes : 1, 1);
}

ng_status ngi_mat_create(ng_mat *mat, size_t rows, size_t cols, ng_dtype dtype, ng_error *error)
{
    ng_mat made = {NULL, rows, cols, cols, dtype};
    made.data = zeroed(ngi_size_mul(rows, cols), ng_dtype_size(dtype));
    *mat = made;
    if (made.data == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a %zu x %zu matrix", rows, cols);
    return NG_OK;
}

ng_status ngi_array_create(void *array, size_t count, size_t size, const char *what,
                           ng_error *error)
{
    void *made = zeroed(count, size);
    memcpy(array, &made, sizeof made);
    if (made == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu %s", count, what);
    return NG_OK;
}

ng_status ngi_array_grow(void *array, size_t *capacity, size_t count, size_t size, ng_error *error)
{
    if (count < *capacity)
        return NG_OK;
    size_t wanted = *capacity == 0 ? FIRST_CAPACITY : ngi_size_mul(2, *capacity);
    size_t bytes = ngi_size_mul(wanted, size);
    void *items, *grown;
    memcpy(&items, array, sizeof items);
    grown = bytes == SIZE_MAX ? NULL : realloc(items, bytes);
    if (grown == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a list of %zu", wanted);
    memcpy(array, &grown, sizeof grown);
    *capacity = wanted;
    return NG_OK;
}
