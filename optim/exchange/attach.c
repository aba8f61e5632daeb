/* An optimizer becomes one of several processes' (natgrad/exchange.h): are they alike, and who owns
 * what. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"
#include "optim/checkpoint/checkpoint.h"
#include "optim/exchange/shards.h"

/* ---- Alike? ---------------------------------------------------------------------------------- */

/* What a checkpoint says of the optimizer, lines "key = text", padded to whole doubles, which is
 * what an exchange knows. */
static ng_status write_facts(ngi_pool *pool, ng_mat *text, const ngi_facts *facts, ng_error *error)
{
    size_t size = 1, used = 0;
    double *numbers;
    for (size_t i = 0; i < facts->count; i++)
        size += strlen(facts->items[i].key) + strlen(facts->items[i].text) + 4;
    size = (size + sizeof(double) - 1) / sizeof(double);
    TRY(ngi_pool_array(pool, &numbers, size, sizeof(double), "bytes of text", error));
    for (size_t i = 0; i < facts->count; i++)
        used += (size_t)sprintf((char *)numbers + used, "%s = %s\n", facts->items[i].key,
                                facts->items[i].text);
    *text = ng_f64(numbers, 1, size);
    return NG_OK;
}

static size_t line_length(const char *text)
{
    return strcspn(text, "\n");
}

/* The first line that is another one. */
static ng_status compare(const char *own, const char *first, ng_error *error)
{
    while (*own != '\0' && line_length(own) == line_length(first) &&
           strncmp(own, first, line_length(own)) == 0) {
        own += line_length(own) + 1;
        first += line_length(first) + 1;
    }
    if (*own == '\0' && *first == '\0')
        return NG_OK;
    int n = (int)line_length(own), m = (int)line_length(first);
    return ng_error_set(error, NG_EARG, "%.*s here, %.*s on rank 0", n > 0 ? (n < 90 ? n : 90) : 7,
                        n > 0 ? own : "nothing", m > 0 ? (m < 90 ? m : 90) : 7,
                        m > 0 ? first : "nothing");
}

/* What must be alike in the exchange. */
static unsigned long long mark_of(const ng_exchange *exchange)
{
    unsigned long long shards = exchange->shards, check = exchange->check != 0;
    double share = exchange->replicate >= 0 && exchange->replicate <= 1 ? exchange->replicate : 0;
    return shards << 32 | check << 31 | (unsigned long long)(share * 0x1p30);
}

static ng_status agree(const ng_exchange *exchange, ng_status status, ng_error *error)
{
    ng_exchange_vote vote = {.error = *error, .mark = mark_of(exchange)};
    vote.error.status = status;
    status = exchange->agree(exchange->data, &vote);
    *error = vote.error;
    return status;
}

static ng_status own_facts(ngi_pool *pool, ng_mat *text, ng_optimizer *optimizer)
{
    ngi_facts facts = {.items = NULL};
    ng_status status = ngi_facts_list(&facts, optimizer, NULL);
    if (status == NG_OK)
        status = write_facts(pool, text, &facts, &optimizer->error);
    ngi_facts_free(&facts);
    return status;
}

/* Rank 0's text to all of them, and what each finds. */
static ng_status check_alike(ngi_pool *pool, ng_optimizer *optimizer, const ng_exchange *exchange)
{
    ng_error *error = &optimizer->error;
    ng_mat own = ng_mat_none(), first;
    double size;
    TRY(agree(exchange, own_facts(pool, &own, optimizer), error));
    size = (double)own.cols;
    ng_exchange_item item = {ng_f64(&size, 1, 1), 0};
    exchange->share(exchange->data, &item, 1);
    TRY(agree(exchange, ngi_pool_mat(pool, &first, 1, (size_t)size, NG_F64, error), error));
    if (exchange->rank == 0)
        memcpy(first.data, own.data, own.cols * sizeof(double));
    item.view = first;
    exchange->share(exchange->data, &item, 1);
    return agree(exchange, compare(own.data, first.data, error), error);
}

/* ---- Who owns what --------------------------------------------------------------------------- */

/* Of one group the parameter `first` and those that share its inputs. */
typedef struct {
    const ng_group *group;
    double cost;
    size_t first, number;
} share_of;

/* Costliest first, then in the order of adding. */
static int by_cost(const void *a, const void *b)
{
    const share_of *x = a, *y = b;
    if (x->cost != y->cost)
        return x->cost < y->cost ? 1 : -1;
    return (x->number > y->number) - (x->number < y->number);
}

static size_t list_shares(share_of *shares, const ng_optimizer *optimizer)
{
    size_t count = 0;
    for (size_t g = 0; g < optimizer->group_count; g++) {
        const ng_group *group = optimizer->groups[g];
        for (size_t i = 0; i < group->count; i += 1 + group->params[i]->followers) {
            share_of one = {group, 0, i, count};
            for (size_t k = i; k <= i + group->params[i]->followers; k++)
                one.cost += ngi_task_cost(group, group->params[k]);
            if (ngi_is_divided(group))
                shares[count++] = one;
        }
    }
    return count;
}

