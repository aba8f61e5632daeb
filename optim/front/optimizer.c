/* The optimizer: how it comes and goes, its groups, what it holds. */
#include "optim/front/front.h"

#include <math.h>
#include <stdlib.h>

#include "lib/core/try.h"
#include "lib/linalg/blas.h"

enum { MAX_THREADS = 256 };

ng_status ng_optimizer_init_sized(ng_optimizer_options *options, size_t size)
{
    ng_optimizer_options defaults = {.size = sizeof defaults};
    TRY(ngi_check_struct(options, size, sizeof defaults));
    *options = defaults;
    return NG_OK;
}

ng_status ng_optimizer_create(ng_optimizer **result, const ng_optimizer_options *options)
{
    if (result == NULL)
        return NG_EARG;
    *result = NULL;
    if (options != NULL &&
        (options->size != sizeof *options || options->threads < 0 ||
         options->threads > MAX_THREADS || !(options->clip_value >= 0) ||
         !(options->clip_norm >= 0) ||
         (options->atomic != NG_ATOMIC_STEP && options->atomic != NG_ATOMIC_PARAMETER) ||
         (options->rounding != NG_ROUND_MASTER && options->rounding != NG_ROUND_STOCHASTIC)))
        return NG_EOPTION;
    int threads = options != NULL ? options->threads : 0;
    if (threads > 0 && ngi_blas_threads() == 0)
        return NG_EUNSUPPORTED;
    ng_optimizer *optimizer = calloc(1, sizeof *optimizer);
    if (optimizer == NULL)
        return NG_ENOMEM;
    optimizer->atomic = options != NULL ? options->atomic : NG_ATOMIC_STEP;
    optimizer->threads = threads;
    optimizer->clip_value = options != NULL ? options->clip_value : 0;
    optimizer->clip_norm = options != NULL ? options->clip_norm : 0;
    optimizer->rounding = options != NULL ? options->rounding : NG_ROUND_MASTER;
    optimizer->seed = options != NULL ? options->seed : 0;
    optimizer->clip_factor = 1;
    optimizer->multiplier = 1;
    optimizer->work = calloc(threads > 0 ? (size_t)threads : 1, sizeof *optimizer->work);
    if (optimizer->work == NULL) {
        free(optimizer);
        return NG_ENOMEM;
    }
    *result = optimizer;
    return NG_OK;
}

void ng_optimizer_destroy(ng_optimizer *optimizer)
{
    if (optimizer == NULL)
        return;
    for (size_t g = 0; g < optimizer->group_count; g++)
        ngi_group_destroy(optimizer->groups[g]);
    for (int i = 0; i < (optimizer->threads > 0 ? optimizer->threads : 1); i++)
        ng_work_destroy(&optimizer->work[i]);
    ngi_shards_close(optimizer, &optimizer->exchange);
    if (optimizer->exchange.destroy != NULL)
        optimizer->exchange.destroy(optimizer->exchange.data);
    free(optimizer->items);
    free(optimizer->compared);
    free(optimizer->work);
    free(optimizer->tasks);
    free(optimizer->turns);
    free(optimizer->groups);
    free(optimizer->listeners);
    free(optimizer);
}

ng_status ng_optimizer_add_group(ng_optimizer *optimizer, ng_group **group,
                                 const void *method_options)
{
    ng_group *added;
    if (group == NULL)
        return NG_EARG;
    *group = NULL; /* so that a caller who tests only later is refused and not lost */
    if (optimizer == NULL)
        return NG_EARG;
    ng_error *error = ngi_begin(optimizer);
    TRY(ngi_check_detached(optimizer, error));
    TRY(ngi_array_grow(&optimizer->groups, &optimizer->group_capacity, optimizer->group_count,
                       sizeof *optimizer->groups, error));
    TRY(ngi_group_create(&added, optimizer, method_options));
    *group = optimizer->groups[optimizer->group_count++] = added;
    return NG_OK;
}

const char *ng_optimizer_error(const ng_optimizer *optimizer)
{
    return optimizer != NULL ? optimizer->error.text : "";
}

unsigned long long ng_optimizer_steps(const ng_optimizer *optimizer)
{
    return optimizer != NULL ? optimizer->steps : 0;
}

ng_status ng_optimizer_set_multiplier(ng_optimizer *optimizer, double factor)
{
    if (optimizer == NULL)
        return NG_EARG;
    ng_error *error = ngi_begin(optimizer);
    if (!(factor >= 0 && isfinite(factor)))
        return ng_error_set(error, NG_EARG, "a multiplier of %g is not a number >= 0", factor);
    optimizer->multiplier = factor;
    return NG_OK;
}
