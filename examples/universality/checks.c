/* What must hold: moments, concentration and the Fisher matrices of both laws. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "examples/universality/universality.h"

enum { FUNCTIONS = 4, SCALES = 8 };

static double room[2][TESTED * WIDEST];

/* How far sums of u[i] v[i] are from n times the mean, in standard errors. */
static double off(ng_mat u, size_t i, ng_mat v, size_t j, double mean)
{
    double sum = 0, squares = 0;
    for (size_t r = 0; r < u.rows; r++) {
        double e = ng_mat_get(u, r, i) * ng_mat_get(v, r, j) - mean;
        sum += e;
        squares += e * e;
    }
    return fabs(sum) / sqrt(squares);
}

/* The means and covariances that sums over a grid give against those of samples: the largest of
 * all. */
static void moments(const classes *bed, ng_mat x)
{
    const size_t n = x.rows / CLASSES;
    ng_mat one = paper_mat(n, 1), centred = paper_mat(n, bed->d);
    double largest = 0;
    ng_fill(one, 1);
    for (size_t c = 0; c < CLASSES; c++) {
        ng_mat rows = bed_class(x, c);
        for (size_t i = 0; i < bed->d; i++) {
            const double mean = ng_mat_get(bed->means, c, i);
            for (size_t r = 0; r < n; r++)
                ng_mat_set(centred, r, i, ng_mat_get(rows, r, i) - mean);
            largest = fmax(largest, off(rows, i, one, 0, mean));
            for (size_t j = 0; j <= i; j++)
                largest = fmax(largest, off(centred, i, centred, j,
                                            ng_mat_get(bed->covariances, c * bed->d + i, j)));
        }
    }
    target_print("universality", "moments_in_standard_errors", 0, largest, 5);
}

/* ---- Concentration --------------------------------------------------------------------------- */

/* All change by at most 1 where x changes by 1. */
static const char *const names[FUNCTIONS] = {"norm", "largest", "first", "mean_over_sqrt_d"};

static double value(int function, ng_mat x, size_t i)
{
    double sum = 0, squares = 0, most = -HUGE_VAL;
    for (size_t j = 0; j < x.cols; j++) {
        double v = ng_mat_get(x, i, j);
        sum += v;
        squares += v * v;
        most = fmax(most, v);
    }
    const double values[FUNCTIONS] = {sqrt(squares), most, ng_mat_get(x, i, 0),
                                      sum / sqrt((double)x.cols)};
    return values[function];
}

/* The Lipschitz constant of z -> tanh(W z + b) is at most the largest singular value of W. */
static double lipschitz(const classes *bed, size_t c)
{
    const size_t k = bed->d < bed->latent ? bed->d : bed->latent;
    ng_error error = {NG_OK, ""};
    ng_mat s = paper_mat(1, k);
    paper_must(
        ng_svd(paper_mat(bed->d, k), s, paper_mat(k, bed->latent), NULL, bed->w[c], NULL, &error),
        &error);
    return ng_mat_get(s, 0, 0);
}

/* The largest of P(|f - E f| > t) / (2 exp(-t^2 / (2 L^2))) over t = L/2, L, ..., 4 L where more
 * than ten samples lie beyond; *sd <- of f */
static double excess(int function, const classes *bed, ng_mat x, size_t c, double *sd)
{
    const double l = lipschitz(bed, c);
    ng_mat rows = bed_class(x, c), f = paper_mat(rows.rows, 1);
    double most = 0;
    for (size_t i = 0; i < rows.rows; i++)
        ng_mat_set(f, i, 0, value(function, rows, i));
    const double mean = paper_mean(f, 0);
    *sd = paper_sd(f, 0);
    for (int k = 1; k <= SCALES; k++) {
        size_t beyond = 0;
        for (size_t i = 0; i < rows.rows; i++)
            beyond += fabs(ng_mat_get(f, i, 0) - mean) > 0.5 * k * l;
        double bound = 2 * exp(-0.125 * k * k), tail = (double)beyond / (double)rows.rows;
        most = beyond > 10 ? fmax(most, tail / bound) : most;
    }
    return most;
}

