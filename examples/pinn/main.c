/* pinn: natural gradient in its residual form against first-order methods and L-BFGS, on three
 * differential equations with known solutions; error against processor time.
 *
 * Mueller and Zeinhofer 2023 (arXiv:2302.13163), arXiv:2505.12149, arXiv:2505.21404. */
#include <math.h>
#include <stdio.h>

#include "examples/pinn/pinn.h"

enum { SEEDS = 5 };

static double share(const paper *p)
{
    return (double)p->samples;
}

static void line(const char *problem_name, const char *name, outcome f)
{
    printf("%-9s %-22s %8zu %9.2f %12.3g\n", problem_name, name, f.steps, f.cpu, f.error);
}

static method marquardt(void)
{
    method m = method_natural("natural");
    m.natural.damping_mode = NG_DAMPING_MODE_LM;
    m.natural.damping = 1e-2;
    return m;
}

/* ---- The square ---------------------------------------------------------------------------------
 */

static double medians[2]; /* of the natural gradient: error, time to 1e-6 */

static void sort(double *x, int n)
{
    for (int i = 1; i < n; i++)
        for (int j = i; j > 0 && !(x[j - 1] <= x[j]); j--) {
            double keep = x[j];
            x[j] = x[j - 1];
            x[j - 1] = keep;
        }
}

/* The solution on a grid, for the picture. */
static void keep(paper *p, solver *s)
{
    enum { SIDE = 21 };
    ng_mat x = paper_mat(SIDE * SIDE, 2), u = paper_mat(SIDE * SIDE, 1);
    for (size_t b = 0; b < x.rows; b++) {
        ng_mat_set(x, b, 0, (double)(b / SIDE) / (SIDE - 1));
        ng_mat_set(x, b, 1, (double)(b % SIDE) / (SIDE - 1));
    }
    ng_error error = {NG_OK, ""};
    paper_must(ng_smooth_forward(s->judge, u, s->c.w, x, &error), &error);
    for (size_t b = 0; b < x.rows; b++)
        fprintf(p->rows.to, "solution,,,,,,%.4f,%.4f,%.6g,%.6g\n", ng_mat_get(x, b, 0),
                ng_mat_get(x, b, 1), ng_mat_get(u, b, 0),
                ng_mat_get(u, b, 0) - s->of->solution((double *)x.data + 2 * b));
}

static void square(paper *p)
{
    double errors[SEEDS], times[SEEDS];
    printf("%-9s %-22s %8s %9s %12s\n", "problem", "method", "steps", "CPU s", "error");
    for (int k = 0; k < SEEDS && !program_interrupted(); k++) {
        solver s;
        method m = marquardt();
        solver_open(&s, &poisson2, p, p->seed + (size_t)k);
        outcome f = solve(&s, p, &m, p->seed + (size_t)k, share(p), 1e-6);
        line("poisson2", "natural (lm)", f);
        errors[k] = f.error;
        times[k] = isnan(f.reached) ? (double)INFINITY : f.reached;
        if (k == 0)
            keep(p, &s);
        solver_close(&s);
    }
    sort(errors, SEEDS);
    sort(times, SEEDS);
    medians[0] = errors[SEEDS / 2];
    medians[1] = times[SEEDS / 2];
}

/* The other forms of the natural gradient. */
static double variant_errors[4];

static void variants(paper *p)
{
    method all[4] = {marquardt(), method_natural("line search"), method_natural("spring"),
                     marquardt()};
    all[1].natural.line_search = NG_LINE_SEARCH_GRID;
    all[1].natural.damping = 1e-9;
    all[1].natural.solver = NG_RESIDUAL_DUAL;
    all[2].natural = all[1].natural;
    all[2].natural.momentum = 0.9;
    all[3].name = "accelerated";
    all[3].accelerated = 1;
    for (int k = 1; k < 4; k++) {
        solver s;
        solver_open(&s, &poisson2, p, p->seed);
        outcome f = solve(&s, p, &all[k], p->seed, share(p), 1e-6);
        line("poisson2", all[k].name, f);
        variant_errors[k] = f.error;
        solver_close(&s);
    }
}

/* The best of its rates, in a line; its error. */
static double rival(paper *p, const problem *of, const char *preset, const double *rates,
                    size_t count, double seconds)
{
    double rate;
    char name[64];
    outcome f = solve_best(p, of, preset, rates, count, p->seed, seconds, &rate);
    snprintf(name, sizeof name, "%s, lr %g", preset, rate);
    line(of->name, name, f);
    return f.error;
}

static const double adam_rates[] = {3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1};

