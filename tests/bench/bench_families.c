/* The Fisher matrix of an Ising model on the complete graph of 20 spins, by
 * Walsh-Hadamard transforms (set and fisher), against what enumeration by the
 * book ends with: the dsyrk of the 2^20 x 190 matrix of statistics, here without
 * making that matrix. */
#include <stdlib.h>

#include <natgrad-lab.h>

#include "tests/bench/bench.h"

/* The peer's product runs over blocks of rows with the same content: 50 MB
 * instead of 1.6 GB, which if anything is faster. */
enum { SPINS = 20, TERMS = 190, STATES = 1 << 20, BLOCK = 1 << 15 };

typedef struct {
    ng_family *family;
    double theta[TERMS + 1];
    ng_mat fisher;
} ours;

static void run_ours(void *data)
{
    ours *o = data;
    ng_error error = {NG_OK, ""};
    bench_ok(ng_family_set(o->family, o->theta, &error), "set", error.text);
    bench_ok(ng_family_fisher(o->family, o->fisher, &error), "fisher", error.text);
}

typedef struct {
    ng_mat statistics, product;
} peer;

static void run_peer(void *data)
{
    peer *p = data;
    for (size_t first = 0; first < STATES; first += BLOCK)
        bench_ok(ng_syrk(p->product, p->statistics, NG_TRANS, 1.0 / STATES, first > 0, NULL),
                 "syrk", NULL);
}

static ng_mat doubles(size_t rows, size_t cols)
{
    double *data = calloc(rows * cols, sizeof *data);
    if (data == NULL)
        bench_fail("memory", "exhausted");
    return ng_f64(data, rows, cols);
}

/* n = 190 pairs, or one more with a field on the last spin, which breaks the
 * flip symmetry: 2^20 states enumerated, not 2^19. */
static void create(ours *o, size_t n)
{
    uint32_t edge[TERMS + 1] = {0};
    ng_error error = {NG_OK, ""};
    size_t e = 0;
    for (int i = 0; i < SPINS; i++)
        for (int j = 0; j < i; j++)
            edge[e++] = (uint32_t)1 << i | (uint32_t)1 << j;
    edge[e] = (uint32_t)1 << (SPINS - 1);
    for (size_t a = 0; a < n; a++)
        o->theta[a] = 0.05 + 0.001 * (double)(a % 7);
    bench_ok(ng_family_create_ising(&o->family, SPINS, edge, n, &error), "family", error.text);
    o->fisher = doubles(n, n);
}

int main(int argc, char **argv)
{
    bench_begin(argc, argv, "families", 1);
    static ours with_flip, without_flip;
    peer p = {doubles(BLOCK, TERMS), doubles(TERMS, TERMS)};
    for (size_t s = 0; s < BLOCK; s++)
        for (size_t a = 0; a < TERMS; a++)
            ng_mat_set(p.statistics, s, a, (s >> a % 15 ^ s >> a / 15) & 1 ? -1 : 1);
    create(&with_flip, TERMS);
    create(&without_flip, TERMS + 1);
    bench_job syrk = {.run = run_peer, .data = &p};
    bench_job flip = {.run = run_ours, .data = &with_flip};
    bench_job plain = {.run = run_ours, .data = &without_flip};
    bench_side dsyrk = bench_job_side("dsyrk", &syrk);
    bench_compare("ising_fwht_vs_syrk", "2^20x190", bench_job_side("set, fisher", &flip), dsyrk);
    bench_compare("ising_fwht_no_flip_vs_syrk", "2^20x191", bench_job_side("no flip", &plain),
                  dsyrk);
    ng_family_destroy(with_flip.family);
    ng_family_destroy(without_flip.family);
    free(with_flip.fisher.data);
    free(without_flip.fisher.data);
    free(p.statistics.data);
    free(p.product.data);
    return bench_end();
}
