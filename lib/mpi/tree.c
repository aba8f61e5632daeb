/* Sums over shards of a batch in one binary tree, whatever ranks have them (natgrad-mpi.h). */
#include "lib/mpi/tree.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"

/* The sum of the shards from start on, of a number that is a power of two and divides start: what
 * lies in the tree whoever makes it. All terms of a dtype one after the other, symmetric ones as
 * the rows of their lower triangle. */
typedef struct {
    size_t start, size;
    ng_mat sum[2]; /* by dtype, 1 x n */
} node;

struct ngi_tree {
    MPI_Comm comm; /* ours */
    int rank, ranks;
    size_t term_count;
    size_t shards, first, last; /* of this rank: first ... last - 1 */
    size_t added;
    size_t length[2]; /* of a sum, by dtype */
    node *nodes;      /* of this rank, in the order of shards, and room for one more */
    size_t count, room;
};

/* Elements of a sum that are on their way at once. */
enum { WINDOW = 4 << 20 };

static size_t item_size(int dtype)
{
    return dtype == NG_F32 ? sizeof(int32_t) : sizeof(double);
}

static size_t first_of(const ngi_tree *s, int rank)
{
    size_t first, last;
    ng_exchange_part(&first, &last, s->shards, rank, s->ranks);
    return first;
}

/* Do two neighbours make a node of the tree? */
static int are_halves(size_t start, size_t size, size_t right_size)
{
    return size == right_size && start % (2 * size) == 0;
}

/* The sizes of the nodes that shards first ... last - 1 make, *most of them at once on the way. */
static size_t count_nodes(size_t *starts, size_t *sizes, size_t first, size_t last, size_t *most)
{
    size_t count = 0;
    *most = 0;
    for (size_t i = first; i < last; i++) {
        starts[count] = i;
        sizes[count++] = 1;
        *most = count > *most ? count : *most;
        while (count > 1 && are_halves(starts[count - 2], sizes[count - 2], sizes[count - 1]))
            sizes[--count - 1] *= 2;
    }
    return count;
}

enum { DEPTH = 2 * 64 }; /* more nodes than any range of shards makes */

/* ---- Create
 * -------------------------------------------------------------------------------------- */

void ngi_tree_destroy(ngi_tree *s)
{
    int ended = 1;
    if (s == NULL)
        return;
    MPI_Finalized(&ended);
    if (!ended && s->comm != MPI_COMM_NULL)
        MPI_Comm_free(&s->comm);
    for (size_t i = 0; i < s->room && s->nodes != NULL; i++)
        for (int d = 0; d < 2; d++)
            free(s->nodes[i].sum[d].data);
    free(s->nodes);
    free(s);
}

/* Numbers of row i that are sent. */
static size_t row_length(const ng_exchange_term *term, size_t i)
{
    return term->symmetric ? i + 1 : term->view.cols;
}

static ng_status measure(ngi_tree *s, const ng_exchange_term *terms, size_t count, ng_error *error)
{
    for (size_t i = 0; i < count; i++) {
        ng_mat m = terms[i].view;
        if ((m.dtype != NG_F32 && m.dtype != NG_F64) || m.stride < m.cols ||
            (terms[i].symmetric && m.rows != m.cols))
            return ng_error_set(error, NG_EARG, "term %zu of a sum over shards is no matrix", i);
        s->length[m.dtype] += terms[i].symmetric ? m.rows * (m.rows + 1) / 2 : m.rows * m.cols;
    }
    s->term_count = count;
    return NG_OK;
}

