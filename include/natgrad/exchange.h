/* natgrad/exchange.h: one optimizer in several processes; computations of the lab take the same
 * table (natgrad/lab/lattice.h).
 *
 * Every process (a rank) makes the same optimizer: the same groups, parameters, options and
 * weights. Attached to an exchange, each parameter has an owner, which alone keeps its state and
 * makes its step; the others receive the weights. A step then costs about 1 / ranks of the time and
 * of the memory for state, and gives the bits of one process, for any number of ranks.
 *
 * libnatgrad knows no network: an exchange is a table of functions. natgrad-mpi.h has the one for
 * MPI; without any, nothing of this happens.
 *
 * What every rank must do alike, in the same order: attach, steps, saves and loads. What they give
 * must be alike too: gradients of the whole batch (each rank checks all of them), options,
 * multipliers, micro-batches, who is frozen, whether there are monitors. Differences at attach are
 * named, those of a step are NG_EARG; neither is a hang. A step that fails on one rank changes
 * nothing on any, and all have the same status and text, "rank 1: parameter 'fc1.weight' ...": of
 * the failures that of the parameter added first, then of the lowest rank. */
#ifndef NATGRAD_EXCHANGE_H
#define NATGRAD_EXCHANGE_H

#include <natgrad/optimizer.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A view that has the owner's elements on every rank afterwards; its shape and dtype are the same
 * on all of them, its stride need not be. */
typedef struct {
    ng_mat view;
    int owner;
} ng_exchange_item;

/* What the ranks decide together. */
typedef struct {
    ng_error error;           /* own: NG_OK, or what failed here; then the one for all */
    unsigned long long order; /* of own failure: the lowest one counts, then the lowest rank's */
    unsigned long long mark;  /* of what must be alike; NG_EARG where nothing failed and it is not
                                 rank 0's */
} ng_exchange_vote;

/* A matrix of a sum over shards. */
typedef struct {
    ng_mat view;   /* its data NULL: zeros, and no place for the sum */
    int symmetric; /* its lower triangle alone is read, sent and written */
} ng_exchange_term;

/* Calls of all ranks in the same order. What the network itself does wrong ends the program: agree
 * and share have no failures of their own and allocate nothing. */
typedef struct {
    size_t size;     /* sizeof(ng_exchange) */
    int rank, ranks; /* this one, 0 ... ranks - 1 */
    /* 0 ... 1: of the cost of a step (below) the share that every rank does itself, for the
     * cheapest parameters: their state is everybody's and their weights are not sent. 1: everything
     * is, and ranks only agree */
    double replicate;
    /* 1, for looking for an error: before every step each rank's weights and gradients are compared
     * with rank 0's, and the first parameter that differs is NG_EARG. It reads all of them. */
    int check;
    /* every rank <- the vote for all, the text with its rank in front; returns its status */
    ng_status (*agree)(void *data, ng_exchange_vote *vote);
    /* every item <- its owner's */
    void (*share)(void *data, const ng_exchange_item *items, size_t count);
    /* `to` (dense) of rank 0 <- `from` of the owner, another rank; the others do nothing. Both
     * have the shape and dtype of the view that does not belong to the caller. */
    void (*bring)(void *data, ng_mat to, ng_mat from, int owner);

    /* The batch is so many shards, each with its gradients and captures, dealt out by
     * ng_exchange_part; one a rank at least. 0: all ranks have the whole batch, and nothing of the
     * following is called. */
    size_t shards;
    /* *sums <- sums of so many terms of these shapes, which later calls repeat; the same status on
     * all ranks */
    ng_status (*open_sums)(void *data, void **sums, const ng_exchange_term *terms, size_t count,
                           ng_error *error);
    /* takes in this rank's next shard, times weight; its first begins a batch. Not a call of all */
    void (*add_shard)(void *sums, const ng_exchange_term *terms, size_t shard, double weight);
    /* terms <- the sums over all shards on every rank, in an order that does not depend on who had
     * which; NG_ENOMEM on all ranks, and nothing has changed */
    ng_status (*reduce)(void *sums, const ng_exchange_term *terms, ng_error *error);
    void (*close_sums)(void *sums);
    void (*destroy)(void *data); /* (optional) when the optimizer is destroyed */
    void *data;
} ng_exchange;

