/* universality: a softmax regression errs on images of normal numbers as often as on the Gaussian
 * mixture of their moments, and such images concentrate: what "Gaussian Universality for Diffusion
 * Models" (arXiv:2501.07741) says of samples of diffusion models. */
#include <math.h>
#include <stdio.h>

#include "examples/support/program.h"
#include "examples/universality/universality.h"

enum { SIZES = 4, STEPS = 5 };
static const double one_draw = 0.021; /* sd of the error over draws of the classes */

/* Over all beds: the errors of regressions of n samples, their means and standard errors. */
typedef struct {
    size_t d, latent, n;
    double error[2], spread[2]; /* by law */
    double apart, apart_spread; /* of MAPPED less of NORMAL */
    double typical;             /* root mean square of that difference of one bed */
    double smallest;            /* eigenvalue of a covariance, of the largest */
} outcome;

static double tests[2][TESTED * DIMENSION], samples[5000 * WIDEST];

/* A test error, of so many regressions that few samples count as well as many. */
static double regressions(const classes *bed, size_t n, law kind, const ng_dataset *data,
                          size_t seed, const ng_random *random)
{
    const size_t count = n < 1000 ? 1000 / n : 1;
    ng_mat x = ng_f64(samples, n / CLASSES * CLASSES, bed->d);
    double sum = 0;
    for (size_t k = 0; k < count; k++) {
        bed_sample(bed, x, kind, random);
        ng_model *model = bed_train(x, seed);
        sum += bed_error(model, data);
        ng_model_destroy(model);
    }
    return sum / (double)count;
}

static double smallest(const classes *bed)
{
    ng_error error = {NG_OK, ""};
    ng_mat values = paper_mat(1, bed->d), copy = paper_mat(bed->d, bed->d);
    ng_mat first = ng_mat_block(bed->covariances, 0, 0, bed->d, bed->d);
    paper_must(ng_copy(copy, first, &error), &error);
    paper_must(ng_eigenvalues(values, copy, &error), &error);
    return ng_mat_get(values, 0, 0) / ng_mat_get(values, 0, bed->d - 1);
}

static void one_bed(paper *p, ng_mat found, outcome *o, size_t count, size_t s)
{
    const size_t stream = 1000 * (o->d + 100 * o->latent) + 4 * s;
    classes bed;
    bed_make(&bed, p, o->d, o->latent, stream);
    for (int kind = 0; kind < 2; kind++) {
        const ng_random *random = paper_random(p, stream + 1 + (size_t)kind);
        ng_mat test = ng_f64(tests[kind], bed_tested(p), o->d);
        ng_dataset *data;
        bed_sample(&bed, test, kind, random);
        bed_dataset(&data, test);
        for (size_t i = 0; i < count && !program_interrupted(); i++)
            ng_mat_set(found, s, 3 * i + (size_t)kind,
                       regressions(&bed, o[i].n, kind, data, s, random));
        ng_dataset_destroy(data);
    }
    for (size_t i = 0; i < count; i++) {
        o[i].smallest = smallest(&bed);
        ng_mat_set(found, s, 3 * i + 2,
                   ng_mat_get(found, s, 3 * i) - ng_mat_get(found, s, 3 * i + 1));
    }
}

/* All of one d and latent. Whether it came to its end. */
static int measure(paper *p, outcome *o, size_t count)
{
    const size_t draws = bed_draws(p);
    const double root = sqrt(fmax(1, (double)draws - 1));
    ng_mat found = paper_mat(draws, 3 * count);
    for (size_t s = 0; s < draws && !program_interrupted(); s++)
        one_bed(p, found, o, count, s);
    if (program_interrupted())
        return 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t kind = 0; kind < 2; kind++) {
            o[i].error[kind] = paper_mean(found, 3 * i + kind);
            o[i].spread[kind] = paper_sd(found, 3 * i + kind) / root;
        }
        o[i].apart = paper_mean(found, 3 * i + 2);
        o[i].apart_spread = paper_sd(found, 3 * i + 2) / root;
        o[i].typical = hypot(o[i].apart, paper_sd(found, 3 * i + 2));
        printf("%3zu %6zu %5zu  %.4f +- %.4f  %.4f +- %.4f  %7.4f +- %.4f  %.4f  %.0e\n", o[i].d,
               o[i].latent, o[i].n, o[i].error[MAPPED], o[i].spread[MAPPED], o[i].error[NORMAL],
               o[i].spread[NORMAL], o[i].apart, o[i].apart_spread, o[i].typical, o[i].smallest);
        fprintf(p->rows.to, "%zu,%zu,%zu,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g\n", o[i].d,
                o[i].latent, o[i].n, o[i].error[MAPPED], o[i].spread[MAPPED], o[i].error[NORMAL],
                o[i].spread[NORMAL], o[i].apart, o[i].apart_spread, o[i].typical, o[i].smallest);
    }
    return 1;
}