/* Of shares, costliest first, those that are divided: the others make up that part of the cost. */
static size_t count_divided(const share_of *shares, size_t count, double replicate)
{
    double left = 0;
    for (size_t s = 0; s < count; s++)
        left += replicate * shares[s].cost;
    while (count > 0 && (replicate == 1 || shares[count - 1].cost <= left))
        left -= shares[--count].cost;
    return count;
}

/* Longest processing time first: each to the rank with the least to do, the lowest of those. */
static void assign(share_of *shares, size_t count, double *load, const ng_exchange *exchange)
{
    qsort(shares, count, sizeof *shares, by_cost);
    count = count_divided(shares, count, exchange->replicate);
    for (size_t s = 0; s < count; s++) {
        const ng_group *group = shares[s].group;
        size_t first = shares[s].first;
        int least = 0;
        for (int r = 1; r < exchange->ranks; r++)
            if (load[r] < load[least])
                least = r;
        load[least] += shares[s].cost;
        for (size_t k = first; k <= first + group->params[first]->followers; k++)
            group->params[k]->owner = least;
    }
}

static void set_all(ng_optimizer *optimizer, int owner)
{
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++)
            optimizer->groups[g]->params[i]->owner = owner;
}

static ng_status plan(ngi_pool *pool, ng_optimizer *optimizer, const ng_exchange *exchange)
{
    share_of *shares;
    double *load;
    ng_error *error = &optimizer->error;
    size_t count = optimizer->param_count + 1;
    TRY(ngi_pool_array(pool, &shares, count, sizeof *shares, "shares", error));
    TRY(ngi_pool_array(pool, &load, (size_t)exchange->ranks, sizeof *load, "loads", error));
    TRY(ngi_array_create(&optimizer->items, NGI_EXCHANGED * count, sizeof *optimizer->items,
                         "views of a step", error));
    TRY(ngi_shards_reserve(optimizer, exchange));
    set_all(optimizer, -1);
    if (exchange->check)
        TRY(ngi_array_create(&optimizer->compared, NGI_COMPARED * count,
                             sizeof *optimizer->compared, "hashes of parameters", error));
    assign(shares, list_shares(shares, optimizer), load, exchange);
    return NG_OK;
}

/* ---- Attach ------------------------------------------------------------------------------------
 */

static ng_status check_fresh(const ng_optimizer *optimizer, const ng_exchange *exchange,
                             ng_error *error)
{
    if (!(exchange->replicate >= 0 && exchange->replicate <= 1))
        return ng_error_set(error, NG_EOPTION, "replicate = %g is not in 0 ... 1",
                            exchange->replicate);
    if (optimizer->atomic != NG_ATOMIC_STEP)
        return ng_error_set(error, NG_EOPTION, "an exchange needs atomic = step");
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++)
            if (optimizer->groups[g]->params[i]->step > 0 ||
                optimizer->groups[g]->params[i]->captured > 0)
                return ng_error_set(error, NG_EARG, "attach comes before steps and captures");
    return optimizer->micro == 0
               ? NG_OK
               : ng_error_set(error, NG_EARG, "attach comes before gradients are accumulated");
}

static ng_status prepare(ngi_pool *pool, ng_optimizer *optimizer, const ng_exchange *exchange)
{
    ng_error *error = &optimizer->error;
    TRY(agree(exchange, check_fresh(optimizer, exchange, error), error));
    TRY(check_alike(pool, optimizer, exchange));
    TRY(agree(exchange, plan(pool, optimizer, exchange), error));
    return ngi_shards_open(optimizer, exchange);
}

static void drop_elsewhere(ng_optimizer *optimizer, const ng_exchange *exchange)
{
    int rank = exchange->rank;
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++) {
            ngi_param *param = optimizer->groups[g]->params[i];
            param->elsewhere = param->owner >= 0 && param->owner != rank;
            if (param->elsewhere)
                ngi_param_leave_state(param, exchange->shards > 0);
            if (param->elsewhere && ngi_is_narrow(param)) /* they lay in the master */
                param->w.data = param->bias.data = NULL;
        }
}

ng_status ng_optimizer_attach(ng_optimizer *optimizer, const ng_exchange *exchange)
{
    ngi_pool pool = {NULL};
    if (optimizer == NULL)
        return NG_EARG;
    ng_error *error = ngi_begin(optimizer);
    if (exchange == NULL || ngi_attached(optimizer))
        return ng_error_set(error, NG_EARG,
                            exchange == NULL ? "no exchange" : "the optimizer is attached already");
    if (exchange->size != sizeof *exchange)
        return ng_error_set(error, NG_EOPTION, "an exchange of %zu bytes, this library's have %zu",
                            exchange->size, sizeof *exchange);
    ng_status status = ngi_pool_close(&pool, prepare(&pool, optimizer, exchange));
    if (status != NG_OK) {
        ngi_shards_close(optimizer, exchange);
        free(optimizer->items);
        free(optimizer->compared);
        optimizer->items = NULL;
        optimizer->compared = NULL;
        return status;
    }
    optimizer->exchange = *exchange;
    drop_elsewhere(optimizer, exchange);
    return NG_OK;
}