static void square_rivals(paper *p)
{
    solver s;
    double seconds = isfinite(medians[1]) ? fmin(share(p), medians[1]) : share(p);
    static const double muon[] = {1e-2, 3e-2, 1e-1}, kfac[] = {1e-5, 1e-4, 1e-3};
    double adam = rival(p, &poisson2, "adamw", adam_rates, 6, seconds);
    rival(p, &poisson2, "muon", muon, 3, seconds);
    rival(p, &poisson2, "kfac", kfac, 3, seconds);
    solver_open(&s, &poisson2, p, p->seed);
    outcome f = solve_lbfgs(&s, p, p->seed, seconds);
    if (isnan(f.error))
        printf("poisson2  lbfgs skipped: built without liblbfgs\n");
    else
        line("poisson2", "lbfgs, m 50", f);
    solver_close(&s);
    target_print("pinn", "poisson2_error_median_of_5", 0, medians[0], 1e-6);
    target_print("pinn", "poisson2_seconds_to_1e-6", 0, medians[1], 60);
    target_print("pinn", "poisson2_natural_over_adamw", 0, medians[0] / adam, 0.01);
    verdict_print(
        "pinn", "plain line search and SPRING are far worse than damping by Levenberg-Marquardt",
        variant_errors[1] > 3 * medians[0] && variant_errors[2] > 3 * medians[0] ? VERDICT_YES
                                                                                 : VERDICT_NO);
}

/* ---- Heat
 * ----------------------------------------------------------------------------------------- */

static void cooling(paper *p)
{
    solver s;
    method m = marquardt();
    m.name = "accelerated";
    m.accelerated = 1;
    solver_open(&s, &heat, p, p->seed);
    outcome f = solve(&s, p, &m, p->seed, share(p), 1e-6);
    line("heat", "accelerated", f);
    solver_close(&s);
    double adam = rival(p, &heat, "adamw", adam_rates + 2, 3, fmin(share(p), f.cpu));
    target_print("pinn", "heat_error", 0, f.error, 1e-5);
    target_print("pinn", "heat_natural_over_adamw", 0, f.error / adam, 0.01);
}

/* ---- Five dimensions
 * ------------------------------------------------------------------------------- */

static void cube(paper *p)
{
    double seconds = 3 * share(p);
    solver s;
    method m = method_natural("natural");
    m.natural.line_search = NG_LINE_SEARCH_GRID;
    m.natural.damping = 1e-8;
    solver_open(&s, &poisson5, p, p->seed);
    outcome f = solve(&s, p, &m, p->seed, seconds, 0);
    line("poisson5", "natural (dual, grid)", f);
    solver_close(&s);
    double adam = rival(p, &poisson5, "adamw", adam_rates + 2, 2, seconds);
    target_print("pinn", "poisson5_error", 0, f.error, 5e-5);
    target_print("pinn", "poisson5_natural_over_adamw", 0, f.error / adam, 1.0 / 30);
}

/* ---- The picture
 * ------------------------------------------------------------------------------------ */

static void draw(FILE *out, paper *p)
{
    (void)p;
    fputs("set multiplot layout 1,3\nset view map\nset size square\nset palette cubehelix\n"
          "set xlabel 'x'\nset ylabel 'y'\nset title 'solution'\nunset key\n"
          "plot $rows using (strcol(1) eq 'solution' ? $7 : NaN):8:9 with points pt 5 ps 1.8 "
          "palette\n"
          "set title 'error'\n"
          "plot $rows using (strcol(1) eq 'solution' ? $7 : NaN):8:10 with points pt 5 ps 1.8 "
          "palette\n"
          "set title 'relative error, Poisson in the plane'\nset size nosquare\nset logscale xy\n"
          "set format y '10^{%L}'\nset xlabel 'processor seconds'\nset ylabel ''\nset key bottom "
          "left\n"
          "set grid lc rgb '#cccccc'\nplot ",
          out);
    static const char *const curves[] = {"natural",    "accelerated", "line search", "spring",
                                         "adamw 0.03", "muon 0.03",   "kfac 0.0001", "lbfgs"};
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
        fprintf(out,
                "%s$rows using (strcol(1) eq 'poisson2' && strcol(2) eq '%s' && $3 == %zu ? "
                "($5 > 0 ? $5 : NaN) : NaN):6 with lines lw 1.5 lc rgb '%s' title '%s'",
                i > 0 ? ", " : "", curves[i], p->seed, plot_colour(i), curves[i]);
    fputs("\nunset multiplot\n", out);
}

int main(int argc, char **argv)
{
    static void (*const stages[])(paper *) = {square, variants, square_rivals, cooling, cube, NULL};
    paper p = {
        .name = "pinn",
        .about = "Solves differential equations with nets: natural gradient against AdamW, Muon,\n"
                 "K-FAC and L-BFGS, error against processor time.",
        .header = "problem,method,seed,step,cpu_seconds,error,x,y,u,difference",
        .option = "seconds",
        .counted = "processor time of each method at most",
        .samples = 5,
        .least = 1,
        .most = 3600,
        .seed = 1,
        .stages = stages,
        .draw = draw,
        .width = 1300,
        .height = 420};
    return paper_main(&p, argc, argv);
}
