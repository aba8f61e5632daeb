/* hebbian: one step of dense Hebbian networks that have seen noisy examples sorted by a teacher.
 * The setting of Alemanno et al. 2023 (arXiv:2212.00606); the formula is the signal-to-noise one.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "examples/support/paper.h"
#include "examples/support/program.h"

typedef struct {
    int power;               /* P: spins in a term of the energy */
    size_t spins;            /* N */
    double load;             /* alpha: K = alpha N^(P-1) archetypes */
    double quality;          /* r: a spin of an example is right with (1 + r) / 2 */
    size_t examples;         /* M of each archetype */
    double simulated, error; /* what is known, of one network */
    size_t trials;           /* by default */
} setting;

static const setting settings[] = {
    {2, 400, 0.1, 0.3, 40, 0.8835, 0.006, 30}, {2, 400, 0.3, 0.3, 40, 0.7655, 0.007, 20},
    {2, 400, 0.1, 0.1, 100, 0.623, 0.009, 20}, {4, 60, 0.01, 0.3, 40, 0.753, 0.044, 40},
    {4, 60, 0.03, 0.3, 40, 0.613, 0.039, 20},  {4, 60, 0.01, 0.1, 400, 0.713, 0.031, 12},
    {2, 1600, 0.1, 0.3, 40, (double)NAN, 0, 4}};
enum { SETTINGS = sizeof settings / sizeof *settings };
static double apart[SETTINGS]; /* simulated less formula */

/* m1 = erf(1 / sqrt(2 (rho + alpha (2P-3)!! (1 + rho)^P))), rho = (1 - r^2) / (M r^2) */
static double formula(const setting *s)
{
    double rho = (1 - s->quality * s->quality) / ((double)s->examples * s->quality * s->quality),
           odd = 1;
    for (int k = 2 * s->power - 3; k > 1; k -= 2)
        odd *= k;
    return erf(1 / sqrt(2 * (rho + s->load * odd * pow(1 + rho, s->power))));
}

/* eta (K x N) <- the means of the examples times r^-1, in the gauge where every archetype that
 * counts is 1: the first is, the others are random signs that make no difference to the law. */
static void examples(ng_mat eta, const setting *s, const ng_random *random, double *u)
{
    for (size_t k = 0; k < eta.rows; k++)
        for (size_t i = 0; i < eta.cols; i++) {
            int sum = 0;
            random->fill_uniform(random->data, u, s->examples + 1);
            for (size_t a = 0; a < s->examples; a++)
                sum += u[a] < (1 + s->quality) / 2 ? 1 : -1;
            int sign = k == 0 || u[s->examples] < 0.5 ? 1 : -1;
            ng_mat_set(eta, k, i, sign * sum / (double)s->examples);
        }
}

/* The overlap after one parallel step from the first archetype: h_i = sum eta_i (sum_{j != i}
 * eta_j)^(P-1). */
static double overlap(ng_mat eta, int power)
{
    const size_t n = eta.cols;
    double *h = calloc(n, sizeof *h), right = 0;
    if (h == NULL)
        exit(program_end(program_no_memory()));
    for (size_t k = 0; k < eta.rows; k++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += ng_mat_get(eta, k, i);
        for (size_t i = 0; i < n; i++) {
            double e = ng_mat_get(eta, k, i), rest = sum - e;
            h[i] += e * (power == 2 ? rest : rest * rest * rest);
        }
    }
    for (size_t i = 0; i < n; i++)
        right += h[i] > 0 ? 1 : -1;
    free(h);
    return right / (double)n;
}

