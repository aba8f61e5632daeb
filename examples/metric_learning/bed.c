/* Patches and the bank of anchors. */
#include <math.h>

#include "examples/metric_learning/metric_learning.h"

static double deviation(size_t direction)
{
    return direction < LOOSE ? 1 : NARROW;
}

void bed_patches(const bed *b, ng_mat x[MODALITIES], int anomalous, const ng_random *random)
{
    for (size_t row = 0; row < x[0].rows; row++) {
        double z[MODALITIES][D], u, shift[TIGHT];
        random->fill_normal(random->data, z[0], MODALITIES * D);
        if (anomalous) {
            random->fill_uniform(random->data, &u, 1);
            random->fill_normal(random->data, shift, TIGHT);
            double length = sqrt(shift[0] * shift[0] + shift[1] * shift[1] + shift[2] * shift[2]);
            for (size_t i = 0; i < TIGHT; i++)
                z[u < 0.5][LOOSE + i] += SHIFT * shift[i] / length;
        }
        for (size_t m = 0; m < MODALITIES; m++)
            for (size_t j = 0; j < D; j++) {
                double sum = 0;
                for (size_t i = 0; i < D; i++)
                    sum += deviation(i) * z[m][i] * ng_mat_get(b->rotation[m], i, j);
                ng_mat_set(x[m], row, j, sum);
            }
    }
}

void bed_white(const bed *b, double white[D], const double *x, int modality)
{
    for (size_t i = 0; i < D; i++) {
        white[i] = 0;
        for (size_t j = 0; j < D; j++)
            white[i] += ng_mat_get(b->rotation[modality], i, j) * x[j] / deviation(i);
    }
}

void bed_make(bed *b, const ng_random *random)
{
    ng_mat noise = paper_mat(D, D), x[MODALITIES];
    ng_error error = {NG_OK, ""};
    for (int m = 0; m < MODALITIES; m++) {
        b->rotation[m] = paper_mat(D, D);
        b->bank[m] = paper_mat(BANK, D);
        x[m] = paper_mat(BANK, D);
        paper_normal(noise, random);
        paper_must(ng_polar(b->rotation[m], NULL, noise, NULL, NULL, &error), &error);
    }
    bed_patches(b, b->bank, 0, random);
    bed_patches(b, x, 0, random);
    for (int m = 0; m < MODALITIES; m++) {
        b->typical[m] = 0;
        for (size_t i = 0; i < BANK; i++) {
            double least = HUGE_VAL;
            for (size_t k = 0; k < BANK; k++) {
                double away = 0;
                for (size_t j = 0; j < D; j++)
                    away += pow(ng_mat_get(x[m], i, j) - ng_mat_get(b->bank[m], k, j), 2);
                least = fmin(least, away);
            }
            b->typical[m] += sqrt(least) / BANK;
        }
    }
}
