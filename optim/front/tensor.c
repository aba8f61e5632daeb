/* The tensors of a parameter's state: declared, and found by name. */
#include "optim/front/method.h"

#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/memory.h"
#include "lib/core/size.h"
#include "lib/core/try.h"
#include "optim/front/range.h"

ng_status ngi_param_tensor(ngi_param *param, const char *name, size_t rows, size_t cols,
                           ng_dtype dtype, int spare, ng_error *error)
{
    TRY(ngi_array_grow(&param->tensor, &param->tensor_capacity, param->tensor_count,
                       sizeof *param->tensor, error));
    ngi_tensor *tensor = &param->tensor[param->tensor_count++];
    *tensor = (ngi_tensor){.name = name, .spare = spare};
    tensor->now = tensor->next = (ng_mat){NULL, rows, cols, cols, dtype};
    return NG_OK;
}

ngi_tensor *ngi_tensor_find(const ngi_param *param, const char *name)
{
    for (size_t i = 0; i < param->tensor_count; i++)
        if (strcmp(param->tensor[i].name, name) == 0)
            return &param->tensor[i];
    return NULL;
}

void ngi_tensor_legal(ngi_param *param, const char *name, ngi_legal legal)
{
    ngi_tensor *tensor = ngi_tensor_find(param, name);
    if (tensor != NULL)
        tensor->legal = legal;
}

void ngi_tensor_start(ngi_param *param, const char *name, ngi_start start)
{
    ngi_tensor *tensor = ngi_tensor_find(param, name);
    if (tensor != NULL)
        tensor->start = start;
}

void ngi_tensor_sharing(ngi_param *param, const char *name, ngi_sharing sharing)
{
    ngi_tensor *tensor = ngi_tensor_find(param, name);
    if (tensor != NULL)
        tensor->sharing = sharing;
}

/* ---- Lower triangles ---------------------------------------------------------------------- */

static size_t triangle_size(size_t n)
{
    return n % 2 == 0 ? ngi_size_mul(n / 2, ngi_size_add(n, 1))
                      : ngi_size_mul(n, ngi_size_add(n, 1) / 2);
}

void ngi_tensor_triangle(ngi_param *param, const char *name, ngi_triangle triangle)
{
    ngi_tensor *t = ngi_tensor_find(param, name);
    if (t == NULL)
        return;
    t->triangle = triangle;
    t->next.cols = t->next.stride = triangle_size(t->now.rows);
    t->next.rows = 1;
}

/* between the rows of a triangle and one row of them all */
static void move(const ngi_tensor *t, int back)
{
    for (size_t i = 0; i < t->now.rows; i++) {
        ng_mat row = ng_mat_block(t->now, i, 0, 1, i + 1);
        ng_mat kept = ng_mat_block(t->next, 0, triangle_size(i), 1, i + 1);
        ng_copy(back ? row : kept, back ? kept : row, NULL);
    }
}

ng_mat ngi_tensor_renew(ngi_tensor *t)
{
    if (t->triangle == NGI_WHOLE)
        return t->next;
    if (!t->renewed)
        move(t, 0);
    t->renewed = 1;
    return t->now;
}

void ngi_tensor_revert(ngi_tensor *t)
{
    size_t n = t->now.rows;
    t->fresh = 0;
    if (!t->renewed)
        return;
    move(t, 1);
    for (size_t i = 0; i + 1 < n && t->triangle == NGI_LOWER; i++)
        ng_fill(ng_mat_block(t->now, i, i + 1, 1, n - i - 1), 0);
    if (t->triangle == NGI_SYMMETRIC)
        ng_mirror(t->now);
    t->renewed = 0;
}

/* ---- Bounds ------------------------------------------------------------------------------- */

double ngi_tensor_bound(ngi_tensor *tensor)
{
    if (tensor->bound < 0)
        tensor->bound = ng_max_abs(tensor->now);
    return tensor->bound;
}