/* Of so many pieces *first ... *last - 1 are the rank's: runs in the order of ranks, of which the
 * first ones may be longer by one. */
NG_API void ng_exchange_part(size_t *first, size_t *last, size_t pieces, int rank, int ranks);

/* Once all groups and parameters, biases and shared inputs are there, before the first step and
 * capture (a load comes after). The table is copied. Parameters go to ranks costliest first, each
 * to the one with the least to do (longest processing time first), those that share inputs
 * together (the cost of a matrix: rows times columns times the fewer of both; of element-wise
 * methods: rows times columns), and their state is freed everywhere else. Groups whose method
 * decides for the whole group (natural, residual) are every rank's; kl_clip of ng_steepest is no
 * such, its norms are exchanged. Afterwards nothing can be added.
 *
 * ng_optimizer_save and ng_optimizer_load of an attached optimizer are calls of all ranks: rank 0
 * writes the file one process would write, byte for byte; all ranks read it (natgrad/checkpoint.h).
 * Captures are those of the whole batch, on every rank. All ranks have monitors or none; they hear
 * of all parameters, of another's step without its `route`. ng_optimizer_tensor gives what this
 * rank keeps.
 *
 * NG_EARG (the ranks differ, with the first difference; steps or captures were made; attached
 * before), NG_EOPTION (atomic = parameter; another size), NG_ENOMEM; the same on all ranks, and
 * then nothing has changed, and data remains the caller's. */
NG_API ng_status ng_optimizer_attach(ng_optimizer *optimizer, const ng_exchange *exchange);

/* The rank that owns the parameter; -1: every rank. NG_EARG. */
NG_API ng_status ng_group_owner(ng_group *group, int *owner, size_t index);

/* Tensor `index` of the state of all ranks, in the order of ng_optimizer_tensor in one process:
 * view without data where this rank does not keep it, *owner as above. NG_ENODATA past the last. */
NG_API ng_status ng_optimizer_entry(ng_optimizer *optimizer, const char **parameter,
                                    const char **name, ng_mat *view, int *owner, size_t index);

/* ---- Batches in shards -------------------------------------------------------------------------
 *
 * With exchange->shards a rank has some shards of the batch, one after the other:
 *
 *   ng_optimizer_shards(opt, &first, &last);
 *   for (;;) {
 *       for (size_t i = first; i < last; i++) {
 *           ... the gradients of shard i into the parameters' views, captures of its samples ...
 *           ng_optimizer_add_shard(opt, 1.0 / shards);
 *       }
 *       if (ng_optimizer_reduce(opt) == NG_OK)
 *           ng_optimizer_step(opt);
 *   }
 *
 * The bits depend on the shards and not on the ranks. A rank then keeps, beside what it owns, the
 * sums of captures of all parameters, and what captures of ekfac read (eigenbases). */

/* This rank's shards are *first ... *last - 1; NG_EARG: not attached, or no shards. */
NG_API ng_status ng_optimizer_shards(ng_optimizer *optimizer, size_t *first, size_t *last);

/* Takes in the gradients, times weight, and captures of this rank's next shard; the next one's
 * captures begin anew. A shard may be empty: gradients of zeros, no captures. Frozen parameters
 * count as zero. Not a call of all ranks. NG_ENONFINITE and NG_ENODATA as of ng_optimizer_step,
 * NG_EARG (no shard is left, gradients were accumulated): the batch has failed, which
 * ng_optimizer_reduce tells everybody. */
NG_API ng_status ng_optimizer_add_shard(ng_optimizer *optimizer, double weight);

/* The parameters' gradients and captures <- their sums over all shards, on every rank; the next
 * batch begins, whatever comes of it. A call of all ranks. A shard that failed or is missing,
 * NG_ENOMEM: the same status and text on all ranks, and gradients are as they were, captures gone.
 */
NG_API ng_status ng_optimizer_reduce(ng_optimizer *optimizer);

#ifdef __cplusplus
}
#endif
#endif
