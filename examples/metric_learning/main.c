/* metric_learning: a learnt, direction-aware score for anomalies in two modalities, after G2SF
 * (arXiv:2503.10091), against the scores that are known to be best here. */
#include <math.h>
#include <stdio.h>

#include "examples/metric_learning/metric_learning.h"

enum { SEEDS = 3, SCORES = 5, BATCH = 256, PAIRS = BATCH * NEAREST };

static const char *const names[SCORES] = {
    "Euclidean, nearest anchor", "learnt scale, nearest anchor", "Fisher length, nearest anchor",
    "Fisher length, from the mean", "likelihood ratio"};
static double found[SEEDS][SCORES];

/* ---- Nearest anchors ---------------------------------------------------------------------------
 */

/* The NEAREST anchors of n patches in one modality: inputs (n NEAREST x 2 D) <- direction and
 * anchor, distance (n NEAREST) <- over the typical one. */
static void pairs_of(const bed *b, int m, ng_mat x, ng_mat inputs, double *distance)
{
    for (size_t i = 0; i < x.rows; i++) {
        double best[NEAREST];
        size_t who[NEAREST] = {0};
        for (int k = 0; k < NEAREST; k++)
            best[k] = HUGE_VAL;
        for (size_t a = 0; a < BANK; a++) {
            double away = 0;
            for (size_t j = 0; j < D; j++)
                away += pow(ng_mat_get(x, i, j) - ng_mat_get(b->bank[m], a, j), 2);
            int place = NEAREST;
            for (; place > 0 && away < best[place - 1]; place--)
                if (place < NEAREST) {
                    best[place] = best[place - 1];
                    who[place] = who[place - 1];
                }
            if (place < NEAREST) {
                best[place] = away;
                who[place] = a;
            }
        }
        for (size_t k = 0; k < NEAREST; k++) {
            double length = sqrt(best[k]) + 1e-12;
            for (size_t j = 0; j < D; j++) {
                double anchor = ng_mat_get(b->bank[m], who[k], j);
                ng_mat_set(inputs, i * NEAREST + k, j, (ng_mat_get(x, i, j) - anchor) / length);
                ng_mat_set(inputs, i * NEAREST + k, D + j, anchor);
            }
            distance[i * NEAREST + k] = length / b->typical[m];
        }
    }
}

/* ---- The learnt scale
 * ---------------------------------------------------------------------------- */

/* log of the scale, in -1 ... 1 */
static double log_scale(double output)
{
    return tanh(output);
}

/* score[i] += the least over the anchors of scale times distance; chosen (may be NULL) <- which */
static void add_scores(double *score, size_t *chosen, ng_mat output, const double *distance,
                       size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t best = i * NEAREST;
        double least = HUGE_VAL;
        for (size_t k = i * NEAREST; k < (i + 1) * NEAREST; k++) {
            double s = exp(log_scale(ng_mat_get(output, k, 0))) * distance[k];
            if (s < least) {
                least = s;
                best = k;
            }
        }
        score[i] += least;
        if (chosen != NULL)
            chosen[i] = best;
    }
}

typedef struct {
    fieldnet *net[MODALITIES];
    ng_mat x[MODALITIES], inputs[MODALITIES], output[MODALITIES], targets[MODALITIES];
    double distance[MODALITIES][PAIRS], score[BATCH];
    size_t chosen[MODALITIES][BATCH];
} learner;

/* One step on a batch whose first half is normal and whose second half are normal patches with
 * isotropic noise: nobody says which directions are tight. The losses, as derivatives by the
 * outputs: weighted SVDD        score^2 of a normal patch over its Euclidean score inverse distance
 * (margin - score)+ of a noisy one over its Euclidean score L1                   0.01 |log scale|
 * What stands before them, consistency and permutation, asks the scale for symmetries that these
 * modalities have from the start: they are independent, and the anchors have no order. */
