/* natgrad/exchange.h over MPI. */
#include <natgrad-mpi.h>

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"
#include "lib/mpi/tree.h"

enum { MOST_RANKS = 65535, RANK_BITS = 16 };
enum { BUFFER = 32 << 20, LEAST_PIECE = 64 << 10, MESSAGE = 1 << 30 }; /* bytes */

typedef struct {
    MPI_Comm comm; /* ours */
    int rank, ranks;
    size_t shards;
    size_t piece; /* bytes of each rank in one call */
    char *buffer; /* ranks pieces */
    int *counts, *starts;
} team;

/* ---- Votes ---------------------------------------------------------------------------------- */

/* The failure of the lowest order and rank, as that rank tells it. */
static ng_status tell_failure(const team *t, ng_exchange_vote *vote, int from)
{
    ng_error own = vote->error;
    if (t->rank == from)
        ng_error_set(&vote->error, own.status, "rank %d: %.240s", from, own.text);
    MPI_Bcast(&vote->error, (int)sizeof vote->error, MPI_BYTE, from, t->comm);
    return vote->error.status;
}

static ng_status tell_difference(const team *t, ng_exchange_vote *vote)
{
    unsigned long long first = vote->mark;
    MPI_Bcast(&first, 1, MPI_UNSIGNED_LONG_LONG, 0, t->comm);
    int own = vote->mark != first ? t->rank : INT_MAX, lowest;
    MPI_Allreduce(&own, &lowest, 1, MPI_INT, MPI_MIN, t->comm);
    return ng_error_set(&vote->error, NG_EARG,
                        "rank %d: its options, multiplier, monitors, micro-batches or frozen "
                        "parameters are not those of rank 0",
                        lowest);
}

static ng_status agree(void *data, ng_exchange_vote *vote)
{
    const team *t = data;
    int failed = vote->error.status != NG_OK;
    unsigned long long own[3], all[3];
    own[0] = failed ? vote->order << RANK_BITS | (unsigned)t->rank : ULLONG_MAX;
    own[1] = vote->mark;
    own[2] = ~vote->mark; /* the least of these is the largest mark */
    MPI_Allreduce(own, all, 3, MPI_UNSIGNED_LONG_LONG, MPI_MIN, t->comm);
    if (all[0] != ULLONG_MAX)
        return tell_failure(t, vote, (int)(all[0] & MOST_RANKS));
    return all[1] == ~all[2] ? NG_OK : tell_difference(t, vote);
}

/* ---- Views of their owners ------------------------------------------------------------------- */

/* How far the rows of one rank's items, one after the other, have come. */
typedef struct {
    size_t item, row, byte;
} place;

static size_t row_bytes(ng_mat m)
{
    return m.cols * ng_dtype_size(m.dtype);
}

static char *row_of(ng_mat m, size_t i)
{
    return (char *)m.data + i * m.stride * ng_dtype_size(m.dtype);
}

/* The next `size` bytes of the owner's items from the buffer, or, if `out`, into it. */
static void copy(place *at, const ng_exchange_item *items, int owner, char *buffer, size_t size,
                 int out)
{
    while (size > 0) {
        ng_mat view = items[at->item].view;
        if (items[at->item].owner != owner || at->row == view.rows) {
            at->item++;
            at->row = at->byte = 0;
            continue;
        }
        size_t left = row_bytes(view) - at->byte, count = size < left ? size : left;
        char *row = row_of(view, at->row) + at->byte;
        memcpy(out ? buffer : row, out ? row : buffer, count);
        buffer += count;
        size -= count;
        at->byte += count;
        if (at->byte == row_bytes(view)) {
            at->row++;
            at->byte = 0;
        }
    }
}

static size_t bytes_of(const ng_exchange_item *items, size_t count, int owner)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        if (items[i].owner == owner)
            bytes += items[i].view.rows * row_bytes(items[i].view);
    return bytes;
}

/* All pieces of one round, and the most bytes of a rank that are left. */
static size_t begin_round(const team *t, const ng_exchange_item *items, size_t count, size_t done)
{
    size_t most = 0;
    for (int r = 0; r < t->ranks; r++) {
        size_t bytes = bytes_of(items, count, r), left = bytes > done ? bytes - done : 0;
        t->counts[r] = (int)(left < t->piece ? left : t->piece);
        t->starts[r] = (int)(r == 0 ? 0 : (size_t)t->starts[r - 1] + (size_t)t->counts[r - 1]);
        most = left > most ? left : most;
    }
    return most;
}

/* In rounds of one piece a rank: small models take one. */
static void share(void *data, const ng_exchange_item *items, size_t count)
{
    const team *t = data;
    place *at = (place *)(void *)(t->counts + 2 * t->ranks);
    memset(at, 0, (size_t)t->ranks * sizeof *at);
    for (size_t done = 0; t->ranks > 1 && begin_round(t, items, count, done) > 0;
         done += t->piece) {
        copy(&at[t->rank], items, t->rank, t->buffer + t->starts[t->rank],
             (size_t)t->counts[t->rank], 1);
        MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_BYTE, t->buffer, t->counts, t->starts, MPI_BYTE,
                       t->comm);
        for (int r = 0; r < t->ranks; r++)
            if (r != t->rank)
                copy(&at[r], items, r, t->buffer + t->starts[r], (size_t)t->counts[r], 0);
    }
}

/* ---- To rank 0 ----------------------------------------------------------------------------------
 */