static ng_status make_nodes(ngi_tree *s, ng_error *error)
{
    size_t starts[DEPTH], sizes[DEPTH];
    s->first = first_of(s, s->rank);
    s->last = first_of(s, s->rank + 1);
    count_nodes(starts, sizes, s->first, s->last, &s->room);
    s->nodes = calloc(s->room + 1, sizeof *s->nodes);
    if (s->nodes == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for sums");
    for (size_t i = 0; i < s->room; i++)
        for (int d = 0; d < 2; d++) {
            size_t n = s->length[d];
            ng_mat sum = {malloc(n * item_size(d) + 1), 1, n, n, (ng_dtype)d};
            s->nodes[i].sum[d] = sum;
            if (sum.data == NULL)
                return ng_error_set(error, NG_ENOMEM, "no memory for sums of %zu numbers", n);
        }
    return NG_OK;
}

static ng_status fill(ngi_tree *s, const ng_exchange_term *terms, size_t count, size_t shards,
                      ng_error *error)
{
    s->shards = shards;
    if (shards < (size_t)s->ranks)
        return ng_error_set(error, NG_EARG, "%zu shards for %d ranks", shards, s->ranks);
    TRY(measure(s, terms, count, error));
    return make_nodes(s, error);
}

/* One status for all: the lowest, and whether they were told the same. */
static ng_status agree(const ngi_tree *s, MPI_Comm comm, ng_status own, ng_error *error)
{
    long long mine[7] = {own, 0, 0, 0, 0, 0, 0}, all[7];
    if (s != NULL)
        for (int i = 0; i < 3; i++) {
            mine[1 + i] = (long long)(i < 2 ? s->length[i] : s->shards);
            mine[4 + i] = -mine[1 + i];
        }
    MPI_Allreduce(mine, all, 7, MPI_LONG_LONG, MPI_MIN, comm);
    if (all[0] != NG_OK)
        return own != NG_OK ? own
                            : ng_error_set(error, (ng_status)all[0], "another rank failed: %s",
                                           ng_status_text((ng_status)all[0]));
    if (all[1] != -all[4] || all[2] != -all[5] || all[3] != -all[6])
        return ng_error_set(error, NG_EARG, "the ranks differ in shards or gradients");
    return NG_OK;
}

ng_status ngi_tree_create(ngi_tree **tree, MPI_Comm comm, const ng_exchange_term *terms,
                          size_t count, size_t shards, ng_status own, ng_error *error)
{
    ngi_tree *s = calloc(1, sizeof *s);
    *tree = NULL;
    if (s != NULL) {
        s->comm = MPI_COMM_NULL;
        MPI_Comm_rank(comm, &s->rank);
        MPI_Comm_size(comm, &s->ranks);
    }
    if (own == NG_OK)
        own = s != NULL ? fill(s, terms, count, shards, error)
                        : ng_error_set(error, NG_ENOMEM, "no memory for shards");
    ng_status status = agree(s, comm, own, error);
    if (status != NG_OK) {
        ngi_tree_destroy(s);
        return status;
    }
    MPI_Comm_dup(comm, &s->comm);
    MPI_Comm_set_errhandler(s->comm, MPI_ERRORS_ARE_FATAL);
    *tree = s;
    return NG_OK;
}

void ngi_tree_range(const ngi_tree *s, size_t *first, size_t *last)
{
    *first = s->first;
    *last = s->last;
}

/* ---- This rank's part of the tree
 * ------------------------------------------------------------------ */

/* The terms into the sums, or, if `out`, from them. */
static void copy(const ngi_tree *s, const node *n, const ng_exchange_term *terms, int out)
{
    size_t at[2] = {0, 0};
    for (size_t v = 0; v < s->term_count; v++) {
        ng_mat view = terms[v].view;
        size_t size = item_size(view.dtype);
        for (size_t i = 0; i < view.rows; i++) {
            size_t length = row_length(&terms[v], i), bytes = length * size;
            char *row = (char *)view.data + i * view.stride * size;
            char *sum = (char *)n->sum[view.dtype].data + at[view.dtype] * size;
            at[view.dtype] += length;
            if (view.data != NULL)
                memcpy(out ? row : sum, out ? sum : row, bytes);
            else if (!out)
                memset(sum, 0, bytes);
        }
    }
}

void ngi_tree_add(ngi_tree *s, const ng_exchange_term *terms, size_t shard, double weight)
{
    if (shard == s->first)
        s->count = s->added = 0;
    node *leaf = &s->nodes[s->count++];
    leaf->start = s->first + s->added++;
    leaf->size = 1;
    copy(s, leaf, terms, 0);
    for (int d = 0; d < 2 && weight != 1; d++)
        ng_scale(leaf->sum[d], weight);
    while (s->count > 1) {
        node *left = &s->nodes[s->count - 2], *right = left + 1;
        if (!are_halves(left->start, left->size, right->size))
            break;
        for (int d = 0; d < 2; d++)
            ng_axpby(left->sum[d], right->sum[d], 1, 1, NULL);
        left->size *= 2;
        s->count--;
    }
}

/* ---- All ranks'
 * ------------------------------------------------------------------------------------- */

/* A window of the sums of one dtype: each rank has a part of it from all, adds up, and gives it to
 * all. */
typedef struct {
    double scale;       /* on the sum */
    size_t begin, size; /* of the window */
    int *counts, *starts, *own_counts, *own_starts;
    char *out, *in;
} window;

/* Elements of the window that rank r adds up: *begin within the window. */
static size_t part(const ngi_tree *s, const window *w, int r, size_t *begin)
{
    size_t ranks = (size_t)s->ranks, at = (size_t)r;
    *begin = w->size * at / ranks;
    return w->size * (at + 1) / ranks - *begin;
}

/* `in` holds, rank after rank and node after node, our part of every node; their sum, scaled, comes
 * first. */
static ng_status add_up(const ngi_tree *s, const window *w, int dtype, size_t size)
{
    size_t starts[DEPTH], sizes[DEPTH], most, count = 0, at = 0;
    ng_mat sums[DEPTH];
    size_t stack_start[DEPTH], stack_size[DEPTH];
    for (int r = 0; r < s->ranks; r++) {
        size_t nodes = count_nodes(starts, sizes, first_of(s, r), first_of(s, r + 1), &most);
        for (size_t i = 0; i < nodes; i++, at += size) {
            ng_mat m = {w->in + at * item_size(dtype), 1, size, size, (ng_dtype)dtype};
            sums[count] = m;
            stack_start[count] = starts[i];
            stack_size[count++] = sizes[i];
            while (count > 1 && are_halves(stack_start[count - 2], stack_size[count - 2],
                                           stack_size[count - 1])) {
                count--;
                TRY(ng_axpby(sums[count - 1], sums[count], 1, 1, NULL));
                stack_size[count - 1] *= 2;
            }
        }
    }
    for (; count > 1; count--) /* shards that are no power of two: the right ones first */
        TRY(ng_axpby(sums[count - 2], sums[count - 1], 1, 1, NULL));
    if (w->scale != 1)
        ng_scale(sums[0], w->scale);
    return NG_OK;
}

/* What goes to whom: each rank's part of our nodes. One node lies there already. */
static const char *pack(const ngi_tree *s, window *w, int dtype)
{
    size_t item = item_size(dtype), sent = 0, begin;
    for (int r = 0; r < s->ranks; r++) {
        size_t n = part(s, w, r, &begin);
        w->own_starts[r] = (int)sent;
        w->own_counts[r] = (int)(n * s->count);
        for (size_t i = 0; i < s->count && s->count > 1; i++)
            memcpy(w->out + (sent + i * n) * item,
                   (char *)s->nodes[i].sum[dtype].data + (w->begin + begin) * item, n * item);
        sent += n * s->count;
    }
    return s->count > 1 ? w->out : (char *)s->nodes[0].sum[dtype].data + w->begin * item;
}

static ng_status reduce_window(ngi_tree *s, window *w, int dtype)
{
    MPI_Datatype type = dtype == NG_F32 ? MPI_FLOAT : MPI_DOUBLE;
    size_t item = item_size(dtype), begin, received = 0, starts[DEPTH], sizes[DEPTH], most,
           mine = part(s, w, s->rank, &begin);
    for (int r = 0; r < s->ranks; r++) {
        size_t nodes = count_nodes(starts, sizes, first_of(s, r), first_of(s, r + 1), &most);
        w->starts[r] = (int)received;
        w->counts[r] = (int)(nodes * mine);
        received += nodes * mine;
    }
    const char *out = pack(s, w, dtype);
    MPI_Alltoallv(out, w->own_counts, w->own_starts, type, w->in, w->counts, w->starts, type,
                  s->comm);
    TRY(add_up(s, w, dtype, mine));
    for (int r = 0; r < s->ranks; r++) {
        w->counts[r] = (int)part(s, w, r, &begin);
        w->starts[r] = (int)begin;
    }
    MPI_Allgatherv(w->in, (int)mine, type, (char *)s->nodes[0].sum[dtype].data + w->begin * item,
                   w->counts, w->starts, type, s->comm);
    return NG_OK;
}

static ng_status reduce(ngi_tree *s, window *w)
{
    for (int d = 0; d < 2; d++)
        for (w->begin = 0; w->begin < s->length[d]; w->begin += w->size) {
            size_t left = s->length[d] - w->begin;
            w->size = left < WINDOW ? left : WINDOW;
            TRY(reduce_window(s, w, d));
        }
    return NG_OK;
}

/* Bytes of a window with `nodes` nodes. */
static size_t room_of(const ngi_tree *s, size_t nodes, size_t ranks)
{
    size_t longest = 0;
    for (int d = 0; d < 2; d++) {
        size_t n = s->length[d] < WINDOW ? s->length[d] : WINDOW;
        longest = n * item_size(d) > longest ? n * item_size(d) : longest;
    }
    return (longest / ranks + sizeof(double)) * nodes;
}

static size_t all_nodes(const ngi_tree *s)
{
    size_t starts[DEPTH], sizes[DEPTH], most, nodes = 0;
    for (int r = 0; r < s->ranks; r++)
        nodes += count_nodes(starts, sizes, first_of(s, r), first_of(s, r + 1), &most);
    return nodes;
}

static ng_status check_complete(ngi_tree *s, window *w, ng_error *error)
{
    if (s->first + s->added < s->last)
        return ng_error_set(error, NG_EARG, "%zu of this rank's %zu shards are missing",
                            s->last - s->first - s->added, s->last - s->first);
    size_t ranks = (size_t)s->ranks;
    w->counts = malloc(4 * ranks * sizeof *w->counts);
    w->out = malloc(room_of(s, s->count * ranks, ranks));
    w->in = malloc(room_of(s, all_nodes(s), ranks));
    if (w->counts == NULL || w->out == NULL || w->in == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for the sums of %d ranks", s->ranks);
    w->starts = w->counts + ranks;
    w->own_counts = w->starts + ranks;
    w->own_starts = w->own_counts + ranks;
    return NG_OK;
}

ng_status ngi_tree_reduce(ngi_tree *s, const ng_exchange_term *terms, double scale, ng_error *error)
{
    window w = {.scale = scale};
    ng_status status = agree(s, s->comm, check_complete(s, &w, error), error);
    if (status == NG_OK)
        status = reduce(s, &w);
    if (status == NG_OK) {
        copy(s, &s->nodes[0], terms, 1);
        s->count = s->added = 0;
    }
    free(w.counts);
    free(w.out);
    free(w.in);
    return status;
}