static void curve(paper *p)
{
    static const double known[SIZES][2] = {
        {0.5188, 0.5241}, {0.4552, 0.4605}, {0.4218, 0.4155}, {0.4002, 0.4032}};
    static const char *const names[2] = {"mapped", "normal"};
    outcome o[SIZES] = {{DIMENSION, DIMENSION, 100, {0}, {0}, 0, 0, 0, 0},
                        {DIMENSION, DIMENSION, 300, {0}, {0}, 0, 0, 0, 0},
                        {DIMENSION, DIMENSION, 1000, {0}, {0}, 0, 0, 0, 0},
                        {DIMENSION, DIMENSION, 5000, {0}, {0}, 0, 0, 0, 0}};
    const double sharp = 0.007 * sqrt(DRAWS / (double)bed_draws(p));
    char name[48];
    double worst = 0;
    puts("  d latent     n   tanh(W z + b)      matched mixture    difference         typical "
         "smallest "
         "eigenvalue");
    if (!measure(p, o, SIZES))
        return;
    for (size_t i = 0; i < SIZES; i++) {
        for (size_t kind = 0; kind < 2; kind++) {
            snprintf(name, sizeof name, "error_%s_n=%zu", names[kind], o[i].n);
            target_print("universality", name, known[i][kind], o[i].error[kind], one_draw);
        }
        snprintf(name, sizeof name, "difference_n=%zu", o[i].n);
        target_print("universality", name, 0, o[i].apart, sharp);
        worst = fmax(worst, fabs(o[i].apart));
    }
    verdict_print("universality", "both laws give one test error, within 0.01",
                  worst <= 0.01 ? VERDICT_YES : VERDICT_NO);
}

/* ---- How far it goes ------------------------------------------------------------------------ */

static void latent(paper *p)
{
    outcome o[STEPS] = {{DIMENSION, 5, 2000, {0}, {0}, 0, 0, 0, 0},
                        {DIMENSION, 10, 2000, {0}, {0}, 0, 0, 0, 0},
                        {DIMENSION, 20, 2000, {0}, {0}, 0, 0, 0, 0},
                        {DIMENSION, 40, 2000, {0}, {0}, 0, 0, 0, 0},
                        {DIMENSION, 80, 2000, {0}, {0}, 0, 0, 0, 0}};
    for (size_t i = 0; i < STEPS; i++)
        if (!measure(p, &o[i], 1))
            return;
    const double few = o[0].typical, many = o[STEPS - 1].typical;
    target_print("universality", "difference_latent=80", 0, o[STEPS - 1].apart, 0.01);
    verdict_print("universality", "the same with 5 latent numbers behind 40",
                  few <= 0.01 ? VERDICT_YES : VERDICT_NO);
    verdict_print("universality", "the difference falls with the number of latent numbers",
                  many < few ? VERDICT_YES : VERDICT_NO);
}

static void draw(FILE *out, paper *p)
{
    (void)p;
    fputs("set multiplot layout 1,2\nset grid lc rgb '#cccccc'\nset logscale x\n"
          "set xlabel 'training samples'\nset ylabel 'test error'\nset key top right\n"
          "set xrange [70:7000]\nset yrange [0.38:0.56]\n"
          "plot $rows using ($2 == 40 && $3 != 2000 ? $3 : NaN):4:5 with yerrorbars pt 7 lc rgb "
          "'#0072B2' title "
          "'tanh(W z + b)', $rows using ($2 == 40 && $3 != 2000 ? $3 * 1.06 : NaN):6:7 with "
          "yerrorbars pt 5 lc "
          "rgb '#D55E00' title 'mixture of its moments'\n",
          out);
    fputs("set xlabel 'latent numbers'\nset ylabel 'difference of the errors, 2,000 samples'\n"
          "set xrange [4:100]\nset yrange [-0.005:0.025]\nset xtics (5, 10, 20, 40, 80)\n"
          "plot 0 lc rgb '#777777' dt 2 notitle, $rows using ($3 == 2000 ? $2 : NaN):8:9 with "
          "yerrorbars pt 7 lc rgb '#0072B2' title 'mean', $rows using ($3 == 2000 ? $2 * 1.06 : "
          "NaN):10 with points pt 5 lc rgb '#D55E00' title 'typical of one draw'\n"
          "unset multiplot\n",
          out);
}

int main(int argc, char **argv)
{
    static void (*const stages[])(paper *) = {checks, curve, latent, NULL};
    paper p = {.name = "universality",
               .about = "Test errors on images of normal numbers and on matched Gaussian mixtures.",
               .header = "d,latent,n,mapped,mapped_spread,normal,normal_spread,difference,spread,"
                         "typical,smallest",
               .counted = "test samples of each setting",
               .samples = 600000,
               .least = 60,
               .most = 600000,
               .seed = 1,
               .stages = stages,
               .draw = draw,
               .width = 760,
               .height = 420};
    return paper_main(&p, argc, argv);
}
