/* Save and load (natgrad/checkpoint.h). */
#include "optim/checkpoint/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/linalg.h>
#include <natgrad/version.h>

static ng_status check_call(const ng_checkpoint_options **options, ng_checkpoint_options *defaults,
                            ng_optimizer *optimizer, const char *path)
{
    const union {
        uint16_t word;
        unsigned char byte[2];
    } one = {1};
    ng_checkpoint_init(defaults);
    if (*options == NULL)
        *options = defaults;
    if (optimizer == NULL)
        return NG_EARG;
    ng_error *error = ngi_begin(optimizer);
    if (path == NULL || path[0] == '\0')
        return ng_error_set(error, NG_EARG, "a checkpoint's path");
    if ((*options)->size != sizeof **options)
        return ng_error_set(error, NG_EOPTION,
                            "checkpoint options: was ng_checkpoint_init called?");
    if (one.byte[0] != 1)
        return ng_error_set(error, NG_EUNSUPPORTED, "checkpoints need a little-endian machine");
    return NG_OK;
}

/* ---- Save ------------------------------------------------------------------------------- */

static uint32_t sum_of(const char *model, const ngi_entries *list)
{
    ngi_crc crc;
    ngi_crc_begin(&crc);
    ngi_crc_add(&crc, model, strlen(model));
    for (size_t i = 0; i < list->count; i++) {
        const ngi_entry *entry = &list->items[i];
        for (size_t row = 0; row < entry->rows; row++)
            ngi_crc_add(&crc, (const char *)entry->data + row * entry->stride * entry->item,
                        entry->cols * entry->item);
    }
    return crc.value;
}

ng_status ng_optimizer_save(ng_optimizer *optimizer, const char *path,
                            const ng_checkpoint_options *options)
{
    ng_checkpoint_options defaults;
    ngi_entries list = {.count = 0};
    char *model = NULL, *header = NULL;
    size_t size;
    ng_status status = check_call(&options, &defaults, optimizer, path);
    if (status != NG_OK)
        return status;
    status = ngi_entries_save(&list, optimizer, options);
    if (status == NG_OK)
        status = ngi_model_write(&model, optimizer);
    if (status == NG_OK)
        status = ngi_header_write(&header, &size, &list, model, sum_of(model, &list),
                                  optimizer->steps, &optimizer->error);
    if (status == NG_OK)
        status = ngi_blob_write(path, header, size, &list, &optimizer->error);
    free(header);
    free(model);
    ngi_entries_free(&list);
    return status;
}

/* ---- Load ------------------------------------------------------------------------------- */

/* All a load gathers before it changes anything. */
typedef struct {
    char *text;
    size_t size;
    unsigned char *data;
    size_t bytes;
    ngi_header header;
    json_t *model;
    void **options; /* of every group */
    double clip_value, clip_norm;
    ngi_entries list;
    double *counts;
    size_t random_begin, random_size;
} cargo;

static void unload(cargo *c, size_t groups)
{
    for (size_t g = 0; g < groups && c->options != NULL; g++)
        free(c->options[g]);
    free(c->options);
    ngi_entries_free(&c->list);
    free(c->counts);
    json_decref(c->model);
    ngi_header_free(&c->header);
    free(c->data);
    free(c->text);
}

static ng_status check_sum(const cargo *c, ng_error *error)
{
    ngi_crc crc;
    ngi_crc_begin(&crc);
    ngi_crc_add(&crc, c->header.model, strlen(c->header.model));
    ngi_crc_add(&crc, c->data, c->bytes);
    if (crc.value == c->header.crc)
        return NG_OK;
    return ng_error_set(error, NG_EFORMAT, "checkpoint: damaged, its check sum is %08lx, not %08lx",
                        (unsigned long)crc.value, (unsigned long)c->header.crc);
}

static ng_status read_options(cargo *c, ng_optimizer *optimizer)
{
    ng_status status =
        ngi_model_clipping(&c->clip_value, &c->clip_norm, c->model, &optimizer->error);
    c->options = calloc(optimizer->group_count + 1, sizeof *c->options);
    if (c->options == NULL)
        return ng_error_set(&optimizer->error, NG_ENOMEM, "no memory for options");
    for (size_t g = 0; g < optimizer->group_count && status == NG_OK; g++)
        status = ngi_model_options(&c->options[g], c->model, g, optimizer);
    return status;
}

static ng_status read_counts(cargo *c, ng_optimizer *optimizer)
{
    size_t begin, n;
    ng_status status =
        ngi_header_vector(&c->header, "counts", "F64", &begin, &n, &optimizer->error);
    if (status != NG_OK)
        return status;
    c->counts = calloc(n + 2, sizeof *c->counts);
    if (c->counts == NULL)
        return ng_error_set(&optimizer->error, NG_ENOMEM, "no memory for %zu counts", n);
    memcpy(c->counts, c->data + begin, n * sizeof *c->counts);
    char steps[32];
    snprintf(steps, sizeof steps, "%.0f", c->counts[0]);
    if (strcmp(steps, c->header.steps) != 0)
        return ng_error_set(&optimizer->error, NG_EFORMAT,
                            "checkpoint: %.20s steps and a count of %s", c->header.steps, steps);
    return ngi_counts_check(optimizer, c->counts, n);
}

