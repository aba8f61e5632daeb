/* evodiff: the orders of EVODiff (arXiv:2509.26096), DDIM and DPM-Solver++(2M) with an exact
 * denoiser. The solver follows the published code, a row being one channel; the
 * natgrad/lab/solver.h table has it with and without the factor 1 - sqrt(sigma sigma') of its last
 * step. */
#include <math.h>
#include <stdio.h>

#include "examples/support/median.h"
#include "examples/support/paper.h"

enum { COUNTS = 7, SOLVERS = 4, MOST = 16384 };

static const size_t counts[COUNTS] = {10, 20, 40, 80, 160, 320, 640};
static const char *const names[SOLVERS] = {"ddim", "dpm++2m", "evodiff", "evodiff_plain"};
static double errors[SOLVERS][COUNTS],
    medians[SOLVERS][COUNTS]; /* rms and median over the starts */

static ng_status denoise(void *data, ng_mat f, ng_mat x, double sigma, ng_error *error)
{
    const ng_mixture_fields fields = {.mean = f};
    return ng_mixture_evaluate(data, &fields, x, 1, sigma, NG_MIXTURE_ALL, error);
}

static void solve(ng_mat x, ng_mat start, ng_mixture *mixture, const char *name, size_t steps)
{
    static double levels[MOST + 1];
    ng_error error = {NG_OK, ""};
    for (size_t i = 0; i <= steps; i++)
        levels[i] = 10 * pow(0.002, (double)i / (double)steps);
    ng_copy(x, start, NULL);
    paper_must(ng_solver_run(x, ng_solver_find(name), levels, steps + 1, 0, NULL, denoise, mixture,
                             &error),
               &error);
}

/* Root mean square error of the end points. The reference: DPM-Solver++ with MOST steps, its error
 * of second order taken away by the run with half as many. */
static void measure(paper *p)
{
    static double places[6] = {2, 0, -1, 1.7, -1, -1.7};
    static double shares[3] = {0.5, 0.3, 0.2};
    ng_mixture *mixture = paper_mixture(ng_f64(places, 3, 2), 0.1, shares, NULL);
    const size_t n = p->samples;
    ng_mat start = paper_mat(n, 2), exact = paper_mat(n, 2), x = paper_mat(n, 2),
           lengths = paper_mat(1, n);
    paper_normal(start, paper_random(p, 0));
    ng_scale(start, 10);
    solve(exact, start, mixture, "dpm++2m", MOST);
    solve(x, start, mixture, "dpm++2m", MOST / 2);
    ng_lincomb(exact, 4.0 / 3, exact, -1.0 / 3, x, NULL);
    printf("%-14s", "steps");
    for (int c = 0; c < COUNTS; c++)
        printf(" %9zu", counts[c]);
    puts("");
    for (int s = 0; s < SOLVERS; s++) {
        printf("%-14s", names[s]);
        for (int c = 0; c < COUNTS; c++) {
            solve(x, start, mixture, names[s], counts[c]);
            ng_axpby(x, exact, -1, 1, NULL);
            errors[s][c] = ng_norm(x) / sqrt((double)n);
            for (size_t i = 0; i < n; i++)
                ng_mat_set(lengths, 0, i, ng_norm(ng_mat_block(x, i, 0, 1, 2)));
            medians[s][c] = median_of(lengths.data, n);
            printf(" %9.2e", errors[s][c]);
            fprintf(p->rows.to, "%s,%zu,%.6g\n", names[s], counts[c], errors[s][c]);
        }
        puts("");
    }
}

/* From 160 to 640 steps, of the median: one start on the edge between two components, which a
 * coarse solver takes to the wrong one, rules the mean. */
static double order(int s)
{
    return log(medians[s][COUNTS - 3] / medians[s][COUNTS - 1]) / log(4);
}

static void judge(paper *p)
{
    (void)p;
    target_print("evodiff", "order_ddim", 1, order(0), 0.1);
    target_print("evodiff", "order_dpm++2m", 2, order(1), 0.1);
    target_print("evodiff", "order_evodiff", 0, order(2), 0.3);
    target_print("evodiff", "order_evodiff_without_the_factor", 1, order(3), 0.1);
    /* sqrt(sigma sigma') tends to 0.02, which is the share of x that the factor takes away; of the
     * mixture E |x|^2 = 0.5 * 4 + 0.5 * 3.89 + 0.2 */
    target_print("evodiff", "error_that_stays_over_the_factor", 1,
                 errors[2][COUNTS - 1] / (0.02 * sqrt(0.5 * 4 + 0.5 * 3.89 + 0.2)), 0.1);
    verdict_print("evodiff", "second order global convergence",
                  order(3) > 1.8 ? VERDICT_YES : VERDICT_NO);
    verdict_print("evodiff", "the published code converges at all",
                  order(2) > 0.5 ? VERDICT_YES : VERDICT_NO);
    verdict_print("evodiff", "at 10 steps it is nearer than DDIM",
                  errors[2][0] < errors[0][0] ? VERDICT_YES : VERDICT_NO);
    verdict_print("evodiff", "at 10 steps it is nearer than DPM-Solver++(2M)",
                  errors[2][0] < errors[1][0] ? VERDICT_YES : VERDICT_NO);
}

static void draw(FILE *out, paper *p)
{
    static const char *const titles[SOLVERS] = {"DDIM", "DPM-Solver++(2M)", "EVODiff, as published",
                                                "EVODiff without the last factor"};
    (void)p;
    fputs("set logscale xy\nset format y '10^{%T}'\nset grid lc rgb '#cccccc'\nset xlabel 'steps'\n"
          "set ylabel 'rms error of the end point'\nset xrange [8:800]\nset key outside right top\n"
          "set xtics (10, 20, 40, 80, 160, 320, 640)\nplot ",
          out);
    for (int s = 0; s < SOLVERS; s++)
        fprintf(out,
                "%s$rows using (strcol(1) eq '%s' ? $2 : NaN):3 with linespoints lw 2 pt %d lc rgb "
                "'%s' "
                "title '%s'",
                s > 0 ? ", " : "", names[s], s + 4, plot_colour((size_t)s), titles[s]);
    fputs("\n", out);
}

int main(int argc, char **argv)
{
    static void (*const stages[])(paper *) = {measure, judge, NULL};
    paper p = {.name = "evodiff",
               .about = "Orders of EVODiff, DDIM and DPM-Solver++(2M) with an exact denoiser.",
               .header = "solver,steps,error",
               .counted = "starting points",
               .samples = 60,
               .least = 1,
               .most = 100000,
               .seed = 1,
               .stages = stages,
               .draw = draw,
               .width = 900,
               .height = 420};
    return paper_main(&p, argc, argv);
}
