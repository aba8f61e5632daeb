/* Gradients and captures of a batch in shards (natgrad/exchange.h). */
#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "optim/exchange/shards.h"

enum { GRADIENTS, CAPTURES };

/* ---- The terms of both sums --------------------------------------------------------------------
 */

typedef struct {
    ng_exchange_term *items; /* NULL: they are counted */
    size_t count;
} terms;

static void put(terms *list, ng_mat view, int symmetric, int there)
{
    if (!there)
        view.data = NULL;
    if (list->items != NULL)
        list->items[list->count] = (ng_exchange_term){view, symmetric};
    list->count++;
}

static void put_gradients(terms *list, const ngi_param *param)
{
    put(list, param->dw, 0, ngi_active(param));
    if (ngi_biased(param))
        put(list, param->dbias, 0, ngi_active(param));
}

/* there: do they hold something, or are they to */
static void put_captures(terms *list, const ngi_param *param, int there)
{
    for (size_t i = 0; i < param->tensor_count; i++) {
        const ngi_tensor *tensor = &param->tensor[i];
        if (tensor->sharing == NGI_CAPTURED || tensor->sharing == NGI_CAPTURED_GRAM)
            put(list, tensor->now, tensor->sharing == NGI_CAPTURED_GRAM, there);
    }
}

static int is_due(const ng_group *group, const ngi_param *param)
{
    return ngi_active(param) && ng_options_want_capture(group->options) &&
           (group->method->captures_due == NULL ||
            group->method->captures_due(param, group->options));
}

/* Of a shard those that were captured; of the batch those that are due. */
static size_t list_terms(const ng_optimizer *optimizer, ng_exchange_term *items, int which,
                         int batch)
{
    terms list = {items, 0};
    if (which == CAPTURES)
        put(&list, ng_f64(optimizer->shards.captured, 1, optimizer->param_count), 0, 1);
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++) {
            const ng_group *group = optimizer->groups[g];
            const ngi_param *param = group->params[i];
            if (which == GRADIENTS)
                put_gradients(&list, param);
            else
                put_captures(&list, param, batch ? is_due(group, param) : param->captured > 0);
        }
    return list.count;
}

static int any_due(const ng_optimizer *optimizer)
{
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++)
            if (is_due(optimizer->groups[g], optimizer->groups[g]->params[i]))
                return 1;
    return 0;
}

typedef void visit(ngi_param *param, double *captured);

static void for_each(ng_optimizer *optimizer, visit *call)
{
    double *captured = optimizer->shards.captured;
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++)
            call(optimizer->groups[g]->params[i], captured++);
}

static void give(ngi_param *param, double *captured)
{
    *captured = param->captured;
}

static void take(ngi_param *param, double *captured)
{
    param->captured = *captured;
}

static void drop(ngi_param *param, double *captured)
{
    (void)captured;
    param->captured = 0;
}

/* ---- Life ------------------------------------------------------------------------------------ */

static ng_status check_dtypes(const ng_optimizer *optimizer, ng_error *error)
{
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++)
            if (ngi_is_half(optimizer->groups[g]->params[i]->dw.dtype))
                return ng_error_set(
                    error, NG_EDTYPE,
                    "parameter '%.60s': gradients of sixteen bits are not summed over shards",
                    optimizer->groups[g]->params[i]->name);
    return NG_OK;
}

ng_status ngi_shards_reserve(ng_optimizer *optimizer, const ng_exchange *exchange)
{
    ngi_shards *s = &optimizer->shards;
    ng_error *error = &optimizer->error;
    if (exchange->shards == 0)
        return NG_OK;
    ng_exchange_part(&s->first, &s->last, exchange->shards, exchange->rank, exchange->ranks);
    if (s->first >= s->last || exchange->open_sums == NULL)
        return ng_error_set(error, NG_EARG, "none of %zu shards is for it (%d ranks)",
                            exchange->shards, exchange->ranks);
    TRY(check_dtypes(optimizer, error));
    TRY(ngi_array_create(&s->captured, optimizer->param_count + 1, sizeof *s->captured,
                         "counts of captures", error));
    size_t most = list_terms(optimizer, NULL, GRADIENTS, 0);
    size_t captures = list_terms(optimizer, NULL, CAPTURES, 0);
    most = most > captures ? most : captures;
    return ngi_array_create(&s->terms, most + 1, sizeof *s->terms, "terms of sums", error);
}

ng_status ngi_shards_open(ng_optimizer *optimizer, const ng_exchange *exchange)
{
    ngi_shards *s = &optimizer->shards;
    for (int which = GRADIENTS; which <= CAPTURES && exchange->shards > 0; which++) {
        size_t count = list_terms(optimizer, s->terms, which, 0);
        TRY(exchange->open_sums(exchange->data, &s->sums[which], s->terms, count,
                                &optimizer->error));
    }
    return NG_OK;
}

/* ---- A batch --------------------------------------------------------------------------------- */