static void concentration(const classes *bed, ng_mat x)
{
    double worst = 0;
    puts("function          class  L      sd     largest share of the bound");
    for (int f = 0; f < FUNCTIONS; f++)
        for (size_t c = 0; c < CLASSES; c++) {
            double sd, most = excess(f, bed, x, c, &sd);
            printf("%-17s %5zu  %.3f  %.3f  %.3g\n", names[f], c, lipschitz(bed, c), sd, most);
            worst = fmax(worst, most);
        }
    target_print("universality", "tail_over_its_bound_at_most_1", 1, worst <= 1, 0);
}

/* The deviation of |x| does not grow with the dimension, its mean does as sqrt(d). */
static void dimensions(const paper *p)
{
    static const size_t d[2] = {20, WIDEST};
    double sd[2], mean[2];
    for (int k = 0; k < 2; k++) {
        classes bed;
        ng_mat x = ng_f64(room[0], bed_tested(p), d[k]), f = paper_mat(x.rows / CLASSES, 1);
        bed_make(&bed, p, d[k], d[k], 900 + (size_t)k);
        bed_sample(&bed, x, MAPPED, paper_random(p, 910 + (size_t)k));
        for (size_t i = 0; i < f.rows; i++)
            ng_mat_set(f, i, 0, value(0, bed_class(x, 0), i));
        sd[k] = paper_sd(f, 0);
        mean[k] = paper_mean(f, 0);
    }
    printf("|x| of %zu numbers: %.3f +- %.3f, of %zu: %.3f +- %.3f\n", d[0], mean[0], sd[0], d[1],
           mean[1], sd[1]);
    target_print("universality", "mean_norm_d=80_over_d=20", 2, mean[1] / mean[0], 0.1);
    target_print("universality", "sd_norm_d=80_over_d=20", 1, sd[1] / sd[0], 0.25);
}

/* ---- The Fisher matrix ----------------------------------------------------------------------- */

static double distance(ng_mat x, ng_mat y)
{
    ng_mat difference = paper_mat(x.rows, x.cols);
    paper_must(ng_lincomb(difference, 1, x, -1, y, NULL), &(ng_error){NG_ESHAPE, "shapes"});
    return ng_norm(difference) / ng_norm(y);
}

/* Of one regression, over both laws; what two halves of one law differ by is the noise. */
static void fishers(const paper *p, const classes *bed, ng_mat mapped)
{
    const size_t half = mapped.rows / 2 / CLASSES * CLASSES;
    ng_mat normal = ng_f64(room[1], mapped.rows, bed->d);
    ng_model *model =
        bed_train(ng_mat_block(mapped, 0, 0, half < 4998 ? half : 4998, bed->d), p->seed);
    bed_sample(bed, normal, NORMAL, paper_random(p, 921));
    ng_mat of_mapped = bed_fisher(model, mapped);
    double apart = distance(bed_fisher(model, normal), of_mapped);
    double noise = distance(bed_fisher(model, ng_mat_block(mapped, 0, 0, half, bed->d)),
                            bed_fisher(model, ng_mat_block(mapped, half, 0, half, bed->d))) /
                   sqrt(2);
    ng_model_destroy(model);
    printf("Fisher matrices: %.4f of the norm apart, noise %.4f\n", apart, noise);
    target_print("universality", "fisher_matrices_apart_beyond_noise", 0,
                 sqrt(fmax(0, apart * apart - noise * noise)), 0.02 + noise / 2);
}

void checks(paper *p)
{
    classes bed;
    ng_mat x = ng_f64(room[0], bed_tested(p), DIMENSION);
    bed_make(&bed, p, DIMENSION, DIMENSION, 920);
    bed_sample(&bed, x, MAPPED, paper_random(p, 922));
    moments(&bed, x);
    concentration(&bed, x);
    fishers(p, &bed, x);
    dimensions(p);
}
