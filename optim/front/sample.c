/* Weights that are drawn: of parameters whose method is a distribution over them, kept apart from
 * its mean until the step. */
#include "optim/front/front.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/clones.h"
#include "lib/core/try.h"
#include "lib/linalg/normal.h"

#define T float
#define K(name) f32_##name
#include "optim/front/sample_kernels.h"
#undef T
#undef K

#define T double
#define K(name) f64_##name
#include "optim/front/sample_kernels.h"
#undef T
#undef K

static int (*const move[2])(size_t, void *, const void *, const void *, const void *) = {f32_move,
                                                                                         f64_move};
static void (*const narrow[2])(size_t, void *, const double *) = {f32_narrow, f64_narrow};

/* Where normal numbers come from: of a key of `random`'s uniform ones, by name, or all of them its
 * own. */
typedef struct {
    const ng_random *random;
    int by_name;
    uint64_t key;
} source;

/* Sixteen bits each of four numbers: whatever resolution they have. */
static source open_source(const ng_random *random)
{
    source from = {random, random->fill_uniform != NULL, 0};
    double u[4] = {0};
    if (from.by_name)
        random->fill_uniform(random->data, u, 4);
    for (int i = 0; i < 4; i++)
        from.key = from.key << 16 | (u[i] > 0 ? (uint64_t)(u[i] * 0x1p16) & 0xffff : 0);
    return from;
}

static void *row(ng_mat m, size_t i)
{
    return (char *)m.data + i * m.stride * ng_dtype_size(m.dtype);
}

static int is_drawn(const ng_group *group, const ngi_param *param)
{
    return group->method->deviations != NULL && !param->frozen;
}

void ngi_param_restore(ngi_param *param)
{
    if (param->sampled)
        ng_copy(param->w, param->mean, NULL);
    param->sampled = 0;
}

/* ---- Drawing -----------------------------------------------------------------------------------
 */

static ng_status check(const ngi_param *param, ng_error *error)
{
    return !ngi_is_narrow(param)
               ? NG_OK
               : ng_error_set(error, NG_EUNSUPPORTED,
                              "parameter '%.60s': weights of sixteen bits cannot be samples",
                              param->name);
}

/* Room for every mean. */
static ng_status reserve(ng_optimizer *optimizer)
{
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++) {
            ngi_param *param = optimizer->groups[g]->params[i];
            if (!is_drawn(optimizer->groups[g], param))
                continue;
            TRY(check(param, &optimizer->error));
            if (param->mean.data == NULL)
                TRY(ngi_mat_create(&param->mean, param->w.rows, param->w.cols, param->w.dtype,
                                   &optimizer->error));
        }
    return NG_OK;
}

enum { PIECE = 512 }; /* weights; a piece stays in the cache from the first to the last pass */

/* noise (n of the weights' dtype) <- numbers `first` ... of the parameter with that key */
static void numbers(void *noise, const source *from, uint64_t key, size_t first, size_t n,
                    ng_dtype dtype)
{
    double room[PIECE];
    if (from->by_name) {
        ngi_normal_fill(noise, n, key, first, dtype);
        return;
    }
    from->random->fill_normal(from->random->data, room, n);
    narrow[dtype](n, noise, room);
}

/* w (n of them, `first` the number of the first) <- mean + noise on the owner; is it finite? */
static int draw_piece(const ngi_param *param, const ng_group *group, const source *from,
                      uint64_t key, void *w, size_t first, size_t n)
{
    const size_t size = ng_dtype_size(param->w.dtype);
    double noise[PIECE], deviation[PIECE];
    char *mean = (char *)param->mean.data + first * size;
    if (!param->sampled)
        memcpy(mean, w, n * size);
    if (!param->elsewhere || !from->by_name)
        numbers(noise, from, key, first, n, param->w.dtype);
    if (param->elsewhere)
        return 1;
    group->method->deviations(param, group->options, deviation, first, n);
    return move[param->w.dtype](n, w, mean, noise, deviation);
}

