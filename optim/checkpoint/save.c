/* An optimizer into a file (natgrad/checkpoint.h). */
#include "optim/checkpoint/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "lib/core/memory.h"
#include "lib/core/try.h"

ng_status ng_checkpoint_init_sized(ng_checkpoint_options *options, size_t size)
{
    ng_checkpoint_options defaults = {.size = sizeof defaults};
    if (options == NULL)
        return NG_EARG;
    if (size != sizeof defaults)
        return NG_EOPTION;
    *options = defaults;
    return NG_OK;
}

ng_status ngi_checkpoint_begin(const ng_checkpoint_options **options,
                               ng_checkpoint_options *defaults, ng_optimizer *optimizer,
                               const char *path)
{
    if (optimizer == NULL)
        return NG_EARG;
    ng_error *error = ngi_begin(optimizer);
    TRY(ng_checkpoint_init(defaults));
    if (*options == NULL)
        *options = defaults;
    if (path == NULL || path[0] == '\0')
        return ng_error_set(error, NG_EARG, "a checkpoint's path");
    if ((*options)->size != sizeof **options)
        return ng_error_set(error, NG_EOPTION,
                            "checkpoint options of %zu bytes, this library's have %zu: was "
                            "ng_checkpoint_init called?",
                            (*options)->size, sizeof **options);
    return NG_OK;
}

/* What a save gathers before it begins a file. */
typedef struct {
    ngi_entries entries;
    ngi_facts facts;
    unsigned char *random; /* owned, or NULL */
    size_t random_size;
} cargo;

static ng_status gather_random(cargo *c, const ng_random *random, ng_error *error)
{
    if (random == NULL)
        return NG_OK;
    if (random->save == NULL)
        return ng_error_set(error, NG_EARG, "the random numbers cannot be saved: no save slot");
    c->random_size = random->save(random->data, NULL, 0);
    TRY(ngi_array_create(&c->random, c->random_size, 1, "bytes of random state", error));
    random->save(random->data, c->random, c->random_size);
    return NG_OK;
}

static ng_status gather(cargo *c, ng_optimizer *optimizer, const ng_checkpoint_options *options)
{
    TRY(ngi_entries_save(&c->entries, optimizer, options));
    TRY(ngi_facts_list(&c->facts, optimizer, NULL));
    return gather_random(c, options->random, &optimizer->error);
}

/* ---- Into the file --------------------------------------------------------------------------- */

/* Announces, or writes, the tensors of one type. */
static ng_status put_type(ng_tensors_writer *file, const cargo *c, ng_dtype dtype, int announce,
                          ng_error *error)
{
    for (size_t i = 0; i < c->entries.count; i++) {
        const ngi_entry *e = &c->entries.items[i];
        size_t shape[2] = {e->view.rows, e->view.cols};
        if (e->vector)
            shape[1] *= shape[0];
        if (e->view.dtype == dtype)
            TRY(announce ? ng_tensors_writer_add(file, e->name,
                                                 dtype == NG_F32 ? NG_TENSOR_F32 : NG_TENSOR_F64,
                                                 shape + e->vector, 2 - (size_t)e->vector, error)
                         : ng_tensors_writer_write_mat(file, e->view, error));
    }
    return NG_OK;
}

static ng_status announce(ng_tensors_writer *file, const cargo *c, ng_error *error)
{
    const size_t four = 4;
    for (size_t i = 0; i < c->facts.count; i++)
        TRY(ng_tensors_writer_add_text(file, c->facts.items[i].key, c->facts.items[i].text, error));
    TRY(put_type(file, c, NG_F64, 1, error));
    TRY(put_type(file, c, NG_F32, 1, error));
    if (c->random != NULL)
        TRY(ng_tensors_writer_add(file, "random", NG_TENSOR_U8, &c->random_size, 1, error));
    return ng_tensors_writer_add(file, "crc32", NG_TENSOR_U8, &four, 1, error);
}

static ng_status write_all(ng_tensors_writer *file, const cargo *c, ng_error *error)
{
    uint32_t crc;
    unsigned char bytes[4];
    TRY(announce(file, c, error));
    TRY(put_type(file, c, NG_F64, 0, error));
    TRY(put_type(file, c, NG_F32, 0, error));
    TRY(ng_tensors_writer_write(file, c->random, c->random_size, error));
    TRY(ng_tensors_writer_crc(file, &crc, error));
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(crc >> 8 * i);
    return ng_tensors_writer_write(file, bytes, sizeof bytes, error);
}

static ng_status write_file(const cargo *c, const char *path, ng_error *error)
{
    ng_tensors_writer *file;
    TRY(ng_tensors_writer_create(&file, path, error));
    ng_status status = write_all(file, c, error);
    if (status == NG_OK)
        return ng_tensors_writer_commit(file, error);
    ng_tensors_writer_discard(file);
    return status;
}

ng_status ng_optimizer_save(ng_optimizer *optimizer, const char *path,
                            const ng_checkpoint_options *options)
{
    ng_checkpoint_options defaults;
    cargo c = {.random = NULL};
    TRY(ngi_checkpoint_begin(&options, &defaults, optimizer, path));
    ng_status status = gather(&c, optimizer, options);
    if (status == NG_OK)
        status = write_file(&c, path, &optimizer->error);
    free(c.random);
    ngi_facts_free(&c.facts);
    ngi_entries_free(&c.entries);
    return status;
}
