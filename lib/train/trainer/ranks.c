/* One training in several processes (natgrad/exchange.h): what they tell each other beside the
 * optimizer's own. Without an exchange nothing here does anything. */
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/train/model/model.h"
#include "lib/train/trainer/trainer.h"

ng_status ngi_trainer_agree(ng_trainer *t, ng_status own, size_t mark)
{
    if (!ngi_trainer_shares(t))
        return own;
    ng_exchange_vote vote = {.error = t->error, .mark = mark};
    vote.error.status = own;
    own = t->exchange.agree(t->exchange.data, &vote);
    t->error = vote.error;
    return own;
}

/* The optimizer's copy has no end: the trainer's calls may come after it. */
static ng_status attach(ng_trainer *t)
{
    ng_exchange lent = t->exchange;
    lent.destroy = NULL;
    return ngi_of_optimizer(t, ng_optimizer_attach(t->opt, &lent));
}

static ng_status reserve(ng_trainer *t)
{
    t->shard = calloc(2 * t->exchange.shards, sizeof *t->shard);
    t->parts = calloc((size_t)t->exchange.ranks, sizeof *t->parts);
    return t->shard != NULL && t->parts != NULL
               ? NG_OK
               : ng_error_set(&t->error, NG_ENOMEM, "no memory for %zu shards", t->exchange.shards);
}

ng_status ngi_trainer_attach(ng_trainer *t, ng_status built)
{
    if (!ngi_trainer_shares(t))
        return built;
    TRY(ngi_trainer_agree(t, built == NG_OK ? reserve(t) : built, 0));
    return attach(t);
}

void ngi_trainer_gather(ng_trainer *t, double *numbers, size_t pieces, size_t each)
{
    size_t first, last;
    for (int r = 0; ngi_trainer_shares(t) && r < t->exchange.ranks; r++) {
        ng_exchange_part(&first, &last, pieces, r, t->exchange.ranks);
        t->parts[r].view = ng_f64(numbers + first * each, 1, (last - first) * each);
        t->parts[r].owner = r;
    }
    if (ngi_trainer_shares(t))
        t->exchange.share(t->exchange.data, t->parts, (size_t)t->exchange.ranks);
}

void ngi_trainer_meet(ng_trainer *t)
{
    double own[2] = {t->at.seconds, t->asked};
    ng_exchange_item item = {ng_f64(own, 1, 2), 0};
    if (!ngi_trainer_shares(t))
        return;
    t->exchange.share(t->exchange.data, &item, 1);
    t->at.seconds = own[0];
    t->asked = own[1] != 0;
}

/* ---- Shards of a batch ---------------------------------------------------------------------- */

/* Samples of shard i of a batch, and the first of them. */
static size_t samples_of(const ng_trainer *t, size_t *first, size_t batch, size_t i)
{
    size_t shards = t->exchange.shards;
    *first = batch * i / shards;
    return batch * (i + 1) / shards - *first;
}

/* What is wrong with the gradients the reduction tells everybody. */
static ng_status add_shard(ng_trainer *t, const ng_dataset *train, const size_t *index,
                           size_t batch, size_t i)
{
    double loss = 0, right = 0;
    size_t correct = 0, first, count = samples_of(t, &first, batch, i);
    if (count > 0) {
        TRY(ngi_trainer_pass(t, &loss, &correct, train, index + first, count));
        TRY(ng_trainer_capture(t));
        right = (double)correct / (double)ng_model_output(t->model).rows;
    } else {
        ng_fill(t->model->dw, 0);
    }
    double part = (double)count / (double)batch;
    t->shard[2 * i] = part * loss;
    t->shard[2 * i + 1] = part * right;
    ng_optimizer_add_shard(t->opt, part);
    return NG_OK;
}

static ng_status add_shards(ng_trainer *t, const ng_dataset *train, const size_t *index,
                            size_t batch)
{
    size_t first, last;
    ng_exchange_part(&first, &last, t->exchange.shards, t->exchange.rank, t->exchange.ranks);
    for (size_t i = first; i < last; i++)
        TRY(add_shard(t, train, index, batch, i));
    return NG_OK;
}

static void sum_up(const ng_trainer *t, double *loss, double *share)
{
    *loss = *share = 0;
    for (size_t i = 0; i < t->exchange.shards; i++) {
        *loss += t->shard[2 * i];
        *share += t->shard[2 * i + 1];
    }
}

ng_status ngi_trainer_shards(ng_trainer *t, double *loss, double *share, const ng_dataset *train,
                             const size_t *index, size_t batch)
{
    TRY(ngi_trainer_agree(t, add_shards(t, train, index, batch), 0));
    ngi_trainer_gather(t, t->shard, t->exchange.shards, 2);
    sum_up(t, loss, share);
    return ngi_of_optimizer(t, ng_optimizer_reduce(t->opt));
}
