/* vmc: the ground state of the transverse-field Ising ring by variational Monte Carlo: stochastic
 * reconfiguration (natural gradient, minSR) and SPRING against AdamW.
 *
 * Carleo and Troyer 2017 (the machine); Chen and Heyl 2024 (minSR); Goldshlager, Abrahamsen and Lin
 * 2024 (SPRING, arXiv:2401.10190). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "examples/vmc/vmc.h"

enum { CHAINS = 100, FRESH = 100000 };

typedef struct {
    const char *name;
    size_t spins, alpha;
    int symmetric;
    const char *preset; /* NULL: the residual form */
    double lr, damping, momentum;
    size_t each; /* samples a chain */
    double seconds;
} run;

typedef struct {
    estimate e;
    double exact, relative, cpu;
    size_t steps;
} outcome;

static void must_opt(ng_status status, const ng_optimizer *opt)
{
    if (status != NG_OK)
        exit(program_end(program_error("%s", ng_optimizer_error(opt))));
}

/* Rows of d log psi and local energies of all chains, `each` of them a chain. */
static double gather(chains *c, ng_residuals *res, size_t each)
{
    ng_error error = {NG_OK, ""};
    size_t count = c->s.rows, total = count * each;
    ng_mat j, r;
    double sum = 0;
    ng_residuals_clear(res);
    paper_must(ng_residuals_add(res, &j, &r, total, 1 / (double)total, &error), &error);
    for (size_t k = 0; k < each; k++) {
        chains_sweep(c);
        for (size_t i = 0; i < count; i++) {
            double e = chains_energy(c, i, ng_mat_block(j, k * count + i, 0, 1, j.cols));
            ng_mat_set(r, 0, k * count + i, e);
            sum += e / (double)total;
        }
    }
    paper_must(ng_residuals_centre(res, &error), &error);
    return sum;
}

static ng_optimizer *open_optimizer(const run *o, machine *m, ng_residuals *res, ng_mat g,
                                    ng_group **group)
{
    ng_error error = {NG_OK, ""};
    ng_optimizer *opt;
    ng_residual_options natural;
    void *options = &natural;
    paper_must(ng_optimizer_create(&opt, NULL), &(ng_error){NG_ENOMEM, "no memory"});
    ng_residual_init(&natural);
    natural.damping = o->damping;
    natural.momentum = o->momentum;
    natural.step_norm = sqrt(0.05);
    if (o->preset != NULL)
        paper_must(ng_options_new(&options, o->preset, &error), &error);
    must_opt(ng_optimizer_add_group(opt, group, options), opt);
    if (o->preset != NULL)
        ng_options_free(options);
    must_opt(ng_group_add(*group, NULL, "w", m->w, g), opt);
    if (o->preset == NULL)
        must_opt(ng_group_set_residuals(*group, res, NULL), opt);
    return opt;
}

/* Eigenvalues of the quantum geometric tensor. */
static void spectrum(paper *p, ng_residuals *res, const char *when)
{
    ng_error error = {NG_OK, ""};
    size_t n = ng_residuals_size(res);
    ng_mat s = paper_mat(n, n), values = paper_mat(1, n), vectors = paper_mat(n, n);
    paper_must(ng_residuals_gram(res, s, &error), &error);
    paper_must(ng_eigh(values, vectors, NULL, s, NULL, &error), &error);
    for (size_t i = 0; i < n; i++)
        fprintf(p->rows.to, "spectrum,%s,,,,,%zu,%.6g\n", when, n - i, ng_mat_get(values, 0, i));
}

static outcome optimise(paper *p, const run *o, machine *m, const char *seen)
{
    ng_error error = {NG_OK, ""};
    ng_residuals *res;
    ng_group *group;
    ng_mat g = paper_mat(1, m->n);
    chains c = chains_make(m, CHAINS, paper_random(p, 100 + o->spins + o->alpha));
    outcome f = {.exact = exact_energy(o->spins, m->h)};
    paper_must(ng_residuals_create(&res, m->n, CHAINS * o->each, NULL, &error), &error);
    ng_optimizer *opt = open_optimizer(o, m, res, g, &group);
    double start = progress_cpu(), share = 0;
    for (int k = 0; k < 50; k++)
        chains_sweep(&c);
    for (double next = 0; share < 1 && !program_interrupted(); f.steps++) {
        double e = gather(&c, res, o->each), now = progress_cpu() - start;
        if (f.steps == 0 && seen != NULL)
            spectrum(p, res, "start");
        share = fmin(1, now / o->seconds);
        if (now >= next) {
            fprintf(p->rows.to, "%s,%zu,%zu,%.3f,%.8g,%.4g,,\n", o->name, o->spins, f.steps, now, e,
                    fabs(e / f.exact - 1));
            next = now + o->seconds / 200;
        }
        if (o->preset != NULL)
            paper_must(ng_residuals_gradient(res, g, ng_residuals_values(res), &error), &error);
        must_opt(
            ng_group_set(group, "lr", o->lr * (0.02 + 0.98 * (1 + cos(3.14159265 * share)) / 2)),
            opt);
        must_opt(ng_optimizer_step(opt), opt);
        machine_expand(m);
        chains_refresh(&c);
    }
    if (seen != NULL)
        spectrum(p, res, "end");
    f.cpu = progress_cpu() - start;
    ng_optimizer_destroy(opt);
    ng_residuals_destroy(res);
    f.e =
        measure(m, p->samples < 8 ? FRESH / 10 : FRESH, paper_random(p, 200 + o->spins + o->alpha));
    f.relative = (f.e.energy - f.exact) / fabs(f.exact);
    printf("%-8s %4zu %5zu %-4s %6zu %7.1f %14.6f %9.1e %11.2e\n", o->name, o->spins, o->alpha,
           o->symmetric ? "yes" : "no", f.steps, f.cpu, f.e.energy, f.e.bar, f.relative);
    return f;
}

