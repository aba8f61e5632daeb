/* P^(-1/2) of a float32 matrix: ng_spd_power against the coupled Newton
 * iteration, in time and in what is left of Z P Z - I. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <natgrad.h>

#include "tests/bench/bench.h"
#include "tests/bench/power_peers.h"

static const double condition = 1e3, tolerance = 1e-3;

typedef struct {
    ng_mat z, p, basis;
    int reused;
    ng_work work;
} ours;

static void run_power(void *data)
{
    ours *o = data;
    ng_error error = {NG_OK, ""};
    bench_ok(ng_spd_power(o->z, o->p, -0.5, 0, &o->work, &error), "power", error.text);
}

static void run_update(void *data)
{
    ours *o = data;
    ng_error error = {NG_OK, ""};
    bench_ok(
        ng_spd_power_update(o->z, &o->reused, o->basis, o->p, -0.5, 0, tolerance, &o->work, &error),
        "power", error.text);
}

static ng_mat doubles(size_t n)
{
    double *data = calloc(n * n, sizeof *data);
    if (data == NULL)
        bench_fail("memory", "exhausted");
    return ng_f64(data, n, n);
}

/* p <- V^T diag(1 ... 1/condition, evenly in the logarithm) V, rounded, with V
 * the polar factor of a Gaussian matrix */
static void fill_spd(ng_mat p)
{
    size_t n = p.rows;
    float *gauss = bench_floats(n * n, 1, 7);
    ng_mat x = doubles(n), v = doubles(n);
    ng_copy(x, ng_f32(gauss, n, n), NULL);
    bench_ok(ng_polar(v, NULL, x, NULL, NULL, NULL), "matrix", NULL);
    for (size_t i = 0; i < n; i++) {
        double eigenvalue = pow(condition, -(double)i / (double)(n - 1));
        ng_scale(ng_mat_block(v, i, 0, 1, n), sqrt(eigenvalue));
    }
    bench_ok(ng_syrk(x, v, NG_TRANS, 1, 0, NULL), "matrix", NULL);
    ng_mirror(x);
    ng_copy(p, x, NULL);
    free(gauss);
    free(x.data);
    free(v.data);
}

/* ||Z P Z - I||_F / sqrt(n), in double */
static double residual(ng_mat z32, ng_mat p32)
{
    size_t n = p32.rows;
    ng_mat z = doubles(n), p = doubles(n), zp = doubles(n);
    ng_copy(z, z32, NULL);
    ng_copy(p, p32, NULL);
    bench_ok(ng_gemm(zp, z, NG_NOTRANS, p, NG_NOTRANS, 1, 0, NULL), "residual", NULL);
    bench_ok(ng_gemm(p, zp, NG_NOTRANS, z, NG_NOTRANS, 1, 0, NULL), "residual", NULL);
    ng_add_diagonal(p, -1);
    double result = ng_norm(p) / sqrt((double)n);
    free(z.data);
    free(p.data);
    free(zp.data);
    return result;
}

static void compare_residuals(const char *label, ours *o, newton_peer *newton)
{
    size_t n = o->p.rows;
    run_power(o);
    newton_inverse_sqrt(newton);
    double of_ours = residual(o->z, o->p), of_newton = residual(ng_f32(newton->x, n, n), o->p);
    printf("%s: |ZPZ - I| ours %.2e, coupled Newton %.2e after %d iterations\n", label, of_ours,
           of_newton, newton->iterations);
    if (!(of_newton < 0.1))
        bench_fail("coupled Newton", "finds another matrix");
    bench_state("inverse_sqrt_residual_vs_coupled_newton", label, of_ours / of_newton);
}

static void compare_update(const char *label, ours *o, bench_side power)
{
    bench_job update = {.run = run_update, .data = o};
    ng_set_identity(o->basis);
    run_update(o);
    run_update(o);
    if (!o->reused)
        bench_fail("update", "does not find its own basis good enough");
    bench_compare("power_update_reuse_vs_power", label, bench_job_side("update, reused", &update),
                  power);
}

static void run_size(const char *label, size_t n)
{
    ours o = {ng_f32(bench_floats(n * n, 0, 1), n, n), ng_f32(bench_floats(n * n, 0, 1), n, n),
              doubles(n), 0, ng_work_on(NULL, 0)};
    newton_peer newton;
    fill_spd(o.p);
    bench_ok(ng_work_create(&o.work, ng_spd_power_work(n, NG_F32), NULL), "workspace", NULL);
    newton_peer_create(&newton, o.p.data, n);
    bench_job power = {.run = run_power, .data = &o};
    bench_job coupled = {.run = newton_inverse_sqrt, .data = &newton};
    bench_side our_power = bench_job_side("ng_spd_power", &power);
    compare_residuals(label, &o, &newton);
    bench_compare("inverse_sqrt_vs_coupled_newton", label, our_power,
                  bench_job_side("coupled Newton", &coupled));
    compare_update(label, &o, our_power);
    newton_peer_destroy(&newton);
    free(o.z.data);
    free(o.p.data);
    free(o.basis.data);
    ng_work_destroy(&o.work);
}

int main(int argc, char **argv)
{
    bench_begin(argc, argv, "power", 1);
    run_size("m=256", 256);
    run_size("m=768", 768);
    return bench_end();
}
