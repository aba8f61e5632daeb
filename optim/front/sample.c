/* Weights that are drawn: of parameters whose method is a distribution over them, kept apart from
 * its mean until the step. */
#include "optim/front/front.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"

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

static void (*const kernels[2])(size_t, void *, const void *, const double *,
                                const double *) = {f32_move, f64_move};

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

/* Room for every mean, and for a row of numbers: *longest. */
static ng_status reserve(ng_optimizer *optimizer, size_t *longest)
{
    *longest = 0;
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++) {
            ngi_param *param = optimizer->groups[g]->params[i];
            if (!is_drawn(optimizer->groups[g], param))
                continue;
            TRY(check(param, &optimizer->error));
            if (param->mean.data == NULL)
                TRY(ngi_mat_create(&param->mean, param->w.rows, param->w.cols, param->w.dtype,
                                   &optimizer->error));
            *longest = param->w.cols > *longest ? param->w.cols : *longest;
        }
    return NG_OK;
}

/* w <- mean + noise on its owner; every rank's numbers go on. noise, deviation: a row each */
static ng_status draw(ngi_param *param, const ng_group *group, const ng_random *random,
                      double *noise, double *deviation, ng_error *error)
{
    if (!param->sampled)
        TRY(ng_copy(param->mean, param->w, error));
    param->sampled = 1;
    for (size_t i = 0; i < param->w.rows; i++) {
        random->fill_normal(random->data, noise, param->w.cols);
        if (param->elsewhere)
            continue;
        group->method->deviations(param, group->options, deviation, i);
        kernels[param->w.dtype](param->w.cols, row(param->w, i), row(param->mean, i), noise,
                                deviation);
    }
    return ng_is_finite(param->w)
               ? NG_OK
               : ng_error_set(error, NG_ERANGE,
                              "parameter '%.60s': a sample of its weights is not finite",
                              param->name);
}

static ng_status draw_all(ng_optimizer *optimizer, const ng_random *random, double *rows,
                          size_t longest)
{
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++) {
            ng_group *group = optimizer->groups[g];
            if (is_drawn(group, group->params[i]))
                TRY(draw(group->params[i], group, random, rows, rows + longest, &optimizer->error));
        }
    return NG_OK;
}

void ngi_restore_all(ng_optimizer *optimizer)
{
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++)
            ngi_param_restore(optimizer->groups[g]->params[i]);
}

static ng_status sample(ng_optimizer *optimizer, const ng_random *random)
{
    size_t longest;
    double *rows;
    TRY(reserve(optimizer, &longest));
    if (longest == 0)
        return NG_OK;
    TRY(ngi_array_create(&rows, 2 * longest, sizeof *rows, "numbers of a sample",
                         &optimizer->error));
    ng_status status = draw_all(optimizer, random, rows, longest);
    free(rows);
    return status;
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
    if (random == NULL || random->fill_normal == NULL)
        return ng_error_set(error, NG_EARG, "random is NULL or has no fill_normal");
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
    double *row;
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
    TRY(ngi_array_create(&row, to.cols, sizeof *row, "deviations", error));
    for (size_t i = 0; i < to.rows; i++) {
        group->method->deviations(param, group->options, row, i);
        for (size_t j = 0; j < to.cols; j++)
            ng_mat_set(to, i, j, row[j]);
    }
    free(row);
    return NG_OK;
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