static ng_status check_sharded(const ng_optimizer *optimizer, ng_error *error)
{
    return optimizer->exchange.shards > 0
               ? NG_OK
               : ng_error_set(error, NG_EARG, "the optimizer is not attached to shards");
}

ng_status ng_optimizer_shards(ng_optimizer *optimizer, size_t *first, size_t *last)
{
    if (optimizer == NULL)
        return NG_EARG;
    ng_error *error = ngi_begin(optimizer);
    if (first == NULL || last == NULL)
        return ng_error_set(error, NG_EARG, "no place for the shards of this rank");
    TRY(check_sharded(optimizer, error));
    *first = optimizer->shards.first;
    *last = optimizer->shards.last;
    return NG_OK;
}

static ng_status check_gradient(const ngi_param *param, ng_error *error)
{
    int bound = param->dw.data != NULL && (!ngi_biased(param) || param->dbias.data != NULL);
    if (!ngi_active(param))
        return NG_OK;
    if (!bound)
        return ng_error_set(error, NG_ENODATA, "parameter '%.60s': no gradient was bound",
                            param->name);
    return ng_is_finite(param->dw) && ng_is_finite(param->dbias)
               ? NG_OK
               : ng_error_set(error, NG_ENONFINITE,
                              "parameter '%.60s': gradient holds NaN or infinity", param->name);
}

static ng_status check_shard(ng_optimizer *optimizer, double weight, ng_error *error)
{
    if (optimizer->shards.first + optimizer->shards.added >= optimizer->shards.last)
        return ng_error_set(error, NG_EARG, "no shard of this rank is left");
    if (optimizer->micro > 0)
        return ng_error_set(error, NG_EARG,
                            "gradients were accumulated: shards are micro-batches themselves");
    if (!isfinite(weight))
        return ng_error_set(error, NG_ENONFINITE, "a shard's weight of %g", weight);
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++) {
            optimizer->shards.culprit = optimizer->groups[g]->params[i];
            TRY(check_gradient(optimizer->shards.culprit, error));
        }
    optimizer->shards.culprit = NULL;
    return NG_OK;
}

static void add(ng_optimizer *optimizer, int which, double weight)
{
    ngi_shards *s = &optimizer->shards;
    const ng_exchange *exchange = &optimizer->exchange;
    list_terms(optimizer, s->terms, which, 0);
    exchange->add_shard(s->sums[which], s->terms, s->first + s->added, weight);
}

ng_status ng_optimizer_add_shard(ng_optimizer *optimizer, double weight)
{
    if (optimizer == NULL)
        return NG_EARG;
    ngi_shards *s = &optimizer->shards;
    ng_error *error = ngi_begin(optimizer);
    TRY(check_sharded(optimizer, error));
    if (s->failed.status == NG_OK)
        check_shard(optimizer, weight, &s->failed);
    if (s->failed.status != NG_OK) {
        *error = s->failed;
        return error->status;
    }
    if (s->added == 0)
        s->due = any_due(optimizer);
    for_each(optimizer, give);
    add(optimizer, GRADIENTS, weight);
    if (s->due)
        add(optimizer, CAPTURES, 1);
    for_each(optimizer, drop);
    s->added++;
    return NG_OK;
}

static ng_status check_complete(ng_optimizer *optimizer)
{
    const ngi_shards *s = &optimizer->shards;
    optimizer->culprit = s->culprit;
    if (s->failed.status != NG_OK) {
        optimizer->error = s->failed;
        return s->failed.status;
    }
    return s->first + s->added == s->last
               ? NG_OK
               : ng_error_set(&optimizer->error, NG_EARG, "%zu of its %zu shards are missing",
                              s->last - s->first - s->added, s->last - s->first);
}

/* Captures first: until their counts are taken nothing has changed. */
static ng_status reduce(ng_optimizer *optimizer)
{
    ngi_shards *s = &optimizer->shards;
    ng_error *error = &optimizer->error;
    if (s->due) {
        list_terms(optimizer, s->terms, CAPTURES, 1);
        TRY(optimizer->exchange.reduce(s->sums[CAPTURES], s->terms, error));
    }
    list_terms(optimizer, s->terms, GRADIENTS, 1);
    TRY(optimizer->exchange.reduce(s->sums[GRADIENTS], s->terms, error));
    if (s->due)
        for_each(optimizer, take);
    return NG_OK;
}

static ng_status reduce_together(ng_optimizer *optimizer)
{
    unsigned long long mark = ngi_exchange_mark(optimizer) + (unsigned)optimizer->shards.due;
    TRY(ngi_exchange_agree(optimizer, check_complete(optimizer), mark));
    return reduce(optimizer);
}

static ng_status end_batch(ng_optimizer *optimizer, ng_status reduced)
{
    ngi_shards_drop(optimizer);
    return reduced;
}

ng_status ng_optimizer_reduce(ng_optimizer *optimizer)
{
    if (optimizer == NULL)
        return NG_EARG;
    TRY(check_sharded(optimizer, ngi_begin(optimizer)));
    for_each(optimizer, drop);
    return end_batch(optimizer, reduce_together(optimizer));
}
