/* The models, and the cost model: matrices have owners, longest processing time first. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "examples/scaling/scaling.h"
#include "examples/support/program.h"

model models[] = {
    {.name = "gpt2",
     .title = "GPT-2 124M",
     .layers = 12,
     .width = 768,
     .inner = 3072,
     .words = 50257,
     .context = 1024},
    {.name = "gpt2-xl",
     .title = "GPT-2 1.5B",
     .layers = 48,
     .width = 1600,
     .inner = 6400,
     .words = 50257,
     .context = 1024},
    {.name = "llama-7b",
     .title = "transformer 7B",
     .layers = 32,
     .width = 4096,
     .inner = 11008,
     .words = 32000,
     .gated = 1},
    {.name = NULL},
};

const way ways[WAYS] = {{"replicate", 1}, {"hybrid", 0.1}, {"owner", 0}};

static void add(model *m, size_t rows, size_t cols, int elementwise)
{
    m->list[m->count++] = (matrix){rows, cols, elementwise};
    m->weights += (double)rows * (double)cols;
}

static void add_block(model *m)
{
    size_t d = m->width;
    for (int i = 0; i < 4 && m->gated; i++) /* q, k, v, out */
        add(m, d, d, 0);
    for (int i = 0; i < 2 && m->gated; i++)
        add(m, m->inner, d, 0);
    if (!m->gated) {
        add(m, 3 * d, d, 0);
        add(m, d, d, 0);
        add(m, m->inner, d, 0);
    }
    add(m, d, m->inner, 0);
    add(m, 1, m->gated ? 2 * d : 4 * d + 3 * d + d + m->inner + d, 1); /* norms, biases */
}

void model_fill(model *m)
{
    m->count = 0;
    m->weights = 0;
    if (m->words > 0)
        add(m, m->words, m->width, 1);
    if (m->words > 0 && m->gated)
        add(m, m->words, m->width, 1);
    if (m->context > 0)
        add(m, m->context, m->width, 1);
    for (size_t i = 0; i < m->layers; i++)
        add_block(m);
    if (m->words > 0)
        add(m, 1, m->gated ? m->width : 2 * m->width, 1);
}

void block_model(model *m, size_t width)
{
    memset(m, 0, sizeof *m);
    m->name = "blocks";
    for (int i = 0; i < 2; i++) { /* without vectors: as measured */
        add(m, width, width, 0);
        add(m, 3 * width, width, 0);
        add(m, 4 * width, width, 0);
        add(m, width, 4 * width, 0);
    }
}

double step_seconds(const constants *c, const matrix *m)
{
    double low = (double)(m->rows < m->cols ? m->rows : m->cols);
    double high = (double)(m->rows < m->cols ? m->cols : m->rows);
    return m->elementwise ? c->element * low * high
                          : low * low * (c->cubic * low + c->square * high);
}

/* ---- Owners -----------------------------------------------------------------------------------
 */

/* What ng_optimizer_attach takes a matrix's cost for. */
static double modelled(const matrix *m)
{
    double low = (double)(m->rows < m->cols ? m->rows : m->cols);
    return (double)m->rows * (double)m->cols * (m->elementwise ? 1 : low);
}

static int by_cost(const void *a, const void *b)
{
    const matrix *x = *(const matrix *const *)a, *y = *(const matrix *const *)b;
    if (modelled(x) != modelled(y))
        return modelled(x) < modelled(y) ? 1 : -1;
    return (x > y) - (x < y);
}

/* Of matrices, costliest first, those that have an owner: the others make up `share` of the cost.
 */
static size_t count_divided(const matrix *const *sorted, size_t count, double share)
{
    double left = 0;
    for (size_t i = 0; i < count; i++)
        left += share * modelled(sorted[i]);
    while (count > 0 && (share == 1 || modelled(sorted[count - 1]) <= left))
        left -= modelled(sorted[--count]);
    return count;
}

/* Of one rank, or of all */
typedef struct {
    double load, seconds, state, weights;
} part;

static int add_matrix(part *p, double *work, const constants *c, const matrix *m)
{
    ng_steepest_options muon;
    ng_adamw_options adam;
    ng_memory memory;
    ng_error error = {NG_OK, ""};
    ng_steepest_init_muon(&muon);
    ng_adamw_init(&adam);
    const void *options = m->elementwise ? (const void *)&adam : (const void *)&muon;
    if (ng_options_memory(&memory, options, m->rows, m->cols, NG_F32, &error) != NG_OK)
        return program_error("%zu x %zu: %s", m->rows, m->cols, error.text);
    p->load += modelled(m);
    p->seconds += step_seconds(c, m);
    p->state += (double)(memory.state + memory.spare);
    p->weights += 4 * (double)m->rows * (double)m->cols;
    *work = fmax(*work, (double)memory.work);
    return 0;
}

/* Costliest first, each to the rank with the least to do; the rest is everybody's. */
static int assign(part *own, part *common, double *work, size_t *divided, const constants *c,
                  const model *m, double share, size_t ranks)
{
    const matrix *sorted[MAX_MATRICES];
    for (size_t i = 0; i < m->count; i++)
        sorted[i] = &m->list[i];
    qsort(sorted, m->count, sizeof *sorted, by_cost);
    *divided = count_divided(sorted, m->count, share);
    for (size_t i = 0; i < m->count; i++) {
        size_t least = 0;
        for (size_t r = 1; r < ranks; r++)
            if (own[r].load < own[least].load)
                least = r;
        if (add_matrix(i < *divided ? &own[least] : common, work, c, sorted[i]) != 0)
            return 1;
    }
    return 0;
}

/* The most work of a rank over the least that any assignment can make it. */
static double imbalance(const part *own, const model *m, size_t divided, size_t ranks)
{
    double all = 0, most = 0, largest = 0;
    for (size_t r = 0; r < ranks; r++) {
        all += own[r].load;
        most = fmax(most, own[r].load);
    }
    for (size_t i = 0; i < m->count; i++)
        largest = fmax(largest, modelled(&m->list[i]));
    return divided > 0 ? most / fmax(all / (double)ranks, largest) : 1;
}

int plan_make(plan *p, const constants *c, const model *m, const way *w, size_t ranks)
{
    static part own[MAX_RANKS];
    part common = {0, 0, 0, 0}, all = {0, 0, 0, 0};
    const double buffer = 32 << 20, bytes = 4 * m->weights, log_ranks = ceil(log2((double)ranks));
    double work = 0, state = 0, least = bytes;
    memset(own, 0, sizeof own);
    *p = (plan){.ranks = ranks};
    if (assign(own, &common, &work, &p->divided, c, m, w->share, ranks) != 0)
        return 1;
    for (size_t r = 0; r < ranks; r++) {
        p->step = fmax(p->step, own[r].seconds + common.seconds);
        state = fmax(state, own[r].state + common.state);
        least = fmin(least, own[r].weights);
        all.weights += own[r].weights;
    }
    double received = all.weights - least; /* of the rank that has the fewest weights itself */
    double sum = 2 * bytes * (double)(ranks - 1) / (double)ranks;
    if (ranks > 1) { /* three votes; then from every other rank */
        p->weights = (3 * log_ranks + (double)(ranks - 1) * (p->divided > 0)) * c->alpha;
        p->gradients = 2 * log_ranks * c->alpha;
    }
    p->weights += received * c->beta;
    p->gradients += sum * c->beta;
    p->sent = received + sum;
    p->held = state + work;
    p->memory = 2 * bytes + p->held + (ranks > 1 ? buffer : 0);
    p->imbalance = imbalance(own, m, p->divided, ranks);
    return 0;
}
