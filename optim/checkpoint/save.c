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
    if (ngi_sampled(optimizer) != NULL)
        return ng_error_set(error, NG_EARG,
                            "parameter '%.60s' is a sample: ng_optimizer_restore comes first",
                            ngi_sampled(optimizer));
    if (optimizer->shards.added > 0)
        return ng_error_set(error, NG_EARG,
                            "shards were added: ng_optimizer_reduce comes before a checkpoint");
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
    ng_mat piece; /* owned: of a tensor of another rank, 1 x PIECE */
    int agreed;   /* the status is that of all ranks */
} cargo;

enum { PIECE = 1 << 19 }; /* doubles */

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
    if (ngi_attached(optimizer))
        TRY(ngi_mat_create(&c->piece, 1, PIECE, NG_F64, &optimizer->error));
    return gather_random(c, options->random, &optimizer->error);
}

/* ---- Into the file --------------------------------------------------------------------------- */

/* A rank that has failed tells the others when they ask next, once, and they end as it does. */
static ng_status agree(cargo *c, ng_optimizer *optimizer, ng_status status)
{
    if (c->agreed)
        return status;
    status = ngi_exchange_agree(optimizer, status, 0);
    c->agreed = status != NG_OK;
    return status;
}

/* A state tensor of another rank, which is dense, as pieces of a row. */
static ng_status bring(cargo *c, ng_optimizer *optimizer, ng_tensors_writer *file,
                       const ngi_entry *e)
{
    const ng_exchange *exchange = &optimizer->exchange;
    int owner = e->owner - 1;
    size_t item = ng_dtype_size(e->view.dtype), all = e->view.rows * e->view.cols;
    for (size_t done = 0; done < all; done += PIECE) {
        size_t n = all - done < PIECE ? all - done : PIECE;
        ng_mat to = {c->piece.data, 1, n, n, e->view.dtype}, from = to;
        if (exchange->rank == owner)
            from.data = (char *)e->view.data + done * item;
        TRY(agree(c, optimizer, NG_OK));
        exchange->bring(exchange->data, to, from, owner);
        if (exchange->rank == 0)
            TRY(ng_tensors_writer_write(file, to.data, n * item, &optimizer->error));
    }
    return NG_OK;
}

static ng_status announce_entry(ng_tensors_writer *file, const ngi_entry *e, ng_error *error)
{
    size_t shape[2] = {e->view.rows, e->view.cols};
    if (e->vector)
        shape[1] *= shape[0];
    return ng_tensors_writer_add(file, e->name, ng_tensor_dtype_of(e->view.dtype),
                                 shape + e->vector, 2 - (size_t)e->vector, error);
}

static ng_status announce_type(ng_tensors_writer *file, const cargo *c, ng_dtype dtype,
                               ng_error *error)
{
    for (size_t i = 0; i < c->entries.count; i++)
        if (c->entries.items[i].view.dtype == dtype)
            TRY(announce_entry(file, &c->entries.items[i], error));
    return NG_OK;
}

/* Writes the tensors of one type; ranks without a file give what they own. */
static ng_status put_type(ng_tensors_writer *file, cargo *c, ng_dtype dtype,
                          ng_optimizer *optimizer)
{
    for (size_t i = 0; i < c->entries.count; i++) {
        const ngi_entry *e = &c->entries.items[i];
        if (e->view.dtype != dtype)
            continue;
        if (e->owner > 1) /* neither everyone's nor rank 0's */
            TRY(bring(c, optimizer, file, e));
        else if (file != NULL)
            TRY(ng_tensors_writer_write_mat(file, e->view, &optimizer->error));
    }
    return NG_OK;
}

/* Larger elements first, so that all lie at multiples of their size. */
static const ng_dtype order[] = {NG_F64, NG_F32, NG_F16, NG_BF16};
enum { DTYPES = sizeof order / sizeof *order };

static ng_status put_tensors(ng_tensors_writer *file, cargo *c, ng_optimizer *optimizer)
{
    for (int i = 0; i < DTYPES; i++)
        TRY(put_type(file, c, order[i], optimizer));
    return NG_OK;
}

static ng_status announce(ng_tensors_writer *file, const cargo *c, ng_error *error)
{
    const size_t four = 4;
    for (size_t i = 0; i < c->facts.count; i++)
        TRY(ng_tensors_writer_add_text(file, c->facts.items[i].key, c->facts.items[i].text, error));
    for (int i = 0; i < DTYPES; i++)
        TRY(announce_type(file, c, order[i], error));
    if (c->random != NULL)
        TRY(ng_tensors_writer_add(file, "random", NG_TENSOR_U8, &c->random_size, 1, error));
    return ng_tensors_writer_add(file, "crc32", NG_TENSOR_U8, &four, 1, error);
}

static ng_status write_all(ng_tensors_writer *file, cargo *c, ng_optimizer *optimizer)
{
    ng_error *error = &optimizer->error;
    uint32_t crc;
    unsigned char bytes[4];
    TRY(announce(file, c, error));
    TRY(put_tensors(file, c, optimizer));
    TRY(ng_tensors_writer_write(file, c->random, c->random_size, error));
    TRY(ng_tensors_writer_crc(file, &crc, error));
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(crc >> 8 * i);
    return ng_tensors_writer_write(file, bytes, sizeof bytes, error);
}

static ng_status write_file(cargo *c, const char *path, ng_optimizer *optimizer)
{
    ng_tensors_writer *file;
    TRY(ng_tensors_writer_create(&file, path, &optimizer->error));
    ng_status status = write_all(file, c, optimizer);
    if (status == NG_OK)
        return ng_tensors_writer_commit(file, &optimizer->error);
    ng_tensors_writer_discard(file);
    return status;
}

static ng_status save(cargo *c, ng_optimizer *optimizer, const char *path,
                      const ng_checkpoint_options *options)
{
    TRY(gather(c, optimizer, options));
    TRY(agree(c, optimizer, NG_OK));
    ngi_exchange_counts(optimizer, c->entries.counts);
    return optimizer->exchange.rank == 0 ? write_file(c, path, optimizer)
                                         : put_tensors(NULL, c, optimizer);
}

ng_status ng_optimizer_save(ng_optimizer *optimizer, const char *path,
                            const ng_checkpoint_options *options)
{
    ng_checkpoint_options defaults;
    cargo c = {.random = NULL};
    if (optimizer == NULL)
        return NG_EARG;
    ng_status status = ngi_checkpoint_begin(&options, &defaults, optimizer, path);
    if (status == NG_OK)
        status = save(&c, optimizer, path, options);
    status = agree(&c, optimizer, status);
    free(c.random);
    free(c.piece.data);
    ngi_facts_free(&c.facts);
    ngi_entries_free(&c.entries);
    return status;
}
