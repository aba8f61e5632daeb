/* Sums over the shards of a batch, of which each rank has some: one binary tree over shards. */
#ifndef NGI_MPI_TREE_H
#define NGI_MPI_TREE_H

#include <mpi.h>
#include <natgrad/exchange.h>

typedef struct ngi_tree ngi_tree;

/* A call of all ranks, with the same status on all: NG_EARG, NG_ENOMEM, and what this rank has
 * failed in before (own). */
ng_status ngi_tree_create(ngi_tree **tree, MPI_Comm comm, const ng_exchange_term *terms,
                          size_t count, size_t shards, ng_status own, ng_error *error);
void ngi_tree_destroy(ngi_tree *tree);

/* This rank's are *first ... *last - 1. */
void ngi_tree_range(const ngi_tree *tree, size_t *first, size_t *last);

/* The first begins a batch. */
void ngi_tree_add(ngi_tree *tree, const ng_exchange_term *terms, size_t shard, double weight);

/* A call of all ranks, with the same status on all: NG_EARG (shards are missing), NG_ENOMEM. */
ng_status ngi_tree_reduce(ngi_tree *tree, const ng_exchange_term *terms, double scale,
                          ng_error *error);

#endif
