/* Gradients over shards of a batch (natgrad-mpi.h): views of the caller's and their tree. */
#include <natgrad-mpi.h>

#include <stdlib.h>

#include "lib/core/try.h"
#include "lib/mpi/tree.h"

struct ng_mpi_shards {
    ngi_tree *tree;
    ng_exchange_term *terms;
    size_t next, last; /* of this rank's shards */
};

void ng_mpi_shards_destroy(ng_mpi_shards *s)
{
    if (s == NULL)
        return;
    ngi_tree_destroy(s->tree);
    free(s->terms);
    free(s);
}

static ng_status take_views(ng_mpi_shards *s, const ng_mat *views, size_t count, ng_error *error)
{
    s->terms = calloc(count + 1, sizeof *s->terms);
    if (s->terms == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu views", count);
    for (size_t i = 0; i < count; i++) {
        if (views == NULL || views[i].data == NULL)
            return ng_error_set(error, NG_EARG, "gradient %zu is no matrix", i);
        s->terms[i].view = views[i];
    }
    return NG_OK;
}

/* What this rank lacks is told to the others where the tree is made. */
static ng_status make(ng_mpi_shards *s, MPI_Comm comm, const ng_mat *views, size_t count,
                      size_t number, ng_error *error)
{
    ng_status own = s != NULL ? take_views(s, views, count, error)
                              : ng_error_set(error, NG_ENOMEM, "no memory for shards");
    ngi_tree *tree;
    TRY(ngi_tree_create(&tree, comm, s != NULL ? s->terms : NULL, count, number, own, error));
    s->tree = tree;
    ngi_tree_range(tree, &s->next, &s->last);
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
    ng_status status = make(s, comm, gradients, count, number, error);
    if (status == NG_OK)
        *shards = s;
    else
        ng_mpi_shards_destroy(s);
    return status;
}

void ng_mpi_shards_range(const ng_mpi_shards *s, size_t *first, size_t *last)
{
    ngi_tree_range(s->tree, first, last);
}

ng_status ng_mpi_shards_add(ng_mpi_shards *s, ng_error *error)
{
    if (s == NULL || s->next == s->last)
        return ng_error_set(error, NG_EARG, "no shard of this rank is left");
    ngi_tree_add(s->tree, s->terms, s->next++, 1);
    return NG_OK;
}

ng_status ng_mpi_reduce_gradients(ng_mpi_shards *s, double scale, ng_error *error)
{
    if (s == NULL)
        return ng_error_set(error, NG_EARG, "no shards");
    TRY(ngi_tree_reduce(s->tree, s->terms, scale, error));
    ngi_tree_range(s->tree, &s->next, &s->last);
    return NG_OK;
}
