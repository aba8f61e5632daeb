/* An optimizer that several processes have (natgrad/exchange.h): what they tell each other in a
 * step. Without an exchange nothing here does anything. */
#include "optim/front/front.h"

#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"

ng_status ng_group_owner(ng_group *group, int *owner, size_t index)
{
    ngi_param *param;
    TRY(ngi_param_find(&param, group, index));
    if (owner == NULL)
        return ng_error_set(&group->optimizer->error, NG_EARG, "no place for an owner");
    *owner = ngi_attached(group->optimizer) ? param->owner : -1;
    return NG_OK;
}

void ng_exchange_part(size_t *first, size_t *last, size_t pieces, int rank, int ranks)
{
    size_t part = pieces / (size_t)ranks, rest = pieces % (size_t)ranks, r = (size_t)rank;
    *first = r * part + (r < rest ? r : rest);
    *last = *first + part + (r < rest);
}

/* ---- One status for all ---------------------------------------------------------------------- */

/* 1, 2, ... in the order of adding; 0: none. */
static unsigned long long number_of(const ng_optimizer *optimizer, const ngi_param *param)
{
    unsigned long long number = 0;
    for (size_t g = 0; g < optimizer->group_count && param != NULL; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++) {
            number++;
            if (optimizer->groups[g]->params[i] == param)
                return number;
        }
    return 0;
}

ng_status ngi_exchange_agree(ng_optimizer *optimizer, ng_status status, unsigned long long mark)
{
    if (!ngi_attached(optimizer))
        return status;
    ng_exchange_vote vote = {
        .error = optimizer->error, .order = number_of(optimizer, optimizer->culprit), .mark = mark};
    vote.error.status = status;
    status = optimizer->exchange.agree(optimizer->exchange.data, &vote);
    optimizer->error = vote.error;
    return status;
}

/* FNV-1a */
static unsigned long long stir(unsigned long long mark, const void *bytes, size_t size)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < size; i++)
        mark = (mark ^ byte[i]) * 1099511628211u;
    return mark;
}

static unsigned long long stir_number(unsigned long long mark, double x)
{
    return stir(mark, &x, sizeof x);
}

static unsigned long long stir_group(unsigned long long mark, const ng_group *group)
{
    const ng_option *option;
    double value;
    for (size_t i = 0; (option = ng_options_at(group->options, i)) != NULL; i++)
        if (ng_options_get(group->options, option->name, &value, NULL) == NG_OK)
            mark = stir_number(mark, value);
    for (size_t i = 0; i < group->count; i++)
        mark = stir_number(mark, ngi_active(group->params[i]));
    return mark;
}

unsigned long long ngi_exchange_mark(const ng_optimizer *optimizer)
{
    unsigned long long mark = 14695981039346656037u;
    if (!ngi_attached(optimizer))
        return mark;
    mark = stir_number(mark, (double)optimizer->steps);
    mark = stir_number(mark, (double)optimizer->micro);
    mark = stir_number(mark, optimizer->multiplier);
    mark = stir_number(mark, optimizer->listener_count > 0);
    for (size_t g = 0; g < optimizer->group_count; g++)
        mark = stir_group(mark, optimizer->groups[g]);
    return mark;
}

/* ---- Are they where the others are? -------------------------------------------------------------
 */

static unsigned long long stir_view(unsigned long long mark, ng_mat m)
{
    size_t item = ng_dtype_size(m.dtype);
    for (size_t i = 0; i < m.rows && m.data != NULL; i++)
        mark = stir(mark, (const char *)m.data + i * m.stride * item, m.cols * item);
    return mark;
}

/* An exchange copies bytes: they need not be numbers. */
static void put_hashes(double *to, const ngi_param *param)
{
    const unsigned long long seed = 14695981039346656037u;
    const unsigned long long hashes[2] = {
        stir_view(stir_view(seed, ngi_own_weights(param)), ngi_own_bias(param)),
        ngi_active(param) ? stir_view(stir_view(seed, param->dw), param->dbias) : 0};
    memcpy(to, hashes, sizeof hashes);
}

static ng_status compare(ng_optimizer *optimizer, const double *own, const double *first)
{
    for (size_t g = 0, k = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++, k += 2) {
            int weights = memcmp(&own[k], &first[k], sizeof *own) != 0;
            if (!weights && memcmp(&own[k + 1], &first[k + 1], sizeof *own) == 0)
                continue;
            optimizer->culprit = optimizer->groups[g]->params[i];
            return ng_error_set(&optimizer->error, NG_EARG,
                                "parameter '%.60s': its %s not rank 0's", optimizer->culprit->name,
                                weights ? "weights are" : "gradient is");
        }
    return NG_OK;
}

ng_status ngi_exchange_compare(ng_optimizer *optimizer)
{
    size_t count = 2 * optimizer->param_count, k = 0;
    double *own = optimizer->compared, *first = own != NULL ? own + count : NULL;
    if (own == NULL)
        return NG_OK;
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++, k += 2)
            put_hashes(&own[k], optimizer->groups[g]->params[i]);
    memcpy(first, own, count * sizeof *own);
    ng_exchange_item item = {ng_f64(first, 1, count), 0};
    optimizer->exchange.share(optimizer->exchange.data, &item, 1);
    return compare(optimizer, own, first);
}

