/* The tensors of a checkpoint, from the optimizer. */
#include "optim/checkpoint/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "lib/core/memory.h"
#include "lib/core/try.h"

void ngi_entries_free(ngi_entries *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].name);
        free(list->items[i].staged.data);
    }
    free(list->items);
    free(list->counts);
    memset(list, 0, sizeof *list);
}

/* Appends a copy; its name is parameter/own or, without a parameter, own. */
static ng_status add(ngi_entries *list, const char *parameter, const char *own, ngi_entry entry,
                     ng_error *error)
{
    TRY(ngi_array_grow(&list->items, &list->capacity, list->count, sizeof entry, error));
    size_t before = parameter != NULL ? strlen(parameter) + 1 : 0;
    TRY(ngi_array_create(&entry.name, before + strlen(own) + 1, 1, "bytes of a name", error));
    if (parameter != NULL) {
        strcpy(entry.name, parameter);
        strcat(entry.name, "/");
    }
    strcpy(entry.name + before, own);
    list->items[list->count++] = entry;
    return NG_OK;
}

/* ---- A parameter ------------------------------------------------------------------------- */

typedef struct {
    const ng_checkpoint_options *options;
    int loading, summed, attached;
    size_t averaged;      /* tensors of the average so far */
    const ngi_here *here; /* of every parameter, or NULL: all are meant */
} plan;

/* A tensor that is not of the state: in the file if `wanted`. A load knows it by its shape, and
 * takes it if it is wanted. */
static ng_status add_borrowed(ngi_entries *list, const ngi_param *param, const char *name,
                              ng_mat view, int vector, int wanted, const plan *p, ng_error *error)
{
    ngi_entry entry = {.view = view, .legal = NGI_FINITE, .vector = vector};
    entry.optional = !wanted;
    entry.taken = wanted;
    return view.data != NULL && (p->loading || wanted) ? add(list, param->name, name, entry, error)
                                                       : NG_OK;
}

/* The next tensor of the average, if there is one and it is of this parameter; else `live`, whose
 * shape it has. */
static ng_status average_view(ng_mat *view, ng_mat live, const ngi_param *param, plan *p,
                              ng_error *error)
{
    const char *of, *name;
    *view = live;
    if (p->options->average == NULL || live.data == NULL)
        return NG_OK;
    ng_average *average = p->options->average;
    TRY(ngi_average_calls(average)->tensor(average, &of, &name, view, p->averaged++, error));
    return of == param->name
               ? NG_OK
               : ng_error_set(error, NG_EARG, "the average is not of this optimizer: '%.60s'", of);
}

static ng_status add_outside(ngi_entries *list, const ngi_param *param, plan *p, ng_error *error)
{
    static const char *const names[2][2] = {{"weights", "average"}, {"bias", "bias_average"}};
    const ng_mat live[2] = {ngi_own_weights(param), ngi_own_bias(param)};
    for (int i = 0; i < 2; i++) {
        ng_mat average;
        TRY(average_view(&average, live[i], param, p, error));
        TRY(add_borrowed(list, param, names[i][0], live[i], i, p->options->weights, p, error));
        TRY(add_borrowed(list, param, names[i][1], average, i, p->options->average != NULL, p,
                         error));
    }
    return NG_OK;
}

static ng_status add_param(ngi_entries *list, const ngi_param *param, plan *p, ng_error *error)
{
    if (p->summed &&
        (param->sum.data == NULL || (ngi_biased(param) && param->sum_bias.data == NULL)))
        return ng_error_set(error, NG_ENODATA,
                            "parameter '%.60s' was added after gradients were accumulated",
                            param->name);
    for (size_t slot = 0; slot < ngi_state_slots(param); slot++) {
        ngi_entry entry = {.legal = NGI_FINITE, .taken = 1};
        const char *own = ngi_state_slot(param, slot, p->summed, &entry.view);
        if (slot < param->tensor_count) {
            entry.legal = param->tensor[slot].legal;
            entry.taken = entry.view.data != NULL;
            entry.owner = p->attached ? 1 + param->owner : 0;
        }
        if (own != NULL)
            TRY(add(list, param->name, own, entry, error));
    }
    return add_outside(list, param, p, error);
}

/* ---- The list ----------------------------------------------------------------------------- */

static ng_status add_counts(ngi_entries *list, ng_optimizer *optimizer)
{
    size_t n = ng_optimizer_counts(optimizer, NULL, 0);
    TRY(ngi_array_create(&list->counts, n, sizeof *list->counts, "counts", &optimizer->error));
    ng_optimizer_counts(optimizer, list->counts, n);
    ngi_entry entry = {
        .view = ng_f64(list->counts, 1, n), .legal = NGI_FINITE, .vector = 1, .taken = 1};
    return add(list, NULL, "counts", entry, &optimizer->error);
}

static ng_status add_average(ngi_entries *list, const ng_average *average, ng_error *error)
{
    ngi_entry entry = {
        .view = ng_f64(list->average, 1, 2), .legal = NGI_FINITE, .vector = 1, .taken = 1};
    if (average == NULL)
        return NG_OK;
    list->average[0] = (double)ngi_average_calls(average)->count(average);
    list->average[1] = ngi_average_calls(average)->decay(average);
    return add(list, NULL, "average", entry, error);
}

static ng_status add_params(ngi_entries *list, ng_optimizer *optimizer, plan *p)
{
    for (size_t g = 0, k = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++, k++)
            if (p->here == NULL || p->here[k].there != NULL)
                TRY(add_param(list, optimizer->groups[g]->params[i], p, &optimizer->error));
    return NG_OK;
}

ng_status ngi_entries_save(ngi_entries *list, ng_optimizer *optimizer,
                           const ng_checkpoint_options *options)
{
    plan p = {options, 0, optimizer->micro > 0, ngi_attached(optimizer), 0, NULL};
    TRY(add_counts(list, optimizer));
    TRY(add_average(list, options->average, &optimizer->error));
    TRY(add_params(list, optimizer, &p));
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].view.data != NULL)
            TRY(ngi_legal_check(list->items[i].legal, list->items[i].view, list->items[i].name,
                                &optimizer->error));
    return NG_OK;
}

ng_status ngi_entries_load(ngi_entries *list, ng_optimizer *optimizer,
                           const ng_checkpoint_options *options, int summed, const ngi_here *here)
{
    plan p = {options, 1, summed, ngi_attached(optimizer), 0, here};
    return add_params(list, optimizer, &p);
}
