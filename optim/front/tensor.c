/* The tensors of a parameter's state: declared, and found by name. */
#include "optim/front/method.h"

#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/memory.h"
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

double ngi_tensor_bound(ngi_tensor *tensor)
{
    if (tensor->bound < 0)
        tensor->bound = ng_max_abs(tensor->now);
    return tensor->bound;
}
