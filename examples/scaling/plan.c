/* The models, and the cost model: each matrix is one team's, longest processing time first. */
#include <math.h>
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

const way ways[WAYS] = {{"replicate", 1}, {"hybrid", 0.25}, {"owner", 0}};

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

/* ---- Teams ------------------------------------------------------------------------------------
 */

/* What ng_optimizer_attach takes a matrix's cost for. */
static double modelled(const matrix *m)
{
    double low = (double)(m->rows < m->cols ? m->rows : m->cols);
    return (double)m->rows * (double)m->cols * (m->elementwise ? 1 : low);
}

typedef struct {
    double load, seconds, state, weights;
} team;

static int memory_of(ng_memory *memory, const matrix *m)
{
    ng_steepest_options muon;
    ng_adamw_options adam;
    ng_error error = {NG_OK, ""};
    ng_steepest_init_muon(&muon);
    ng_adamw_init(&adam);
    const void *options = m->elementwise ? (const void *)&adam : (const void *)&muon;
    if (ng_options_memory(memory, options, m->rows, m->cols, NG_F32, &error) != NG_OK)
        return program_error("%zu x %zu: %s", m->rows, m->cols, error.text);
    return 0;
}

/* Costliest first, each to the team with the least to do, as ng_optimizer_attach. *bound: of the
 * most that any assignment leaves one team. */
static int assign(team *teams, size_t count, double *bound, double *work, const constants *c,
                  const model *m)
{
    char taken[MAX_MATRICES] = {0};
    double all = 0, largest = 0;
    for (size_t turn = 0; turn < m->count; turn++) {
        size_t next = m->count, least = 0;
        ng_memory memory;
        for (size_t i = 0; i < m->count; i++)
            if (!taken[i] && (next == m->count || modelled(&m->list[i]) > modelled(&m->list[next])))
                next = i;
        for (size_t t = 1; t < count; t++)
            if (teams[t].load < teams[least].load)
                least = t;
        const matrix *one = &m->list[next];
        if (memory_of(&memory, one) != 0)
            return 1;
        taken[next] = 1;
        teams[least].load += modelled(one);
        teams[least].seconds += step_seconds(c, one);
        teams[least].state += (double)(memory.state + memory.spare);
        teams[least].weights += 4 * (double)one->rows * (double)one->cols;
        *work = fmax(*work, (double)memory.work);
        all += modelled(one);
        largest = fmax(largest, modelled(one));
    }
    *bound = fmax(all / (double)count, largest);
    return 0;
}

int plan_make(plan *p, const constants *c, const model *m, const way *w, size_t ranks)
{
    static team teams[MAX_RANKS];
    const double buffer = 32 << 20, bytes = 4 * m->weights, log_ranks = ceil(log2((double)ranks));
    double bound = 0, work = 0, load = 0, state = 0;
    size_t count = w->share > 0 ? (size_t)(1 / w->share) : ranks;
    count = count < ranks ? count : ranks;
    memset(teams, 0, sizeof teams);
    *p = (plan){.ranks = ranks, .teams = count};
    if (assign(teams, count, &bound, &work, c, m) != 0)
        return 1;
    for (size_t t = 0; t < count; t++) {
        p->step = fmax(p->step, teams[t].seconds);
        load = fmax(load, teams[t].load);
        state = fmax(state, teams[t].state);
    }
    double least = bytes; /* weights that the rank which receives most has already */
    for (size_t t = 0; t < count; t++)
        least = fmin(least, teams[t].weights);
    double received = count > 1 ? bytes - least : 0;
    double sum = 2 * bytes * (double)(ranks - 1) / (double)ranks;
    p->weights = ranks > 1 ? 3 * log_ranks * c->alpha + (double)(count - 1) * c->alpha : 0;
    p->weights += received * c->beta; /* three votes; then from every other team */
    p->gradients = ranks > 1 ? 2 * log_ranks * c->alpha + sum * c->beta : 0;
    p->sent = received + sum;
    p->held = state + work;
    p->memory = 2 * bytes + p->held + (ranks > 1 ? buffer : 0);
    p->imbalance = load / bound;
    return 0;
}