static void learn(const bed *b, learner *l, const ng_random *random)
{
    const double margin = 4;
    double plain[BATCH] = {0};
    bed_patches(b, l->x, 0, random);
    for (int m = 0; m < MODALITIES; m++) {
        for (size_t i = BATCH / 2; i < BATCH; i++)
            for (size_t j = 0; j < D; j++) {
                double z;
                random->fill_normal(random->data, &z, 1);
                ng_mat_set(l->x[m], i, j, ng_mat_get(l->x[m], i, j) + 0.4 * z);
            }
        pairs_of(b, m, l->x[m], l->inputs[m], l->distance[m]);
        fieldnet_answer(l->net[m], l->output[m], l->inputs[m]);
    }
    for (size_t i = 0; i < BATCH; i++)
        l->score[i] = 0;
    for (int m = 0; m < MODALITIES; m++) {
        add_scores(l->score, l->chosen[m], l->output[m], l->distance[m], BATCH);
        for (size_t i = 0; i < BATCH; i++)
            plain[i] += l->distance[m][i * NEAREST];
    }
    for (int m = 0; m < MODALITIES; m++) {
        ng_copy(l->targets[m], l->output[m], NULL);
        for (size_t i = 0; i < BATCH; i++) {
            size_t k = l->chosen[m][i];
            double out = ng_mat_get(l->output[m], k, 0), slope = 1 - pow(tanh(out), 2),
                   part = exp(log_scale(out)) * l->distance[m][k] * slope; /* d score / d output */
            double push = i < BATCH / 2          ? 2 * l->score[i] / plain[i]
                          : l->score[i] < margin ? -4 / plain[i]
                                                 : 0;
            double l1 = 0.01 * (out > 0 ? 1 : -1) * slope;
            ng_mat_set(l->targets[m], k, 0, out - NEAREST * (push * part + l1));
        }
        fieldnet_step(l->net[m], l->inputs[m], l->targets[m]);
    }
}

static learner *train(paper *p, const bed *b, size_t seed)
{
    static learner l;
    const size_t steps = p->samples < 200 ? 3 : 120;
    const ng_random *random = paper_random(p, 100 * seed + 1);
    for (size_t m = 0; m < MODALITIES; m++) {
        fieldnet_options o = {
            2 * D, 16, 1, PAIRS, FIELDNET_NATURAL, 0.1, 1e-2, steps, 100 * seed + 2 + m};
        l.net[m] = fieldnet_create(p, &o);
        l.x[m] = paper_mat(BATCH, D);
        l.inputs[m] = paper_mat(PAIRS, 2 * D);
        l.output[m] = paper_mat(PAIRS, 1);
        l.targets[m] = paper_mat(PAIRS, 1);
    }
    for (size_t step = 0; step < steps; step++)
        learn(b, &l, random);
    return &l;
}

/* ---- All scores
 * -------------------------------------------------------------------------------------- */

/* the Fisher length of x - a, or of x, squared; tight (may be NULL) <- the part in the tight space
 */
static double fisher_square(const bed *b, int m, const double *x, const double *a, double *tight)
{
    double difference[D], white[D], sum = 0;
    for (size_t j = 0; j < D; j++)
        difference[j] = x[j] - (a == NULL ? 0 : a[j]);
    bed_white(b, white, difference, m);
    for (size_t i = 0; i < D; i++) {
        sum += white[i] * white[i];
        if (tight != NULL && i >= LOOSE)
            *tight += white[i] * white[i];
    }
    return sum;
}

/* scores[s] (n each) <- of patches, by each of the five */
static void judge(const bed *b, learner *l, double *scores[SCORES], ng_mat x[MODALITIES])
{
    const size_t n = x[0].rows;
    ng_mat inputs = paper_mat(n * NEAREST, 2 * D), output = paper_mat(n * NEAREST, 1);
    double *distance = paper_mat(1, n * NEAREST).data;
    for (int m = 0; m < MODALITIES; m++) {
        pairs_of(b, m, x[m], inputs, distance);
        fieldnet_answer(l->net[m], output, inputs);
        add_scores(scores[1], NULL, output, distance, n);
        for (size_t i = 0; i < n; i++)
            scores[0][i] += distance[i * NEAREST];
    }
    for (size_t i = 0; i < n; i++) {
        double tight[MODALITIES] = {0};
        for (int m = 0; m < MODALITIES; m++) {
            const double *row = (double *)x[m].data + i * x[m].stride;
            double least = HUGE_VAL;
            for (size_t a = 0; a < BANK; a++)
                least = fmin(least, fisher_square(b, m, row,
                                                  (double *)b->bank[m].data + a * b->bank[m].stride,
                                                  NULL));
            scores[2][i] += least;
            scores[3][i] += fisher_square(b, m, row, NULL, &tight[m]);
        }
        scores[4][i] = log_ratio(tight);
    }
}

static void one_seed(paper *p, size_t seed)
{
    static bed b;
    const size_t n = p->samples;
    ng_mat x[MODALITIES];
    double *scores[2][SCORES];
    bed_make(&b, paper_random(p, 100 * seed));
    learner *l = train(p, &b, seed);
    for (int anomalous = 0; anomalous < 2; anomalous++) {
        for (int m = 0; m < MODALITIES; m++)
            x[m] = paper_mat(n, D);
        for (int s = 0; s < SCORES; s++)
            scores[anomalous][s] = paper_mat(1, n).data;
        bed_patches(&b, x, anomalous, paper_random(p, 100 * seed + 10 + (size_t)anomalous));
        judge(&b, l, scores[anomalous], x);
    }
    for (int s = 0; s < SCORES; s++) {
        found[seed][s] = area(scores[1][s], scores[0][s], n);
        fprintf(p->rows.to, "\"%s\",%zu,%.6g\n", names[s], seed + 1, found[seed][s]);
    }
}

