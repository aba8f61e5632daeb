/* The list of what is in a checkpoint, from the optimizer. */
#include "optim/checkpoint/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/memory.h"
#include "lib/core/try.h"

size_t ngi_entry_bytes(const ngi_entry *entry)
{
    return entry->rows * entry->cols * entry->item;
}

void ngi_crc_begin(ngi_crc *crc)
{
    crc->value = 0;
    for (uint32_t i = 0; i < 256; i++) {
        crc->table[i] = i;
        for (int k = 0; k < 8; k++)
            crc->table[i] =
                crc->table[i] & 1 ? crc->table[i] >> 1 ^ 0xedb88320u : crc->table[i] >> 1;
    }
}

void ngi_crc_add(ngi_crc *crc, const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    uint32_t x = ~crc->value;
    for (size_t i = 0; i < size; i++)
        x = crc->table[(x ^ p[i]) & 255] ^ x >> 8;
    crc->value = ~x;
}

void ngi_entries_free(ngi_entries *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].name);
    free(list->items);
    free(list->counts);
    free(list->random);
    memset(list, 0, sizeof *list);
}

/* Appends a copy; its name is parameter/own or, without a parameter, own. */
static ng_status add(ngi_entries *list, const char *parameter, const char *own, ngi_entry entry,
                     ng_error *error)
{
    TRY(ngi_array_grow(&list->items, &list->capacity, list->count, sizeof entry, error));
    size_t before = parameter != NULL ? strlen(parameter) + 1 : 0;
    entry.name = malloc(before + strlen(own) + 1);
    if (entry.name == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a name");
    if (parameter != NULL) {
        strcpy(entry.name, parameter);
        strcat(entry.name, "/");
    }
    strcpy(entry.name + before, own);
    list->items[list->count++] = entry;
    return NG_OK;
}

static ngi_entry of_mat(ng_mat m)
{
    ngi_entry entry = {.dtype = m.dtype == NG_F32 ? "F32" : "F64",
                       .item = ng_dtype_size(m.dtype),
                       .rows = m.rows,
                       .cols = m.cols,
                       .stride = m.stride,
                       .taken = 1,
                       .data = m.data};
    return entry;
}

/* ---- A parameter ------------------------------------------------------------------------- */

typedef struct {
    const ng_checkpoint_options *options;
    int loading, summed;
} plan;

static ng_status add_finite(ngi_entries *list, const ngi_param *param, const char *own,
                            ngi_entry entry, ng_mat m, const plan *p, ng_error *error)
{
    if (!p->loading && !ng_is_finite(m))
        return ng_error_set(error, NG_ENONFINITE, "'%.60s/%s' holds NaN or infinity", param->name,
                            own);
    return add(list, param->name, own, entry, error);
}

static ng_status add_param(ngi_entries *list, const ngi_param *param, const plan *p,
                           ng_error *error)
{
    ng_status status = NG_OK;
    if (p->summed &&
        (param->sum.data == NULL || (param->dbias.data != NULL && param->sum_bias.data == NULL)))
        return ng_error_set(error, NG_ENODATA,
                            "parameter '%.60s' was added after gradients were accumulated",
                            param->name);
    for (int slot = 0; slot < NGI_STATE_SLOTS && status == NG_OK; slot++) {
        ng_mat m;
        const char *own = ngi_state_slot(param, slot, p->summed, &m);
        if (own != NULL)
            status = add_finite(list, param, own, of_mat(m), m, p, error);
    }
    const ng_mat borrowed[2] = {param->w, param->bias};
    for (int i = 0; i < 2 && status == NG_OK; i++) {
        ngi_entry entry = of_mat(borrowed[i]);
        entry.optional = !p->options->weights;
        entry.taken = p->options->weights;
        entry.vector = i == 1;
        if (borrowed[i].data != NULL && (p->loading || entry.taken))
            status =
                add_finite(list, param, i == 0 ? "weights" : "bias", entry, borrowed[i], p, error);
    }
    return status;
}

/* ---- The list ----------------------------------------------------------------------------- */

static ng_status add_counts(ngi_entries *list, ng_optimizer *optimizer)
{
    size_t n = list->count_size = ng_optimizer_counts(optimizer, NULL, 0);
    list->counts = malloc(n * sizeof *list->counts);
    if (list->counts == NULL)
        return ng_error_set(&optimizer->error, NG_ENOMEM, "no memory for %zu counts", n);
    ng_optimizer_counts(optimizer, list->counts, n);
    ngi_entry entry = of_mat(ng_f64(list->counts, 1, n));
    entry.vector = 1;
    return add(list, NULL, "counts", entry, &optimizer->error);
}

static ng_status add_random(ngi_entries *list, const ng_random *random, ng_error *error)
{
    if (random->save == NULL)
        return ng_error_set(error, NG_EARG, "the random numbers cannot be saved: no save slot");
    size_t n = random->save(random->data, NULL, 0);
    list->random = calloc(n > 0 ? n : 1, 1);
    if (list->random == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu bytes of random state", n);
    random->save(random->data, list->random, n);
    ngi_entry entry = {.dtype = "U8",
                       .item = 1,
                       .rows = 1,
                       .cols = n,
                       .stride = n,
                       .vector = 1,
                       .data = list->random};
    return add(list, NULL, "random", entry, error);
}

/* Larger elements first; the order of adding otherwise, as it is a merge of runs. */
static void place(ngi_entries *list)
{
    list->bytes = 0;
    for (size_t item = 8; item > 0; item /= 2)
        for (size_t i = 0; i < list->count; i++)
            if (list->items[i].item == item) {
                list->items[i].begin = list->bytes;
                list->bytes += ngi_entry_bytes(&list->items[i]);
            }
}

static int by_begin(const void *a, const void *b)
{
    const ngi_entry *x = a, *y = b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

static ng_status add_params(ngi_entries *list, ng_optimizer *optimizer, const plan *p)
{
    ng_status status = NG_OK;
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count && status == NG_OK; i++)
            status = add_param(list, optimizer->groups[g]->params[i], p, &optimizer->error);
    return status;
}

ng_status ngi_entries_save(ngi_entries *list, ng_optimizer *optimizer,
                           const ng_checkpoint_options *options)
{
    plan p = {options, 0, optimizer->micro > 0};
    ng_status status = add_counts(list, optimizer);
    if (status == NG_OK)
        status = add_params(list, optimizer, &p);
    if (status == NG_OK && options->random != NULL)
        status = add_random(list, options->random, &optimizer->error);
    place(list);
    if (status == NG_OK) /* no two begin alike: none is empty, but the random state, the last */
        qsort(list->items, list->count, sizeof *list->items, by_begin);
    return status;
}

ng_status ngi_entries_load(ngi_entries *list, ng_optimizer *optimizer,
                           const ng_checkpoint_options *options, int summed)
{
    plan p = {options, 1, summed};
    ng_status status = add_counts(list, optimizer);
    return status != NG_OK ? status : add_params(list, optimizer, &p);
}