static int is_finite(const cargo *c, const ngi_entry *entry)
{
    ng_mat m = {c->data + entry->begin, entry->rows, entry->cols, entry->cols,
                entry->item == 4 ? NG_F32 : NG_F64};
    return ng_is_finite(m);
}

static ng_status read_tensors(cargo *c, ng_optimizer *optimizer,
                              const ng_checkpoint_options *options)
{
    ng_error *error = &optimizer->error;
    ng_status status = ngi_entries_load(&c->list, optimizer, options, c->counts[1] > 0);
    if (status == NG_OK)
        status = ngi_header_match(&c->header, &c->list, error);
    for (size_t i = 0; i < c->list.count && status == NG_OK; i++)
        if (c->list.items[i].taken && !is_finite(c, &c->list.items[i]))
            status = ng_error_set(error, NG_ENONFINITE,
                                  "'%.100s' of the checkpoint holds NaN or infinity",
                                  c->list.items[i].name);
    return status;
}

/* Reads and checks everything. */
static ng_status gather(cargo *c, ng_optimizer *optimizer, const char *path,
                        const ng_checkpoint_options *options)
{
    ng_error *error = &optimizer->error;
    ng_status status = ngi_blob_read(path, &c->text, &c->size, &c->data, &c->bytes, error);
    if (status == NG_OK)
        status = ngi_header_read(&c->header, c->text, c->size, c->bytes, error);
    if (status == NG_OK)
        status = check_sum(c, error);
    if (status == NG_OK)
        status = ngi_model_compare(&c->model, c->header.model, optimizer);
    if (status == NG_OK)
        status = read_options(c, optimizer);
    if (status == NG_OK)
        status = read_counts(c, optimizer);
    if (status == NG_OK)
        status = read_tensors(c, optimizer, options);
    if (status == NG_OK && options->random != NULL)
        status =
            ngi_header_vector(&c->header, "random", "U8", &c->random_begin, &c->random_size, error);
    return status;
}

/* The last thing that may fail. */
static ng_status restore_random(const cargo *c, const ng_random *random, ng_error *error)
{
    if (random == NULL)
        return NG_OK;
    if (random->load == NULL)
        return ng_error_set(error, NG_EARG, "the random numbers cannot be restored: no load slot");
    if (random->load(random->data, c->data + c->random_begin, c->random_size) == 0)
        return NG_OK;
    return ng_error_set(error, NG_EFORMAT,
                        "the random numbers' generator refuses the %zu bytes of the checkpoint",
                        c->random_size);
}

static void take_tensor(const cargo *c, const ngi_entry *entry)
{
    size_t width = entry->cols * entry->item;
    for (size_t i = 0; i < entry->rows; i++)
        memcpy((char *)entry->data + i * entry->stride * entry->item,
               c->data + entry->begin + i * width, width);
}

/* Cannot fail. */
static void take(const cargo *c, ng_optimizer *optimizer, const ng_checkpoint_options *options)
{
    ngi_counts_take(optimizer, c->counts);
    for (size_t i = 0; i < c->list.count; i++)
        if (c->list.items[i].taken)
            take_tensor(c, &c->list.items[i]);
    if (options->keep_options)
        return;
    optimizer->clip_value = c->clip_value;
    optimizer->clip_norm = c->clip_norm;
    for (size_t g = 0; g < optimizer->group_count; g++)
        memcpy(optimizer->groups[g]->options, c->options[g],
               optimizer->groups[g]->method->options_size);
}

static void warn(const cargo *c, const ng_optimizer *optimizer)
{
    ng_error note;
    if (optimizer->message == NULL || strcmp(c->header.writer, ng_version()) == 0)
        return;
    ng_error_set(&note, NG_OK,
                 "the checkpoint was written by natgrad %.40s, this is %s: the steps that follow "
                 "may differ in their last bits",
                 c->header.writer, ng_version());
    optimizer->message(note.text, optimizer->message_data);
}

ng_status ng_optimizer_load(ng_optimizer *optimizer, const char *path,
                            const ng_checkpoint_options *options)
{
    ng_checkpoint_options defaults;
    cargo c = {.text = NULL};
    ng_status status = check_call(&options, &defaults, optimizer, path);
    if (status != NG_OK)
        return status;
    status = gather(&c, optimizer, path, options);
    if (status == NG_OK)
        status = restore_random(&c, options->random, &optimizer->error);
    if (status == NG_OK) {
        take(&c, optimizer, options);
        warn(&c, optimizer);
    }
    unload(&c, optimizer->group_count);
    return status;
}