static void first(paper *p)
{
    one_seed(p, 0);
}

static void second(paper *p)
{
    one_seed(p, 1);
}

static void third(paper *p)
{
    one_seed(p, 2);
}

static void report(paper *p)
{
    const double bound[2] = {area_of_fisher_length(), area_of_likelihood()},
                 far = 3.3 / sqrt(12 * (double)p->samples); /* of an area near 1/2; less near 1 */
    double mean[SCORES] = {0};
    printf("%-32s %8s %8s %8s %8s %10s\n", "area under the curve, by seed", "1", "2", "3", "mean",
           "quadrature");
    for (int s = 0; s < SCORES; s++) {
        printf("%-32s", names[s]);
        for (int seed = 0; seed < SEEDS; seed++) {
            printf(" %8.4f", found[seed][s]);
            mean[s] += found[seed][s] / SEEDS;
        }
        printf(" %8.4f", mean[s]);
        if (s >= 3)
            printf(" %10.4f", bound[s - 3]);
        puts("");
    }
    double closed = (mean[1] - mean[0]) / (bound[1] - mean[0]);
    printf("the learnt scale closes %.0f %% of the way from Euclid to the bound, the Fisher length "
           "from the "
           "mean %.0f %%\n",
           100 * closed, 100 * (bound[0] - mean[0]) / (bound[1] - mean[0]));
    target_print("g2sf", "area_of_fisher_length", bound[0], mean[3], far);
    target_print("g2sf", "area_of_likelihood_ratio", bound[1], mean[4], far);
    target_print("g2sf", "nothing_beats_the_bound", 1,
                 mean[0] < bound[1] + far && mean[1] < bound[1] + far && mean[2] < bound[1] + far,
                 0);
    verdict_print("g2sf", "a learnt direction-aware scale detects better than Euclidean distance",
                  closed > 0.1    ? VERDICT_YES
                  : closed > 0.02 ? VERDICT_PARTLY
                                  : VERDICT_NO);
    verdict_print("g2sf", "it does as well as the Fisher length to the nearest anchor",
                  mean[1] > mean[2] - 0.005 ? VERDICT_YES : VERDICT_NO);
}

static void draw(FILE *out, paper *p)
{
    (void)p;
    fprintf(
        out,
        "set grid lc rgb '#cccccc'\nset style data histograms\nset style histogram clustered gap "
        "1\n"
        "set style fill solid 0.8\nset title 'three seeds'\nset yrange [0.5:1]\nset ylabel 'area under the curve'\n"
        "set key off\nset xtics ('Euclidean' 0, 'learnt' 1, 'Fisher, anchor' 2, 'Fisher, mean' 3, "
        "'likelihood ratio' 4)\nset xrange [-0.6:4.6]\nset boxwidth 0.2\n"
        "set arrow 1 from -0.6,%.6g to 4.6,%.6g nohead dt 2\n"
        "set label 1 'Bayes bound' at -0.5,%.6g offset 0,0.6\nplot ",
        area_of_likelihood(), area_of_likelihood(), area_of_likelihood());
    for (int seed = 0; seed < SEEDS; seed++)
        fprintf(out, "%s'-' using ($1+%g):2 with boxes lc rgb '%s'", seed > 0 ? ", " : "",
                0.22 * (seed - 1), plot_colour((size_t)seed));
    fputs("\n", out);
    for (int seed = 0; seed < SEEDS; seed++) {
        for (int s = 0; s < SCORES; s++)
            fprintf(out, "%d,%.6g\n", s, found[seed][s]);
        fputs("e\n", out);
    }
}

int main(int argc, char **argv)
{
    static void (*const stages[])(paper *) = {first, second, third, report, NULL};
    paper p = {
        .name = "metric_learning",
        .about = "A learnt direction-aware anomaly score against the Fisher length and the bound.",
        .header = "score,seed,area",
        .counted = "normal patches, and as many anomalies, of each test",
        .samples = 3000,
        .least = 8,
        .most = 100000,
        .seed = 1,
        .stages = stages,
        .draw = draw,
        .width = 800,
        .height = 420};
    return paper_main(&p, argc, argv);
}