static ng_status draw(ngi_param *param, const ng_group *group, const source *from, ng_error *error)
{
    const int dense = param->w.stride == param->w.cols;
    const size_t rows = dense ? 1 : param->w.rows, all = param->w.rows * param->w.cols;
    const size_t cols = dense ? all : param->w.cols, size = ng_dtype_size(param->w.dtype);
    const uint64_t key = ngi_narrow_key(from->key + param->key, "sample");
    int finite = 1;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j += PIECE)
            finite &= draw_piece(param, group, from, key, (char *)row(param->w, i) + j * size,
                                 i * cols + j, cols - j < PIECE ? cols - j : PIECE);
    param->sampled = 1;
    return finite ? NG_OK
                  : ng_error_set(error, NG_ERANGE,
                                 "parameter '%.60s': a sample of its weights is not finite",
                                 param->name);
}

static ng_status sample(ng_optimizer *optimizer, const ng_random *random)
{
    TRY(reserve(optimizer));
    const source from = open_source(random);
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++) {
            ng_group *group = optimizer->groups[g];
            if (is_drawn(group, group->params[i]))
                TRY(draw(group->params[i], group, &from, &optimizer->error));
        }
    return NG_OK;
}

void ngi_restore_all(ng_optimizer *optimizer)
{
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++)
            ngi_param_restore(optimizer->groups[g]->params[i]);
}

static int any_drawn(const ng_optimizer *optimizer)
{
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++)
            if (is_drawn(optimizer->groups[g], optimizer->groups[g]->params[i]))
                return 1;
    return 0;
}

ng_status ng_optimizer_sample(ng_optimizer *optimizer, const ng_random *random)
{
    if (optimizer == NULL)
        return NG_EARG;
    ng_error *error = ngi_begin(optimizer);
    if (random == NULL || (random->fill_uniform == NULL && random->fill_normal == NULL))
        return ng_error_set(error, NG_EARG, "random is NULL or has no numbers");
    if (!any_drawn(optimizer))
        return NG_OK;
    ng_status status = ngi_exchange_agree(optimizer, sample(optimizer, random), 0);
    if (status == NG_OK)
        ngi_exchange_samples(optimizer);
    else
        ngi_restore_all(optimizer);
    return status;
}

ng_status ng_optimizer_restore(ng_optimizer *optimizer)
{
    if (optimizer == NULL)
        return NG_EARG;
    ngi_begin(optimizer);
    ngi_restore_all(optimizer);
    return NG_OK;
}

const char *ngi_sampled(const ng_optimizer *optimizer)
{
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++)
            if (optimizer->groups[g]->params[i]->sampled)
                return optimizer->groups[g]->params[i]->name;
    return NULL;
}

/* ---- Deviations
 * ---------------------------------------------------------------------------------- */

static ng_status put(ng_mat to, const ngi_param *param, const ng_group *group, ng_error *error)
{
    ng_mat all;
    if (param->elsewhere)
        return ng_error_set(error, NG_EUNSUPPORTED,
                            "parameter '%.60s': its distribution is another process's",
                            param->name);
    if (group->method->deviations == NULL)
        return ng_error_set(error, NG_EARG, "parameter '%.60s': %s has no distribution over it",
                            param->name, group->method->name);
    TRY(ng_mat_check(to, "deviations", error));
    if (to.rows != param->w.rows || to.cols != param->w.cols)
        return ng_error_set(error, NG_ESHAPE, "deviations are %zu x %zu, '%.60s' is %zu x %zu",
                            to.rows, to.cols, param->name, param->w.rows, param->w.cols);
    TRY(ngi_mat_create(&all, to.rows, to.cols, param->w.dtype, error));
    group->method->deviations(param, group->options, all.data, 0, to.rows * to.cols);
    ng_status status = ng_copy(to, all, error);
    free(all.data);
    return status;
}

ng_status ng_optimizer_deviations(ng_optimizer *optimizer, ng_mat deviations, const char *parameter)
{
    if (optimizer == NULL)
        return NG_EARG;
    ng_error *error = ngi_begin(optimizer);
    if (parameter == NULL)
        return ng_error_set(error, NG_EARG, "no name of a parameter");
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++)
            if (strcmp(optimizer->groups[g]->params[i]->name, parameter) == 0)
                return put(deviations, optimizer->groups[g]->params[i], optimizer->groups[g],
                           error);
    return ng_error_set(error, NG_EARG, "there is no parameter '%.60s'", parameter);
}
