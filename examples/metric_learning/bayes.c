/* The best there is: the likelihood ratio, and the Fisher length from the mean, without sampling.
 */
#include <math.h>
#include <stdlib.h>

#include "examples/metric_learning/metric_learning.h"

/* density of chi square with k degrees of freedom and noncentrality c, a Poisson mixture of central
 * ones */
static double chi_square(double x, double k, double c)
{
    double sum = 0, poisson = exp(-c / 2);
    for (int j = 0; j < 80; j++) {
        double half = k / 2 + j;
        sum += poisson * exp((half - 1) * log(x) - x / 2 - half * log(2) - lgamma(half));
        poisson *= c / 2 / (j + 1);
    }
    return sum;
}

/* one modality's ratio of noncentral to central density of the squared length in three dimensions:
 * e^(-c/2) sinh(u)/u with u^2 = c x */
static double ratio(double square)
{
    double u = SHIFT * sqrt(square);
    return exp(-SHIFT * SHIFT / 2) * (u > 1e-8 ? sinh(u) / u : 1);
}

double log_ratio(const double square[MODALITIES])
{
    return log(0.5 * ratio(square[0]) + 0.5 * ratio(square[1]));
}

/* ---- Areas --------------------------------------------------------------------------------------
 */

typedef struct {
    double score, normal, anomalous; /* masses */
} cell;

static int by_score(const void *a, const void *b)
{
    double x = ((const cell *)a)->score, y = ((const cell *)b)->score;
    return (x > y) - (x < y);
}

static double area_of_cells(cell *cells, size_t n)
{
    double below = 0, sum = 0;
    qsort(cells, n, sizeof *cells, by_score);
    for (size_t i = 0; i < n; i++) {
        sum += cells[i].anomalous * (below + cells[i].normal / 2);
        below += cells[i].normal;
    }
    return sum;
}

/* Cells in the lengths of both modalities. */
double area_of_likelihood(void)
{
    enum { SIDE = 500 };
    cell *cells = paper_mat((size_t)SIDE * SIDE, 3).data;
    double mass[SIDE], square[SIDE];
    const double h = 12.0 / SIDE;
    for (int i = 0; i < SIDE; i++) {
        double r = h * (i + 0.5);
        square[i] = r * r;
        mass[i] = chi_square(r * r, TIGHT, 0) * 2 * r * h;
    }
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            const double both[2] = {square[i], square[j]};
            double log_r = log_ratio(both), normal = mass[i] * mass[j];
            cells[i * SIDE + j] = (cell){log_r, normal, normal * exp(log_r)};
        }
    return area_of_cells(cells, (size_t)SIDE * SIDE);
}

/* chi square with all degrees of freedom against the noncentral one */
double area_of_fisher_length(void)
{
    enum { CELLS = 20000 };
    cell *cells = paper_mat(CELLS, 3).data;
    for (int i = 0; i < CELLS; i++) {
        double x = 120.0 * (i + 0.5) / CELLS, h = 120.0 / CELLS;
        cells[i] = (cell){x, h * chi_square(x, MODALITIES * D, 0),
                          h * chi_square(x, MODALITIES * D, SHIFT * SHIFT)};
    }
    return area_of_cells(cells, CELLS);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double area(double *anomalous, double *normal, size_t n)
{
    double sum = 0;
    size_t below = 0, equal = 0;
    qsort(anomalous, n, sizeof *anomalous, ascending);
    qsort(normal, n, sizeof *normal, ascending);
    for (size_t i = 0; i < n; i++) {
        while (below < n && normal[below] < anomalous[i])
            below++;
        for (equal = below; equal < n && normal[equal] == anomalous[i];)
            equal++;
        sum += ((double)below + (double)equal) / 2;
    }
    return sum / (double)n / (double)n;
}