static void run(paper *p, const setting *s, size_t number)
{
    const size_t k = (size_t)(s->load * pow((double)s->spins, s->power - 1) + 0.5);
    const size_t trials = (s->trials * p->samples + 19) / 20;
    ng_mat eta = paper_mat(k, s->spins), u = paper_mat(1, s->examples + 1);
    double sum = 0, squares = 0;
    for (size_t t = 0; t < trials; t++) {
        examples(eta, s, paper_random(p, 100 * number + t), u.data);
        double m = overlap(eta, s->power);
        sum += m;
        squares += m * m;
    }
    const double n = (double)trials, mean = sum / n;
    const double spread = sqrt(fmax(0, squares / n - mean * mean) / fmax(1, n - 1));
    char name[64];
    printf("%2d %5zu %6.2f %4.1f %5zu %7zu   %.4f +- %.4f   %.4f\n", s->power, s->spins, s->load,
           s->quality, s->examples, k, mean, spread, formula(s));
    fprintf(p->rows.to, "%d,%zu,%g,%g,%zu,%zu,%.6g,%.6g,%.6g\n", s->power, s->spins, s->load,
            s->quality, s->examples, k, mean, spread, formula(s));
    apart[number] = mean - formula(s);
    snprintf(name, sizeof name, "P=%d_N=%zu_alpha=%g_r=%g", s->power, s->spins, s->load,
             s->quality);
    if (!isnan(s->simulated)) /* three times the error that stands beside what is known */
        target_print("hebbian", name, s->simulated, mean, 3 * s->error + 3 * spread);
    else
        target_print("hebbian", name, formula(s), mean, 0.004 + 3 * spread);
}

static void simulate(paper *p)
{
    printf(" P     N  alpha    r     M       K   after one step     formula\n");
    for (size_t i = 0; i < SETTINGS && !program_interrupted(); i++)
        run(p, &settings[i], i);
}

/* Without load only the noise of the examples is left: rho_c for an overlap decides how many are
 * needed, M >= (1 - r^2) / (r^2 rho_c). */
static void threshold(paper *p)
{
    double rho = 1 / (2 * 1.1631 * 1.1631); /* erf(1.1631) = 0.9 */
    double examples = (1 - 0.09) / (0.09 * rho);
    setting s = {2, 400, 0, 0.3, (size_t)(examples + 0.5), 0, 0, 0};
    (void)p;
    target_print("hebbian", "overlap_at_the_least_number_of_examples", 0.9, formula(&s), 0.01);
    double two = 0, four = 0;
    for (size_t i = 0; i < SETTINGS; i++) {
        double *worst = settings[i].power == 2 ? &two : &four;
        *worst = fmax(*worst, fabs(apart[i]));
    }
    verdict_print("hebbian", "one step ends within 0.03 of the formula, P = 2",
                  two <= 0.03 ? VERDICT_YES : VERDICT_NO);
    verdict_print("hebbian", "the same at P = 4 with 60 spins",
                  four <= 0.03 ? VERDICT_YES : VERDICT_NO);
}

static void draw(FILE *out, paper *p)
{
    (void)p;
    fputs(
        "set grid lc rgb '#cccccc'\nset xrange [0.55:0.95]\nset yrange [0.55:0.95]\nset key top "
        "left\nset xlabel 'formula'\nset ylabel 'simulated overlap after one step'\n"
        "plot x with lines dt 2 lc rgb '#000000' notitle, "
        "$rows using ($1 == 2 ? $9 : NaN):7:8 with yerrorbars pt 7 lc rgb '#0072B2' title 'P = 2', "
        "$rows using ($1 == 4 ? $9 : NaN):7:8 with yerrorbars pt 5 lc rgb '#D55E00' title 'P = "
        "4, N = 60'\n",
        out);
}

int main(int argc, char **argv)
{
    static void (*const stages[])(paper *) = {simulate, threshold, NULL};
    paper p = {.name = "hebbian",
               .about = "One step of dense Hebbian networks with supervised noisy examples.",
               .header = "P,N,alpha,r,M,K,overlap,error,formula",
               .counted = "twentieths of the networks of each setting",
               .samples = 20,
               .least = 1,
               .most = 2000,
               .seed = 1,
               .stages = stages,
               .draw = draw,
               .width = 560,
               .height = 480};
    return paper_main(&p, argc, argv);
}
