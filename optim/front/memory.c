/* What a parameter, and an optimizer, hold in matrices and scratch. */
#include "optim/front/front.h"

#include <stdlib.h>

#include "lib/core/size.h"
#include "lib/core/try.h"

static size_t bytes_of(ng_mat shape)
{
    return ngi_size_mul(ngi_size_mul(shape.rows, shape.cols), ng_dtype_size(shape.dtype));
}

static size_t state_of(const ngi_param *param)
{
    size_t bytes = 0;
    for (size_t i = 0; i < param->tensor_count; i++)
        bytes = ngi_size_add(bytes, bytes_of(param->tensor[i].now));
    return bytes;
}

static size_t spare_bytes(ng_mat shape)
{
    return ng_work_mat_size(shape.rows, shape.cols, shape.dtype);
}

size_t ngi_param_spare(const ngi_param *param)
{
    size_t bytes = param->has_update ? spare_bytes(param->update) : 0;
    for (size_t i = 0; i < param->tensor_count; i++)
        if (param->tensor[i].spare)
            bytes = ngi_size_add(bytes, spare_bytes(param->tensor[i].next));
    return bytes;
}

/* ---- Before there is a parameter -------------------------------------------------------- */

static ng_status check_shape(size_t rows, size_t cols, ng_dtype dtype, ng_error *error)
{
    if (rows == 0 || cols == 0)
        return ng_error_set(error, NG_ESHAPE, "memory: a parameter of %zu x %zu", rows, cols);
    if (dtype != NG_F32 && dtype != NG_F64 && !ngi_is_half(dtype))
        return ng_error_set(error, NG_EDTYPE, "memory: unknown dtype %d", (int)dtype);
    return NG_OK;
}

/* of a parameter that is declared and never allocated */
static ng_status measure(ng_memory *memory, ngi_param *param, const void *options, ng_error *error)
{
    const ng_method *method = ((const ngi_options_head *)options)->method;
    ngi_param *const group[] = {param};
    size_t joint = 0;
    TRY(method->create(param, options, error));
    TRY(ngi_narrow_declare(param, error));
    memory->state = state_of(param);
    memory->spare = ngi_param_spare(param);
    if (method->work != NULL)
        memory->work = ng_work_bytes_size(method->work(param, options));
    if (!method->elementwise)
        memory->work = ngi_size_add(memory->work, ngi_narrow_work(param));
    if (method->agree_work != NULL)
        joint = ng_work_bytes_size(method->agree_work(group, 1, options));
    memory->work = joint > memory->work ? joint : memory->work;
    return NG_OK;
}

ng_status ng_options_memory(ng_memory *memory, const void *options, size_t rows, size_t cols,
                            ng_dtype dtype, ng_error *error)
{
    const ng_memory nothing = {0, 0, 0};
    ngi_param param = {.rows = rows, .cols = cols};
    if (memory == NULL)
        return ng_error_set(error, NG_EARG, "memory: no place for the bytes");
    *memory = nothing;
    TRY(ng_options_check(options, error));
    TRY(check_shape(rows, cols, dtype, error));
    ngi_narrow_split(&param, (ng_mat){NULL, rows, cols, cols, dtype});
    ng_status status = measure(memory, &param, options, error);
    free(param.tensor);
    return status;
}

/* ---- Of an optimizer --------------------------------------------------------------------- */

static size_t held(ng_mat m)
{
    return m.data == NULL ? 0 : bytes_of(m);
}

/* Of another rank's parameter: what captures need here. */
static size_t kept_of(const ngi_param *param)
{
    size_t bytes = 0;
    for (size_t i = 0; i < param->tensor_count; i++)
        bytes += held(param->tensor[i].now);
    return bytes;
}

static size_t param_memory(const ngi_param *param)
{
    size_t spare = param->lent ? 0 : ngi_param_spare(param);
    size_t own = param->elsewhere ? kept_of(param) : state_of(param) + spare;
    return own + held(param->sum) + held(param->sum_bias) + held(param->staged) +
           held(param->staged_bias) + held(param->mean);
}

size_t ng_optimizer_memory(const ng_optimizer *optimizer)
{
    size_t bytes = 0;
    if (optimizer == NULL)
        return 0;
    for (int i = 0; i < (optimizer->threads > 0 ? optimizer->threads : 1); i++)
        bytes += optimizer->work[i].size;
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++)
            bytes += param_memory(optimizer->groups[g]->params[i]);
    return bytes;
}
