/* A file into an optimizer (natgrad/checkpoint.h): everything is read and checked before anything
 * changes. */
#include "optim/checkpoint/checkpoint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/linalg.h>
#include <natgrad/version.h>

#include "lib/core/memory.h"
#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/tensors/header.h"

/* All a load gathers. */
typedef struct {
    ng_tensors *file;
    void **options; /* of every group */
    double clip_value, clip_norm;
    ngi_facts facts;
    double *counts;
    ngi_entries entries;
    unsigned char *random;
    size_t random_size;
    ngi_partial partial;
} cargo;

static void unload(cargo *c, size_t groups)
{
    for (size_t g = 0; g < groups && c->options != NULL; g++)
        free(c->options[g]);
    free(c->options);
    free(c->counts);
    free(c->random);
    ngi_facts_free(&c->facts);
    ngi_partial_free(&c->partial);
    ngi_entries_free(&c->entries);
    ng_tensors_close(c->file);
}

/* A tensor that is no matrix of anybody's: [n] of that type. */
static ng_status find_vector(const ng_tensor **found, const ng_tensors *file, const char *name,
                             ng_tensor_dtype dtype, ng_error *error)
{
    const ng_tensor *t = *found = ng_tensors_find(file, name);
    if (t == NULL)
        return ng_error_set(error, NG_ENODATA, "the checkpoint has no '%s'", name);
    if (t->dtype != dtype || t->rank != 1)
        return ng_error_set(error, NG_EFORMAT, "checkpoint: '%s' is not a list of %s", name,
                            ng_tensor_dtype_name(dtype));
    return NG_OK;
}

/* ---- Reading --------------------------------------------------------------------------------- */

ng_status ngi_check_sum(const ng_tensors *file, ng_error *error)
{
    const ng_tensor *t;
    unsigned char bytes[4] = {0};
    uint32_t sum, stored;
    TRY(find_vector(&t, file, "crc32", NG_TENSOR_U8, error));
    if (t->bytes != sizeof bytes || t != ng_tensors_get(file, ng_tensors_count(file) - 1))
        return ng_error_set(error, NG_EFORMAT, "checkpoint: 'crc32' is not the last four bytes");
    TRY(ng_tensors_read(file, bytes, t, 0, sizeof bytes, error));
    TRY(ng_tensors_crc(file, &sum, t, error));
    stored = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
             (uint32_t)bytes[3] << 24;
    if (sum == stored)
        return NG_OK;
    return ng_error_set(error, NG_EFORMAT, "checkpoint: damaged, its check sum is %08lx, not %08lx",
                        (unsigned long)sum, (unsigned long)stored);
}

static ng_status read_model(cargo *c, ng_optimizer *optimizer, int keep_options)
{
    ng_error *error = &optimizer->error;
    TRY(ngi_array_create(&c->options, optimizer->group_count, sizeof *c->options, "options",
                         error));
    for (size_t g = 0; g < optimizer->group_count; g++)
        TRY(ngi_model_options(&c->options[g], c->file, g, optimizer));
    TRY(ngi_facts_list(&c->facts, optimizer, c->options));
    TRY(ngi_facts_compare(&c->facts, c->file, error));
    for (size_t g = 0; g < optimizer->group_count && !keep_options; g++)
        TRY(ngi_group_check(optimizer, c->options[g], error));
    return ngi_model_clipping(&c->clip_value, &c->clip_norm, c->file, error);
}

static ng_status read_counts(cargo *c, ng_optimizer *optimizer)
{
    const ng_tensor *t;
    TRY(find_vector(&t, c->file, "counts", NG_TENSOR_F64, &optimizer->error));
    TRY(ngi_array_create(&c->counts, ngi_size_add(t->count, 2), sizeof *c->counts, "counts",
                         &optimizer->error));
    TRY(ng_tensors_read(c->file, c->counts, t, 0, t->bytes, &optimizer->error));
    return ngi_counts_check(optimizer, c->counts, t->count);
}