/* ---- What the owners give ----------------------------------------------------------------------
 */

typedef size_t list(ng_exchange_item *items, ngi_param *param);

/* Of every parameter of the step that has one owner. */
static void share(ng_optimizer *optimizer, list *of)
{
    size_t count = 0;
    if (!ngi_attached(optimizer))
        return;
    for (size_t i = 0; i < optimizer->task_count; i++) {
        ngi_param *param = optimizer->tasks[i].param;
        size_t more = param->owner < 0 ? 0 : of(&optimizer->items[count], param);
        for (size_t k = 0; k < more; k++)
            optimizer->items[count + k].owner = param->owner;
        count += more;
    }
    optimizer->exchange.share(optimizer->exchange.data, optimizer->items, count);
}

static size_t length(ng_exchange_item *items, ngi_param *param)
{
    items[0].view = ng_f64(&param->length, 1, 1);
    return 1;
}

static size_t weights(ng_exchange_item *items, ngi_param *param)
{
    items[0].view = ngi_own_weights(param);
    items[1].view = ngi_own_bias(param);
    return ngi_biased(param) ? 2 : 1;
}

static size_t numbers(ng_exchange_item *items, ngi_param *param)
{
    items[0].view = ng_f64(param->reported, 1, NGI_REPORTED);
    return 1;
}

void ngi_exchange_lengths(ng_optimizer *optimizer)
{
    share(optimizer, length);
}

void ngi_exchange_weights(ng_optimizer *optimizer)
{
    share(optimizer, weights);
}

/* All but `route`, which is text; only where somebody listens. */
void ngi_exchange_reports(ng_optimizer *optimizer)
{
    if (!ngi_attached(optimizer) || optimizer->listener_count == 0)
        return;
    for (size_t i = 0; i < optimizer->task_count; i++) {
        const ngi_report *r = &optimizer->tasks[i].param->report;
        const double own[NGI_REPORTED] = {r->update_norm,        r->seconds,
                                          r->polar.condition,    r->polar.orthogonality_error,
                                          (double)r->polar.rank, r->stale};
        memcpy(optimizer->tasks[i].param->reported, own, sizeof own);
    }
    share(optimizer, numbers);
    for (size_t i = 0; i < optimizer->task_count; i++) {
        ngi_report *r = &optimizer->tasks[i].param->report;
        const double *all = optimizer->tasks[i].param->reported;
        r->update_norm = all[0];
        r->seconds = all[1];
        r->polar.condition = all[2];
        r->polar.orthogonality_error = all[3];
        r->polar.rank = (size_t)all[4];
        r->stale = (int)all[5];
    }
}

/* Whether its solver found new ones the owner alone knows. */
static size_t news(ng_exchange_item *items, ngi_param *param)
{
    items[0].view = ng_f64(&param->renewed, 1, 1);
    return 1;
}

static size_t bases(ng_exchange_item *items, ngi_param *param)
{
    size_t count = 0;
    for (size_t i = 0; i < param->tensor_count && param->renewed > 0; i++)
        if (param->tensor[i].sharing == NGI_CAPTURE_READS)
            items[count++].view = param->tensor[i].now;
    return count;
}

void ngi_exchange_bases(ng_optimizer *optimizer)
{
    int any = 0;
    for (size_t k = 0; k < optimizer->task_count; k++) {
        ngi_param *param = optimizer->tasks[k].param;
        param->renewed = 0;
        for (size_t i = 0; i < param->tensor_count; i++)
            if (param->tensor[i].sharing == NGI_CAPTURE_READS) {
                any = 1;
                param->renewed += param->tensor[i].fresh;
            }
    }
    if (!any || optimizer->exchange.shards == 0)
        return;
    share(optimizer, news);
    share(optimizer, bases);
}

void ngi_exchange_samples(ng_optimizer *optimizer)
{
    size_t count = 0;
    if (!ngi_attached(optimizer))
        return;
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++) {
            const ngi_param *param = optimizer->groups[g]->params[i];
            if (param->sampled && param->owner >= 0)
                optimizer->items[count++] = (ng_exchange_item){param->w, param->owner};
        }
    optimizer->exchange.share(optimizer->exchange.data, optimizer->items, count);
}

void ngi_exchange_counts(ng_optimizer *optimizer, double *counts)
{
    size_t count = 0;
    if (!ngi_attached(optimizer))
        return;
    counts += 2;
    for (size_t g = 0; g < optimizer->group_count; g++) {
        counts += 2;
        for (size_t i = 0; i < optimizer->groups[g]->count; i++, counts += 2) {
            ng_exchange_item item = {ng_f64(counts, 1, 2), optimizer->groups[g]->params[i]->owner};
            if (item.owner >= 0)
                optimizer->items[count++] = item;
        }
    }
    optimizer->exchange.share(optimizer->exchange.data, optimizer->items, count);
}

void ngi_shards_close(ng_optimizer *optimizer, const ng_exchange *exchange)
{
    ngi_shards *s = &optimizer->shards;
    for (int i = 0; i < 2; i++)
        if (s->sums[i] != NULL)
            exchange->close_sums(s->sums[i]);
    free(s->terms);
    free(s->captured);
    *s = (ngi_shards){.terms = NULL};
}
