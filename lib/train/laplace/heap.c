/* Scratch that grows as it is needed and goes at once. */
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/train/laplace/laplace.h"

typedef struct block {
    void *below;
    alignas(max_align_t) double numbers[];
} block;

ng_status ngi_heap_mat(ngi_heap *heap, ng_mat *mat, size_t rows, size_t cols, ng_error *error)
{
    const size_t most = (SIZE_MAX - sizeof(block)) / sizeof(double);
    *mat = ng_mat_none();
    block *b = cols == 0 || rows <= most / cols
                   ? calloc(1, sizeof *b + rows * cols * sizeof(double))
                   : NULL;
    if (b == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu x %zu numbers", rows, cols);
    b->below = heap->top;
    heap->top = b;
    *mat = ng_f64(b->numbers, rows, cols);
    return NG_OK;
}

ng_status ngi_heap_close(ngi_heap *heap, ng_status status)
{
    while (heap->top != NULL) {
        block *b = heap->top;
        heap->top = b->below;
        free(b);
    }
    return status;
}