/* What the file has of another model. */
static ng_status read_partial(cargo *c, ng_optimizer *optimizer)
{
    const ng_tensor *t;
    double *theirs = NULL;
    size_t count = ng_optimizer_counts(optimizer, NULL, 0);
    ng_error *error = &optimizer->error;
    TRY(ngi_facts_list(&c->facts, optimizer, NULL));
    TRY(ngi_conventions_compare(&c->facts, c->file, error));
    TRY(ngi_partial_match(&c->partial, optimizer, &c->facts, c->file));
    TRY(find_vector(&t, c->file, "counts", NG_TENSOR_F64, error));
    TRY(ngi_array_create(&c->counts, count, sizeof *c->counts, "counts", error));
    TRY(ngi_array_create(&theirs, ngi_size_add(t->count, 2), sizeof *theirs, "counts", error));
    ng_optimizer_counts(optimizer, c->counts, count);
    ng_status status = ng_tensors_read(c->file, theirs, t, 0, t->bytes, error);
    if (status == NG_OK)
        status = ngi_partial_counts(c->counts, &c->partial, optimizer, theirs, t->count);
    free(theirs);
    return status == NG_OK ? ngi_counts_check(optimizer, c->counts, count) : status;
}

static ng_status read_entry(const cargo *c, ngi_entry *entry, ng_error *error)
{
    const ng_tensor *t = entry->found = ng_tensors_find(c->file, entry->name);
    if (t == NULL && entry->optional)
        return NG_OK;
    if (t == NULL)
        return ng_error_set(error, NG_ENODATA, "the checkpoint has no '%s'",
                            ngi_label_of(entry->name).text);
    TRY(ngi_tensor_fits(t, entry->view, error));
    if (!entry->taken) /* as that of another rank */
        return NG_OK;
    TRY(ngi_mat_create(&entry->staged, entry->view.rows, entry->view.cols, entry->view.dtype,
                       error));
    TRY(ng_tensors_read_mat(c->file, entry->staged, t, error));
    return ngi_legal_check(entry->legal, entry->staged, entry->name, error);
}

/* Every tensor of the file is somebody's. `seen`: a byte for each. */
static ng_status check_owners(const cargo *c, unsigned char *seen, ng_error *error)
{
    static const char *const others[] = {"counts", "average", "random", "crc32"};
    const ng_tensor *first = ng_tensors_get(c->file, 0);
    for (size_t i = 0; i < c->entries.count; i++)
        if (c->entries.items[i].found != NULL)
            seen[c->entries.items[i].found - first] = 1;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const ng_tensor *t = ng_tensors_find(c->file, others[i]);
        if (t != NULL)
            seen[t - first] = 1;
    }
    for (size_t i = 0; i < ng_tensors_count(c->file); i++)
        if (!seen[i])
            return ng_error_set(error, NG_EARG, "'%s' of the checkpoint is nobody's here",
                                ngi_label_of(ng_tensors_get(c->file, i)->name).text);
    return NG_OK;
}

static ng_status read_tensors(cargo *c, ng_optimizer *optimizer,
                              const ng_checkpoint_options *options)
{
    ng_error *error = &optimizer->error;
    unsigned char *seen;
    TRY(ngi_entries_load(&c->entries, optimizer, options, c->counts[1] > 0, c->partial.here));
    for (size_t i = 0; i < c->entries.count; i++)
        TRY(read_entry(c, &c->entries.items[i], error));
    if (options->partial)
        return NG_OK;
    TRY(ngi_array_create(&seen, ng_tensors_count(c->file), 1, "marks", error));
    ng_status status = check_owners(c, seen, error);
    free(seen);
    return status;
}

static ng_status read_random(cargo *c, const ng_random *random, ng_error *error)
{
    const ng_tensor *t;
    if (random == NULL)
        return NG_OK;
    TRY(find_vector(&t, c->file, "random", NG_TENSOR_U8, error));
    if (random->load == NULL)
        return ng_error_set(error, NG_EARG, "the random numbers cannot be restored: no load slot");
    c->random_size = t->bytes;
    TRY(ngi_array_create(&c->random, t->bytes, 1, "bytes of random state", error));
    return ng_tensors_read(c->file, c->random, t, 0, t->bytes, error);
}