static void bring(void *data, ng_mat to, ng_mat from, int owner)
{
    const team *t = data;
    ng_mat view = t->rank == owner ? from : to;
    if (t->rank != owner && t->rank != 0)
        return;
    for (size_t i = 0; i < view.rows; i++)
        for (size_t done = 0; done < row_bytes(view); done += MESSAGE) {
            size_t left = row_bytes(view) - done;
            int count = left < MESSAGE ? (int)left : MESSAGE;
            char *bytes = row_of(view, i) + done;
            if (t->rank == owner)
                MPI_Send(bytes, count, MPI_BYTE, 0, 0, t->comm);
            else
                MPI_Recv(bytes, count, MPI_BYTE, owner, 0, t->comm, MPI_STATUS_IGNORE);
        }
}

/* ---- Sums over shards --------------------------------------------------------------------------
 */

static ng_status open_sums(void *data, void **sums, const ng_exchange_term *terms, size_t count,
                           ng_error *error)
{
    const team *t = data;
    ngi_tree *tree;
    TRY(ngi_tree_create(&tree, t->comm, terms, count, t->shards, NG_OK, error));
    *sums = tree;
    return NG_OK;
}

static void add_shard(void *sums, const ng_exchange_term *terms, size_t shard, double weight)
{
    ngi_tree_add(sums, terms, shard, weight);
}

static ng_status reduce(void *sums, const ng_exchange_term *terms, ng_error *error)
{
    return ngi_tree_reduce(sums, terms, 1, error);
}

static void close_sums(void *sums)
{
    ngi_tree_destroy(sums);
}

/* ---- Attach
 * -------------------------------------------------------------------------------------- */

static void destroy(void *data)
{
    team *t = data;
    int ended = 1;
    if (t == NULL)
        return;
    MPI_Finalized(&ended);
    if (!ended && t->comm != MPI_COMM_NULL)
        MPI_Comm_free(&t->comm);
    free(t->buffer);
    free(t->counts);
    free(t);
}

/* Of this rank alone; counts, starts and places lie in one block. */
static team *make(MPI_Comm comm)
{
    team *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->comm = MPI_COMM_NULL;
    MPI_Comm_rank(comm, &t->rank);
    MPI_Comm_size(comm, &t->ranks);
    size_t ranks = (size_t)t->ranks;
    t->piece = BUFFER / ranks > LEAST_PIECE ? BUFFER / ranks : LEAST_PIECE;
    if (t->ranks > MOST_RANKS || ranks * t->piece > INT_MAX)
        t->piece = 0;
    t->buffer = malloc(ranks * t->piece + 1);
    t->counts = malloc(2 * ranks * sizeof *t->counts + ranks * sizeof(place));
    if (t->buffer != NULL && t->counts != NULL && t->piece > 0) {
        t->starts = t->counts + ranks;
        return t;
    }
    destroy(t);
    return NULL;
}

ng_status ng_mpi_init_sized(ng_mpi_options *options, size_t size)
{
    ng_mpi_options defaults = {.size = sizeof defaults, .fraction = 0.1};
    if (options == NULL)
        return NG_EARG;
    if (size != sizeof defaults)
        return NG_EOPTION;
    *options = defaults;
    return NG_OK;
}

/* MPI is there, and all ranks have their part: nobody goes on alone. */
static ng_status gather_team(team **t, MPI_Comm comm)
{
    int begun = 0, ended = 0, own, all;
    MPI_Initialized(&begun);
    MPI_Finalized(&ended);
    if (!begun || ended)
        return NG_EARG;
    *t = make(comm);
    own = *t == NULL;
    MPI_Allreduce(&own, &all, 1, MPI_INT, MPI_MAX, comm);
    if (all != 0) {
        destroy(*t);
        return NG_ENOMEM;
    }
    MPI_Comm_dup(comm, &(*t)->comm);
    MPI_Comm_set_errhandler((*t)->comm, MPI_ERRORS_ARE_FATAL);
    return NG_OK;
}

static ng_exchange exchange_of(team *t, const ng_mpi_options *options)
{
    ng_exchange exchange = {
        .size = sizeof exchange,
        .rank = t->rank,
        .ranks = t->ranks,
        .replicate = options->sharing == NG_MPI_HYBRID      ? options->fraction
                     : options->sharing == NG_MPI_REPLICATE ? 1
                                                            : 0,
        .check = options->check,
        .agree = agree,
        .share = share,
        .bring = bring,
        .shards = options->shards,
        .open_sums = open_sums,
        .add_shard = add_shard,
        .reduce = reduce,
        .close_sums = close_sums,
        .destroy = destroy,
        .data = t,
    };
    t->shards = options->shards;
    return exchange;
}

ng_status ng_mpi_exchange_create(ng_exchange *exchange, MPI_Comm comm,
                                 const ng_mpi_options *options)
{
    team *t = NULL;
    ng_mpi_options defaults;
    if (exchange == NULL)
        return NG_EARG;
    *exchange = (ng_exchange){.size = 0};
    TRY(ng_mpi_init(&defaults));
    options = options != NULL ? options : &defaults;
    if (options->size != sizeof *options || options->sharing < NG_MPI_OWNER ||
        options->sharing > NG_MPI_HYBRID)
        return NG_EOPTION;
    TRY(gather_team(&t, comm));
    *exchange = exchange_of(t, options);
    return NG_OK;
}

ng_status ng_mpi_optimizer_attach(ng_optimizer *optimizer, MPI_Comm comm,
                                  const ng_mpi_options *options)
{
    ng_exchange exchange;
    if (optimizer == NULL)
        return NG_EARG;
    TRY(ng_mpi_exchange_create(&exchange, comm, options));
    ng_status status = ng_optimizer_attach(optimizer, &exchange);
    if (status != NG_OK)
        destroy(exchange.data);
    return status;
}
