/* The transfer matrix of the 10 x 10 Ising torus (mean, Fisher matrix, third
 * cumulants and their contraction) against 800 products of 512 x 512 matrices
 * in double, the textbook count of its matrix products: 8 L^2. */
#include <math.h>
#include <stdlib.h>

#include <natgrad-lab.h>

#include "tests/bench/bench.h"

/* One timing of the peer is an eighth of its products; the unit of both is that eighth. */
enum { LENGTH = 10, SIDE = 512, PRODUCTS = 800, TIMED = 100 };

typedef struct {
    ng_mat a, b, c;
} products;

/* R by free fermions, two programs */
static const double exact = -2091.004525161;

static void transfer(void *data)
{
    ng_error error = {NG_OK, ""};
    ng_cumulants cumulants;
    ng_lattice_curvature r;
    const ng_lattice lattice = {NG_LATTICE_ISING2D, LENGTH,
                                ng_lattice_critical(NG_LATTICE_ISING2D)};
    (void)data;
    bench_ok(ng_lattice_transfer(&cumulants, &lattice, (size_t)1 << 30, &error), "transfer",
             error.text);
    bench_ok(ng_cumulants_curvature(&r, &cumulants, &error), "contraction", error.text);
    ng_cumulants_destroy(&cumulants);
    if (!(fabs(r.curvature - exact) <= 1e-10 * fabs(exact)))
        bench_fail("transfer", "the curvature is not the exact one");
}

static void multiply(void *data)
{
    const products *p = data;
    ng_error error = {NG_OK, ""};
    for (int i = 0; i < TIMED; i++)
        bench_ok(ng_gemm(p->c, p->a, NG_NOTRANS, p->b, NG_NOTRANS, 1, 0, &error), "gemm",
                 error.text);
}

static ng_mat matrix(const ng_random *random)
{
    double *data = malloc(sizeof *data * SIDE * SIDE);
    if (data == NULL)
        bench_fail("matrix", "no memory");
    random->fill_normal(random->data, data, (size_t)SIDE * SIDE);
    return ng_f64(data, SIDE, SIDE);
}

int main(int argc, char **argv)
{
    ng_random random;
    bench_begin(argc, argv, "lattice", 1);
    bench_ok(ng_rng_create(&random, 1, NULL), "generator", NULL);
    products p = {matrix(&random), matrix(&random), matrix(&random)};
    bench_job ours = {.run = transfer, .units = PRODUCTS / TIMED};
    bench_job peer = {.run = multiply, .data = &p};
    bench_compare("tm_L10_vs_gemm", "L=10", bench_job_side("transfer / 8", &ours),
                  bench_job_side("100 dgemm", &peer));
    free(p.a.data);
    free(p.b.data);
    free(p.c.data);
    ng_rng_destroy(&random);
    return bench_end();
}