/* Count and decay of the average. */
static ng_status read_average(cargo *c, const ng_average *average, ng_error *error)
{
    const ng_tensor *t;
    double *x = c->entries.average;
    if (average == NULL)
        return NG_OK;
    TRY(find_vector(&t, c->file, "average", NG_TENSOR_F64, error));
    if (t->bytes != sizeof c->entries.average)
        return ng_error_set(error, NG_EFORMAT, "checkpoint: 'average' is not count and decay");
    TRY(ng_tensors_read(c->file, x, t, 0, t->bytes, error));
    if (!(x[0] >= 0 && x[0] < 9007199254740992.0 && x[0] == floor(x[0])) ||
        !(x[1] >= 0 && x[1] <= 1))
        return ng_error_set(error, NG_EARG, "no average counts %g updates of decay %g", x[0], x[1]);
    return NG_OK;
}

static ng_status gather(cargo *c, ng_optimizer *optimizer, const char *path,
                        const ng_checkpoint_options *options)
{
    if (options->partial && options->average != NULL)
        return ng_error_set(&optimizer->error, NG_EUNSUPPORTED,
                            "an average is not loaded in part: begin a new one");
    TRY(ng_tensors_open(&c->file, path, &optimizer->error));
    TRY(ngi_model_format(c->file, &optimizer->error));
    TRY(ngi_check_sum(c->file, &optimizer->error));
    if (options->partial)
        TRY(read_partial(c, optimizer));
    else {
        TRY(read_model(c, optimizer, options->keep_options));
        TRY(read_counts(c, optimizer));
    }
    TRY(read_tensors(c, optimizer, options));
    TRY(read_average(c, options->average, &optimizer->error));
    return read_random(c, options->random, &optimizer->error);
}

/* ---- Taking ---------------------------------------------------------------------------------- */

/* The last thing that may fail. */
static ng_status take_random(const cargo *c, const ng_random *random, ng_error *error)
{
    if (random == NULL || random->load(random->data, c->random, c->random_size) == 0)
        return NG_OK;
    return ng_error_set(error, NG_EFORMAT,
                        "the random numbers' generator refuses the %zu bytes of the checkpoint",
                        c->random_size);
}

static void take_tensor(const ngi_entry *entry)
{
    size_t item = ng_dtype_size(entry->view.dtype), width = entry->view.cols * item;
    for (size_t i = 0; i < entry->view.rows; i++)
        memcpy((char *)entry->view.data + i * entry->view.stride * item,
               (const char *)entry->staged.data + i * width, width);
}

static void take_average(const double *pair, const ng_checkpoint_options *options)
{
    ng_average *a = options->average;
    if (a == NULL)
        return;
    const ngi_average_table *calls = ngi_average_calls(a);
    calls->set(a, (unsigned long long)pair[0], options->keep_options ? calls->decay(a) : pair[1],
               NULL);
}

/* Cannot fail. */
static void take(const cargo *c, ng_optimizer *optimizer, const ng_checkpoint_options *options)
{
    ngi_counts_take(optimizer, c->counts);
    for (size_t i = 0; i < c->entries.count; i++)
        if (c->entries.items[i].staged.data != NULL)
            take_tensor(&c->entries.items[i]);
    take_average(c->entries.average, options);
    if (options->keep_options || options->partial)
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
    const char *writer = ng_tensors_text(c->file, "library");
    if (optimizer->message == NULL || strcmp(writer, ng_version()) == 0)
        return;
    ng_error_set(&note, NG_OK,
                 "the checkpoint was written by natgrad %s, this is %s: the steps that follow may "
                 "differ in their last bits",
                 ngi_label_of(writer).text, ng_version());
    optimizer->message(note.text, optimizer->message_data);
}

ng_status ng_optimizer_load(ng_optimizer *optimizer, const char *path,
                            const ng_checkpoint_options *options)
{
    ng_checkpoint_options defaults;
    cargo c = {.file = NULL};
    if (optimizer == NULL)
        return NG_EARG;
    ng_status status = ngi_checkpoint_begin(&options, &defaults, optimizer, path);
    if (status == NG_OK)
        status = gather(&c, optimizer, path, options);
    status = ngi_exchange_agree(optimizer, status, 0);
    if (status == NG_OK)
        status =
            ngi_exchange_agree(optimizer, take_random(&c, options->random, &optimizer->error), 0);
    if (status == NG_OK) {
        take(&c, optimizer, options);
        warn(&c, optimizer);
        ngi_partial_report(&c.partial, options->report, options->report_data);
    }
    unload(&c, optimizer->group_count);
    return status;
}
