/* Sums over shards of a batch in one binary tree, whatever ranks have them (natgrad-mpi.h). */
#include <natgrad-mpi.h>

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/try.h"

/* The sum of the shards from start on, of a number that is a power of two and divides start: what
 * lies in the tree whoever makes it. All views of a dtype one after the other. */
typedef struct {
    size_t start, size;
    ng_mat sum[2]; /* by dtype, 1 x n */
} node;

struct ng_mpi_shards {
    MPI_Comm comm; /* ours */
    int rank, ranks;
    ng_mat *views;
    size_t view_count;
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

static size_t first_of(const ng_mpi_shards *s, int rank)
{
    size_t part = s->shards / (size_t)s->ranks, rest = s->shards % (size_t)s->ranks,
           r = (size_t)rank;
    return r * part + (r < rest ? r : rest);
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

void ng_mpi_shards_destroy(ng_mpi_shards *s)
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
    free(s->views);
    free(s);
}

static ng_status take_views(ng_mpi_shards *s, const ng_mat *views, size_t count, ng_error *error)
{
    s->views = calloc(count + 1, sizeof *s->views);
    if (s->views == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu views", count);
    for (size_t i = 0; i < count; i++) {
        if (views[i].data == NULL || (views[i].dtype != NG_F32 && views[i].dtype != NG_F64) ||
            views[i].stride < views[i].cols)
            return ng_error_set(error, NG_EARG, "gradient %zu is no matrix", i);
        s->views[i] = views[i];
        s->length[views[i].dtype] += views[i].rows * views[i].cols;
    }
    s->view_count = count;
    return NG_OK;
}

static ng_status make_nodes(ng_mpi_shards *s, ng_error *error)
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

static ng_status fill(ng_mpi_shards *s, const ng_mat *views, size_t count, size_t shards,
                      ng_error *error)
{
    s->shards = shards;
    if ((views == NULL && count > 0) || shards < (size_t)s->ranks)
        return ng_error_set(error, NG_EARG, "%zu shards for %d ranks", shards, s->ranks);
    TRY(take_views(s, views, count, error));
    return make_nodes(s, error);
}

/* One status for all: the lowest, and whether they were told the same. */
static ng_status agree(const ng_mpi_shards *s, MPI_Comm comm, ng_status own, ng_error *error)
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

ng_status ng_mpi_shards_create(ng_mpi_shards **shards, MPI_Comm comm, const ng_mat *gradients,
                               size_t count, size_t number, ng_error *error)
{
    int begun = 0, ended = 0;
    if (shards == NULL)
        return ng_error_set(error, NG_EARG, "no place for shards");
    *shards = NULL;
    MPI_Initialized(&begun);
    MPI_Finalized(&ended);
    if (!begun || ended)
        return ng_error_set(error, NG_EARG, "MPI is not there: MPI_Init comes before");
    ng_mpi_shards *s = calloc(1, sizeof *s);
    ng_status status = ng_error_set(s != NULL ? NULL : error, s != NULL ? NG_OK : NG_ENOMEM,
                                    "no memory for shards");
    if (s != NULL) {
        s->comm = MPI_COMM_NULL;
        MPI_Comm_rank(comm, &s->rank);
        MPI_Comm_size(comm, &s->ranks);
        status = fill(s, gradients, count, number, error);
    }
    status = agree(s, comm, status, error);
    if (status != NG_OK) {
        ng_mpi_shards_destroy(s);
        return status;
    }
    MPI_Comm_dup(comm, &s->comm);
    MPI_Comm_set_errhandler(s->comm, MPI_ERRORS_ARE_FATAL);
    *shards = s;
    return NG_OK;
}

void ng_mpi_shards_range(const ng_mpi_shards *s, size_t *first, size_t *last)
{
    *first = s->first;
    *last = s->last;
}

/* ---- This rank's part of the tree
 * ------------------------------------------------------------------ */

/* The views into the sums, or, if `out`, from them. */
static void copy(const ng_mpi_shards *s, const node *n, int out)
{
    size_t at[2] = {0, 0};
    for (size_t v = 0; v < s->view_count; v++) {
        ng_mat view = s->views[v];
        size_t size = item_size(view.dtype), bytes = view.cols * size;
        for (size_t i = 0; i < view.rows; i++, at[view.dtype] += view.cols) {
            char *row = (char *)view.data + i * view.stride * size;
            char *sum = (char *)n->sum[view.dtype].data + at[view.dtype] * size;
            memcpy(out ? row : sum, out ? sum : row, bytes);
        }
    }
}

ng_status ng_mpi_shards_add(ng_mpi_shards *s, ng_error *error)
{
    if (s == NULL || s->first + s->added == s->last)
        return ng_error_set(error, NG_EARG, "no shard of this rank is left");
    node *leaf = &s->nodes[s->count++];
    leaf->start = s->first + s->added++;
    leaf->size = 1;
    copy(s, leaf, 0);
    while (s->count > 1) {
        node *left = &s->nodes[s->count - 2], *right = left + 1;
        if (!are_halves(left->start, left->size, right->size))
            break;
        for (int d = 0; d < 2; d++)
            TRY(ng_axpby(left->sum[d], right->sum[d], 1, 1, error));
        left->size *= 2;
        s->count--;
    }
    return NG_OK;
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
static size_t part(const ng_mpi_shards *s, const window *w, int r, size_t *begin)
{
    size_t ranks = (size_t)s->ranks, at = (size_t)r;
    *begin = w->size * at / ranks;
    return w->size * (at + 1) / ranks - *begin;
}

/* `in` holds, rank after rank and node after node, our part of every node; their sum, scaled, comes
 * first. */
static ng_status add_up(const ng_mpi_shards *s, const window *w, int dtype, size_t size)
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
static const char *pack(const ng_mpi_shards *s, window *w, int dtype)
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

static ng_status reduce_window(ng_mpi_shards *s, window *w, int dtype)
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

static ng_status reduce(ng_mpi_shards *s, window *w)
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
static size_t room_of(const ng_mpi_shards *s, size_t nodes, size_t ranks)
{
    size_t longest = 0;
    for (int d = 0; d < 2; d++) {
        size_t n = s->length[d] < WINDOW ? s->length[d] : WINDOW;
        longest = n * item_size(d) > longest ? n * item_size(d) : longest;
    }
    return (longest / ranks + sizeof(double)) * nodes;
}

static size_t all_nodes(const ng_mpi_shards *s)
{
    size_t starts[DEPTH], sizes[DEPTH], most, nodes = 0;
    for (int r = 0; r < s->ranks; r++)
        nodes += count_nodes(starts, sizes, first_of(s, r), first_of(s, r + 1), &most);
    return nodes;
}

static ng_status check_complete(ng_mpi_shards *s, window *w, ng_error *error)
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

ng_status ng_mpi_reduce_gradients(ng_mpi_shards *s, double scale, ng_error *error)
{
    window w = {.scale = scale};
    if (s == NULL)
        return ng_error_set(error, NG_EARG, "no shards");
    ng_status status = agree(s, s->comm, check_complete(s, &w, error), error);
    if (status == NG_OK)
        status = reduce(s, &w);
    if (status == NG_OK) {
        copy(s, &s->nodes[0], 1);
        s->count = s->added = 0;
    }
    free(w.counts);
    free(w.out);
    free(w.in);
    return status;
}
