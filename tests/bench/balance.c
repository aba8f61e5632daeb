#include "tests/bench/balance.h"

#include <stdio.h>
#include <stdlib.h>

#include <natgrad.h>

#include "tests/bench/bench.h"

enum { LAYERS = 12, WIDTH = 768, INNER = 3072, WORDS = 50257, PLACES = 1024, MOST = 200 };

/* Memory that nobody touches: only shapes matter. */
typedef struct {
    ng_group *group;
    size_t index;
    double cost; /* as natgrad/exchange.h has it */
    float *w, *g;
} share;

static share shares[MOST];
static size_t count;

static void add(ng_group *group, int elementwise, size_t rows, size_t cols)
{
    share *s = &shares[count++];
    char name[16];
    s->group = group;
    s->w = calloc(rows * cols, sizeof *s->w);
    s->g = calloc(rows * cols, sizeof *s->g);
    s->cost = (double)rows * (double)cols * (elementwise ? 1 : (double)(rows < cols ? rows : cols));
    snprintf(name, sizeof name, "p%zu", count);
    bench_ok(
        ng_group_add(group, &s->index, name, ng_f32(s->w, rows, cols), ng_f32(s->g, rows, cols)),
        "parameter", NULL);
}

/* Queries, keys and values are matrices of their own. */
static void add_block(ng_group *matrices, ng_group *rest)
{
    for (int i = 0; i < 4; i++)
        add(matrices, 0, WIDTH, WIDTH);
    add(matrices, 0, INNER, WIDTH);
    add(matrices, 0, WIDTH, INNER);
    for (int i = 0; i < 6; i++) /* two norms, biases of the outputs */
        add(rest, 1, 1, WIDTH);
    add(rest, 1, 1, 3 * WIDTH);
    add(rest, 1, 1, INNER);
}

static ng_status agree(void *data, ng_exchange_vote *vote)
{
    (void)data;
    return vote->error.status;
}

static void share_nothing(void *data, const ng_exchange_item *items, size_t n)
{
    (void)data, (void)items, (void)n;
}

static void attach(ng_optimizer *optimizer, int ranks)
{
    const ng_exchange exchange = {
        .size = sizeof exchange, .ranks = ranks, .agree = agree, .share = share_nothing};
    bench_ok(ng_optimizer_attach(optimizer, &exchange), "attach", ng_optimizer_error(optimizer));
}

static double measure(int ranks)
{
    double *load = calloc((size_t)ranks, sizeof *load), sum = 0, least = 0, most = 0;
    for (size_t i = 0; i < count; i++) {
        int owner;
        bench_ok(ng_group_owner(shares[i].group, &owner, shares[i].index), "owner", NULL);
        load[owner] += shares[i].cost;
        sum += shares[i].cost;
        least = shares[i].cost > least ? shares[i].cost : least;
    }
    least = sum / ranks > least ? sum / ranks : least;
    for (int r = 0; r < ranks; r++)
        most = load[r] > most ? load[r] : most;
    printf("GPT-2 124M on %d ranks: the largest load %.4g, the lower bound %.4g (mean %.4g)\n",
           ranks, most, least, sum / ranks);
    free(load);
    return most / least;
}

double balance_gpt2(int ranks)
{
    ng_optimizer *optimizer;
    ng_group *matrices, *rest;
    ng_steepest_options muon;
    ng_adamw_options adamw;
    ng_steepest_init_muon(&muon);
    ng_adamw_init(&adamw);
    count = 0;
    bench_ok(ng_optimizer_create(&optimizer, NULL), "optimizer", NULL);
    bench_ok(ng_optimizer_add_group(optimizer, &matrices, &muon), "group", NULL);
    bench_ok(ng_optimizer_add_group(optimizer, &rest, &adamw), "group", NULL);
    add(rest, 1, WORDS, WIDTH);
    add(rest, 1, PLACES, WIDTH);
    for (int i = 0; i < LAYERS; i++)
        add_block(matrices, rest);
    add(rest, 1, 1, WIDTH);
    add(rest, 1, 1, WIDTH);
    attach(optimizer, ranks);
    double ratio = measure(ranks);
    ng_optimizer_destroy(optimizer);
    for (size_t i = 0; i < count; i++) {
        free(shares[i].w);
        free(shares[i].g);
    }
    return ratio;
}