static outcome go(paper *p, const run *o, const char *seen)
{
    machine m = machine_make(o->spins, o->alpha, o->symmetric, 1, paper_random(p, o->alpha));
    return optimise(p, o, &m, seen);
}

/* Within the tolerance, and not below the exact energy by more than three error bars. */
static void judge(const char *name, outcome f, double tolerance)
{
    char below[64];
    target_print("vmc", name, 0, f.relative, tolerance);
    snprintf(below, sizeof below, "%s_below_exact_in_bars", name);
    target_print("vmc", below, 0, fmax(0, (f.exact - f.e.energy) / f.e.bar), 3);
}

static double seconds_of(const paper *p)
{
    return (double)p->samples;
}

/* ---- Stages
 * --------------------------------------------------------------------------------------- */

static void small(paper *p)
{
    run o = {"sr", 10, 2, 1, NULL, 0.1, 1e-4, 0, 10, seconds_of(p) / 4};
    machine m = machine_make(10, 2, 1, 1, paper_random(p, 2));
    printf("%-8s %4s %5s %-4s %6s %7s %14s %9s %11s\n", "method", "N", "alpha", "sym", "steps",
           "CPU s", "energy", "bar", "relative");
    outcome f = optimise(p, &o, &m, NULL);
    double all = enumerate(&m);
    target_print("vmc", "N=10_enumerated_energy", f.exact, all, 1e-4 * fabs(f.exact));
    target_print("vmc", "N=10_samples_against_enumeration_in_bars", 0, (f.e.energy - all) / f.e.bar,
                 4);
    o.spins = 20;
    o.seconds = seconds_of(p) / 2;
    judge("N=20", go(p, &o, NULL), 1e-4);
}

static void ring(paper *p)
{
    run o = {"sr", 40, 2, 1, NULL, 0.1, 1e-4, 0, 10, seconds_of(p)};
    outcome two = go(p, &o, "spectrum");
    judge("N=40_alpha=2", two, 1e-4);
    o.alpha = 1;
    o.damping = 3e-2;
    o.seconds = seconds_of(p);
    judge("N=40_alpha=1", go(p, &o, NULL), 1e-3);
    o.alpha = 4;
    o.damping = 1e-4;
    o.seconds = 2 * seconds_of(p);
    judge("N=40_alpha=4", go(p, &o, NULL), 4e-5);
    o.name = "spring";
    o.alpha = 2;
    o.momentum = 0.9;
    o.seconds = seconds_of(p);
    go(p, &o, NULL);
}

/* More weights than samples: SPRING on the dual matrix, that of minSR. */
static void without_symmetry(paper *p)
{
    run o = {"dual", 40, 2, 0, NULL, 0.2, 3e-4, 0.9, 5, 3 * seconds_of(p)};
    judge("N=40_without_symmetry", go(p, &o, NULL), 2e-4);
}

static void rival(paper *p)
{
    static const double rates[] = {1e-3, 3e-3, 1e-2, 3e-2};
    double best = INFINITY;
    for (int i = 0; i < 4 && !program_interrupted(); i++) {
        run o = {"adamw", 40, 2, 1, "adamw", rates[i], 0, 0, 10, seconds_of(p)};
        best = fmin(best, fabs(go(p, &o, NULL).relative));
    }
    printf("adamw at its best of four rates: %.2e\n", best);
}

static void draw(FILE *out, paper *p)
{
    (void)p;
    fputs("set multiplot layout 1,2\nset grid lc rgb '#cccccc'\nset logscale y\nset format y "
          "'10^{%L}'\n"
          "set xlabel 'processor seconds'\nset ylabel 'relative error of a step''s energy'\n"
          "set title 'N = 40'\nplot ",
          out);
    static const char *const curves[] = {"sr", "spring", "dual", "adamw"};
    for (size_t i = 0; i < 4; i++)
        fprintf(
            out,
            "%s$rows using (strcol(1) eq '%s' && $2 == 40 ? $4 : NaN):6 with points pt 7 ps 0.3 "
            "lc rgb '%s' title '%s'",
            i > 0 ? ", " : "", curves[i], plot_colour(i), curves[i]);
    fputs("\nset title 'quantum geometric tensor, N = 40, alpha = 2'\nset xlabel 'eigenvalue, by "
          "size'\n"
          "set ylabel ''\nplot "
          "$rows using (strcol(1) eq 'spectrum' && strcol(2) eq 'start' ? $7 : NaN):($8 > 0 ? $8 : "
          "NaN) "
          "with points pt 7 ps 0.5 title 'at the start', "
          "$rows using (strcol(1) eq 'spectrum' && strcol(2) eq 'end' ? $7 : NaN):($8 > 0 ? $8 : "
          "NaN) "
          "with points pt 5 ps 0.5 title 'ground state', 1e-4 with lines dt 2 title 'damping'\n"
          "unset multiplot\n",
          out);
}

int main(int argc, char **argv)
{
    static void (*const stages[])(paper *) = {small, ring, without_symmetry, rival, NULL};
    paper p = {
        .name = "vmc",
        .about =
            "Ground state of the Ising ring in a transverse field, h = 1, by variational Monte\n"
            "Carlo: stochastic reconfiguration and SPRING against AdamW.",
        .header = "method,spins,step,cpu_seconds,energy,relative,index,eigenvalue",
        .option = "seconds",
        .counted = "processor time of the run with N = 40 and alpha = 2",
        .samples = 8,
        .least = 1,
        .most = 3600,
        .seed = 1,
        .stages = stages,
        .draw = draw,
        .width = 1100,
        .height = 420};
    return paper_main(&p, argc, argv);
}
